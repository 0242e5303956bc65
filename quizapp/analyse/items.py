"""Item analysis of a table of responses; the mathematics stands in `measurement.classical`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quizapp.analyse.groups import GroupReport
from quizapp.analyse.output import number, percent, table
from quizapp.analyse.scoring import Keyed
from quizapp.measurement.classical import (
    ABSENT,
    FEWEST_OF_PAPER,
    ItemFigures,
    Reliability,
    item_figures,
    not_reached,
    reliability,
    tally,
)
from quizapp.measurement.item_flags import HARM, Flag, flags
from quizapp.measurement.item_papers import Papers, papers_of
from quizapp.measurement.rates import rate_of

#: The flag of a key that does not meet the answers, before all that the answers say.
KEY_NEVER_CHOSEN = "key_never_chosen"
#: Below so many respondents the table says that its figures are only a hint.
FEW_RESPONDENTS = 30


@dataclass(frozen=True)
class ItemResult:
    """One item in the report."""

    name: str
    figures: ItemFigures
    omitted: int
    not_reached: int
    median_seconds: float | None
    alpha_if_deleted: float | None
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class ItemReport:
    """What `quizapp analyse items` answers."""

    respondents: int
    items: tuple[ItemResult, ...]
    reliability: Reliability
    #: What each answer is called, by its number less one.
    labels: Sequence[str]
    #: Whether a key said what is right (else cells are scores, and a list of answers says nothing new).
    with_key: bool
    #: Where people were given different papers: the report of each.
    papers: tuple[ItemReport, ...] = ()
    #: Two groups compared, where they were given.
    groups: GroupReport | None = None
    #: What a reader must know of the whole: a stable code, words, and what they are about.
    warnings: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The object of the command's contract; `papers` only where there are several."""
        found: dict[str, Any] = {
            "respondents": self.respondents,
            "complete_rows": self.reliability.n,
            "items_count": len(self.items),
            "alpha": self.reliability.alpha,
            "alpha_low": self.reliability.low,
            "alpha_high": self.reliability.high,
            "sem": self.reliability.sem,
            "items": [self._item_json(item) for item in self.items],
            "warnings": list(self.warnings),
        }
        if self.papers:
            found["papers"] = [paper.as_json() for paper in self.papers]
        if self.groups is not None:
            found["dif"] = self.groups.as_json()
        return found

    def _item_json(self, item: ItemResult) -> dict[str, Any]:
        figures = item.figures
        exact = rate_of(figures.right, figures.n).exact or (None, None)
        return {
            "item": item.name,
            "n": figures.n,
            "difficulty": figures.difficulty,
            "difficulty_low": figures.difficulty_low,
            "difficulty_high": figures.difficulty_high,
            "difficulty_exact_low": exact[0],
            "difficulty_exact_high": exact[1],
            "discrimination": figures.rest_correlation,
            "upper_lower_27": figures.upper_lower_27,
            "alpha_if_deleted": item.alpha_if_deleted,
            "omitted": item.omitted,
            "not_reached": item.not_reached,
            "median_seconds": item.median_seconds,
            "options": [
                {
                    "option": self.labels[option.answer - 1],
                    "n": option.n,
                    "share": option.share,
                    "rest_correlation": option.rest_correlation,
                    "is_key": option.is_key,
                }
                for option in figures.options
            ],
            "flags": [flag.words for flag in item.flags],
        }

    def as_text(self) -> str:
        """Tables and one sentence for each figure."""
        parts = [self._body()]
        parts += [f"Paper {place}\n{paper._body()}" for place, paper in enumerate(self.papers, start=1)]
        parts += [self.groups.as_text()] if self.groups is not None else []
        return "\n\n".join([*parts, _METHODS])

    def _body(self) -> str:
        r = self.reliability
        head = [f"{self.respondents} respondents, {len(self.items)} items, {r.n} of the respondents with every item"]
        head.append(
            f"alpha (KR-20) {number(r.alpha)} ({number(r.low)} to {number(r.high)}), "
            f"standard error of measurement {number(r.sem, 2)} points"
        )
        if self.respondents < FEW_RESPONDENTS:
            head.append(
                f"Fewer than {FEW_RESPONDENTS} respondents: take every figure as a hint, and the flags as questions."
            )
        if self.papers:
            head.append("Several papers: people are compared inside their paper only; each paper stands apart below.")
        head += [f"Note: {warning['message']}." for warning in self.warnings]
        rows = [
            [
                item.name,
                str(item.figures.n),
                percent(item.figures.difficulty),
                f"{percent(item.figures.difficulty_low)} to {percent(item.figures.difficulty_high)}",
                _exact(item.figures),
                number(item.figures.rest_correlation, 2),
                number(item.figures.upper_lower_27, 2),
                number(item.alpha_if_deleted),
                str(item.omitted),
                str(item.not_reached),
                number(item.median_seconds, 1),
            ]
            for item in self.items
        ]
        headings = (
            "item",
            "n",
            "right",
            "95% interval",
            "exact",
            "discrim.",
            "up-low",
            "alpha w/o",
            "omitted",
            "not reached",
            "seconds",
        )
        parts = ["\n".join(head), table(headings, rows)]
        if self.with_key:
            parts.append(self._options())
        odd = [(item.name, flag) for item in self.items for flag in item.flags]
        odd.sort(key=lambda pair: (KEY_NEVER_CHOSEN, *HARM).index(pair[1].code))
        flagged = [f"  {name}: {flag.words}" for name, flag in odd]
        parts.append(
            "\n".join(["Look at these, the most harmful first:", *flagged]) if flagged else "Nothing to look at."
        )
        return "\n\n".join(parts)

    def _options(self) -> str:
        rows = [
            [
                item.name if place == 0 else "",
                self.labels[option.answer - 1] + (" *" if option.is_key else ""),
                str(option.n),
                percent(option.share),
                number(option.rest_correlation, 2),
            ]
            for item in self.items
            for place, option in enumerate(item.figures.options)
        ]
        return table(("item", "answer (* right)", "n", "share", "with the rest"), rows, left=2)


