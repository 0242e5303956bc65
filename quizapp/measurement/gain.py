"""Before and after: what the same people gained, with its error. Never two groups of different people.

Only those who took both count; the caller says how many did not. A gain without a group that was not trained also holds what people
learn from the first test itself, so it is "gained between the tests", not "gained by the training".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.units import unit_error


@dataclass(frozen=True)
class PairedGain:
    """The mean gain of pairs in the unit of the scores; None is "not defined for so few or so equal pairs"."""

    pairs: int
    mean_pre: float | None
    mean_post: float | None
    sd_pre: float | None
    sd_post: float | None
    #: Correlation of before and after.
    correlation: float | None
    mean_gain: float | None
    sd_gain: float | None
    low: float | None
    high: float | None
    t: float | None
    df: float | None
    p: float | None
    #: mean gain/SD of gains; mean gain/√((SD² before + SD² after)/2), and that times 1 − 3/(4·df − 1), from two degrees of freedom on.
    d_z: float | None
    d_average: float | None
    g_average: float | None
    #: Units by which interval, t, df and p are taken; None: people are taken as strangers to one another.
    units: int | None = None


@dataclass(frozen=True)
class ItemGain:
    """One item before and after, among the people who were given it both times."""

    pairs: int
    right_pre: int
    right_post: int
    #: Wrong before and right after; right before and wrong after.
    gained: int
    lost: int
    #: Share right after less share right before, with its Wald interval; None without pairs.
    difference: float | None
    low: float | None
    high: float | None
    #: McNemar's exact p and mid-p, two-sided.
    p_exact: float
    p_mid: float

    @property
    def pre(self) -> float | None:
        """Share right before."""
        return self.right_pre / self.pairs if self.pairs else None

    @property
    def post(self) -> float | None:
        """Share right after."""
        return self.right_post / self.pairs if self.pairs else None


def paired_gain(pre: Any, post: Any, confidence: float = 0.95, *, units: Any = None) -> PairedGain:
    """Mean of post − pre with its t interval and test, for scores of the same people in the same order, each (people,).

    d̄ ± t(n − 1)·SD(d)/√n; t = d̄·√n/SD(d), df = n − 1, two-sided p (Student 1908). Effect sizes: Cohen's d_z and d_av, Hedges' g_av
    (Lakens D. (2013), Frontiers in Psychology 4, 863), g with Hedges's approximate correction 1 − 3/(4·df − 1), which of two pairs (one
    degree of freedom) would make 0 of any effect, so that g is not defined there.

    `units`, (people,), whole numbers, negative: not known, who then stand alone. People of one unit gain alike: with three known units or
    more the standard error is that of the mean by units where its interval is the wider one (`units.unit_error`); t, df, p go with it.

    A NaN on either side leaves the pair out: only those who took both. No pair: None throughout. One pair: the gain without an error.
    Gains that are all the same: no interval, no t. Raises ValueError for different lengths and infinite scores. Agrees with R's
    t.test(paired = TRUE).
    """
    pre, post = np.asarray(pre, dtype=np.float64).ravel(), np.asarray(post, dtype=np.float64).ravel()
    if len(pre) != len(post):
        raise ValueError("before and after are not of the same people")
    if np.isinf(pre).any() or np.isinf(post).any():
        raise ValueError("scores are finite numbers")
    everybody = None if units is None else np.asarray(units).ravel()
    if everybody is not None and len(everybody) != len(pre):
        raise ValueError("units are one for each person")
    both = ~np.isnan(pre) & ~np.isnan(post)
    pre, post = pre[both], post[both]
    n = len(pre)
    if n == 0:
        return PairedGain(0, *(None,) * 15)
    of_whom = None if everybody is None else everybody[both]
    gains = post - pre
    mean = float(gains.mean())
    if n == 1:
        return PairedGain(1, float(pre[0]), float(post[0]), None, None, None, mean, *(None,) * 9)
    from scipy.special import stdtr, stdtrit

    df: float = n - 1
    sd_pre, sd_post, sd = (float(values.std(ddof=1)) for values in (pre, post, gains))
    varies = sd > 1e-12 * max(1.0, float(np.abs(gains).max()))
    error, clusters = sd / math.sqrt(n), None
    half = float(stdtrit(df, (1 + confidence) / 2)) * error
    by_units = unit_error(gains, of_whom) if of_whom is not None and varies else None
    if by_units is not None:
        wider = float(stdtrit(by_units[1], (1 + confidence) / 2)) * by_units[0]
        clusters = by_units[2]
        if wider > half:
            (error, df, _), half = by_units, wider
    t = mean / error if varies else None
    pooled = math.sqrt((sd_pre**2 + sd_post**2) / 2)
    d_average = mean / pooled if pooled else None
    covariance = float(((pre - pre.mean()) * (post - post.mean())).sum() / (n - 1))
    return PairedGain(
        pairs=n,
        mean_pre=float(pre.mean()),
        mean_post=float(post.mean()),
        sd_pre=sd_pre,
        sd_post=sd_post,
        correlation=covariance / (sd_pre * sd_post) if sd_pre and sd_post else None,
        mean_gain=mean,
        sd_gain=sd,
        low=mean - half if varies else None,
        high=mean + half if varies else None,
        t=t,
        df=df,
        p=None if t is None else min(1.0, 2 * float(stdtr(df, -abs(t)))),
        d_z=mean / sd if varies else None,
        d_average=d_average,
        g_average=None if d_average is None or n < 3 else d_average * (1 - 3 / (4 * (n - 1) - 1)),
        units=clusters,
    )


def normalized_gain(mean_pre: float, mean_post: float, most: float) -> float | None:
    """What was gained of what could be: (post − pre)/(most − pre) for class means. None where nothing was left to gain.

    Source: Hake R. R. (1998), American Journal of Physics 66, 64-74.
    """
    return None if mean_pre >= most else (mean_post - mean_pre) / (most - mean_pre)


def item_gain(pre: Any, post: Any, confidence: float = 0.95) -> ItemGain:
    """McNemar's test of one item for 0/1 answers of the same people, each (people,); NaN = not given, the pair is left out.

    With g gained and l lost, the others say nothing about change. Exact: 2·P(X ≤ min(g, l)), X binomial (g + l, 1/2), at most 1. Mid-p: the
    same less P(X = min(g, l)) (Fagerland, Lydersen & Laake (2013), BMC Medical Research Methodology 13, 91). Nobody changed: both 1.
    Difference (g − l)/n with Wald's interval for pairs, √(g + l − (g − l)²/n)/n its standard error (Agresti (2013), Categorical Data
    Analysis, 3rd ed., 11.1). Source: McNemar Q. (1947), Psychometrika 12, 153-157. Raises ValueError for different lengths or answers
    other than 0 and 1.
    """
    from statistics import NormalDist

    pre, post = np.asarray(pre, dtype=np.float64).ravel(), np.asarray(post, dtype=np.float64).ravel()
    if len(pre) != len(post):
        raise ValueError("before and after are not of the same people")
    both = ~np.isnan(pre) & ~np.isnan(post)
    pre, post = pre[both], post[both]
    if not (np.isin(pre, (0, 1)).all() and np.isin(post, (0, 1)).all()):
        raise ValueError("answers are 0 or 1")
    n = len(pre)
    gained, lost = int(((pre == 0) & (post == 1)).sum()), int(((pre == 1) & (post == 0)).sum())
    p_exact, p_mid = mcnemar(gained, lost)
    difference = half = None
    if n:
        difference = (gained - lost) / n
        error = math.sqrt(max(0.0, gained + lost - (gained - lost) ** 2 / n)) / n
        half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return ItemGain(
        pairs=n,
        right_pre=int(pre.sum()),
        right_post=int(post.sum()),
        gained=gained,
        lost=lost,
        difference=difference,
        low=None if difference is None or half is None else max(-1.0, difference - half),
        high=None if difference is None or half is None else min(1.0, difference + half),
        p_exact=p_exact,
        p_mid=p_mid,
    )


def mcnemar(gained: int, lost: int) -> tuple[float, float]:
    """Exact p and mid-p of McNemar's test from the two numbers of changes; (1, 1) where nobody changed. Formula and source: `item_gain`.

    Raises ValueError for negative numbers.
    """
    from scipy.special import bdtr

    if gained < 0 or lost < 0:
        raise ValueError("numbers of people are not negative")
    changed, fewer = gained + lost, min(gained, lost)
    if changed == 0:
        return 1.0, 1.0
    tail = float(bdtr(fewer, changed, 0.5))
    at = tail - (float(bdtr(fewer - 1, changed, 0.5)) if fewer else 0.0)
    return min(1.0, 2 * tail), min(1.0, 2 * tail - at)


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """p values made honest for their number, any of the tests being wrong at most so often: Holm S. (1979), Scand. J. Stat. 6, 65-70.

    The i-th smallest of m times m − i + 1, then no smaller than any before it, at most 1; in the order given, (tests,). No test: an empty
    array. Raises ValueError for what is no probability (NaN, below 0, above 1).
    """
    values = np.asarray(p, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a p value lies between 0 and 1")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
