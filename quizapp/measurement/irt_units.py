"""What each unit of people adds to the estimates of a fitted model: from it follows their error where people of one unit are alike."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.irt import Fit
from quizapp.measurement.irt_curves import Floats, logistic, quadrature

#: Rows of a person × point table that are held at once.
_CHUNK: Final = 4096


def unit_influences(responses: NDArray[Any], fit: Fit, units: NDArray[Any]) -> Floats:
    """(units, 2·items): by how much a and b of all items are where they are because of each unit; the columns add up to 0.

    `responses` are those that were fitted, (persons, items), 1/0, NaN = not given; `units` is the place of each person's unit in the
    result, (persons,), whole numbers from 0. A row is C · Σ s over the unit's people: C the covariance of a and b from the observed
    information, s the slope of a person's log-likelihood at the estimates, Σ_q posterior_q · (θ_q − b, −a) · (x − P(θ_q)). Who was given
    nothing adds nothing. Σ of the squares of a row's product with a figure's derivatives is the sandwich variance of that figure: it
    holds whatever people of one unit have in common.

    Source: Huber P. J. (1967), Proc. 5th Berkeley Symp. 1, 221-233; White H. (1982), Econometrica 50, 1-25; by clusters Binder D. A.
    (1983), International Statistical Review 51, 279-292. The rows are those of the infinitesimal jackknife.
    """
    responses = np.asarray(responses, dtype=np.float64)
    units = np.asarray(units, dtype=np.intp)
    theta, weight = quadrature()
    logits = np.outer(fit.a, theta) - (fit.a * fit.b)[:, None]
    of_wrong, p, prior = -np.logaddexp(0, logits), logistic(logits), np.log(weight)
    items = len(fit.a)
    sums = np.zeros((int(units.max(initial=-1)) + 1, 2 * items))
    for start in range(0, len(responses), _CHUNK):
        rows = slice(start, start + _CHUNK)
        given = ~np.isnan(responses[rows])
        right = np.where(given, responses[rows], 0.0)
        table = right @ logits + given @ of_wrong + prior
        posterior = np.exp(table - table.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        by_slope = right * (posterior @ theta)[:, None] - given * (posterior @ (p * theta).T)
        by_intercept = right - given * (posterior @ p.T)
        # the intercept is −a·b
        scores = np.hstack([by_slope - fit.b * by_intercept, -fit.a * by_intercept])
        np.add.at(sums, units[rows], scores)
    return np.asarray(sums @ fit.covariance)
