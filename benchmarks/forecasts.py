"""How near a paper's forecast comes to what happens: simulated banks, as the table of docs/methods.md.

`python -m benchmarks.forecasts [BANKS]`. A bank of 200 items (three-parameter curves; half of them true/false with a floor of 1/2, half
with 1/4) is answered in eight earlier papers; their item statistics forecast four new papers, which 40,000 people of the same population
then take. The seed is the number of the bank.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.forecast import KnownItem, forecast

Floats = NDArray[np.float64]
POOL, EARLIER, NEW, TAKERS = 200, 8, 4, 40_000
#: Pass marks as shares of the questions.
MARKS = (0.5, 0.6, 0.7)


@dataclass(frozen=True)
class Case:
    """What is simulated."""

    name: str
    #: Questions of the new papers, of the earlier ones, and people who took each earlier one.
    questions: int = 50
    earlier: int = 50
    people: int = 300
    #: Mean difficulty against the people's mean ability.
    difficulty: float = 0.0
    ability: Callable[[np.random.Generator, int], Floats] = lambda rng, n: rng.normal(size=n)


CASES = (
    Case("300 people on each earlier paper"),
    Case("60 people", people=60),
    Case("1,000 people", people=1000),
    Case("20 questions, earlier 20", questions=20, earlier=20),
    Case("50 questions, earlier 20", earlier=20),
    Case("easy items", difficulty=-1.5),
    Case("hard items", difficulty=1.0),
    Case("skewed ability", ability=lambda rng, n: (rng.gamma(2, 1, n) - 2) / np.sqrt(2)),
    Case("two groups of people", ability=lambda rng, n: rng.choice([-0.8, 0.8], n) + rng.normal(0, 0.6, n)),
)


def errors_of(case: Case, seed: int) -> tuple[list[float], list[float]]:
    """Forecast less truth of one bank: pass rates (each paper and mark), reliabilities (each paper)."""
    rng = np.random.default_rng(seed)
    slope, place = rng.lognormal(0, 0.35, POOL), rng.normal(case.difficulty, 1, POOL)
    floor = np.where(np.arange(POOL) % 2, 0.5, 0.25)

    def answers(items: NDArray[np.int64], people: int) -> Floats:
        ability = case.ability(rng, people)[:, None]
        chance = floor[items] + (1 - floor[items]) / (1 + np.exp(-slope[items] * (ability - place[items])))
        return (rng.random(chance.shape) < chance).astype(float)

    right, asked = np.zeros(POOL), np.zeros(POOL)
    rests: list[list[float]] = [[] for _ in range(POOL)]
    scores: list[dict[int, int]] = []
    for _ in range(EARLIER):
        items = rng.choice(POOL, case.earlier, replace=False)
        given = answers(items, case.people)
        total = given.sum(axis=1)
        right[items] += given.sum(axis=0)
        asked[items] += case.people
        for column, item in enumerate(items):
            if 0 < given[:, column].mean() < 1:
                rests[item].append(float(np.corrcoef(given[:, column], total - given[:, column])[0, 1]))
        scores.append(dict(enumerate(np.bincount(total.astype(int)).tolist())))
    known = np.flatnonzero(asked)
    passing, reliable = [], []
    for _ in range(NEW):
        items = rng.choice(known, case.questions, replace=False)
        paper = [KnownItem(right[i] / asked[i], float(np.mean(rests[i])) if rests[i] else None) for i in items]
        given = answers(items, TAKERS)
        total, p = given.sum(axis=1), given.mean(axis=0)
        truth = case.questions / (case.questions - 1) * (1 - (p * (1 - p)).sum() / total.var())
        for mark in MARKS:
            needed = round(mark * case.questions)
            expected = forecast(paper, needed, case.earlier, scores if case.earlier == case.questions else ())
            passing.append(expected.passing - float((total >= needed).mean()))
        reliable.append((expected.reliability or 0.0) - float(truth))
    return passing, reliable


def main() -> int:
    """Print the table, in percentage points and in units of the reliability."""
    banks = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    print("| case | pass rate: bias | 90 % within | largest | reliability: bias | largest |")
    print("|---|---|---|---|---|---|")
    for case in CASES:
        passing, reliable = (
            np.array(part).ravel() for part in zip(*(errors_of(case, n) for n in range(banks)), strict=True)
        )
        size = np.abs(passing) * 100
        cells = (100 * passing.mean(), np.quantile(size, 0.9), size.max())
        print(f"| {case.name} | {cells[0]:+.1f} | {cells[1]:.1f} | {cells[2]:.1f} | ", end="")
        print(f"{reliable.mean():+.3f} | {np.abs(reliable).max():.3f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
