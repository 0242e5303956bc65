"""Intervals of a rate whose error comes from a design."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from quizapp.measurement.clusters import t_quantile
from quizapp.measurement.intervals import clopper_pearson, score_interval

#: The names of the methods, as the command takes them.
METHODS: Final = ("korn_graubard", "logit", "wilson", "wald")
#: Used where nobody or everybody has it, or units happen to be alike: where none of the others is defined.
EXACT: Final = "clopper_pearson"
#: A variance below this share of that of one person is a sum of rounding errors.
NO_SPREAD: Final = 1e-18
#: Used where there is no interval: the rate is known, not estimated.
KNOWN: Final = "known"


@dataclass(frozen=True)
class Interval:
    """`low` and `high` between 0 and 1 (wald may lie outside), None where there is none; `method` is the one that was used."""

    low: float | None
    high: float | None
    method: str


def design_interval(
    rate: float,
    variance: float,
    *,
    df: int,
    n: int,
    kish_n: float,
    method: str,
    confidence: float = 0.95,
    known: bool = False,
) -> Interval:
    """The interval of a rate with the variance of its design.

    `df`: degrees of freedom of the design; `n`: people who count; `kish_n`: (Σw)²/Σw². With n' = rate·(1 − rate)/variance and t the
    quantile of Student's t with df degrees of freedom at (1 + confidence)/2:

    - logit: logit(rate) ± t·√variance/(rate·(1 − rate)), back by the logistic function.
    - korn_graubard: n* = n'·(t(n − 1)/t(df))², then Beta quantiles: low of (n*·rate, n*·(1 − rate) + 1), high of (n*·rate + 1,
      n*·(1 − rate)). Not capped: n* may exceed n, as R's `beta` has it.
    - wilson: Wilson's interval with n' in place of n and t in place of z.
    - wald: rate ± t·√variance; for comparison only.

    Where nobody or everybody has it (rate 0 or 1) the variance says nothing: Clopper–Pearson with kish_n. Where the variance is 0 in
    between and the rate is `known` (a margin of the weighting, a stratum's own share, a complete count) there is no interval. Where it is 0
    and the rate is not known, units happen to be alike, and the variance says nothing either: Clopper–Pearson with
    kish_n·(t(n − 1)/t(df))², as if people had been drawn singly, with the few degrees of freedom that there are.

    Source: Korn E. L., Graubard B. I. (1998), Survey Methodology 24, 193-201; Dean N., Pagano M. (2015), JSSAM 3, 484-503; R survey 4.5,
    svyciprop. Raises ValueError for an unknown method, and for df < 1.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method!r}")
    if rate <= 0 or rate >= 1:
        return Interval(*clopper_pearson(rate * kish_n, kish_n, confidence), EXACT)
    spread = rate * (1 - rate)
    tail = (1 + confidence) / 2
    t = t_quantile(tail, df)
    if variance <= NO_SPREAD * spread:
        if known:
            return Interval(None, None, KNOWN)
        alike = kish_n * (t_quantile(tail, max(n - 1, 1)) / t) ** 2
        return Interval(*clopper_pearson(alike * rate, alike, confidence), EXACT)
    if method == "wald":
        return Interval(rate - t * math.sqrt(variance), rate + t * math.sqrt(variance), method)
    if method == "logit":
        middle, half = math.log(rate / (1 - rate)), t * math.sqrt(variance) / spread
        return Interval(1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-middle - half)), method)
    effective = spread / variance
    if method == "wilson":
        return Interval(*score_interval(rate, effective, t), method)
    adjusted = effective * (t_quantile(tail, max(n - 1, 1)) / t) ** 2
    return Interval(*clopper_pearson(adjusted * rate, adjusted, confidence), method)
