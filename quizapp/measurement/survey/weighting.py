"""Weights fitted to what is known of the population, and what they cost."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from quizapp.measurement.survey.design import Design, Numbers, SurveyRefused

#: Margins hold when no group misses its total by more than this share of it.
TOLERANCE: Final = 1e-10
#: Rounds of raking after which it is given up.
MOST_ROUNDS: Final = 2000
#: Totals of two margins are the same when they differ by no more than this share.
SAME_TOTAL: Final = 1e-6


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
    """The report of the weights above 0."""
    kept = weights[weights > 0]
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

    Source: Deville & Särndal (1992), JASA 87, 376-382, case 1. Weights may become negative. Raises SurveyRefused (raking_failed) where
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

    The sum stays; margins then hold only nearly. Rows of weight 0 stay 0. The same as R survey's trimWeights(strict = TRUE). Raises
    SurveyRefused (trim_impossible) where the sum cannot be kept within the limits.
    """
    counted = weights > 0
    total, count = float(weights.sum()), int(counted.sum())
    if not 0 <= low <= high or not low * count <= total <= high * count:
        raise SurveyRefused(
            "trim_impossible",
            f"the weights add up to {total:.10g}: {count} of them between {low:.10g} and {high:.10g} cannot",
        )
    cut = np.array(weights, np.float64)
    while True:
        outside = counted & ((cut < low) | (cut > high))
        if not outside.any():
            return cut
        clipped = np.where(counted, np.clip(cut, low, high), 0.0)
        rest = counted & ~outside
        if not rest.any():
            raise SurveyRefused("trim_impossible", "every weight lies outside of the limits")
        clipped[rest] += (cut.sum() - clipped.sum()) / rest.sum()
        cut = clipped


def calibrate(design: Design, margins: Sequence[Margin], limits: tuple[float, float] | None = None) -> Design:
    """The design with raked (and then trimmed) weights; its variances count what the margins explain."""
    fitted = rake(design.weights, margins)
    weights = fitted if limits is None else trim(fitted, *limits)
    matrix = np.hstack([margin.indicators() for margin in margins])
    return replace(design, weights=weights, margins=matrix, base=design.weights, fitted=fitted)
