"""People of one unit are alike: the error of a mean where they are, and how units are numbered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.clusters import FEWEST_CLUSTERS


def alone_apart(units: NDArray[Any]) -> NDArray[np.intp]:
    """Numbers from 0 without a gap for the unit of each person; who has none (a negative number) is a unit of their own."""
    numbers = units.astype(np.int64)
    alone = numbers < 0
    numbers[alone] = numbers.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return np.asarray(np.unique(numbers, return_inverse=True)[1]).ravel()


def unit_error(values: NDArray[np.float64], units: NDArray[Any]) -> tuple[float, float, int] | None:
    """Standard error of the mean where people of one unit are alike, its degrees of freedom, known units; None with fewer than three.

    The jackknife over units: √((c − 1)/c · Σ (e/(1 − h))²)/n, e the sum of a unit's deviations from the mean, h its share of the n people,
    c the number of units; people without one (negative) stand alone. Degrees of freedom: 1/Σ w² − 1, w = h²/Σ h². With equal units the
    factor of Σ e² is c/(c − 1), and the degrees of freedom are c − 1.

    Source: Bell R. M., McCaffrey D. F. (2002), Survey Methodology 28, 169-181; Carter A. V., Schnepel K. T., Steigerwald D. G. (2017),
    Review of Economics and Statistics 99, 698-709.
    """
    known = len(np.unique(units[units >= 0]))
    if known < FEWEST_CLUSTERS:
        return None
    places = alone_apart(units)
    n, c = len(values), int(places.max()) + 1
    share = np.bincount(places) / n
    sums = np.bincount(places, weights=values - values.mean()) / (1 - share)
    weight = share**2 / (share**2).sum()
    df = max(1.0, 1 / float((weight**2).sum()) - 1)
    return math.sqrt((c - 1) / c * float((sums**2).sum())) / n, df, known
