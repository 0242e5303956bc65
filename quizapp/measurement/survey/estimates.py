"""Means, totals, ratios and rates of a population with their errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quizapp.measurement.clusters import t_quantile
from quizapp.measurement.survey.design import Design, Numbers, SurveyRefused
from quizapp.measurement.survey.intervals import NO_SPREAD, Interval, design_interval

Rows = NDArray[np.bool_]
#: The interval of a mean as if people had been drawn singly.
SINGLY = "t_singly"
#: There is a standard error but no interval.
NO_INTERVAL = "none"
#: Why.
NO_DEGREE = "as many strata as first-stage units: there is no degree of freedom for an error"


@dataclass(frozen=True)
class Estimate:
    """A number of a population (or of a domain of it) and its error."""

    value: float
    #: Square root of the variance by the design.
    se: float
    low: float | None
    high: float | None
    confidence: float
    #: How the interval was made.
    method: str
    #: First-stage units minus strata.
    df: int
    #: People who count.
    n: int
    #: First-stage units among them.
    units: int
    #: Variance by the variance of as many people drawn singly without replacement; None where either has no spread by chance.
    design_effect: float | None
    #: Of a rate: rate·(1 − rate)/variance, people drawn singly with replacement; of a mean n/design effect; None where not defined.
    effective_n: float | None


def estimate_total(design: Design, values: ArrayLike, inside: Rows | None = None) -> tuple[float, float]:
    """Σ weight · value, in the unit of the values times people, and its standard error √`Design.variance`; `inside` (n,) is the domain.

    Rows of weight 0 and outside of the domain count as 0 and keep their place in the design; a domain of nobody has the total 0 ± 0.
    The total counts people only where the weights do: those who did not answer are in it as far as the weights stand for them.
    Source: Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, 4.3 (Horvitz and Thompson's estimator). Raises ValueError
    for a value that is missing or infinite where it counts, SurveyRefused (lonely_psu).
    """
    found, rows = _inside(design, values, inside)
    kept = np.where(rows, found, 0.0)
    return float(design.weights @ kept), math.sqrt(design.variance(kept))


def estimate_ratio(
    design: Design, values: ArrayLike, others: ArrayLike, inside: Rows | None = None
) -> tuple[float, float]:
    """R = Σwy/Σwx, y the values and x the others (n,), and its standard error: the root of the variance of Σw(y − Rx)/Σwx.

    Rows of weight 0 and outside of the domain count as 0 and keep their place in the design. Source: Cochran (1977), Sampling Techniques,
    6.4; Lumley T. (2010), Complex Surveys, 2.4 (R's svyratio). Raises ValueError for a value or an other that is missing or infinite
    where it counts, SurveyRefused: no_rows (nobody counts, or Σwx is 0), lonely_psu.
    """
    found, rows = _inside(design, values, inside)
    below, _ = _inside(design, others, inside)
    whole = float(design.weights @ below)
    if whole == 0:
        raise SurveyRefused("no_rows", "nobody of the sample stands below the ratio")
    ratio = float(design.weights @ np.where(rows, found, 0.0)) / whole
    linear = np.where(rows, found - ratio * below, 0.0) / whole
    return ratio, math.sqrt(design.variance(linear))


def estimate_mean(
    design: Design, values: ArrayLike, inside: Rows | None = None, *, confidence: float = 0.95
) -> Estimate:
    """The mean of a population, or of the rows `inside` a domain, with the interval mean ± t(df)·SE.

    The mean is a ratio of two totals; outside of the domain weights count as 0 but the design stays whole. Where the variance is 0 because
    units happen to be alike, the interval is that of as many people drawn singly ("t_singly"; none where all values are equal). A domain
    all of whose rows are in as many first-stage units as strata has its value, a standard error of the stages below alone (0 where there
    are none), and no interval ("none").

    Source: Cochran (1977), 6.4 and 5A.14; Lumley T. (2010), Complex Surveys, 2.4. Raises SurveyRefused: no_rows, lonely_psu,
    too_few_units (df < 1 of the whole design).
    """
    facts = _mean(design, values, inside)
    if facts.df < 1:
        return _estimate(facts, Interval(None, None, NO_INTERVAL), confidence, _singly(facts))
    variance, method = facts.variance, "t"
    if variance <= NO_SPREAD * facts.alone and not facts.known:
        variance, method = facts.alone, SINGLY
    half = t_quantile((1 + confidence) / 2, facts.df) * math.sqrt(variance)
    interval = Interval(facts.value - half, facts.value + half, method)
    if method == SINGLY and not variance:
        interval = Interval(None, None, method)
    return _estimate(facts, interval, confidence, _singly(facts))


def _singly(facts: _Mean) -> float | None:
    """As many people drawn singly would say as much of a mean."""
    return facts.n / facts.design_effect if facts.design_effect else None


def estimate_rate(
    design: Design,
    success: ArrayLike,
    inside: Rows | None = None,
    *,
    method: str = "korn_graubard",
    confidence: float = 0.95,
    by_stratum: bool = False,
) -> Estimate:
    """The share of a population that has it; `success` (n,) of 0 and 1. Interval: `intervals.design_interval`.

    `by_stratum`: who has it is those of some strata, so that the design fixes the share. From the values alone this cannot be told: small
    strata may be all alike by chance.

    Raises as `estimate_mean`, and ValueError where `success` holds anything else.
    """
    facts = _mean(design, success, inside)
    found = np.asarray(success, np.float64)[facts.rows]
    if not np.isin(found, (0.0, 1.0)).all():
        raise ValueError("a rate is of 0 and 1")
    rate = 0.0 if not found.any() else 1.0 if found.all() else facts.value
    weights = design.weights[facts.rows]
    interval = Interval(None, None, NO_INTERVAL)
    if facts.df >= 1:
        interval = design_interval(
            rate,
            facts.variance,
            df=facts.df,
            n=facts.n,
            kish_n=float(weights.sum() ** 2 / (weights**2).sum()),
            method=method,
            confidence=confidence,
            known=by_stratum or facts.known,
        )
    estimated = interval.low is not None and facts.variance > NO_SPREAD * rate * (1 - rate)
    return _estimate(facts, interval, confidence, rate * (1 - rate) / facts.variance if estimated else None, rate)


@dataclass(frozen=True, eq=False)
class _Mean:
    value: float
    variance: float
    df: int
    n: int
    units: int
    design_effect: float | None
    rows: Rows
    #: The variance of as many people drawn singly; 0 where that has no spread.
    alone: float
    #: Whether the design fixes the mean.
    known: bool


def _mean(design: Design, values: ArrayLike, inside: Rows | None) -> _Mean:
    found, rows = _inside(design, values, inside)
    weights = design.weights[rows]
    whole, n = float(weights.sum()), len(weights)
    if not n:
        raise SurveyRefused("no_rows", "nobody of the sample belongs to this group")
    alike = bool((found[rows] == found[rows][0]).all())
    mean = float(found[rows][0]) if alike else float(weights @ found[rows]) / whole
    linear = np.where(rows, found - mean, 0.0) / whole
    variance = design.variance(linear)
    df = design.degrees_of_freedom(rows)
    if df < 1 and design.degrees_of_freedom() < 1:
        raise SurveyRefused("too_few_units", NO_DEGREE)
    alone = 0.0
    if n > 1:
        spread = float(weights @ (found[rows] - mean) ** 2) / whole * n / (n - 1)
        # Without replacement where the weights are numbers of people; weights that only say relations know no population.
        alone = spread * (whole - n) / (whole * n) if whole > n * (1 + 1e-9) else spread / n
    if variance <= NO_SPREAD * (alone or mean * mean):
        variance = 0.0  # what is left are rounding errors
    known = design.fixes(linear)
    told = alone > 0 and (known or variance > NO_SPREAD * alone)
    effect = variance / alone if told else None
    return _Mean(mean, variance, df, n, design.first_stage_units(rows), effect, rows, alone, known)


def _inside(design: Design, values: ArrayLike, inside: Rows | None) -> tuple[Numbers, Rows]:
    found = np.asarray(values, np.float64)
    rows = design.counted if inside is None else design.counted & np.asarray(inside, np.bool_)
    if found.shape != design.weights.shape:
        raise ValueError("one value for each row of the design")
    if not np.isfinite(found[rows]).all():
        raise ValueError("a row that counts has no value")
    return np.where(rows, found, 0.0), rows


def _estimate(
    facts: _Mean, interval: Interval, confidence: float, effective: float | None, value: float | None = None
) -> Estimate:
    return Estimate(
        value=facts.value if value is None else value,
        se=math.sqrt(facts.variance),
        low=interval.low,
        high=interval.high,
        confidence=confidence,
        method=interval.method,
        df=facts.df,
        n=facts.n,
        units=facts.units,
        design_effect=facts.design_effect,
        effective_n=effective,
    )


def jackknife(design: Design, statistic: Callable[[Numbers], float]) -> float:
    """The standard error of `statistic(weights)` by leaving out one first-stage unit after the other: a check of the linearisation.

    Within a stratum of n_h units the weights of the others are raised by n_h/(n_h − 1); Σ (n_h − 1)/n_h · (θ_i − θ̄)², θ̄ the mean of all
    replicates. Without finite population correction and of the first stage alone. `statistic` is to repeat the weighting.

    Source: Wolter K. M. (2007), Introduction to Variance Estimation, 4.5; R survey's JK1 and JKn. Raises SurveyRefused (lonely_psu).
    """
    units, first = np.unique(design.stages[0], return_index=True)
    stratum = design.strata[first]
    drawn = np.bincount(stratum)
    if (drawn == 1).any():
        raise SurveyRefused("lonely_psu", "a stratum with a single drawn unit: its spread cannot be told")
    found, shares = [], []
    for unit, place in zip(units, stratum, strict=True):
        factor = np.where(design.strata == place, drawn[place] / (drawn[place] - 1), 1.0)
        found.append(statistic(np.where(design.stages[0] == unit, 0.0, design.weights * factor)))
        shares.append((drawn[place] - 1) / drawn[place])
    values = np.array(found)
    return float(np.sqrt(np.sum(np.array(shares) * (values - values.mean()) ** 2)))
