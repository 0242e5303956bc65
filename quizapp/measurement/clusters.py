"""The interval of a share when the answers come in clusters: people of one unit are alike, so they say less than as many strangers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from quizapp.measurement.intervals import rate_difference, score_interval, square_and_add, wilson

#: (k, n) of each cluster by its name.
Clusters = Mapping[Any, tuple[int, int]]

#: With fewer clusters the spread between them cannot be told.
FEWEST_CLUSTERS = 3


def t_quantile(probability: float, df: float) -> float:
    """The quantile of Student's t with `df` degrees of freedom, by the standard library alone.

    Whole df: exact for 1 and 2; else Hill's asymptotic expansion, below 200 improved by Newton's steps on the distribution function;
    relative error below 1e-9 for probabilities from 0.5 to 0.9999. Between two whole df: by 1/df along the straight line, which is never
    too small (at 0.975 by less than 2 % too large from df = 2 on). Below one half: by symmetry.

    Source: Hill G. W. (1970), "Algorithm 396: Student's t-quantiles", CACM 13, 619-620; distribution function by the finite sums of
    Abramowitz & Stegun 26.7.3-4. Raises ValueError for a probability outside (0, 1) or df < 1.
    """
    if not 0 < probability < 1 or df < 1:
        raise ValueError("a probability between 0 and 1, and at least one degree of freedom")
    if probability < 0.5:
        return -t_quantile(1 - probability, df)
    whole = math.floor(df)
    if df != whole:
        part = (1 / df - 1 / (whole + 1)) / (1 / whole - 1 / (whole + 1))
        return part * t_quantile(probability, whole) + (1 - part) * t_quantile(probability, whole + 1)
    df = whole
    if df == 1:
        return math.tan(math.pi * (probability - 0.5))
    if df == 2:
        return (2 * probability - 1) * math.sqrt(2 / (4 * probability * (1 - probability)))
    z = NormalDist().inv_cdf(probability)
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    t = z + g1 / df + g2 / df**2 + g3 / df**3 + g4 / df**4
    for _ in range(12 if df < 200 else 0):
        density = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
        density *= (1 + t * t / df) ** (-(df + 1) / 2)
        step = (_t_distribution(t, df) - probability) / density
        t -= step
        if abs(step) < 1e-12 * max(1.0, abs(t)):
            break
    return t


def _t_distribution(t: float, df: int) -> float:
    """P(T ≤ t), t ≥ 0: the finite sums of Abramowitz & Stegun 26.7.3 (odd) and 26.7.4 (even)."""
    theta = math.atan2(t, math.sqrt(df))
    cosine, sine = math.cos(theta), math.sin(theta)
    total = term = cosine if df % 2 else 1.0
    for index in range(3 if df % 2 else 2, df - 1, 2):
        term *= cosine * cosine * (index - 1) / index
        total += term
    if df == 1:
        total = 0.0
    share = 2 / math.pi * (theta + sine * total) if df % 2 else sine * total
    return 0.5 + share / 2


def degrees_of_freedom(shares: Iterable[float]) -> float:
    """1/Σh² − 1, at least 2: the effective number of clusters less one, h being each one's share of the people; c − 1 for c of one size.

    2 is what three of one size have, the fewest that are taken. Below it the interval would say nothing at all; at it, where one cluster
    has nine tenths of the people, it holds the truth in 83 to 96 of 100 cases.

    Source: Kish L. (1965), Survey Sampling, 11.7 (effective number); Carter A. V., Schnepel K. T., Steigerwald D. G. (2017), Review of
    Economics and Statistics 99, 698-709 (as degrees of freedom where clusters differ).
    """
    return max(FEWEST_CLUSTERS - 1.0, round(1 / sum(share * share for share in shares) - 1, 9))


def clustered_wilson(counts: Sequence[tuple[int, int]], confidence: float = 0.95) -> tuple[float, float] | None:
    """The interval of Σk / Σn for clusters (k of n each), as (low, high) between 0 and 1; None where all are empty.

    r = Σk/Σn, its variance by linearisation of the ratio with the clusters as first-stage units drawn with replacement:
    Σ (k − r·n)²/(1 − h) / (Σn)², h = n/Σn the cluster's share. The effective number n' = r(1 − r)/variance, times (t(Σn − 1)/t(f))² for
    the few clusters, at most Σn, goes into Wilson's interval; f = `degrees_of_freedom`. For c clusters of one size this is the textbook's
    c/(c − 1)·Σ(k − r·n)² with f = c − 1; where one cluster has most of the people, whose residual is then small by construction, that
    would hold the truth in 70 of 100 cases. Empty clusters do not count; with fewer than three clusters, or all or nobody right, it is
    Wilson's interval of Σk of Σn, which says nothing of the spread between clusters.

    Source: Cochran W. G. (1977), Sampling Techniques, 3rd ed., 9.12 (ratio of clusters); Bell R. M., McCaffrey D. F. (2002), Survey
    Methodology 28, 169-181 (the factor 1/(1 − h): the residuals of a mean, corrected for bias); Korn E. L., Graubard B. I. (1998), Survey
    Methodology 24, 193-201 (effective number and its t factor); Dean N., Pagano M. (2015), JSSAM 3, 484-503 (Wilson with it); for
    clusters of one size the same as R survey's svyciprop(method = "wilson") but for the cap. Raises ValueError where some k is not within
    0 … n.
    """
    filled = [(k, n) for k, n in counts if n]
    if any(not 0 <= k <= n for k, n in counts):
        raise ValueError("no share")
    right, total = sum(k for k, _ in filled), sum(n for _, n in filled)
    plain = wilson(right, total, confidence)
    if plain is None or len(filled) < FEWEST_CLUSTERS or right in (0, total):
        return plain
    rate = right / total
    variance = sum((k - rate * n) ** 2 / (1 - n / total) for k, n in filled) / total**2
    if variance == 0:
        return plain
    tail = (1 + confidence) / 2
    few = degrees_of_freedom([n / total for _, n in filled])
    effective = rate * (1 - rate) / variance * (t_quantile(tail, total - 1) / t_quantile(tail, few)) ** 2
    effective = min(effective, total)
    return score_interval(rate, effective, NormalDist().inv_cdf(tail))


def clustered_difference(before: Clusters, after: Clusters) -> tuple[float, float, float] | None:
    """The change Σk/Σn after − Σk/Σn before with its 95 % interval, for clusters by name (k of n each); None where one side is empty.

    The square-and-add interval (`intervals.square_and_add`) with the ends of `clustered_wilson` of each side. A unit that stands in both
    under one name is mostly good or bad in both, and so are people who stand in both within it: the correlation of the two rates is that
    of the residuals e = k − r·n of the two sides by unit, Σ e1·e2 / √(Σ e1² · Σ e2²), a unit that is missing on one side adding 0; 0 where
    fewer than three units stand in both. At the end no narrower than Newcombe's interval of pooled people (`intervals.rate_difference`).

    With one or two clusters on a side that side has Wilson's ends, which know only how people of one unit differ. Source: as
    `square_and_add` and `clustered_wilson`; correlation by linearisation over common first-stage units: Kish L. (1965), Survey Sampling,
    12.4. Raises ValueError as `clustered_wilson` does.
    """
    sides = before, after
    ends = [clustered_wilson(list(side.values())) for side in sides]
    sums = [(sum(k for k, _ in side.values()), sum(n for _, n in side.values())) for side in sides]
    plain = rate_difference(*sums)
    if plain is None or ends[0] is None or ends[1] is None:
        return None
    p1, p2 = (k / n for k, n in sums)
    residuals = [
        {name: k - p * n for name, (k, n) in side.items() if n} for p, side in zip((p1, p2), sides, strict=True)
    ]
    _, low, high = square_and_add(p1, ends[0], p2, ends[1], _correlation(*residuals))
    return p2 - p1, min(low, plain[1]), max(high, plain[2])


def _correlation(one: Mapping[Any, float], other: Mapping[Any, float]) -> float:
    common = one.keys() & other.keys()
    scale = math.sqrt(sum(e * e for e in one.values()) * sum(e * e for e in other.values()))
    if len(common) < FEWEST_CLUSTERS or scale == 0:
        return 0.0
    return sum(one[name] * other[name] for name in common) / scale
