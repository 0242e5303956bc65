"""Who was given which paper, by the items alone: totals of people are comparable inside a paper, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.classical import ABSENT, FEWEST_OF_PAPER, Ints

Sets = NDArray[np.bool_]

#: Share of all items that people must have been given each to count as takers of one test with gaps, where few share a set.
WITH_GAPS: Final = 0.8
#: So many times the number that chance alone gives still count as chance.
BY_CHANCE: Final = 3.0
#: Cells of the largest table made at once.
_BLOCK: Final = 20_000_000


@dataclass(frozen=True)
class Papers:
    """Papers found, and who stands in none; see `papers_of`. Positions of people and of items are sorted."""

    #: (people, items) of each paper, by the first of its people. Papers of fewer than `FEWEST_OF_PAPER` people are among them.
    papers: tuple[tuple[Ints, Ints], ...]
    #: People who were given items that make them comparable with nobody.
    alone: Ints

    @property
    def large(self) -> tuple[tuple[Ints, Ints], ...]:
        """Those of enough people to be looked at by themselves."""
        return tuple(paper for paper in self.papers if len(paper[0]) >= FEWEST_OF_PAPER)


def papers_of(answers: NDArray[Any]) -> Papers:
    """Who was given which paper. `answers`: (persons, items), 0 = the person was not given the item (as in `tally`).

    A set of items that at least `FEWEST_OF_PAPER` people were given is a paper, however many papers there are, unless a larger such set
    holds it and either is at most twice as long, or no more people have the smaller one than gaps at random would leave with it (up to
    `BY_CHANCE` times N·Πp·Π(1 − p), p the share of people who were given each item): then it is that paper with gaps. A person belongs to
    the smallest paper that holds all of their items. Of those who fit into none:

    1. whoever was given at least `WITH_GAPS` of all the items that these people were given takes one test with gaps;
    2. the others by the same rule with two people instead of ten: small papers, inside of which people are compared all the same;
    3. who then is left, with a set of items that nobody shares, is comparable with nobody (`alone`), as is whoever was given nothing.

    So a test with some gaps is one paper, two forms with common items are two, and totals of different papers are never put together.
    Nobody, or no items: one paper of everybody. Raises ValueError for another shape.
    """
    answers = np.asarray(answers)
    if answers.ndim != 2:
        raise ValueError("answers are persons × items")
    given = answers != ABSENT
    persons, items = given.shape
    if persons == 0 or items == 0 or given.all():
        return Papers(((np.arange(persons), np.arange(items)),), np.arange(0))
    packed = np.ascontiguousarray(np.packbits(given, axis=1))
    rows = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, which, counts = np.unique(rows, return_index=True, return_inverse=True, return_counts=True)
    sets: Sets = given[first]
    papers: list[Sets] = []
    home = np.full(len(sets), -1)
    by_chance = counts <= BY_CHANCE * _expected(given, sets)

    def settle(fewest: int) -> None:
        open_ = np.flatnonzero((home < 0) & sets.any(axis=1))
        found = _largest(sets, first, by_chance, open_[counts[open_] >= fewest])
        if len(found):
            at = _smallest_that_holds(sets[open_], sets[found])
            home[open_[at >= 0]] = len(papers) + at[at >= 0]
            papers.extend(sets[found])

    settle(FEWEST_OF_PAPER)
    open_ = np.flatnonzero((home < 0) & sets.any(axis=1))
    everything = sets[open_].any(axis=0)
    gaps = open_[sets[open_].sum(axis=1) >= WITH_GAPS * everything.sum()]
    if counts[gaps].sum() > 1:
        home[gaps] = len(papers)
        papers.append(sets[gaps].any(axis=0))
    settle(2)
    of_person = home[which]
    order = np.argsort(of_person, kind="stable")
    ends = np.searchsorted(of_person[order], np.arange(len(papers) + 1))
    found = [
        (order[start:end], np.flatnonzero(paper))
        for start, end, paper in zip(ends[:-1], ends[1:], papers, strict=True)
        if end > start
    ]
    return Papers(tuple(sorted(found, key=lambda pair: int(pair[0][0]))), order[: ends[0]])


def _expected(given: Sets, sets: Sets) -> NDArray[np.float64]:
    """How many people would have each set of items if each item were missing at random, as often as it is."""
    share = given.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # an item that everybody or nobody was given adds ln 1 = 0 where the set agrees with it, as every set does
        terms = np.where(sets, np.log(share), np.log1p(-share))
    return np.asarray(len(given) * np.exp(terms.sum(axis=1)))


def _largest(sets: Sets, first: Ints, by_chance: NDArray[np.bool_], candidates: Ints) -> Ints:
    """Of some sets, from the largest to the smallest, those that are not a larger one with gaps; see `papers_of`."""
    sizes = sets.sum(axis=1)
    found: list[int] = []
    kept = np.empty((len(candidates), sets.shape[1]), dtype=np.bool_)
    lengths = np.empty(len(candidates), dtype=np.int64)
    for g in sorted(candidates.tolist(), key=lambda g: (-int(sizes[g]), int(first[g]))):
        k = len(found)
        near = kept[:k] if by_chance[g] else kept[:k][lengths[:k] <= 2 * sizes[g]]
        if not len(near) or (sets[g] & ~near).any(axis=1).all():
            kept[k], lengths[k] = sets[g], sizes[g]
            found.append(g)
    return np.array(found, dtype=np.int64)


def _smallest_that_holds(sets: Sets, papers: Sets) -> Ints:
    """Of papers from the largest to the smallest, the place of the last that holds each set; −1 where none does."""
    missing = (~papers).T.astype(np.float32)
    found = np.full(len(sets), -1)
    step = max(1, _BLOCK // max(len(papers), 1))
    for start in range(0, len(sets), step):
        holds = sets[start : start + step].astype(np.float32) @ missing == 0
        last = holds.shape[1] - 1 - holds[:, ::-1].argmax(axis=1)
        found[start : start + step] = np.where(holds.any(axis=1), last, -1)
    return found