def _exact(figures: ItemFigures) -> str:
    ends = rate_of(figures.right, figures.n).exact
    return "–" if ends is None else f"{percent(ends[0])} to {percent(ends[1])}"


_METHODS = """How it is computed
  right          share right of those who were given the item; unanswered (-) counts as wrong; Wilson's 95% interval
  exact          Clopper and Pearson's 95% interval of the same: wider, it covers at least as often as it says
  discrim.       correlation of the item with the total of the other items: who is right here, is right elsewhere
  up-low         share right among the best 27% less that among the weakest 27%; people with equal totals share the places
  alpha          how well the items agree (KR-20), over people with every item, with Feldt's 95% interval; alpha w/o: without the item
  SEM            by how many points one person's total varies by chance: SD × √(1 − alpha)
  omitted        left out before a later answer; not reached: unanswered to the end; seconds: the median time
  odds ratio     (with --group) of two equally able people, how much better the odds of the one group are; size C: look at the item
More in docs/methods.md, section "Item analysis"."""


def analyse_items(data: Keyed, *, with_key: bool, groups: GroupReport | None = None) -> ItemReport:
    """Figures of all items; where people were given different papers, also those of each paper that enough people took."""
    answers = data.responses.answers
    papers = papers_of(answers)
    report = _report(data, np.arange(len(answers)), np.arange(len(data.responses.items)), papers, with_key)
    of_each: tuple[ItemReport, ...] = ()
    if len(papers.papers) > 1:
        nobody = np.arange(0)
        of_each = tuple(
            _report(data, *paper, Papers((paper,), nobody), with_key) for paper in papers.large if len(paper[1])
        )
    return replace(report, papers=of_each, groups=groups, warnings=tuple(_warnings(report, papers, answers)))


def _warnings(report: ItemReport, papers: Papers, answers: NDArray[Any]) -> Iterator[dict[str, Any]]:
    """Keys that do not meet the answers; how many people are compared with few others, and how many with nobody."""
    unmet = [item.name for item in report.items if any(flag.code == KEY_NEVER_CHOSEN for flag in item.flags)]
    if unmet:
        message = (
            f"nobody gave the answer that the key calls right to {', '.join(unmet[:5])}"
            f"{f' and {len(unmet) - 5} more' if len(unmet) > 5 else ''}: compare the key with the answers"
        )
        yield {"code": KEY_NEVER_CHOSEN, "message": message, "items": unmet}
    small = [len(people) for people, _ in papers.papers if len(people) < FEWEST_OF_PAPER]
    if small and len(papers.papers) > 1:
        message = (
            f"{sum(small)} of {len(answers)} respondents took one of {len(small)} papers that fewer than {FEWEST_OF_PAPER} "
            "people took: they are compared inside their paper, stand in no 27% group, and their papers are not shown alone"
        )
        yield {"code": "small_papers", "message": message, "respondents": sum(small), "papers": len(small)}
    strangers = int((answers[papers.alone] != ABSENT).any(axis=1).sum())
    if strangers:
        message = (
            f"{strangers} of {len(answers)} respondents were each given a set of items that nobody else was given: "
            "they count in the shares, and not in discrim. and up-low, since totals of different papers are not comparable"
        )
        yield {"code": "not_comparable", "message": message, "respondents": strangers}


