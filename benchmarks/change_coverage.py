"""How often the interval of a change between two periods holds the truth when people come by units, as the table of docs/methods.md.

`python -m benchmarks.change_coverage [PAIRS]`. 60 % pass in both periods: the true change is 0.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from quizapp.measurement.clusters import clustered_difference
from quizapp.measurement.intervals import rate_difference

RATE = 0.6


@dataclass(frozen=True)
class Line:
    """One line of the table: people of each unit; share of the variance between units; whether a unit's rate lasts over both periods."""

    sizes: tuple[int, ...]
    icc: float
    lasting: bool = False


LARGE = (500, *(50,) * 10)
UNEVEN = (10, 10, 15, 15, 20, 20, 25, 25, 30, 30, 40, 40, 50, 60, 80, 80, 100, 100, 120, 130)
LINES = (
    Line((50,) * 20, 0.0),
    Line((50,) * 20, 0.1),
    Line((50,) * 20, 0.1, lasting=True),
    Line(UNEVEN, 0.1),
    Line(LARGE, 0.1),
    Line((50,) * 8, 0.1),
    Line((50,) * 4, 0.1),
    Line((50,) * 4, 0.1, lasting=True),
)


def held(line: Line, pairs: int) -> tuple[float, float]:
    """Per cent of the intervals with 0: by units, of pooled people."""
    rng = np.random.default_rng(1)
    sizes = np.array(line.sizes)
    by_units = pooled = 0
    for _ in range(pairs):
        rates = [np.full(len(sizes), RATE)] * 2
        if line.icc:
            spread = 1 / line.icc - 1
            rates = [rng.beta(RATE * spread, (1 - RATE) * spread, len(sizes)) for _ in range(2)]
        if line.lasting:
            rates[1] = rates[0]
        sides = [dict(enumerate(zip(rng.binomial(sizes, rate).tolist(), line.sizes, strict=True))) for rate in rates]
        whole = [(sum(k for k, _ in side.values()), int(sizes.sum())) for side in sides]
        for found, which in ((clustered_difference(*sides), 0), (rate_difference(*whole), 1)):
            if found is not None and found[1] <= 0 <= found[2]:
                by_units, pooled = by_units + (which == 0), pooled + (which == 1)
    return 100 * by_units / pairs, 100 * pooled / pairs


def main() -> int:
    """Print the table."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    print("| units × people | variance between units | a unit's rate | held, by units | held, pooled people |")
    print("|---|---|---|---|---|")
    for line in LINES:
        sizes = f"{line.sizes[0]}" if len(set(line.sizes)) == 1 else f"{min(line.sizes)} to {max(line.sizes)}"
        by_units, pooled = held(line, pairs)
        lasts = "lasts" if line.lasting else "is drawn anew"
        print(f"| {len(line.sizes)} × {sizes} | {line.icc:.0%} | {lasts} | {by_units:.1f} | {pooled:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
