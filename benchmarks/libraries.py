"""The product's statistics against named libraries on the same data: speed and the largest difference of what both compute.

The libraries stand in `.venv-bench`, which `make bench` makes from `requirements/bench.txt`; the product never needs them. Where they are
not installed, their lines are left out and that is told: no figure of ours depends on them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.results import Result, Results
from benchmarks.server import ROOT

if TYPE_CHECKING:
    import numpy as np

#: The interpreter that has the libraries.
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
THEIRS = ROOT / "benchmarks" / "floor" / "libraries.py"

#: Part → its name, the library, and the most by which the two may differ before the note says so.
PARTS = {
    "intervals": ("Wilson, exact, Newcombe, McNemar of 2,000 tables", "statsmodels", 1e-9),
    "model": ("2PL of 1,000 × 16", "girth", 0.01),
    "survey": ("rate of 20,000 people in 600 units", "svy", 1e-6),
}

Found = tuple[float, list[float]]


def make_data(part: str) -> dict[str, np.ndarray]:
    """The data of a part, from a seed."""
    import numpy as np

    rng = np.random.default_rng(20260426)
    if part == "intervals":
        sizes = rng.integers(20, 400, size=(2000, 2))
        hits = rng.binomial(sizes - 2, rng.uniform(0.1, 0.9, size=(2000, 2))) + 1
        return {"counts": np.column_stack([hits[:, 0], sizes[:, 0], hits[:, 1], sizes[:, 1]])}
    if part == "model":
        a, b = rng.uniform(0.7, 1.6, 16), rng.normal(size=16)
        ability = rng.normal(size=(1000, 1))
        return {"answers": (rng.random((1000, 16)) < 1 / (1 + np.exp(-a * (ability - b)))).astype(float)}
    unit = rng.integers(0, 600, size=20_000)
    chance = 0.15 + 0.1 * rng.random(600)
    yes = (rng.random(20_000) < chance[unit]).astype(int)
    return {"unit": unit, "stratum": unit // 150, "weight": rng.uniform(1, 4, size=20_000), "yes": yes}


def intervals(data: Any) -> Found:
    """The product's."""
    import scipy.special  # the start of the program is not measured

    from quizapp.measurement.gain import mcnemar
    from quizapp.measurement.intervals import clopper_pearson, rate_difference, wilson

    assert scipy.special
    rows = data["counts"].tolist()
    begin = time.perf_counter()
    values: list[float] = []
    for k1, n1, k2, n2 in rows:
        values += wilson(k1, n1) or ()
        values += clopper_pearson(k1, n1)
        values += (rate_difference((k1, n1), (k2, n2)) or ())[1:]
        values.append(mcnemar(k1, k2)[0])
    return time.perf_counter() - begin, values


def model(data: Any) -> Found:
    """The product's, with standard errors."""
    from quizapp.measurement.irt import fit

    answers = data["answers"]
    begin = time.perf_counter()
    found = fit(answers, "2pl")
    return time.perf_counter() - begin, [*found.a.tolist(), *found.b.tolist()]


def survey(data: Any) -> Found:
    """The product's."""
    import scipy.special

    from quizapp.measurement.survey import estimate_rate, make_design

    assert scipy.special
    columns = {name: data[name] for name in ("stratum", "unit", "weight", "yes")}
    begin = time.perf_counter()
    design = make_design(
        len(columns["yes"]), weights=columns["weight"], strata=columns["stratum"], clusters=[columns["unit"]]
    )
    found = estimate_rate(design, columns["yes"], method="logit")
    return time.perf_counter() - begin, [found.value, found.se, found.low, found.high]


OURS: dict[str, Callable[[Any], Found]] = {"intervals": intervals, "model": model, "survey": survey}


def measure(results: Results, *, rounds: int) -> None:
    """Both sides in turn, each in a process of its own."""
    if not PYTHON.exists():
        print("named libraries: not installed (`make bench` installs them into .venv-bench): their lines are left out")
        return
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        for part, (name, library, close) in PARTS.items():
            path = Path(folder) / f"{part}.npz"
            np.savez(path, **make_data(part))
            commands = {
                "ours": [sys.executable, "-m", "benchmarks.libraries", part, str(path)],
                "theirs": [str(PYTHON), str(THEIRS), part, str(path)],
            }
            runs: dict[str, list[dict[str, Any]]] = {"ours": [], "theirs": []}
            for _ in range(rounds):
                for side, command in commands.items():
                    runs[side].append(_run(command))
            results.add(_result(name, library, close, runs))


def _result(name: str, library: str, close: float, runs: dict[str, list[dict[str, Any]]]) -> Result:
    pairs = zip(runs["ours"][0]["values"], runs["theirs"][0]["values"], strict=True)
    apart = max(abs(one - other) for one, other in pairs)
    note = f"{library}; largest difference {apart:.0e}{'' if apart <= close else f', more than {close:.0e}'}"
    seconds = {side: median(run["seconds"] for run in found) for side, found in runs.items()}
    return Result(name, seconds["ours"], seconds["theirs"], "s", note=note, target=1)


def _run(command: list[str]) -> dict[str, Any]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=600, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":
    import numpy as np

    took, numbers = OURS[sys.argv[1]](np.load(sys.argv[2]))
    print(json.dumps({"seconds": took, "values": [float(number) for number in numbers]}))
