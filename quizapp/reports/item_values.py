"""What follows from the tallies of an item version: its figures, its flags, and how much harm they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from quizapp.banks.models import FEWEST_FOR_FLAGS, ItemVersion
from quizapp.measurement.classical import item_figures
from quizapp.measurement.item_flags import FOR_REVIEWERS, flags
from quizapp.reports.item_counts import NONE, RIGHT, Counts

#: What a flag costs whoever takes the item, in relative terms: a wrong key marks right people wrong.
HARM = {"key_suspect": 100.0, "no_discrimination": 10.0, "speeded": 5.0, "dead_distractor": 2.0, "too_easy": 1.0}


@dataclass
class Tally:
    """An `ItemTally` in work."""

    paper_id: int
    position: int
    day: date
    version_id: int
    counts: Counts
    unreached: int

    @property
    def key(self) -> tuple[int, int, date]:
        """What it is of."""
        return self.paper_id, self.position, self.day

    def include(self, counts: Counts, unreached: int) -> None:
        """Add the answers of more attempts."""
        for answer, by_total in counts.items():
            here = self.counts.setdefault(answer, {})
            for total, n in by_total.items():
                here[total] = here.get(total, 0) + n
        self.unreached += unreached

    def as_row(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "paper_id": self.paper_id,
            "position": self.position,
            "day": self.day,
            "item_version_id": self.version_id,
            "counts": {a: {str(t): n for t, n in sorted(by.items())} for a, by in sorted(self.counts.items())},
            "unreached": self.unreached,
        }


def figure_values(
    version: ItemVersion, tallies: Sequence[Tally], lengths: Mapping[int, int], now: datetime
) -> dict[str, Any]:
    """The row of `ItemFigure` of a version, from all its tallies; `lengths`: how many questions each paper has."""
    by_paper: dict[int, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for tally in tallies:
        for answer, by_total in tally.counts.items():
            for total, n in by_total.items():
                by_paper[tally.paper_id][answer][total] += n
    answers = _answers(version, {a for counts in by_paper.values() for a in counts})
    tables = [_table(counts, answers) for counts in by_paper.values()] or [_table({}, answers)]
    figures = item_figures(tables, 1, range(1, len(answers) + 1))
    unreached = sum(tally.unreached for tally in tallies)
    names = [",".join(version.key) if a == RIGHT else a for a in answers]
    raised = flags(figures, names, blank=answers.index(NONE) + 1, unreached=unreached, thresholds=FOR_REVIEWERS)
    codes = [flag.code for flag in raised] if figures.n >= FEWEST_FOR_FLAGS else []
    options = [
        {
            "answer": names[option.answer - 1],
            "n": option.n,
            "share": option.share,
            "rest": option.rest_correlation,
            "key": option.is_key,
        }
        for option in figures.options
        if answers[option.answer - 1] != NONE
    ]
    questions = sum(
        lengths[paper_id] * n for paper_id, counts in by_paper.items() for by in counts.values() for n in by.values()
    )
    return {
        "item_version_id": version.id,
        "asked": figures.n,
        "figures": {
            "right": figures.right,
            "difficulty": figures.difficulty,
            "low": figures.difficulty_low,
            "high": figures.difficulty_high,
            "rest": figures.rest_correlation,
            "upper_lower": figures.upper_lower_27,
            "omitted": next(option.n for option in figures.options if answers[option.answer - 1] == NONE),
            "unreached": unreached,
            "length": questions / figures.n if figures.n else None,
            "options": options,
        },
        "flags": codes,
        "harm": max((HARM[code] for code in codes), default=0.0) * figures.n,
        "counted_at": now,
    }


def _answers(version: ItemVersion, found: set[str]) -> list[str]:
    """The right answer first, then what a taker may choose or chose, then no answer."""
    offered = (
        [] if version.type == "multiple_choice" else [o["id"] for o in version.options if o["id"] not in version.key]
    )
    others = sorted(found - {RIGHT, NONE} - set(offered))
    return [RIGHT, *offered, *others, NONE]


def _table(counts: Mapping[str, Mapping[int, int]], answers: Sequence[str]) -> Any:
    """Totals × (0 + answers), as `measurement.tally` makes it."""
    most = max((total for by in counts.values() for total in by), default=0)
    table = np.zeros((most + 1, len(answers) + 1), dtype=np.int64)
    for column, answer in enumerate(answers, start=1):
        for total, n in counts.get(answer, {}).items():
            table[total, column] = n
    return table
