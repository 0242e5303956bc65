"""Difficulty and discrimination of the items of a bank, from the answers of many tests: one scale for all that common items join.

People come in groups, one for each test that was offered (a delivery): groups may differ in ability, and within a group papers are dealt
out by chance, so that their takers are alike. Groups stand on one scale only through items that both were given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement import irt
from quizapp.measurement.floors import FEWEST, FEWEST_ANCHORS, FEWEST_ITEMS, FEWEST_OF_EACH, OFF_MODEL
from quizapp.measurement.irt_curves import Floats, probabilities, quadrature
from quizapp.measurement.item_fit import mean_squares, s_x2_of_papers

#: A group of fewer people has no mean and SD of its own: such groups count as one together.
FEWEST_IN_GROUP: Final = 50
#: Items that have no slope of their own for the likelihood's sake, at most: beyond, all share one.
_MOST_TRIES: Final = 5
#: An item fits badly from this mean square, if that is more than two standard errors above 1: Wright B. D., Linacre J. M. (1994), Rasch
#: Measurement Transactions 8(3), 370 ("run of the mill" multiple choice tests: 0.7 to 1.3).
MISFIT: Final = 1.3
#: The same from `OFF_MODEL` on, if S-X² is beyond chance by this p. A slope of its own lets the mean squares stay
#: near 1 whatever the curve is like: this sees a curve of another shape. (PISA looks from an RMSD of 0.1 to 0.15 on: OECD (2017), PISA
#: 2015 Technical Report, ch. 9.)
_BEYOND_CHANCE: Final = 0.001


@dataclass(frozen=True)
class Calibration:
    """What `calibrate` finds. Arrays have one entry per calibrated item; ability is N(0, 1)-like in all people together: mean 0, SD 1."""

    #: Columns of the calibrated items.
    items: NDArray[np.intp]
    a: Floats
    b: Floats
    se_a: Floats
    se_b: Floats
    #: Whether the item has a slope of its own; the others have one between them.
    own_slope: NDArray[np.bool_]
    #: People who were given the item.
    n: NDArray[np.intp]
    infit: Floats
    outfit: Floats
    #: Root mean square distance of the shares right, at equal totals, from the model's, beyond chance; NaN where too few took one paper.
    off: Floats
    misfit: NDArray[np.bool_]
    #: Share right that is expected of N(0, 1).
    share: Floats
    #: People and groups that went into it.
    people: int
    groups: int
    #: Columns with data enough that stand apart from it: no common items join them.
    apart: NDArray[np.intp]


def calibrate(responses: NDArray[Any], groups: NDArray[Any]) -> Calibration | None:
    """Calibrate what can be: `responses` (persons, items), 1/0, NaN = not given; `groups` (persons,) whole numbers from 0.

    An item needs 100 people and 5 right and 5 wrong answers; from 200 people on it has a slope of its own, the others share one (so with
    fewer than three items of 200 it is the Rasch model). Items stay that are joined with the group of the most answers: a group is joined
    where at least 5 items that carry a parameter were given to it and to those that are joined already. The model is `irt.fit` with groups;
    where its likelihood has no maximum, the item whose slope grows without end shares the common slope, at last all do. None where
    nothing can be calibrated.
    """
    responses = np.asarray(responses, dtype=np.float64)
    groups = _merged(np.asarray(groups, dtype=np.intp))
    carried = _carried(responses)
    joined = np.zeros(len(responses), dtype=np.bool_)
    kept = carried
    while kept.any():
        joined = _joined(responses, groups, kept)
        now = kept & _carried(np.where(joined[:, None], responses, np.nan))
        if bool((now == kept).all()):
            break
        kept = now
    people, numbers = responses[joined], _numbered(groups[joined])
    kept, shared = _slopes(people, kept)
    if int(kept.sum()) < FEWEST_ITEMS["rasch"]:
        return None
    fitted = _fit(people[:, kept], numbers, shared)
    if fitted is None:
        return None
    apart = carried & ~_given_to(responses, joined)
    return _found(people[:, kept], numbers, *fitted, np.flatnonzero(kept), np.flatnonzero(apart))


def _merged(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Small groups as one."""
    counts = np.bincount(groups)
    small = counts[groups] < FEWEST_IN_GROUP
    return np.where(small, len(counts), groups)


