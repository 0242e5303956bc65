"""People of one unit are alike: the error of a mean where they are, and how units are numbered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.clusters import FEWEST_CLUSTERS, degrees_of_freedom


def alone_apart(units: NDArray[Any]) -> NDArray[np.intp]:
    """Numbers from 0 without a gap for the unit of each person, (persons,) whole; who has none (a negative number) is a unit of their own.

    Nobody: an empty array. The order of the units is that of their numbers, those of people alone come last.
    """
    numbers = units.astype(np.int64)
    alone = numbers < 0
    numbers[alone] = numbers.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return np.asarray(np.unique(numbers, return_inverse=True)[1]).ravel()


def unit_error(values: NDArray[np.float64], units: NDArray[Any]) -> tuple[float, float, int] | None:
    """Standard error of the mean where people of one unit are alike, its degrees of freedom, known units; None with fewer than three.

    √(Σ e²/(1 − h))/n, e the sum of a unit's deviations from the mean, h its share of the n people; people without one (negative) stand
    alone. Degrees of freedom: `clusters.degrees_of_freedom`. With c units of one size: c/(c − 1)·Σ e² and c − 1.

    Source: Bell R. M., McCaffrey D. F. (2002), Survey Methodology 28, 169-181.
    """
    known = len(np.unique(units[units >= 0]))
    if known < FEWEST_CLUSTERS:
        return None
    places = alone_apart(units)
    share = np.bincount(places) / len(values)
    sums = np.bincount(places, weights=values - values.mean())
    return math.sqrt(float((sums**2 / (1 - share)).sum())) / len(values), degrees_of_freedom(share.tolist()), known
