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
