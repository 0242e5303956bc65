"""Item statistics, kept up to date by a job: only the days of deliveries whose attempts have changed are counted again.

Counted are closed first attempts, as for the pass rate. One row holds how a position of a paper was answered on a day, by answer and by
right answers in the whole paper: from these counts every figure of classical item analysis follows exactly, over any number of days and
papers, with rests inside each paper. Nothing is written by a submit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from quizapp.banks.models import FEWEST_FOR_FLAGS, ItemFigure, ItemTally, ItemTallyState, ItemVersion
from quizapp.core.db import transaction
from quizapp.measurement.classical import item_figures
from quizapp.measurement.item_flags import flags
from quizapp.quizzes.models import CLOSED_STATES, Attempt, Paper, PaperItem, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.scoring import is_right
from quizapp.reports.rollups.services import pieces

#: What a flag costs whoever takes the item, in relative terms: a wrong key marks right people wrong.
HARM = {"key_suspect": 100.0, "no_discrimination": 10.0, "speeded": 5.0, "dead_distractor": 2.0, "too_easy": 1.0}
#: How a right answer is kept: after a correction several answers may be right.
RIGHT, NONE = "+", ""

_Counts = dict[str, dict[int, int]]


def count_items(db: Session, now: datetime) -> int:
    """Count anew what has changed since the last run; gives the number of delivery days. Each is one transaction."""
    days = 0
    touched: set[int] = set()
    for delivery_id, day, mark in _changed(db):
        with transaction(db):
            touched |= _count_day(db, delivery_id, day)
            db.merge(ItemTallyState(delivery_id=delivery_id, day=day, mark=mark))
        days += 1
    for piece in pieces(sorted(touched)):
        with transaction(db):
            for version in db.scalars(select(ItemVersion).where(ItemVersion.id.in_(piece))):
                _write_figure(db, version, now)
    return days


def _changed(db: Session) -> list[tuple[int, date, str]]:
    """Deliveries and days whose attempts are not those that were counted.

    A mark is made of sums over the closed first attempts. A void attempt, a corrected key, a claim that makes another attempt the first:
    each changes one of them.
    """
    known = {(s.delivery_id, s.day): s.mark for s in db.scalars(select(ItemTallyState))}
    rows = db.execute(
        select(
            Attempt.delivery_id,
            Attempt.local_date,
            func.count(),
            func.sum(Attempt.id),
            func.sum(Attempt.right_count),
            func.sum(Attempt.scoring_revision),
        )
        .where(Attempt.is_first.is_(True), Attempt.state.in_(CLOSED_STATES))
        .group_by(Attempt.delivery_id, Attempt.local_date)
    )
    marks = {(delivery_id, day): ":".join(str(int(v or 0)) for v in sums) for delivery_id, day, *sums in rows}
    gone = [
        (delivery_id, day, "") for (delivery_id, day), mark in known.items() if mark and (delivery_id, day) not in marks
    ]
    return [(*key, mark) for key, mark in marks.items() if known.get(key) != mark] + gone


def _count_day(db: Session, delivery_id: int, day: date) -> set[int]:
    """Replace the tallies of one delivery and day; gives the versions that they are of."""
    versions = {
        (paper_id, position): version_id
        for paper_id, position, version_id in db.execute(
            select(PaperItem.paper_id, PaperItem.position, PaperItem.item_version_id)
            .join(Paper, Paper.id == PaperItem.paper_id)
            .where(Paper.delivery_id == delivery_id)
        )
    }
    papers = sorted({paper_id for paper_id, _ in versions})
    counted = (
        Attempt.delivery_id == delivery_id,
        Attempt.local_date == day,
        Attempt.is_first.is_(True),
        Attempt.state.in_(CLOSED_STATES),
    )
    reached = (
        select(Attempt.id, func.max(Response.position).label("position"))
        .join(Response, Response.attempt_id == Attempt.id)
        .where(*counted, Response.answer != "")
        .group_by(Attempt.id)
        .subquery()
    )
    last = func.coalesce(reached.c.position, 0)
    people: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for paper_id, right, position, n in db.execute(
        select(Attempt.paper_id, Attempt.right_count, last, func.count())
        .outerjoin(reached, reached.c.id == Attempt.id)
        .where(*counted)
        .group_by(Attempt.paper_id, Attempt.right_count, last)
    ):
        people[paper_id].append((right or 0, position, n))
    given: dict[tuple[int, int], _Counts] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    keys = _keys(db, papers)
    for paper_id, position, answer, right, n in db.execute(
        select(Attempt.paper_id, Response.position, Response.answer, Attempt.right_count, func.count())
        .join(Response, Response.attempt_id == Attempt.id)
        .where(*counted, Response.answer != "")
        .group_by(Attempt.paper_id, Response.position, Response.answer, Attempt.right_count)
    ):
        key = keys[paper_id][position]
        kept = RIGHT if is_right(answer, key.key, key.more) else answer
        given[paper_id, position][kept][right or 0] += n
    for piece in pieces(papers):
        db.execute(delete(ItemTally).where(ItemTally.paper_id.in_(piece), ItemTally.day == day))
    rows = [
        _row(place, day, version_id, given[place], people[place[0]])
        for place, version_id in versions.items()
        if people.get(place[0])
    ]
    if rows:
        db.execute(insert(ItemTally), rows)
    return set(versions.values())


def _keys(db: Session, papers: Sequence[int]) -> dict[int, Any]:
    cache = PaperCache()
    found: dict[int, Any] = {}
    for piece in pieces(papers):
        revisions = db.execute(select(Paper.id, Paper.scoring_revision).where(Paper.id.in_(piece)))
        found |= {paper_id: cache.keys(db, paper_id, revision) for paper_id, revision in revisions}
    return found


def _row(
    place: tuple[int, int], day: date, version_id: int, given: _Counts, people: list[tuple[int, int, int]]
) -> dict[str, Any]:
    """One tally: what nobody wrote down is the rest of the people at each total."""
    paper_id, position = place
    left: dict[int, int] = defaultdict(int)
    for right, _reached, n in people:
        left[right] += n
    for by_total in given.values():
        for right, n in by_total.items():
            left[right] -= n
    counts = {answer: {str(t): n for t, n in sorted(by.items()) if n} for answer, by in sorted(given.items())}
    open_ = {str(t): n for t, n in sorted(left.items()) if n}
    if open_:
        counts[NONE] = open_
    unreached = sum(n for _right, reached, n in people if reached < position)
    return {
        "paper_id": paper_id,
        "position": position,
        "day": day,
        "item_version_id": version_id,
        "counts": counts,
        "unreached": unreached,
    }


def _write_figure(db: Session, version: ItemVersion, now: datetime) -> None:
    """The figures of one version from all its tallies."""
    tallies = list(db.scalars(select(ItemTally).where(ItemTally.item_version_id == version.id)))
    by_paper: dict[int, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for tally in tallies:
        for answer, by_total in tally.counts.items():
            for total, n in by_total.items():
                by_paper[tally.paper_id][answer][int(total)] += n
    answers = _answers(version, {a for counts in by_paper.values() for a in counts})
    tables = [_table(counts, answers) for counts in by_paper.values()] or [_table({}, answers)]
    figures = item_figures(tables, 1, range(1, len(answers) + 1))
    unreached = sum(tally.unreached for tally in tallies)
    names = [",".join(version.key) if a == RIGHT else a for a in answers]
    raised = flags(figures, names, blank=answers.index(NONE) + 1, unreached=unreached)
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
    omitted = next(option.n for option in figures.options if answers[option.answer - 1] == NONE)
    db.merge(
        ItemFigure(
            item_version_id=version.id,
            asked=figures.n,
            figures={
                "right": figures.right,
                "difficulty": figures.difficulty,
                "low": figures.difficulty_low,
                "high": figures.difficulty_high,
                "rest": figures.rest_correlation,
                "upper_lower": figures.upper_lower_27,
                "omitted": omitted,
                "unreached": unreached,
                "options": options,
            },
            flags=codes,
            harm=max((HARM[code] for code in codes), default=0.0) * figures.n,
            counted_at=now,
        )
    )


def _answers(version: ItemVersion, found: set[str]) -> list[str]:
    """The right answer first, then what a taker may choose or chose, then no answer."""
    offered = (
        [] if version.type == "multiple_choice" else [o["id"] for o in version.options if o["id"] not in version.key]
    )
    others = sorted(found - {RIGHT, NONE} - set(offered))
    return [RIGHT, *offered, *others, NONE]


def _table(counts: dict[str, dict[int, int]], answers: Sequence[str]) -> Any:
    """Totals × (0 + answers), as `measurement.tally` makes it."""
    most = max((total for by in counts.values() for total in by), default=0)
    table = np.zeros((most + 1, len(answers) + 1), dtype=np.int64)
    for column, answer in enumerate(answers, start=1):
        for total, n in counts.get(answer, {}).items():
            table[total, column] = n
    return table
