"""Confidence intervals of a share."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """The Wilson score interval of k of n, without continuity correction, as (low, high) between 0 and 1; None for n = 0.

    (k + z²/2 ± z·√(k(n − k)/n + z²/4)) / (n + z²), z the normal quantile at (1 + confidence)/2. It stays inside 0 and 1 and is sound
    for few answers and for 0 or 100 %. 24 of 400: 4.065 % to 8.772 %.

    Source: Wilson E. B. (1927), "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212; the same as
    R's prop.test(correct = FALSE). Raises ValueError where k is not within 0 … n or confidence not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError("confidence lies between 0 and 1")
    if n < 0 or not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    if n == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = k + z * z / 2
    half = z * math.sqrt(k * (n - k) / n + z * z / 4)
    # At the edges the formula gives exactly 0 or 1; rounding must not leave 1e-17 instead.
    low = 0.0 if k == 0 else (middle - half) / (n + z * z)
    high = 1.0 if k == n else (middle + half) / (n + z * z)
    return low, high


def score_interval(rate: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval of a rate between 0 and 1 for any effective number n > 0 and any quantile of the normal or t distribution.

    (p + q²/2n ± q·√(p(1 − p)/n + q²/4n²)) / (1 + q²/n), within 0 and 1. For k of n people use `wilson`.

    Source: Wilson E. B. (1927), JASA 22, 209-212. Raises ValueError for an n that is not above 0.
    """
    if not n > 0:
        raise ValueError("an effective number of people is above 0")
    middle = rate + quantile * quantile / (2 * n)
    half = quantile * math.sqrt(rate * (1 - rate) / n + quantile * quantile / (4 * n * n))
    scale = 1 + quantile * quantile / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def clopper_pearson(k: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The exact ("tail") interval of k of n, as (low, high): it covers at least `confidence`, mostly more.

    Beta quantiles: low at (1 − confidence)/2 of (k, n − k + 1), 0 for k = 0; high at (1 + confidence)/2 of (k + 1, n − k), 1 for k = n.
    k and n need not be whole: an effective number of people will do. 24 of 400: 3.882 % to 8.796 %. Loads SciPy.

    Source: Clopper C. J., Pearson E. S. (1934), Biometrika 26, 404-413; the same as R's binom.test. Raises ValueError where k is not
    within 0 … n, n not above 0 or confidence not between 0 and 1.
    """
    from scipy.special import betaincinv

    if not 0 < confidence < 1:
        raise ValueError("confidence lies between 0 and 1")
    if n <= 0 or not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return low, high


def rate_difference(before: tuple[int, int], after: tuple[int, int]) -> tuple[float, float, float] | None:
    """The difference k2/n2 − k1/n1 of two rates with its 95 % interval, as (difference, low, high) between −1 and 1; None for an n of 0.

    The hybrid score interval from both Wilson intervals (`square_and_add`). For two separate groups of people who are independent of one
    another; where the same people stand in both it is too wide, where people come by units (`clusters.clustered_difference`) too narrow.

    Source: Newcombe R. G. (1998), "Interval estimation for the difference between independent proportions", Statistics in Medicine 17,
    873-890, method 10. 56/70 against 48/80: 0.2, 0.0524 to 0.3339. Raises ValueError as `wilson` does.
    """
    one, other = wilson(*before), wilson(*after)
    if one is None or other is None:
        return None
    return square_and_add(before[0] / before[1], one, after[0] / after[1], other)


def square_and_add(
    p1: float, ends1: tuple[float, float], p2: float, ends2: tuple[float, float], correlation: float = 0.0
) -> tuple[float, float, float]:
    """p2 − p1 with the interval that the intervals of two rates make together, as (difference, low, high) within −1 and 1.

    d − √(a² + b² − 2r·ab) with a = p2 − l2, b = u1 − p1, to d + √(a² + b² − 2r·ab) with a = u2 − p2, b = p1 − l1; r is the correlation
    of the two rates, 0 where they are independent. Each end takes the variance that its rate has near that end, so it is as good as the
    two intervals are.

    Source: Newcombe R. G. (1998), Statistics in Medicine 17, 873-890 (independent) and 2635-2650 (paired), method 10 of both; for any
    pair of good intervals: Zou G. Y., Donner A. (2008), Statistics in Medicine 27, 1693-1702.
    """

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a * a + b * b - 2 * correlation * a * b))

    low = (p2 - p1) - reach(p2 - ends2[0], ends1[1] - p1)
    high = (p2 - p1) + reach(ends2[1] - p2, p1 - ends1[0])
    return p2 - p1, max(-1.0, low), min(1.0, high)


def paired_rate_difference(both: int, gained: int, lost: int, neither: int) -> tuple[float, float, float] | None:
    """How a rate of the same people changed, with its 95 % interval, as (difference, low, high) between −1 and 1; None of nobody.

    `both` had it before and after, `gained` after only, `lost` before only, `neither` never. Difference d = (gained − lost)/n. As
    `rate_difference`, with the correlation φ of before and after: d − √(x² − 2φxy + y²), x = p2 − l2 and y = u1 − p1, and
    d + √(x² − 2φxy + y²), x = u2 − p2 and y = p1 − l1. φ = c/√(the four margins' product), c = both·neither − gained·lost, less n/2 but not
    below 0 where it is positive; 0 where a margin is empty. It is sound for few changes, where Wald's interval is not.

    Source: Newcombe R. G. (1998), "Improved confidence intervals for the difference between binomial proportions based on paired data",
    Statistics in Medicine 17, 2635-2650, method 10. 1, 7, 1, 12 (both, gained, lost, neither): 0.2857, 0.0256 to 0.5069. Raises
    ValueError for a negative count.
    """
    if min(both, gained, lost, neither) < 0:
        raise ValueError("numbers of people are not negative")
    n = both + gained + lost + neither
    before, after = wilson(both + lost, n), wilson(both + gained, n)
    if before is None or after is None:
        return None
    p1, p2 = (both + lost) / n, (both + gained) / n
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    together = both * neither - gained * lost
    phi = 0.0
    if margins:
        phi = (max(together - n / 2, 0.0) if together > 0 else together) / math.sqrt(margins)

    def reach(x: float, y: float) -> float:
        return math.sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))

    low = (p2 - p1) - reach(p2 - after[0], before[1] - p1)
    high = (p2 - p1) + reach(after[1] - p2, p1 - before[0])
    return p2 - p1, max(-1.0, low), min(1.0, high)
