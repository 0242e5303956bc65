"""What people of a known spread of ability would score on a form: expected share of the points, and chance to pass, with derivatives.

Ability is N(mean, sd²) on the scale of the form's items; the integral is a sum over equally spaced points. Sources: Lord F. M. (1980),
Applications of Item Response Theory, ch. 4 (expected score); Lord F. M., Wingersky M. S. (1984), Applied Psychological Measurement 8,
453-461 (distribution of scores given ability, here with points per item).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.irt_curves import Floats, probabilities, quadrature


@dataclass(frozen=True)
class Form:
    """A paper: `items` are places in the arrays of parameters, `points` what each gives (whole), `pass_points` from when it passes."""

    items: NDArray[np.intp]
    points: NDArray[np.int64]
    pass_points: int


class FormScore(NamedTuple):
    """A figure and its derivatives by mean and SD of the ability, and by a and b of all items (0 for those not in the form)."""

    value: float
    by_mean: float
    by_sd: float
    by_a: Floats
    by_b: Floats


def form_scores(form: Form, a: Any, b: Any, mean: float, sd: float) -> tuple[FormScore, FormScore]:
    """(expected share of the points, share that passes) of people with ability N(mean, sd²) who take the form.

    Σ_q w_q Σ_j points·P_j(θ_q)/Σ points, and Σ_q w_q P(score ≥ pass_points | θ_q) by recursion over items; θ_q = mean + sd·z_q. `a`, `b`:
    (items of the pool,), finite for those of the form. Between 0 and 1; sd = 0 is everybody at the mean. The derivatives are exact for the
    sum. Sources: the module's. ValueError for a form without an item or without a point.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    top = int(form.points.sum())
    if not len(form.items) or top <= 0:
        raise ValueError("a form has an item and a point")
    z, weight = quadrature()
    theta = mean + sd * z
    p = probabilities(theta, a[form.items], b[form.items])
    share = (p @ form.points) / top
    moved_share = np.broadcast_to(form.points / top, p.shape)
    chance, moved_chance = _passing(p, form.points, form.pass_points)
    return (
        _score(form, a, b, theta, z, weight, p, share, moved_share),
        _score(form, a, b, theta, z, weight, p, chance, moved_chance),
    )


def _passing(p: Floats, points: NDArray[np.int64], least: int) -> tuple[Floats, Floats]:
    """P(score ≥ least) at each ability, and by how much it moves with each item's probability: P(… | right) − P(… | wrong)."""
    top, items = int(points.sum()), p.shape[1]
    before = np.zeros((items, len(p), top + 1))
    scores = np.zeros((len(p), top + 1))
    scores[:, 0] = 1
    for j, worth in enumerate(points):
        before[j] = scores
        scores = _with_item(scores, p[:, j], int(worth))
    moved = np.empty_like(p)
    # reach[:, s]: with s points so far, the chance that the items from here on lead to the pass.
    reach = np.tile((np.arange(top + 1) >= least).astype(np.float64), (len(p), 1))
    for j in range(items - 1, -1, -1):
        with_it = np.hstack([reach[:, points[j] :], np.repeat(reach[:, -1:], points[j], axis=1)])
        moved[:, j] = (before[j] * (with_it - reach)).sum(axis=1)
        reach = p[:, j, None] * with_it + (1 - p[:, j, None]) * reach
    return reach[:, 0], moved


def _with_item(scores: Floats, right: Floats, worth: int) -> Floats:
    raised = np.zeros_like(scores)
    raised[:, worth:] = scores[:, : scores.shape[1] - worth]
    return np.asarray(scores * (1 - right[:, None]) + raised * right[:, None])


def _score(
    form: Form, a: Floats, b: Floats, theta: Floats, z: Floats, weight: Floats, p: Floats, value: Floats, moved: Floats
) -> FormScore:
    """Average a curve over the abilities; `moved` is its derivative by each item's probability."""
    steep = weight[:, None] * moved * p * (1 - p)
    slopes, places = a[form.items], b[form.items]
    by_a, by_b = np.zeros_like(a), np.zeros_like(b)
    by_a[form.items] = (steep * (theta[:, None] - places)).sum(axis=0)
    by_b[form.items] = -(steep * slopes).sum(axis=0)
    along = (steep * slopes).sum(axis=1)
    return FormScore(float(weight @ value), float(along.sum()), float(along @ z), by_a, by_b)
