"""Item analysis and the 2PL model: the product's mathematics against the plain way with NumPy and SciPy, each in a process of its own.

Speed and agreement: the largest difference of what both compute stands beside the time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.results import Result, Results
from benchmarks.server import ROOT
from benchmarks.sheet import peak_megabytes

if TYPE_CHECKING:
    import numpy as np

ITEMS = 50
_OPTIONS = "ABCD"


def write_answers(path: Path, people: int) -> None:
    """A wide table of chosen options; A is right, and the more able choose it more often."""
    import numpy as np

    rng = np.random.default_rng(20160426)
    ability = rng.normal(size=(people, 1))
    right = rng.random((people, ITEMS)) < 1 / (1 + np.exp(-(ability - np.linspace(-2, 2, ITEMS))))
    letters = np.frombuffer(_OPTIONS.encode(), dtype=np.uint8)
    body = np.full((people, 2 * ITEMS), ord(","), dtype=np.uint8)
    body[:, 1::2] = np.where(right, letters[0], letters[rng.integers(1, 4, size=(people, ITEMS))])
    with path.open("wb") as file:
        file.write(("respondent," + ",".join(f"Q{n}" for n in range(ITEMS)) + "\n").encode())
        for number, row in enumerate(body):
            file.write(b"r%06d" % number + row.tobytes() + b"\n")


def scores(people: int) -> np.ndarray:
    """Simulated responses to fifty 2PL items."""
    import numpy as np

    rng = np.random.default_rng(20160427)
    a, b = rng.lognormal(0.1, 0.3, ITEMS), rng.normal(0, 1, ITEMS)
    ability = rng.normal(size=(people, 1))
    return (rng.random((people, ITEMS)) < 1 / (1 + np.exp(-a * (ability - b)))).astype(float)


def items_ours(path: Path) -> dict[str, Any]:
    """`quizapp analyse items`, without the start of the program."""
    import scipy.special  # the start of the program is not measured

    from quizapp.analyse.items import analyse_items
    from quizapp.analyse.keys import KeyOfItem
    from quizapp.analyse.scoring import keyed
    from quizapp.analyse.tables import read_responses

    key = {f"Q{n}": KeyOfItem("A") for n in range(ITEMS)}
    begin = time.perf_counter()
    found = analyse_items(keyed(read_responses(path, scored=False), key), with_key=True).as_json()
    seconds = time.perf_counter() - begin
    assert scipy.special
    return {"seconds": seconds, "values": [found["alpha"], *(item["discrimination"] for item in found["items"])]}


def items_floor(path: Path) -> dict[str, Any]:
    """The same correlations and alpha by the standard library's CSV reader and `numpy.corrcoef`."""
    import csv

    import numpy as np

    begin = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        right = np.array([[cell == "A" for cell in row[1:]] for row in rows], dtype=np.float64)
    total = right.sum(axis=1)
    alpha = ITEMS / (ITEMS - 1) * (1 - right.var(axis=0).sum() / total.var())
    values = [alpha, *(np.corrcoef(right[:, j], total - right[:, j])[0, 1] for j in range(ITEMS))]
    return {"seconds": time.perf_counter() - begin, "values": [float(value) for value in values]}


def model_ours(people: int) -> dict[str, Any]:
    """The product's 2PL."""
    from quizapp.measurement.irt import fit

    responses = scores(people)
    begin = time.perf_counter()
    found = fit(responses, "2pl")
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "values": [*found.a.tolist(), *found.b.tolist()]}


def model_floor(people: int) -> dict[str, Any]:
    """The same likelihood given to SciPy's L-BFGS-B with its gradient; no standard errors."""
    import numpy as np
    from scipy.optimize import minimize

    right = scores(people)
    theta = np.linspace(-6, 6, 81)
    prior = -0.5 * theta**2
    prior -= np.log(np.exp(prior).sum())

    def negative(x: np.ndarray) -> tuple[float, np.ndarray]:
        logits = np.outer(x[:ITEMS], theta) + x[ITEMS:, None]
        table = right @ logits - np.logaddexp(0, logits).sum(axis=0) + prior
        top = table.max(axis=1, keepdims=True)
        table = np.exp(table - top)
        total = table.sum(axis=1, keepdims=True)
        table /= total
        miss = right.T @ table - table.sum(axis=0) / (1 + np.exp(-logits))
        return -float((np.log(total) + top).sum()), -np.concatenate([miss @ theta, miss.sum(axis=1)])

    begin = time.perf_counter()
    start = np.concatenate([np.ones(ITEMS), np.zeros(ITEMS)])
    found = minimize(
        negative, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-4}
    )
    a, c = found.x[:ITEMS], found.x[ITEMS:]
    return {"seconds": time.perf_counter() - begin, "values": [*a.tolist(), *(-c / a).tolist()]}


def measure(results: Results, *, people: int, model_people: int, rounds: int) -> None:
    """Time, memory and agreement of both."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.csv"
        write_answers(path, people)
        ours, floor = _turns("items", str(path), rounds)
    name = f"analyse items, {people:,} × {ITEMS}"
    note = f"largest difference {_difference(ours, floor):.0e}; csv and numpy.corrcoef"
    results.add(Result(name, ours["seconds"], floor["seconds"], "s", note=note, target=1))
    results.add(Result(f"{name}, waited for", ours["seconds"], None, "s", target=3, absolute=True))
    results.add(Result(f"{name}, largest memory", ours["megabytes"], None, "MB", target=1000, absolute=True))

    ours, floor = _turns("model", str(model_people // 10), rounds)
    note = f"largest difference of a and b {_difference(ours, floor):.0e}; scipy's L-BFGS-B"
    name = f"2PL of {model_people // 10:,} × {ITEMS}"
    results.add(Result(name, ours["seconds"], floor["seconds"], "s", note=note, target=1))
    whole = _run("model", "ours", str(model_people))
    results.add(Result(f"2PL of {model_people:,} × {ITEMS}", whole["seconds"], None, "s", target=20, absolute=True))


def _turns(what: str, argument: str, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "floor": []}
    for _ in range(rounds):
        for side, found in runs.items():
            found.append(_run(what, side, argument))
    for found in runs.values():
        found[0]["seconds"] = median(run["seconds"] for run in found)
    return runs["ours"][0], runs["floor"][0]


def _run(what: str, side: str, argument: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measurement", what, side, argument],
        cwd=ROOT, check=True, capture_output=True, text=True, timeout=600,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    return max(abs(x - y) for x, y in zip(one["values"], other["values"], strict=True))


if __name__ == "__main__":
    if sys.argv[1] == "items":
        answer = {"ours": items_ours, "floor": items_floor}[sys.argv[2]](Path(sys.argv[3]))
    else:
        answer = {"ours": model_ours, "floor": model_floor}[sys.argv[2]](int(sys.argv[3]))
    print(json.dumps({**answer, "megabytes": peak_megabytes()}))