def _report(data: Keyed, people: NDArray[Any], items: NDArray[Any], papers: Papers, with_key: bool) -> ItemReport:
    responses, kinds = data.responses, len(data.labels)
    everybody = len(people) == len(responses.respondents)
    answers = (
        responses.answers
        if everybody and len(items) == len(responses.items)
        else responses.answers[np.ix_(people, items)]
    )
    counts: dict[int, list[NDArray[np.int64]]] = {int(item): [] for item in items}
    tallies = []
    for of_paper, its_items in papers.papers:
        whole = len(of_paper) == len(people) and len(its_items) == len(items)
        part = answers if whole else responses.answers[np.ix_(of_paper, its_items)]
        tallies.append(tally(part, [data.keys[i] for i in its_items], kinds))
        for place, item in enumerate(its_items):
            counts[int(item)].append(tallies[-1][place])
    alone = responses.answers[papers.alone]
    of_strangers = {int(item): np.bincount(alone[:, item], minlength=kinds + 1) for item in items}
    keys = [data.keys[i] for i in items]
    complete = (answers != ABSENT).all(axis=1)
    of_all = (
        tallies[0] if len(tallies) == 1 and not len(alone) and complete.all() else tally(answers[complete], keys, kinds)
    )
    agreement = reliability(of_all, keys)
    blank = responses.blank
    unanswered, unreached = np.zeros(len(items), dtype=int), np.zeros(len(items), dtype=int)
    if blank is not None:
        order = responses.order if responses.order.ndim == 1 else responses.order[people]
        unanswered = (answers == blank).sum(axis=0)
        unreached = not_reached(answers, blank, order[..., items]).sum(axis=0)
    results = []
    for place, item in enumerate(items):
        offered = _offered(data, int(item), [*counts[int(item)], of_strangers[int(item)][None, :]])
        figures = item_figures(counts[int(item)], data.keys[item], offered, alone=of_strangers[int(item)])
        odd = flags(figures, data.labels, blank=blank, unreached=int(unreached[place]), scored=not with_key)
        if with_key:
            odd = (*_key_never_chosen(figures, data, int(item)), *odd)
        results.append(
            ItemResult(
                name=responses.items[item],
                figures=figures,
                omitted=int(unanswered[place] - unreached[place]),
                not_reached=int(unreached[place]),
                median_seconds=_median_seconds(responses.seconds, people, int(item)),
                alpha_if_deleted=agreement.alpha_if_deleted[place],
                flags=odd,
            )
        )
    return ItemReport(len(people), tuple(results), agreement, data.labels, with_key)


def _key_never_chosen(figures: ItemFigures, data: Keyed, item: int) -> Iterator[Flag]:
    """An item that some answered and nobody as its key says: more often a wrong key than an item that nobody knows."""
    answered = sum(option.n for option in figures.options if option.answer != data.responses.blank)
    if answered and not figures.right:
        key, options = data.keys[item], data.options[item]
        words = f"key never chosen: none of {answered} who answered chose {data.labels[key - 1]}"
        words += ", which is not among the options of the key file" if options and key not in options else ""
        yield Flag(KEY_NEVER_CHOSEN, f"{words}; compare the key with the answers")


def _offered(data: Keyed, item: int, counts: Sequence[NDArray[np.int64]]) -> list[int]:
    """The answers to list, by name: the key, what the key file lists, what anybody chose."""
    chosen = sum((c[:, 1:].sum(axis=0) for c in counts), start=np.zeros(len(data.labels), dtype=np.int64))
    listed = {data.keys[item], *data.options[item], *(int(o) + 1 for o in np.flatnonzero(chosen))}
    return sorted(listed, key=lambda answer: (len(data.labels[answer - 1]), data.labels[answer - 1]))


def _median_seconds(seconds: NDArray[np.float64] | None, people: NDArray[Any], item: int) -> float | None:
    if seconds is None:
        return None
    known = seconds[people, item]
    known = known[~np.isnan(known)]
    return float(np.median(known)) if len(known) else None