def _numbered(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """The largest group is number 0."""
    names, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(names), dtype=np.intp)
    place[order] = np.arange(len(names))
    return np.asarray(place[which.ravel()])


def _carried(responses: Floats) -> NDArray[np.bool_]:
    """Which items have the data for a place, at least with a shared slope."""
    given = ~np.isnan(responses)
    n = given.sum(axis=0)
    right = np.where(given, responses, 0).sum(axis=0)
    return np.asarray((n >= FEWEST["rasch"]) & (np.minimum(right, n - right) >= FEWEST_OF_EACH))


def _given_to(responses: Floats, people: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray((~np.isnan(responses[people])).any(axis=0))


def _joined(responses: Floats, groups: NDArray[np.intp], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The people of the groups that common items join with the group of the most answers."""
    names = np.unique(groups)
    given = {name: _given_to(responses, groups == name) & kept for name in names}
    answers = {name: int((~np.isnan(responses[groups == name][:, kept])).sum()) for name in names}
    first = max(names, key=lambda name: (answers[name], -name))
    inside, items = {first}, given[first].copy()
    while True:
        common = {name: int((given[name] & items).sum()) for name in names if name not in inside}
        name = max(common, key=lambda one: (common[one], -one), default=None)
        if name is None or common[name] < FEWEST_ANCHORS:
            return np.isin(groups, list(inside))
        inside.add(name)
        items |= given[name]


def _slopes(responses: Floats, kept: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The items that stay, and which of them share a slope. One that would share it with nobody waits for more answers."""
    n = (~np.isnan(responses)).sum(axis=0)
    own = kept & (n >= FEWEST["2pl"])
    if int(own.sum()) < FEWEST_ITEMS["2pl"]:
        return kept, np.ones(int(kept.sum()), dtype=np.bool_)
    if int((kept & ~own).sum()) == 1:
        kept = own
    return kept, ~own[kept]


def _fit(
    responses: Floats, groups: NDArray[np.intp], shared: NDArray[np.bool_]
) -> tuple[irt.Fit, NDArray[np.bool_]] | None:
    tries = 0
    while True:
        model: irt.Model = "rasch" if shared.all() else "2pl"
        try:
            return irt.fit(responses, model, shared=shared, groups=groups), shared
        except irt.NotConverged as failed:
            if model == "rasch":
                return None
            tries += 1
            shared = shared.copy()
            shared[failed.item] = True
            if tries > _MOST_TRIES:
                shared[:] = True


def _found(
    table: Floats,
    groups: NDArray[np.intp],
    fit: irt.Fit,
    shared: NDArray[np.bool_],
    items: NDArray[np.intp],
    apart: NDArray[np.intp],
) -> Calibration:
    ability = irt.abilities(table, fit.a, fit.b, groups=groups, populations=fit.populations)
    squares = mean_squares(table, ability.eap, fit.a, fit.b)
    with np.errstate(invalid="ignore"):
        misfit = ((squares.infit > MISFIT) & (squares.infit > 1 + 2 * squares.se_infit)) | (
            (squares.outfit > MISFIT) & (squares.outfit > 1 + 2 * squares.se_outfit)
        )
    fits = s_x2_of_papers(table, groups, fit.populations, fit.a, fit.b, parameters=np.where(shared, 1, 2))
    misfit |= [
        one.off is not None and one.off > OFF_MODEL and (1.0 if one.p is None else one.p) < _BEYOND_CHANCE
        for one in fits
    ]
    # the scale on which all people together have mean 0 and SD 1
    mean, sd = fit.populations.mixture(np.bincount(groups))
    a, b = fit.a * sd, (fit.b - mean) / sd
    theta, weight = quadrature()
    return Calibration(
        items=items,
        a=a,
        b=b,
        se_a=fit.se_a * sd,
        se_b=fit.se_b / sd,
        own_slope=~shared,
        n=(~np.isnan(table)).sum(axis=0),
        infit=squares.infit,
        outfit=squares.outfit,
        off=np.array([np.nan if one.off is None else one.off for one in fits]),
        misfit=misfit,
        share=np.asarray(weight @ probabilities(theta, a, b)),
        people=fit.respondents,
        groups=len(fit.populations.mean),
        apart=apart,
    )
