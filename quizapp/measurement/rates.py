"""Rates with their error, and what is shown beside them. Intervals: `intervals`; clusters: `clusters`; gain: its own module."""

from __future__ import annotations

from dataclasses import dataclass

from quizapp.measurement.intervals import clopper_pearson, wilson


@dataclass(frozen=True)
class Rate:
    """k of n people, each counted once by the first attempt. Intervals are None where nobody was counted."""

    k: int
    n: int
    #: k/n; None of nobody.
    rate: float | None
    #: Wilson's interval, the one that is shown.
    wilson: tuple[float, float] | None
    #: The exact interval: wider, covers at least as often as it says.
    exact: tuple[float, float] | None
    confidence: float


def rate_of(k: int, n: int, confidence: float = 0.95) -> Rate:
    """The rate k/n with Wilson's and the exact interval (formulas and sources: `intervals`); of nobody no rate and no interval.

    Raises ValueError where k is not within 0 … n. Loads SciPy.
    """
    shown = wilson(k, n, confidence)
    if shown is None:
        return Rate(k, n, None, None, None, confidence)
    return Rate(k, n, k / n, shown, clopper_pearson(k, n, confidence), confidence)


@dataclass(frozen=True)
class Corrected:
    """What may be left of a rate of right answers when guessing is taken off. Shown beside the rate, never instead of it."""

    #: The share that knew, between 0 and 1.
    knew: float
    low: float
    high: float
    #: Whether fewer were right than blind guessing gives: the share that knew is then 0 by convention.
    below_chance: bool


def corrected_for_guessing(k: int, n: int, chance: float, confidence: float = 0.95) -> Corrected | None:
    """The share of people who knew the answer, where k of n were right and a guess is right with probability `chance`; None of nobody.

    Model: who knows is right, who does not know guesses blindly: p = knew + (1 − knew)·chance, so knew = (p − chance)/(1 − chance); the
    ends of Wilson's interval go through the same line; all are cut to 0 … 1. Blind guessing is an assumption: people who can rule out
    an option guess better, people who leave out guess never.

    Source: Lord F. M., Novick M. R. (1968), Statistical Theories of Mental Test Scores, 14.3; Diamond J., Evans W. (1973), Review of
    Educational Research 43, 181-191. Raises ValueError for a chance outside [0, 1), or k outside 0 … n.
    """
    if not 0 <= chance < 1:
        raise ValueError("the chance of a guess lies between 0 and 1")
    ends = wilson(k, n, confidence)
    if ends is None:
        return None

    def knew(share: float) -> float:
        return min(1.0, max(0.0, (share - chance) / (1 - chance)))

    return Corrected(knew(k / n), knew(ends[0]), knew(ends[1]), k / n < chance)


def corrected_score(right: int, wrong: int, options: int) -> float:
    """A score with guessing taken off: right − wrong/(options − 1); items that were left out count nothing. It may be below 0.

    Source: as `corrected_for_guessing`. Raises ValueError for negative counts or fewer than two options.
    """
    if right < 0 or wrong < 0 or options < 2:
        raise ValueError("counts of at least 0, and two options or more")
    return right - wrong / (options - 1)
