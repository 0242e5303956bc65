"""How often the intervals of two years on one scale hold the truth: simulated pairs of years, as the table of docs/methods.md.

`python -m benchmarks.year_coverage [PAIRS]`. The second year's people know 0.3 more, with SD 1.1; its own questions are harder. Two
tables: people who are strangers, and people of units that share a part of the variance of ability.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

# Before NumPy: threads of the matrix library wait by spinning, and these matrices are small.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.special import stdtrit

from quizapp.measurement.form_scores import Form, form_scores
from quizapp.measurement.irt import NotConverged
from quizapp.measurement.irt_curves import Floats, probabilities
from quizapp.measurement.years import NoLink, TooFewAnchors, Year, YearComparison, compare_years

GAIN, SPREAD = 0.3, 1.1


@dataclass(frozen=True)
class Line:
    """One line of the table: people and questions a year, common questions, SD by which each moved, how many were practised."""

    people: int
    items: int
    common: int
    moved: float
    practised: int
    #: People of each unit, the same units in both years; what of the variance lies between units; whether a unit's level lasts.
    sizes: tuple[int, ...] = ()
    icc: float = 0.0
    lasting: bool = False


LINES = (
    Line(150, 20, 8, 0.0, 0),
    Line(300, 20, 8, 0.0, 0),
    Line(300, 20, 8, 0.2, 0),
    Line(300, 20, 10, 0.1, 1),
    Line(1000, 30, 10, 0.0, 0),
    Line(1000, 30, 10, 0.2, 0),
    Line(3000, 50, 20, 0.1, 2),
)


def of_units(sizes: tuple[int, ...], icc: float, *, lasting: bool = False) -> Line:
    """Twenty questions, ten of them common."""
    return Line(sum(sizes), 20, 10, 0.0, 0, sizes, icc, lasting)


LARGE = (500, *(50,) * 10)
UNEVEN = (10, 10, 15, 15, 20, 20, 25, 25, 30, 30, 40, 40, 50, 60, 80, 80, 100, 100, 120, 130)
UNITS = (
    of_units((50,) * 20, 0.0),
    of_units((50,) * 20, 0.1),
    of_units((50,) * 20, 0.1, lasting=True),
    of_units((50,) * 20, 0.3),
    of_units(UNEVEN, 0.1),
    of_units(LARGE, 0.1),
    of_units((20,) * 100, 0.1),
    of_units((50,) * 8, 0.0),
    of_units((50,) * 8, 0.1),
    of_units((80,) * 4, 0.1),
)


def abilities(rng: np.random.Generator, line: Line, levels: Floats, mean: float, spread: float) -> Floats:
    """A year's people; those of one unit share its level."""
    own = rng.normal(size=line.people)
    shared = np.repeat(levels, line.sizes) if line.sizes else 0.0
    return np.asarray(mean + spread * (np.sqrt(line.icc) * shared + np.sqrt(1 - line.icc) * own))


def pair(line: Line, seed: int) -> tuple[list[bool], float, float, int] | None:
    """Whether level, expected score and pass rate are held, and the level if people were taken as strangers; estimate, standard error,
    anchors left out. None where it was refused."""
    rng = np.random.default_rng(seed)
    total = 2 * line.items - line.common
    first_own = line.items - line.common
    a = rng.uniform(0.7, 1.5, total)
    b = np.concatenate([rng.uniform(-2, 1.2, line.items), rng.uniform(-0.5, 1.8, first_own)])
    later = b + rng.normal(0, line.moved, total)
    later[first_own : first_own + line.practised] -= 1.2

    def year(theta: Floats, which: slice, places: Floats) -> Year:
        p = probabilities(theta, a[which], places[which])
        units = np.repeat(np.arange(len(line.sizes)), line.sizes) if line.sizes else None
        return Year((rng.random(p.shape) < p).astype(float), [f"q{n}" for n in range(total)[which]], units)

    form = Form(np.arange(line.items), np.ones(line.items, dtype=int), int(0.6 * line.items))
    levels = rng.normal(size=(2, len(line.sizes)))
    if line.lasting:
        levels[1] = levels[0]
    first = year(abilities(rng, line, levels[0], 0.0, 1.0), slice(0, line.items), b)
    second = year(abilities(rng, line, levels[1], GAIN, SPREAD), slice(first_own, total), later)
    try:
        found = compare_years(first, second, [form], length=line.items)
    except (TooFewAnchors, NoLink, NotConverged):
        return None
    if found.score is None or found.passing is None:
        return None
    then, now = form_scores(form, a, b, 0.0, 1.0), form_scores(form, a, b, GAIN, SPREAD)
    truths = (GAIN, now[0].value - then[0].value, now[1].value - then[1].value)
    intervals = (found.level.difference, found.score.difference, found.passing.difference)
    held = [one.low <= truth <= one.high for one, truth in zip(intervals, truths, strict=True)]
    error = float(np.hypot(found.se_people, found.se_anchors))
    held.append(abs(found.level.difference.value - GAIN) <= as_strangers(found))
    return held, found.level.difference.value, error, len(found.anchors) - found.used


def as_strangers(found: YearComparison) -> float:
    """Half of the interval of the level if nothing were known of units."""
    whole = found.se_strangers**2 + found.se_anchors**2
    df = (found.used - 1) * whole**2 / max(found.se_anchors**4, 1e-12)
    return float(stdtrit(df, 0.975) * np.sqrt(whole))


def units_table(pairs: int) -> None:
    """The table of people who come by units."""
    heads = (
        "units × people",
        "variance between units",
        "a unit's level",
        "compared",
        "SE / SD",
        "level: held",
        "score: held",
    )
    print("| " + " | ".join((*heads, "passing: held", "level as strangers: held")) + " |")
    print("|---|---|---|---|---|---|---|---|---|")
    for line in UNITS:
        runs = [run for seed in range(pairs) if (run := pair(line, seed)) is not None]
        held = 100 * np.mean([run[0] for run in runs], axis=0)
        values, errors = np.array([run[1] for run in runs]), np.array([run[2] for run in runs])
        sizes = str(line.sizes[0]) if len(set(line.sizes)) == 1 else f"{min(line.sizes)} to {max(line.sizes)}"
        lasts = "–" if not line.icc else "lasts" if line.lasting else "is drawn anew"
        print(
            f"| {len(line.sizes)} × {sizes} | {100 * line.icc:.0f} % | {lasts} | {len(runs)} of {pairs} "
            f"| {errors.mean() / values.std():.2f} | {held[0]:.1f} | {held[1]:.1f} | {held[2]:.1f} | {held[3]:.1f} |",
            flush=True,
        )


def main() -> int:
    """Print the tables."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    units_table(pairs)
    heads = ("people, questions, common", "SD of movement; practised", "compared", "level: bias", "SE / SD", "held")
    print("| " + " | ".join((*heads, "score: held", "passing: held", "gone")) + " |")
    print("|---|---|---|---|---|---|---|---|---|")
    for line in LINES:
        runs = [run for seed in range(pairs) if (run := pair(line, seed)) is not None]
        held = 100 * np.mean([run[0] for run in runs], axis=0)
        values, errors = np.array([run[1] for run in runs]), np.array([run[2] for run in runs])
        print(
            f"| {line.people:,}, {line.items}, {line.common} | {line.moved}; {line.practised} | {len(runs)} of {pairs} "
            f"| {values.mean() - GAIN:+.3f} | {errors.mean() / values.std():.2f} "
            f"| {held[0]:.1f} | {held[1]:.1f} | {held[2]:.1f} | {np.mean([run[3] for run in runs]):.1f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
