"""How many people a survey has to reach. The standard library alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

#: Where no rate is known: the one that needs most people.
UNKNOWN_RATE = 0.5
#: From so many people expected on either side the normal approximation is near enough.
ENOUGH_OF_EACH = 30


def sample_size(
    rate: float,
    margin: float,
    *,
    design_effect: float = 1.0,
    population: int | None = None,
    confidence: float = 0.95,
) -> int:
    """People who must answer, so that a rate is known to ± `margin` (both as shares); never more than the population.

    n₀ = deff · max(z²·p(1 − p)/margin², w); n = n₀/(1 + (n₀ − 1)/N), rounded up. 6 % to ± 2 points: 542; of 20,000 people: 528; with a
    design effect of 1.5: 813. An unknown rate is taken as 0.5. That formula is the normal approximation's, and of a small rate it promises
    too much (0 %: nobody needs to be asked), so

    - p is the rate, but no nearer to 0 or 1 than the margin: none of 189 leaves at most 2 % (Wilson), so 0 % to ± 2 points takes 189;
    - w is the number from which half of Wilson's interval about the rate is no longer than the margin, asked for where fewer than 30 people
      are expected to have it, or not to have it: 2 % to ± 2 points takes 223, not 189. From 30 on Wilson's half is less than 2 % longer
      than planned (at 95 %), and w is left out.

    Source: Cochran W. G. (1977), Sampling Techniques, 3rd ed., 4.4 and 4.6; Kish (1965), 8.2 for the design effect; Piegorsch W. W.
    (2004), Computational Statistics & Data Analysis 46, 309-316 for Wilson's interval. Raises ValueError for a rate outside 0 … 1, a margin
    not between 0 and 1, a design effect not above 0, a population below 1.
    """
    if not 0 <= rate <= 1 or not 0 < margin < 1 or not 0 < confidence < 1:
        raise ValueError("rate, margin and confidence are shares")
    if design_effect <= 0 or (population is not None and population < 1):
        raise ValueError("a design effect above 0 and a population of at least 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    planned = UNKNOWN_RATE if margin >= UNKNOWN_RATE else min(max(rate, margin), 1 - margin)
    singly = z * z * planned * (1 - planned) / margin**2
    if singly * min(rate, 1 - rate) < ENOUGH_OF_EACH:
        singly = max(singly, _wilson_size(rate, margin, z))
    needed = design_effect * singly
    if population is not None:
        needed = min(needed / (1 + max(needed - 1, 0) / population), population)
    return max(1, math.ceil(needed - 1e-9))


def _wilson_size(rate: float, margin: float, z: float) -> float:
    """The n from which z·√(p(1 − p)/n + z²/4n²)/(1 + z²/n), half of Wilson's interval about the rate, is no longer than the margin."""
    if margin >= 0.5:
        return 0.0
    surplus = rate * (1 - rate) - 2 * margin**2
    return z * z * (surplus + math.sqrt(surplus**2 + margin**2 * (1 - 4 * margin**2))) / (2 * margin**2)


def reached_margin(
    rate: float,
    people: int,
    *,
    design_effect: float = 1.0,
    population: int | None = None,
    confidence: float = 0.95,
) -> float:
    """The margin, in steps of half a point, that so many people reach by `sample_size`; the widest, 0.995, where none is.

    The smallest step whose `sample_size` is no more than `people`. Raises ValueError as that does.
    """
    return next(
        (
            step / 200
            for step in range(1, 199)
            if sample_size(rate, step / 200, design_effect=design_effect, population=population, confidence=confidence)
            <= people
        ),
        0.995,
    )


def cluster_design_effect(per_unit: float, correlation: float) -> float:
    """The design effect of drawing `per_unit` people in each unit: 1 + (m − 1)·ρ, ρ how alike people of one unit are (0 … 1).

    20 people in each unit at ρ = 0.05: 1.95, so 400 people say as much as 205 drawn singly. Source: Kish (1965), Survey Sampling, 5.4.
    """
    if per_unit < 1 or not -1 <= correlation <= 1:
        raise ValueError("at least one person per unit, and a correlation")
    return 1 + (per_unit - 1) * correlation


def size_design_effect(sizes: Sequence[int]) -> float:
    """What it costs to draw units of different size with the same chance and as many people in each: 1 + cv²(sizes).

    People of large units then weigh more. V(p) = p(1 − p)/(k·m)·(1 + cv²)·(1 + (m − 1)·ρ) for k units of m people: the units' totals
    differ with their sizes. Units of one size: 1; half of them three times as large as the others: 1.25. Source: Kish (1965), 7.5 and 8.2;
    Särndal, Swensson & Wretman (1992), 4.3, for the ratio of two totals. Raises ValueError where there is nobody.
    """
    if not sizes or min(sizes) < 0 or not sum(sizes):
        raise ValueError("units with people")
    mean = sum(sizes) / len(sizes)
    return 1 + sum((size - mean) ** 2 for size in sizes) / len(sizes) / mean**2


def invitations(people: int, response: float) -> int:
    """People to draw, so that `people` answer when a share `response` of those drawn does: people/response, rounded up.

    Drawing more does not mend who stays away. Raises ValueError for fewer than 0 people or a share not above 0 and up to 1.
    """
    if people < 0 or not 0 < response <= 1:
        raise ValueError("a number of people and the share that answers")
    return math.ceil(people / response - 1e-9)
