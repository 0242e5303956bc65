"""Papers that are equally hard and equally exact where it is decided who passes, by the model of the items.

Items of a bank are calibrated bit by bit. Where at least half of a pool is, the others stand in with the mean slope of those, at the place
where the share right that is expected of them holds; where less is, the model says nothing and only expected shares are balanced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from quizapp.measurement.assembly_rules import Blueprint, PoolItem
from quizapp.measurement.conflicts import Demand
from quizapp.measurement.floors import ENOUGH_CALIBRATED
from quizapp.measurement.forms.model import CalibratedItem, FormBlueprint, curve_demands, information, probabilities
from quizapp.measurement.irt_curves import Floats, quadrature
from quizapp.measurement.irt_curves import probabilities as curves_at

#: Abilities beside that of the pass mark, from it.
BESIDE: Final = (-1.0, 0.0, 1.0)
#: Tolerance of the expected score as a part of the items, and of the information as a part of its target: with 50 items of the
#: reference pool a quarter of an item and of its information.
SCORE_TOLERANCE: Final = 0.005
INFORMATION_TOLERANCE: Final = 0.0225
#: The pass mark is looked for between these abilities.
_REACH: Final = 3.0


@dataclass(frozen=True)
class PassMark:
    """Where a paper is passed: the ability, and there of each paper the right answers to expect and the information."""

    theta: float
    scores: tuple[float, ...]
    information: tuple[float, ...]


def pass_demands(items: Sequence[PoolItem], blueprint: Blueprint, right: int) -> list[Demand]:
    """Expected score one SD below, at and one above the pass mark, and information there, near the pool's; [] for too few items.

    The pass mark is the ability within ±3 at which `right` answers are expected, Σ c·P(θ) = right, of a form that has of each type what the
    pool has on average, c = (number of the type)/(items of it in the pool); Σ c·P and Σ c·a²P(1 − P) there are the targets. An item without
    parameters stands in (`stand_ins`). Source: van der Linden (2005), Linear Models for Optimal Test Design, ch. 5; Lord (1980), ch. 4.
    """
    filled = stand_ins(items)
    if filled is None:
        return []
    weights = _weights(items, blueprint)
    middle = _ability(filled, weights, right)
    theta = tuple(middle + step for step in BESIDE)
    score, exact = probabilities(filled, theta) @ weights, information(filled, [middle]) @ weights
    of_score = FormBlueprint(
        items=blueprint.items,
        theta=theta,
        score=tuple(score),
        score_tolerance=SCORE_TOLERANCE * blueprint.items,
    )
    of_information = FormBlueprint(
        items=blueprint.items,
        theta=(middle,),
        information=tuple(exact),
        information_tolerance=INFORMATION_TOLERANCE * float(exact[0]),
    )
    return [*curve_demands(filled, of_score), *curve_demands(filled, of_information)]


def pass_mark(papers: Sequence[Sequence[PoolItem]], right: int) -> PassMark | None:
    """Where papers that stand are passed: θ within ±3 with `right` answers expected on average, Σ P(θ)/papers = right.

    With it ΣP(θ) and Σa²P(1 − P) of each paper there. None where less than half of their items are calibrated, or there is none.

    Source: Lord F. M. (1980), Applications of Item Response Theory, ch. 4 and 5.
    """
    everything = [item for paper in papers for item in paper]
    filled = stand_ins(everything)
    if filled is None:
        return None
    theta = _ability(filled, np.full(len(filled), 1 / len(papers)), right)
    by_paper = np.split(np.arange(len(filled)), np.cumsum([len(paper) for paper in papers])[:-1])
    score, exact = probabilities(filled, [theta])[0], information(filled, [theta])[0]
    return PassMark(
        theta,
        tuple(float(score[of_paper].sum()) for of_paper in by_paper),
        tuple(float(exact[of_paper].sum()) for of_paper in by_paper),
    )


def stand_ins(items: Sequence[PoolItem]) -> list[CalibratedItem] | None:
    """The items with parameters, estimated or standing in; None where less than half have estimated ones, or there is none.

    One without stands in with the mean slope of the others, at the b where its expected share s holds over N(0, 1), Σ w_q P(θ_q; a, b) = s,
    by linear interpolation between −8 and 8.
    """
    slopes = [item.a for item in items if item.a is not None and item.b is not None]
    if not slopes or len(slopes) < ENOUGH_CALIBRATED * len(items):
        return None
    slope = float(np.mean(slopes))
    places = _places(np.array([item.difficulty for item in items]), slope)
    return [
        CalibratedItem(item.id, item.type, item.a, item.b)
        if item.a is not None and item.b is not None
        else CalibratedItem(item.id, item.type, slope, float(place))
        for item, place in zip(items, places, strict=True)
    ]


def _places(shares: Floats, slope: float) -> Floats:
    """The b with which a share of N(0, 1) is right, by the slope."""
    theta, weight = quadrature()
    grid = np.linspace(-8, 8, 1601)
    expected = weight @ curves_at(theta, np.full(len(grid), slope), grid)
    return np.asarray(np.interp(-shares, -expected, grid))


def _weights(items: Sequence[PoolItem], blueprint: Blueprint) -> Floats:
    """The chance of each item to stand in a form that knows types alone."""
    if not blueprint.types:
        return np.full(len(items), blueprint.items / len(items))
    kinds = [item.type for item in items]
    return np.array([blueprint.types.get(kind, 0) / kinds.count(kind) for kind in kinds])


def _ability(items: Sequence[CalibratedItem], weights: Floats, right: float) -> float:
    """The ability at which so many right answers are expected, within ±3."""
    low, high = -_REACH, _REACH
    for _ in range(40):
        middle = (low + high) / 2
        if float(probabilities(items, [middle])[0] @ weights) < right:
            low = middle
        else:
            high = middle
    return (low + high) / 2
