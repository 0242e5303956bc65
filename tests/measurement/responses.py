"""The reference responses as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.measurement.reference import columns


def digits(patterns: list[str]) -> NDArray[np.int64]:
    return np.array([[int(digit) for digit in pattern] for pattern in patterns])


def lsat6() -> NDArray[np.int64]:
    """1,000 × 5 scores."""
    table = columns("lsat6.csv")
    return np.repeat(digits(table["pattern"]), np.array(table["people"], dtype=int), axis=0)


def iq16() -> NDArray[np.int64]:
    """1,523 × 16 options; 0 = none recorded."""
    return digits(columns("iq16.csv")["pattern"])
