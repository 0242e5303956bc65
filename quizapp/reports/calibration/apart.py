"""The model in a process of its own: one core, at low priority, so that pages go on being served while it runs."""

from __future__ import annotations

import io
import os
import subprocess  # runs this module, with numbers on its standard input
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quizapp.measurement.calibration import Calibration
    from quizapp.reports.calibration.queries import AnswerTable

#: Seconds after which it is given up; it takes about fifteen at most.
_PATIENCE = 900
_NICE = 10


def calibrate_apart(table: AnswerTable) -> Calibration | None:
    """`measurement.calibration.calibrate` of a table. Raises CalledProcessError where it breaks, TimeoutExpired where it never ends."""
    import numpy as np

    from quizapp.measurement.calibration import Calibration

    given = io.BytesIO()
    np.savez(given, responses=table.responses, groups=table.groups)
    one_core = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(  # this module itself
        [sys.executable, "-m", "quizapp.reports.calibration.apart"],
        input=given.getvalue(),
        stdout=subprocess.PIPE,
        env={**os.environ, **one_core},
        timeout=_PATIENCE,
        check=True,
    )
    if not done.stdout:
        return None
    with np.load(io.BytesIO(done.stdout)) as found:
        values: dict[str, Any] = {name: value if value.ndim else value.item() for name, value in found.items()}
    return Calibration(**values)


def _main() -> None:
    import numpy as np

    from quizapp.measurement.calibration import calibrate

    if hasattr(os, "nice"):
        os.nice(_NICE)
    with np.load(io.BytesIO(sys.stdin.buffer.read())) as given:
        responses = np.where(given["responses"] < 0, np.nan, given["responses"])
        found = calibrate(responses, given["groups"])
    if found is not None:
        written = io.BytesIO()
        np.savez(written, **{field.name: getattr(found, field.name) for field in fields(found)})
        sys.stdout.buffer.write(written.getvalue())


if __name__ == "__main__":
    _main()
