"""Whether an item is harder for one group than for another of people who know equally much (differential item functioning)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dif:
    """One item; None where it is not defined (no stratum with both groups, or nobody of one group right or wrong)."""

    #: Common odds ratio, reference to focal: above 1 the item favours the reference group; with its interval.
    odds_ratio: float | None
    low: float | None
    high: float | None
    #: −2.35·ln(odds ratio), the scale of ETS: negative is harder for the focal group.
    delta: float | None
    #: Without the continuity correction, and p with it.
    chi_square: float | None
    p: float | None
    p_corrected: float | None
    strata: int
    #: A: negligible, B: moderate, C: large (|delta| from 1 and from 1.5, with p_corrected < 0.05); None where delta is.
    size: Literal["A", "B", "C"] | None


_UNDEFINED = (None,) * 7


def mantel_haenszel(scores: Any, focal: Any, item: int, confidence: float = 0.95) -> Dif:
    """Mantel and Haenszel's test of one item, people being matched by their total including the item.

    `scores`: (persons, items) of 0 and 1, complete; `focal`: (persons,) true for the focal group. In the stratum of each total that has
    both groups: a reference right, b reference wrong, c focal right, d focal wrong, n all. Odds ratio Σ(ad/n)/Σ(bc/n), its interval by
    Robins, Breslow and Greenland; χ² = (Σ(a − E))²/ΣV with one degree of freedom, E and V of the hypergeometric distribution. The
    correction takes 0.5 from |Σ(a − E)|, and nothing where that is smaller (as R does).

    One group alone, one respondent, an item that everybody or nobody had right: None. Source: Holland P. W., Thayer D. T. (1988), in
    Wainer & Braun (eds.), Test Validity, ch. 9; Robins, Breslow & Greenland (1986), Biometrics 42, 311-323. Raises ValueError for missing
    answers and shapes that do not fit. `size` is a part of the ETS rule, which also tests |delta| against 1.
    """
    from scipy.special import chdtrc

    scores = np.asarray(scores, dtype=np.float64)
    group: NDArray[np.bool_] = np.asarray(focal, dtype=np.bool_)
    if scores.ndim != 2 or group.shape != scores.shape[:1]:
        raise ValueError("scores are persons × items, with one group for each person")
    if not np.isin(scores, (0, 1)).all():
        raise ValueError("scores are 0 or 1, without gaps")
    totals = scores.sum(axis=1).astype(np.int64)
    right = scores[:, item] == 1
    length = scores.shape[1] + 1
    a, b, c, d = (
        np.bincount(totals[of_group & answered], minlength=length).astype(np.float64)
        for of_group in (~group, group)
        for answered in (right, ~right)
    )
    both = (a + b > 0) & (c + d > 0)
    a, b, c, d = a[both], b[both], c[both], d[both]
    n = a + b + c + d
    strata = int(both.sum())
    r, s = a * d / n, b * c / n
    spread = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * np.maximum(n - 1, 1))
    if r.sum() == 0 or s.sum() == 0 or spread.sum() == 0:
        return Dif(*_UNDEFINED, strata, None)
    odds = float(r.sum() / s.sum())
    miss = abs(float((a - (a + b) * (a + c) / n).sum()))
    variance = float(spread.sum())
    corrected = float(chdtrc(1, (miss - min(0.5, miss)) ** 2 / variance))
    p, q = (a + d) / n, (b + c) / n
    of_log = float(
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(of_log)
    delta = -2.35 * math.log(odds)
    size: Literal["A", "B", "C"] = "A"
    if corrected < 0.05 and abs(delta) >= 1:
        size = "C" if abs(delta) >= 1.5 else "B"
    return Dif(
        odds_ratio=odds,
        low=odds * math.exp(-half),
        high=odds * math.exp(half),
        delta=delta,
        chi_square=miss**2 / variance,
        p=float(chdtrc(1, miss**2 / variance)),
        p_corrected=corrected,
        strata=strata,
        size=size,
    )
