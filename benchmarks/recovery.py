"""How near the 2PL comes to the truth: simulated samples of several sizes, as the table of docs/methods.md.

`python -m benchmarks.recovery [SAMPLES]`. Thirty items, a from 0.6 to 1.8, b from −2 to 2; the seed is that of the size.
"""

from __future__ import annotations

import os
import sys

# Before NumPy: threads of the matrix library wait by spinning, and these matrices are small.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from quizapp.measurement.irt import NotConverged, TooFewData, fit

SIZES = (200, 500, 1000, 5000)
ITEMS = 30


def recover(people: int, samples: int) -> tuple[int, list[float]]:
    """How many samples were fitted; of a and of b: bias, root mean square error, mean standard error, share of intervals that hold."""
    rng = np.random.default_rng(people)
    a, b = rng.permutation(np.linspace(0.6, 1.8, ITEMS)), np.linspace(-2, 2, ITEMS)
    fits = []
    for _ in range(samples):
        ability = rng.normal(size=(people, 1))
        right = rng.random((people, ITEMS)) < 1 / (1 + np.exp(-a * (ability - b)))
        try:
            fits.append(fit(right.astype(float), "2pl"))
        except (TooFewData, NotConverged):
            continue
    found: list[float] = []
    for truth, values, errors in (
        (a, np.array([f.a for f in fits]), np.array([f.se_a for f in fits])),
        (b, np.array([f.b for f in fits]), np.array([f.se_b for f in fits])),
    ):
        miss = values - truth
        held = np.abs(miss) < 1.96 * errors
        found += [float(miss.mean()), float(np.sqrt((miss**2).mean())), float(errors.mean()), float(held.mean())]
    return len(fits), found


def main() -> int:
    """Print the table."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("| people | fitted | a: bias | RMSE | mean SE | held | b: bias | RMSE | mean SE | held |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for people in SIZES:
        fitted, found = recover(people, samples)
        cells = [f"{100 * x:.1f} %" if place % 4 == 3 else f"{x:.3f}" for place, x in enumerate(found)]
        print(f"| {people} | {fitted} of {samples} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
