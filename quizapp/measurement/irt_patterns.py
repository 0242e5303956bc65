"""Distinct response patterns of people, and what each says of ability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.irt_curves import Floats

#: Rows of a person × point table that are held at once.
_CHUNK: Final = 4096
#: Bits of a group's number.
_GROUP_BITS: Final = 16


@dataclass(frozen=True)
class Patterns:
    """Distinct response patterns: 1/0 right, 1/0 given, how many people each; `where` leads a person to the pattern."""

    right: Floats
    given: Floats
    people: Floats
    where: NDArray[np.intp]
    complete: bool
    #: The distinct sets of items that were given, and which of them each pattern has.
    sets: Floats
    of_set: NDArray[np.intp]
    #: The group of people of each pattern, from 0.
    group: NDArray[np.intp]


def patterns_of(responses: Floats, groups: NDArray[np.intp] | None = None) -> Patterns:
    """The patterns of 0/1/NaN responses, (persons, items); people of different `groups`, (persons,), are kept apart.

    NaN is "not given", a part of the pattern. Nobody: no patterns. Groups are numbers below 65,536. Raises ValueError for other responses.
    """
    given = ~np.isnan(responses)
    right = given & (responses == 1)
    if bool(np.any(given & (responses != 1) & (responses != 0))):
        raise ValueError("responses are 0, 1 or NaN")
    group = np.zeros(len(responses), dtype=np.intp) if groups is None else np.asarray(groups, dtype=np.intp)
    bits = (group[:, None] >> np.arange(_GROUP_BITS)) & 1 == 1
    # what was given stands first, so that people with one set of items stand together
    first, where, people = _distinct(np.hstack([given, right, bits]))
    of_whom = given[first]
    first_set, of_set, _ = _distinct(of_whom)
    return Patterns(
        right[first].astype(np.float64),
        of_whom.astype(np.float64),
        people.astype(np.float64),
        where,
        bool(given.all()),
        of_whom[first_set].astype(np.float64),
        of_set,
        group[first],
    )


def _distinct(table: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The first place of each distinct row, which of them each row is, and how often each occurs."""
    packed = np.ascontiguousarray(np.packbits(table, axis=1))
    rows = packed.view(np.dtype((np.void, max(packed.shape[1], 1)))).ravel()
    _, first, which, counts = np.unique(rows, return_index=True, return_inverse=True, return_counts=True)
    return first, np.asarray(which).ravel(), counts


def posteriors(
    patterns: Patterns, theta: Floats, weight: Floats, a: Floats, c: Floats
) -> Iterator[tuple[slice, Floats, Floats]]:
    """In pieces: rows, posterior of each row over the points, log of its marginal probability.

    Posterior_q = w_q·L(θ_q)/Σ w·L, L = Π P^x(1 − P)^(1 − x) over the items given, P = logistic(aθ + c), `a` and `c` (items,), θ (points,).
    Somebody who was given nothing has the prior. Source: Bock & Aitkin (1981). `weight`: the prior at the points, (points,), or of each
    group, (groups, points).
    """
    logits = np.outer(a, theta) + c[:, None]
    # ln P and ln(1 − P) without overflow.
    of_wrong = -np.logaddexp(0, logits)
    prior: Any = np.log(np.maximum(np.atleast_2d(weight), 1e-300))
    complete = of_wrong.sum(axis=0)
    for start in range(0, len(patterns.people), _CHUNK):
        rows = slice(start, start + _CHUNK)
        table = patterns.right[rows] @ logits
        table += complete if patterns.complete else patterns.given[rows] @ of_wrong
        table += prior if len(prior) == 1 else prior[patterns.group[rows]]
        top = table.max(axis=1, keepdims=True)
        table -= top
        np.exp(table, out=table)
        total = table.sum(axis=1, keepdims=True)
        table /= total
        yield rows, table, (np.log(total) + top)[:, 0]
