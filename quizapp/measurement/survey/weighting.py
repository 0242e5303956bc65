"""Weights fitted to what is known of the population, and what they cost."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.survey.design import Design, Numbers, SurveyRefused

#: Margins hold when no group misses its total by more than this share of it.
TOLERANCE: Final = 1e-10
#: Rounds of raking after which it is given up.
MOST_ROUNDS: Final = 2000
#: Totals of two margins are the same when they differ by no more than this share.
SAME_TOTAL: Final = 1e-6
#: Weights that differ by no more than this share of their mean are the same.
ALIKE: Final = 1e-12
#: Rounds of cutting and sharing out; halvings, after which an interval of numbers is as small as their last digit.
MOST_CUTS: Final = 100
MOST_HALVES: Final = 200


@dataclass(frozen=True, eq=False)
class Margin:
    """What is known of one characteristic: the group of each row and how many people the population has in each group."""

    name: str
    values: Sequence[Hashable]
    totals: Mapping[Any, float]

    def indicators(self) -> Numbers:
        """(n, groups) 1 where the row belongs to the group. Raises SurveyRefused for a row whose group is not known."""
        place = {group: number for number, group in enumerate(self.totals)}
        unknown = sorted({str(value) or "(empty)" for value in self.values if value not in place})
        if unknown:
            raise SurveyRefused("margin_unknown", f"margin {self.name} has no total for {', '.join(unknown)}")
        found = np.zeros((len(self.values), len(place)))
        found[np.arange(len(self.values)), [place[value] for value in self.values]] = 1
        return found


@dataclass(frozen=True)
class WeightReport:
    """What unequal weights cost. `effective_n` = (Σw)²/Σw²: as many people with equal weights would say as much (Kish)."""

    total: float
    smallest: float
    largest: float
    #: Standard deviation (n − 1) by mean.
    variation: float
    #: n · Σw²/(Σw)² (Kish L. (1965), Survey Sampling, 11.7).
    design_effect: float
    effective_n: float


def weight_report(weights: Numbers) -> WeightReport:
    """The report of the weights (n,) above 0, whatever their unit; a single one has no variation.

    n · Σw²/(Σw)² and its inverse times n. Source: Kish L. (1965), Survey Sampling, 11.7; (1992), J. Official Statistics 8, 183-200.
    Raises SurveyRefused (bad_weight) where none is above 0, or one is negative, infinite or missing.
    """
    kept = weights[weights > 0]
    if not len(kept) or not np.isfinite(weights).all() or (weights < 0).any():
        raise SurveyRefused("bad_weight", "a weight is missing, negative or not a number, or all are 0")
    total, squares, count = float(kept.sum()), float((kept**2).sum()), len(kept)
    mean = total / count
    spread = float(np.sqrt(((kept - mean) ** 2).sum() / (count - 1))) if count > 1 else 0.0
    return WeightReport(
        total=total,
        smallest=float(kept.min()),
        largest=float(kept.max()),
        variation=spread / mean,
        design_effect=count * squares / total**2,
        effective_n=total**2 / squares,
    )


def rake(weights: Numbers, margins: Sequence[Margin]) -> Numbers:
    """Weights (n,) that meet every margin to 1e-10 of each total, by iterative proportional fitting; one margin: post-stratification.

    Each round multiplies the weights of a group by total/sum, margin after margin, until all hold. Rows of weight 0 stay 0.

    Source: Deming W. E., Stephan F. F. (1940), Annals of Mathematical Statistics 11, 427-444. Raises SurveyRefused: margins_inconsistent
    (their totals differ), margin_unknown, margin_empty (people in the population, nobody in the sample), raking_failed (no weights meet
    them all: the groups of the sample exclude each other).
    """
    if not margins:
        raise SurveyRefused("margin_unknown", "no margin is given")
    groups = [(margin, margin.indicators(), np.array(list(margin.totals.values()), np.float64)) for margin in margins]
    for margin, indicators, totals in groups:
        if not np.isfinite(totals).all() or (totals < 0).any() or not totals.any():
            raise SurveyRefused("margins_inconsistent", f"margin {margin.name} has a total that is no number of people")
        sums = weights @ indicators
        for name, total, reached in zip(margin.totals, totals, sums, strict=True):
            if total > 0 and reached == 0:
                raise SurveyRefused(
                    "margin_empty", f"margin {margin.name}: nobody of {name} is in the sample; join groups"
                )
    whole = groups[0][2].sum()
    for margin, _, totals in groups:
        if abs(totals.sum() - whole) > SAME_TOTAL * whole:
            raise SurveyRefused(
                "margins_inconsistent",
                f"margin {margin.name} adds up to {totals.sum():.10g}, margin {margins[0].name} to {whole:.10g}: "
                "they must be of one population",
            )
    # Totals that differ by rounding are brought to one sum: else no weights would meet them all.
    wanted = [totals * (whole / totals.sum()) for _, _, totals in groups]
    fitted = np.array(weights, np.float64)
    for _ in range(MOST_ROUNDS):
        for (_, indicators, _), totals in zip(groups, wanted, strict=True):
            sums = fitted @ indicators
            fitted *= indicators @ np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)
        misses = (
            np.abs(fitted @ indicators - totals).max() / whole
            for (_, indicators, _), totals in zip(groups, wanted, strict=True)
        )
        if max(misses) <= TOLERANCE:
            return fitted
    raise SurveyRefused(
        "raking_failed", "no weights meet all margins: some groups never occur together in the sample; join groups"
    )


def greg(weights: Numbers, values: Numbers, totals: Numbers) -> Numbers:
    """Weights (n,) w·(1 + x·λ) whose weighted totals of `values` (n, m) are `totals` (m,): generalised regression (linear calibration).

    Source: Deville & Särndal (1992), JASA 87, 376-382, case 1. Weights may become negative; rows of weight 0 stay 0. `values`
    without a gap: NaN meets no totals. Raises SurveyRefused (raking_failed) where
    the totals cannot be met.
    """
    gap = totals - weights @ values
    tilt, *_ = np.linalg.lstsq(values.T @ (values * weights[:, None]), gap, rcond=None)
    fitted: Numbers = weights * (1 + values @ tilt)
    if not np.allclose(fitted @ values, totals, rtol=1e-8, atol=1e-8 * float(np.abs(totals).max())):
        raise SurveyRefused("raking_failed", "no weights meet all totals")
    return fitted


def trim(weights: Numbers, low: float, high: float) -> Numbers:
    """Weights (n,) cut to `low` … `high`; what was cut is shared equally among the others, again until none is outside.

    The sum stays; margins then hold only nearly. Rows of weight 0 stay 0. The same as R survey's trimWeights(strict = TRUE), where that
    comes to an end: limits near the mean leave so little room that sharing out goes on for ever. After 100 rounds, or where all are
    outside, one number is added to all and they are cut, the number being the one that keeps the sum: where limits on one side alone
    cut, that is what sharing out tends to. Raises SurveyRefused (trim_impossible) where the sum cannot be kept: high · n < Σw or
    low · n > Σw.
    """
    counted = weights > 0
    total, count = float(weights.sum()), int(counted.sum())
    slack = ALIKE * total
    if not count or not 0 <= low <= high or not low * count <= total + slack or not total <= high * count + slack:
        raise SurveyRefused(
            "trim_impossible",
            f"the weights add up to {total:.10g}: {count} of them between {low:.10g} and {high:.10g} cannot",
        )
    cut = np.array(weights, np.float64)
    near = slack / count
    for _ in range(MOST_CUTS):
        outside = counted & ((cut < low - near) | (cut > high + near))
        clipped = np.where(counted, np.clip(cut, low, high), 0.0)
        if not outside.any():
            return clipped
        rest = counted & ~outside
        if not rest.any():
            break
        clipped[rest] += (total - clipped.sum()) / rest.sum()
        cut = clipped
    return _moved(cut, counted, low, high, total)


def _moved(weights: Numbers, counted: NDArray[np.bool_], low: float, high: float, total: float) -> Numbers:
    """Weights that count plus one number, within the limits, that add up to `total`; by bisection, as the sum grows with the number."""
    kept = weights[counted]
    below, above = low - float(kept.max()), min(high, total) - float(kept.min())
    for _ in range(MOST_HALVES):
        middle = (below + above) / 2
        below, above = (middle, above) if np.clip(kept + middle, low, high).sum() < total else (below, middle)
    found = np.zeros_like(weights)
    found[counted] = np.clip(kept + above, low, high)
    return found


def calibrate(design: Design, margins: Sequence[Margin], limits: tuple[float, float] | None = None) -> Design:
    """The design with raked (and then, to `limits`, trimmed) weights; its variances count what the margins explain.

    Rows of weight 0 stay 0 and may be of any group that has a total. Formulas and sources: `rake`, `trim`, `Design.variance`. Raises what
    these raise.
    """
    fitted = rake(design.weights, margins)
    weights = fitted if limits is None else trim(fitted, *limits)
    matrix = np.hstack([margin.indicators() for margin in margins])
    return replace(design, weights=weights, margins=matrix, base=design.weights, fitted=fitted)
