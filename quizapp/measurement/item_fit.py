"""Whether items behave as the fitted model says: S-X² by summed score, infit and outfit by person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.irt_curves import POINTS, Floats, probabilities, quadrature
from quizapp.measurement.populations import Populations

#: Neighbouring scores are put together until at least so many right and wrong answers are expected.
LEAST_EXPECTED: Final = 1.0
#: People with one set of items that are worth looking at.
_FEWEST_OF_SET: Final = 50
#: People, of them right, right as expected.
_Cell = tuple[float, float, float]


@dataclass(frozen=True)
class ItemFit:
    """One item: S-X² with its degrees of freedom and p; None where no degree of freedom is left."""

    s_x2: float | None
    df: int
    p: float | None
    #: By how much the share right of people with one total misses the model's, beyond chance: root mean square, 0 to 1; None without cells.
    off: float | None = None


@dataclass(frozen=True)
class MeanSquares:
    """Of each item, (items,): 1 is as the model expects, above is noisier, below is more regular; with standard errors under the model."""

    infit: Floats
    outfit: Floats
    se_infit: Floats
    se_outfit: Floats


def score_distribution(p: Any) -> Floats:
    """P(k right | θ) for k = 0 … items: (points, items + 1), from P(right), (points, items). Lord & Wingersky's recursion.

    Source: Lord F. M., Wingersky M. S. (1984), Applied Psychological Measurement 8, 453-461. No item: P(0) = 1.
    """
    p = np.asarray(p, dtype=np.float64)
    spread = np.zeros((p.shape[0], p.shape[1] + 1))
    spread[:, 0] = 1
    for item in range(p.shape[1]):
        chance = p[:, item, None]
        moved = spread[:, :-1] * chance
        spread *= 1 - chance
        spread[:, 1:] += moved
    return spread


def s_x2(responses: NDArray[Any], a: Any, b: Any, *, parameters: int = 2, points: int = POINTS) -> tuple[ItemFit, ...]:
    """S-X² of each item: do people with the same total get the item right as often as the model says?

    Of the people with total k (1 … items − 1), a share E_k should be right: E_k = Σ_q w_q P(θ_q) S*(k − 1|θ_q) / Σ_q w_q S(k|θ_q), S the
    distribution of totals, S* without the item. S-X² = Σ_k n_k (O_k − E_k)² / (E_k(1 − E_k)), about χ² with (scores − `parameters`)
    degrees of freedom, `parameters` being those of an item (2PL 2, Rasch 1). From both ends, scores with fewer than one right or wrong
    answer expected are put together with their inner neighbour.

    Rows with a missing answer are left out; no complete row or fewer than three items: None with p None. Source: Orlando M., Thissen D.
    (2000), Applied Psychological Measurement 24, 50-64. Agrees with R's mirt on LSAT-6 (tests).
    """
    responses = np.asarray(responses, dtype=np.float64)
    complete = responses[~np.isnan(responses).any(axis=1)]
    return tuple(_item_fit(cells, len(cells) - parameters) for cells in _cells(complete, a, b, points))


def s_x2_of_papers(
    responses: NDArray[Any], groups: NDArray[Any], populations: Populations, a: Any, b: Any, *, parameters: NDArray[Any]
) -> tuple[ItemFit, ...]:
    """S-X² of each item where people were given different sets of items and come from populations of their own.

    The cells of `s_x2` are made for each set of items and group by itself, with the group's N(mean, SD²) as the population, and put
    together: the sum has as many degrees of freedom as cells, less `parameters` (items,) of the item. Sets of fewer than 50 people or
    three items say too little and are left out; an item of which nothing is left has None throughout. Source: that of `s_x2`.
    """
    responses, groups = np.asarray(responses, dtype=np.float64), np.asarray(groups)
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    given = ~np.isnan(responses)
    keys = np.hstack([given, groups[:, None].astype(np.int64)])
    _, which, people = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    which = which.ravel()
    cells: list[list[_Cell]] = [[] for _ in range(responses.shape[1])]
    for number in np.flatnonzero(people >= _FEWEST_OF_SET):
        rows = which == number
        members = np.flatnonzero(given[rows][0])
        if len(members) < 3:
            continue
        mean, sd = (float(values[groups[rows][0]]) for values in (populations.mean, populations.sd))
        table = responses[rows][:, members]
        for item, found in zip(members, _cells(table, a[members] * sd, (b[members] - mean) / sd), strict=True):
            cells[item] += found
    return tuple(_item_fit(of_item, len(of_item) - int(k)) for of_item, k in zip(cells, parameters, strict=True))


def _item_fit(cells: Sequence[_Cell], df: int) -> ItemFit:
    from scipy.special import chdtrc

    if not cells:
        return ItemFit(None, max(df, 0), None)
    n, o, e = np.array(cells).T
    off = float(np.sqrt(max(0.0, float(((o - e) ** 2 / n - e * (n - e) / n**2).sum() / n.sum()))))
    if df < 1:
        return ItemFit(None, max(df, 0), None, off)
    value = float(((o - e) ** 2 / e + (o - e) ** 2 / (n - e)).sum())
    return ItemFit(value, df, float(chdtrc(df, value)), off)


def _cells(complete: Floats, a: Any, b: Any, points: int = POINTS) -> list[list[_Cell]]:
    """Of each item the cells of S-X², from people who were given every item; none where there are no people."""
    theta, weight = quadrature(points)
    p = probabilities(theta, a, b)
    items = p.shape[1]
    totals = complete.sum(axis=1).astype(np.int64)
    people = np.bincount(totals, minlength=items + 1)[1:items].astype(np.float64)
    marginal = weight @ score_distribution(p)
    found = []
    for item in range(items):
        right = np.asarray(
            np.bincount(totals, weights=complete[:, item], minlength=items + 1)[1:items], dtype=np.float64
        )
        rest = score_distribution(np.delete(p, item, axis=1))
        share = ((weight * p[:, item]) @ rest)[: items - 1] / marginal[1:items]
        found.append(_collapsed(people, right, people * share))
    return found


def _collapsed(people: Floats, right: Floats, expected: Floats) -> list[_Cell]:
    """(people, right, expected right) by score, from both ends put together with the inner neighbour where too little is expected."""
    cells = [tuple(map(float, cell)) for cell in zip(people, right, expected, strict=True)]

    def thin(cell: tuple[float, ...]) -> bool:
        return cell[2] < LEAST_EXPECTED or cell[0] - cell[2] < LEAST_EXPECTED

    while len(cells) > 1:
        weak = [i for i, cell in enumerate(cells) if thin(cell)]
        if not weak:
            break
        middle = (len(cells) - 1) / 2
        at = max(weak, key=lambda i: abs(i - middle))
        other = at + 1 if at <= middle and at + 1 < len(cells) else at - 1
        low = min(at, other)
        cells[low : low + 2] = [tuple(x + y for x, y in zip(cells[low], cells[low + 1], strict=True))]
    return [(n, o, e) for n, o, e in cells if e > 0 and n - e > 0]


def mean_squares(responses: NDArray[Any], theta: Any, a: Any, b: Any) -> MeanSquares:
    """Infit and outfit of each item at given abilities, (persons,): squared misses against what the model expects.

    With z² = (x − P)²/(P(1 − P)): outfit is the mean of z² over the people who were given the item, infit Σ(x − P)² / ΣP(1 − P). NaN for
    an item that nobody was given. At expected a posteriori abilities, which are drawn together, both lie somewhat below 1. With n people
    and v = P(1 − P), the variances under the model are Σ(v(1 − 3v) − v²)/(Σv)² of infit and Σ((1 − 3v)/v)/n² − 1/n of outfit. Source:
    Wright B. D., Masters G. N. (1982), Rating Scale Analysis, ch. 5.
    """
    responses = np.asarray(responses, dtype=np.float64)
    p = probabilities(theta, a, b)
    given = ~np.isnan(responses)
    missed = np.where(given, responses - p, 0) ** 2
    spread = np.where(given, p * (1 - p), 0)
    n = given.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        outfit = np.where(given, missed / (p * (1 - p)), 0).sum(axis=0) / n
        infit = missed.sum(axis=0) / spread.sum(axis=0)
        of_infit = (spread * (1 - 3 * spread) - spread**2).sum(axis=0) / spread.sum(axis=0) ** 2
        of_outfit = np.where(given, (1 - 3 * spread) / (p * (1 - p)), 0).sum(axis=0) / n**2 - 1 / n
        errors = [np.sqrt(np.maximum(variance, 0)) for variance in (of_infit, of_outfit)]
    return MeanSquares(np.asarray(infit), np.asarray(outfit), *errors)
