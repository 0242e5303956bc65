"""What each unit of people adds to the estimates of a fitted model: from it follows their error where people of one unit are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.irt import Fit
from quizapp.measurement.irt_curves import Floats, probabilities, quadrature
from quizapp.measurement.irt_patterns import patterns_of, posteriors


def unit_influences(responses: NDArray[Any], fit: Fit, units: NDArray[Any]) -> Floats:
    """(units, 2·items): by how much a and b of all items are where they are because of each unit; the columns add up to 0.

    `responses` are those that were fitted, as people of one population, (persons, items), 1/0, NaN = not given; `units` is the place of
    each person's unit in the result, (persons,), whole numbers from 0. A row is C · Σ s over the unit's people: C the covariance of a and b
    from the observed information, s the slope of a person's log-likelihood there, Σ_q posterior_q · (θ_q − b, −a) · (x − P(θ_q)).
    Who was given nothing adds nothing. Σ of the squares of a row's product with a figure's derivatives is the sandwich variance of that
    figure: it holds whatever people of one unit have in common.

    Source: Huber P. J. (1967), Proc. 5th Berkeley Symp. 1, 221-233; White H. (1982), Econometrica 50, 1-25; by clusters Binder D. A.
    (1983), International Statistical Review 51, 279-292. The rows are those of the infinitesimal jackknife.
    """
    units = np.asarray(units, dtype=np.intp)
    patterns = patterns_of(np.asarray(responses, dtype=np.float64))
    theta, weight = quadrature()
    p = probabilities(theta, fit.a, fit.b)
    scores = np.empty((len(patterns.people), 2 * len(fit.a)))
    for rows, posterior, _ in posteriors(patterns, theta, weight, fit.a, -fit.a * fit.b):
        right, given = patterns.right[rows], patterns.given[rows]
        by_slope = right * (posterior @ theta)[:, None] - given * (posterior @ (theta[:, None] * p))
        by_intercept = right - given * (posterior @ p)
        # the intercept is −a·b
        scores[rows] = np.hstack([by_slope - fit.b * by_intercept, -fit.a * by_intercept])
    sums = np.zeros((int(units.max(initial=-1)) + 1, scores.shape[1]))
    np.add.at(sums, units, scores[patterns.where])
    return np.asarray(sums @ fit.covariance)
