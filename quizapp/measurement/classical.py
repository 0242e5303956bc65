"""Item analysis by classical test theory: how hard an item is, whether it tells those who know from those who do not, and what is odd.

Everything is computed from one table of counts, the **tally**: for each item, how many people with each total score gave each answer. A
tally is whole numbers only, so it can be added up: two tallies of one paper, summed, are the tally of both groups together. That is how
statistics of an item are kept up to date without reading all responses again.

Terms. *Score*: 1 right, 0 wrong; given but not answered is wrong. *Total*: right answers of one person on the items that this person was
given. *Rest*: the total without the item in question. *Paper*: people who were given the same items; totals of different papers are not
comparable, so every comparison of people is made inside a paper and the papers are then pooled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.intervals import wilson

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: The number of the answer that means "this person was not given this item".
ABSENT: Final = 0
#: Share of people in the upper and in the lower group.
GROUP_SHARE: Final = 0.27
#: People of one of several papers below which its share of 27 % is a person or two, and no group.
FEWEST_OF_PAPER: Final = 10


@dataclass(frozen=True)
class OptionFigures:
    """One answer of one item; see `item_figures` for the formulas."""

    #: Number of the answer, from 1 (the caller knows its name).
    answer: int
    is_key: bool
    #: People who chose it, and their share of those who were given the item.
    n: int
    share: float | None
    #: Correlation of "chose it" (0/1) with the total and with the rest; None where one of both does not vary.
    total_correlation: float | None
    rest_correlation: float | None
    #: Mean total of those who chose it; None where nobody did, and over several papers, whose totals are not comparable.
    mean_total: float | None
    #: Share of the upper and of the lower 27 % who chose it.
    upper: float | None
    lower: float | None


@dataclass(frozen=True)
class ItemFigures:
    """One item; see `item_figures` for the formulas. None is "not defined for these data"."""

    #: People who were given the item, and how many were right.
    n: int
    right: int
    #: Share right, its standard error √(p(1 − p)/n), its Wilson interval.
    difficulty: float | None
    standard_error: float | None
    difficulty_low: float | None
    difficulty_high: float | None
    #: Correlation of the item's score with the rest (corrected) and with the total, and the biserial one with the rest.
    rest_correlation: float | None
    total_correlation: float | None
    biserial: float | None
    #: Upper less lower 27 %, with ties shared.
    upper_lower_27: float | None
    #: cov(item, rest) in percent of the largest covariance that these scores and rests allow.
    discriminative_efficiency: float | None
    options: tuple[OptionFigures, ...]


@dataclass(frozen=True)
class Reliability:
    """How far a test would agree with itself; see `reliability`."""

    #: Persons with an answer to every item, and items.
    n: int
    items: int
    alpha: float | None
    low: float | None
    high: float | None
    #: Standard error of measurement in points, SD with n − 1.
    sem: float | None
    mean: float | None
    sd: float | None
    #: alpha of the test without each item.
    alpha_if_deleted: tuple[float | None, ...]


def tally(answers: NDArray[Any], keys: Sequence[int], kinds: int) -> Ints:
    """Count answers by item, total and answer: shape (items, items + 1, kinds + 1), whole numbers.

    `answers`: (persons, items), whole numbers, 0 = the person was not given the item, else 1 … `kinds`. `keys`: the right answer of each
    item, 1 … `kinds`. `tally[j, t, o]` is the number of people with t items right who gave answer o to item j; people who were not given
    the item stand under o = 0. Nobody at all gives zeros. Raises ValueError for shapes that do not fit and answers out of range.

    One pass per item over the persons: O(persons × items), no memory beyond the scores.
    """
    answers = np.asarray(answers)
    if answers.ndim != 2 or answers.shape[1] != len(keys):
        raise ValueError("answers are persons × items, with one key for each item")
    if answers.size and (int(answers.min()) < 0 or int(answers.max()) > kinds):
        raise ValueError("an answer is a number from 0 to the number of kinds")
    items = answers.shape[1]
    columns = np.ascontiguousarray(answers.T)
    totals = np.zeros(answers.shape[0], dtype=np.int64)
    for column, key in zip(columns, keys, strict=True):
        totals += column == key
    totals *= kinds + 1
    counted = np.zeros((items, items + 1, kinds + 1), dtype=np.int64)
    for number, column in enumerate(columns):
        flat = np.bincount(totals + column, minlength=(items + 1) * (kinds + 1))
        counted[number] = flat.reshape(items + 1, kinds + 1)
    return counted


def item_figures(
    counts: Sequence[Ints], key: int, offered: Sequence[int] | None = None, *, alone: Ints | None = None
) -> ItemFigures:
    """All figures of one item from its counts in one or more papers: `tally(...)[j]` of each, shape (totals, kinds + 1), the same kinds.

    `key`: the number of the right answer; `offered`: the answers to list (default: the key and what anybody chose). `alone`: (kinds + 1,)
    how often each answer was given by people who are comparable with nobody (see `papers_of`): they count in n, the shares and the
    difficulty, and in nothing that compares people.

    With n people given the item, p right of them:

    - difficulty p/n with its Wilson interval at 95 %; standard error √(p(1 − p)/n).
    - correlations: Pearson's r of the 0/1 variable with rest or total. With several papers, sums of squares and products are taken about
      each paper's own means and then added (the pooled within-paper correlation), because totals of papers are not comparable. For an
      answer other than the key the rest is the same rest: the total without the item's score.
    - biserial: r_rest · √(pq) / φ(Φ⁻¹(p)), the correlation that a normal variable behind the 0/1 would have.
    - upper less lower: share right among the round(0.27 n) with the highest totals, less that among as many with the lowest (Kelley 1939);
      where totals tie at the border, each of the tied counts with the same fraction, so that no order of rows decides. Inside each paper;
      of several papers those of fewer than `FEWEST_OF_PAPER` people are left out.
    - discriminative efficiency: 100 · cov(item, rest) / the covariance if the same scores and rests were sorted alike (Moodle).

    Undefined is None: no people, all right or all wrong (correlations), a rest that does not vary, one respondent. Sources: Lord & Novick
    (1968), Statistical Theories of Mental Test Scores, ch. 15; Kelley T. L. (1939), J. Educ. Psych. 30, 17-24; Crocker & Algina (1986),
    ch. 14. Agrees with R (psych, base) to 1e-9 (tests).
    """
    kinds = max([key, *(c.shape[1] - 1 for c in counts)])
    papers = [np.asarray(c, dtype=np.int64)[:, 1:] for c in counts]
    papers = [c for c in papers if c.sum()]
    by_answer = sum((c.sum(axis=0) for c in papers), start=np.zeros(kinds, dtype=np.int64))
    if alone is not None:
        by_answer = by_answer + np.asarray(alone, dtype=np.int64)[1:]
    n, right = int(by_answer.sum()), int(by_answer[key - 1])
    upper, lower = _groups(papers, kinds)
    rests = [_rest_counts(c, key) for c in papers]
    with_total, with_rest = _correlations(papers, kinds), _correlations(rests, kinds)
    if offered is None:
        offered = [o + 1 for o in range(kinds) if o + 1 == key or by_answer[o]]
    options = tuple(
        OptionFigures(
            answer=o + 1,
            is_key=o + 1 == key,
            n=int(by_answer[o]),
            share=int(by_answer[o]) / n if n else None,
            total_correlation=with_total[o],
            rest_correlation=with_rest[o],
            mean_total=_mean_total(papers, o),
            upper=upper[o],
            lower=lower[o],
        )
        for o in (answer - 1 for answer in offered)
    )
    p = right / n if n else None
    interval = wilson(right, n)
    low, high = interval if interval else (None, None)
    rest = with_rest[key - 1] if n else None
    above, below = (upper[key - 1], lower[key - 1]) if n else (None, None)
    return ItemFigures(
        n=n,
        right=right,
        difficulty=p,
        standard_error=None if p is None else math.sqrt(p * (1 - p) / n),
        difficulty_low=low,
        difficulty_high=high,
        rest_correlation=rest,
        total_correlation=with_total[key - 1] if n else None,
        biserial=_biserial(rest, p),
        upper_lower_27=None if above is None or below is None else above - below,
        discriminative_efficiency=_efficiency(rests, key) if n else None,
        options=options,
    )


def _rest_counts(counts: Ints, key: int) -> Ints:
    """Counts by rest instead of total: those who were right have one point less."""
    moved = counts.copy()
    moved[:-1, key - 1] = counts[1:, key - 1]
    moved[-1, key - 1] = 0
    return moved


def _correlations(papers: Sequence[Ints], kinds: int) -> list[float | None]:
    """Of each answer with the score that counts the rows, about the means of each paper."""
    spread = 0.0
    products, squares = np.zeros(kinds), np.zeros(kinds)
    for counts in papers:
        scores = np.arange(counts.shape[0], dtype=np.int64)
        people, by_answer = int(counts.sum()), counts.sum(axis=0)
        by_score = counts.sum(axis=1)
        total = int(scores @ by_score)
        # Whole numbers throughout: what does not vary is exactly zero.
        spread += (people * int(scores**2 @ by_score) - total**2) / people
        products += (people * (scores @ counts) - by_answer * total) / people
        squares += (by_answer * (people - by_answer)) / people
    return [
        float(products[o] / math.sqrt(squares[o] * spread)) if squares[o] > 0 and spread > 0 else None
        for o in range(kinds)
    ]


def _mean_total(papers: Sequence[Ints], answer: int) -> float | None:
    if len(papers) > 1:
        return None
    chosen = sum(int(counts[:, answer].sum()) for counts in papers)
    total = sum(int(np.arange(counts.shape[0]) @ counts[:, answer]) for counts in papers)
    return total / chosen if chosen else None


def _groups(papers: Sequence[Ints], kinds: int) -> tuple[list[float | None], list[float | None]]:
    """Share of the upper and of the lower group who gave each answer, ties at the border shared."""
    size = 0
    upper, lower = np.zeros(kinds), np.zeros(kinds)
    for counts in papers if len(papers) == 1 else [c for c in papers if c.sum() >= FEWEST_OF_PAPER]:
        of_paper = round(GROUP_SHARE * int(counts.sum()))
        size += of_paper
        upper += _take(counts[::-1], of_paper)
        lower += _take(counts, of_paper)
    if not size:
        return [None] * kinds, [None] * kinds
    return [float(u) / size for u in upper], [float(v) / size for v in lower]


def _take(counts: Ints, size: int) -> Floats:
    """Answers of the first `size` people by row; those of the row at the border count with one fraction."""
    left = size
    taken = np.zeros(counts.shape[1])
    for row in counts:
        people = int(row.sum())
        if people >= left:
            return taken + (row * (left / people) if people else 0)
        taken += row
        left -= people
    return taken


def _biserial(rest: float | None, p: float | None) -> float | None:
    if rest is None or p is None or not 0 < p < 1:
        return None
    normal = NormalDist()
    return rest * math.sqrt(p * (1 - p)) / normal.pdf(normal.inv_cdf(p))


def _efficiency(rests: Sequence[Ints], key: int) -> float | None:
    """100 · covariance / the covariance of the same scores and rests both sorted, inside each paper."""
    found = possible = 0.0
    for counts in rests:
        scores = np.arange(counts.shape[0], dtype=np.int64)
        by_rest = counts.sum(axis=1)
        people, right = int(by_rest.sum()), int(counts[:, key - 1].sum())
        mean = int(scores @ by_rest) / people
        found += float(scores @ counts[:, key - 1]) - right * mean
        # The highest rests go to those who are right: how many of each rest, from the top.
        above = np.cumsum(by_rest[::-1])
        best = np.diff(np.minimum(above, right), prepend=0)
        possible += int(best @ scores[::-1]) - right * mean
    return 100 * found / possible if possible > 1e-12 else None


def reliability(complete: Ints, keys: Sequence[int], confidence: float = 0.95) -> Reliability:
    """alpha with its interval, the standard error of measurement and alpha without each item, from the tally of complete rows.

    alpha = k/(k − 1) · (1 − Σ p(1 − p) / s²), with s² the variance of the totals over n: for 0/1 items the same as KR-20. Interval by
    Feldt: 1 − (1 − alpha)·F, F the quantiles of the F distribution with n − 1 and (n − 1)(k − 1) degrees of freedom at
    (1 ± confidence)/2. SEM = SD·√(1 − alpha), the SD with n − 1, in points (right answers). Without an item: the same formula over the
    rest. `complete`: a tally of people who were given all the items (no counts under answer 0).

    None where it is not defined: fewer than two items (three for "without"), fewer than two persons, totals that do not vary; SEM also
    where alpha is. alpha may be negative. Constant items add nothing to Σ and stay among the k. Sources: Kuder & Richardson (1937),
    Psychometrika 2, 151-160; Cronbach (1951), 16, 297-334; Feldt (1965), 30, 357-370. LSAT-6: 0.29500 (0.22347 to 0.36180), SEM 0.8691.
    """
    items, totals = complete.shape[0], complete.shape[1]
    if items == 0:
        return Reliability(0, 0, None, None, None, None, None, None, ())
    by_total = complete[0].sum(axis=1)
    n = int(by_total.sum())
    scores = np.arange(totals, dtype=np.int64)
    if n < 1:
        return Reliability(0, items, None, None, None, None, None, None, (None,) * items)
    total = int(scores @ by_total)
    variance = (n * int(scores**2 @ by_total) - total**2) / n**2
    sd = math.sqrt(variance * n / (n - 1)) if n > 1 else None
    right = [int(complete[j, :, keys[j]].sum()) for j in range(items)]
    spreads = [r * (n - r) / n**2 for r in right]
    alpha = _alpha(items, sum(spreads), variance)
    low = high = None
    if alpha is not None and n > 1:
        from scipy.special import fdtri

        freedom = (n - 1, (n - 1) * (items - 1))
        low = 1 - (1 - alpha) * float(fdtri(*freedom, (1 + confidence) / 2))
        high = 1 - (1 - alpha) * float(fdtri(*freedom, (1 - confidence) / 2))
    without = []
    for j in range(items):
        product = int(scores @ complete[j, :, keys[j]])
        covariance = (n * product - right[j] * total) / n**2
        without.append(_alpha(items - 1, sum(spreads) - spreads[j], variance + spreads[j] - 2 * covariance))
    return Reliability(
        n=n,
        items=items,
        alpha=alpha,
        low=low,
        high=high,
        sem=None if alpha is None or sd is None else sd * math.sqrt(max(0.0, 1 - alpha)),
        mean=total / n,
        sd=sd,
        alpha_if_deleted=tuple(without),
    )


def _alpha(items: int, spreads: float, variance: float) -> float | None:
    # The variance is a difference of whole numbers over n²: below 1e-12 it is rounding of a zero.
    if items < 2 or variance < 1e-12:
        return None
    return items / (items - 1) * (1 - spreads / variance)


def not_reached(answers: NDArray[Any], blank: int, order: NDArray[Any] | None = None) -> NDArray[np.bool_]:
    """Which unanswered items stand after a person's last answer: (persons, items).

    `answers` as in `tally`; `blank` is the number of the answer "given, not answered"; `order` says when each person met each item,
    (persons, items) or (items,), by default the order of the columns. A run of blanks up to the last item that a person was given is "not
    reached"; a blank before an answer is "omitted". Somebody with blanks only reached nothing.
    """
    answers = np.asarray(answers)
    empty = answers == blank
    if not empty.any():
        return np.zeros(answers.shape, dtype=np.bool_)
    places = np.broadcast_to(np.arange(answers.shape[1]) if order is None else np.asarray(order), answers.shape)
    last = np.where((answers != ABSENT) & ~empty, places, -1).max(axis=1, initial=-1)
    return np.asarray(empty & (places > last[:, None]))
