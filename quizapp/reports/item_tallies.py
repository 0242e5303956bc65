"""Item statistics, kept up to date by a job from the attempts that have come since: nothing is scanned, and nothing is written by a submit
but one appended note.

One row (`ItemTally`) holds how a position of a paper was answered on a day, by answer and by right answers in the whole paper: from these
counts every figure of classical item analysis follows exactly, over any number of days and papers, with rests inside each paper. The
answers of attempts that began to count are added to them; a day with any other change is counted anew (`item_notes` says which).

What is counted is read in one snapshot with its notes and without a lock, then written with the notes taken away, unless another worker
has written meanwhile. So each attempt is in the counts exactly once, whatever is stored while the job reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemFigure, ItemTally, ItemVersion
from quizapp.core.db import transaction
from quizapp.quizzes.models import Attempt, PaperItem
from quizapp.reports.item_counts import Counted, Counts, Place, count_answers, pieces, versions_of_places
from quizapp.reports.item_values import Tally, figure_values
from quizapp.reports.models import ItemCountState, ItemNote

#: Days of deliveries that one run takes up at once.
DAYS = 40
#: More new attempts of a day than this are not added: counting the day anew costs no more.
ADDED_MOST = 5000

_Key = tuple[int, int, date]


@dataclass
class _Work:
    """What one run will write."""

    notes: list[int] = field(default_factory=list)
    #: Papers of days that are counted anew.
    anew: dict[date, list[int]] = field(default_factory=lambda: defaultdict(list))
    #: Paper, position, day → the tally as it will stand.
    tallies: dict[_Key, Tally] = field(default_factory=dict)
    #: Those of them that stand already, with their keys.
    standing: dict[_Key, int] = field(default_factory=dict)
    versions: set[int] = field(default_factory=set)


def count_items(db: Session, now: datetime) -> int:
    """Bring the statistics to the attempts as they are; gives the number of delivery days that were looked at."""
    days = 0
    while done := _count_some(db, now):
        days += done
    return days


def _count_some(db: Session, now: datetime) -> int:
    db.rollback()
    if db.get_bind().dialect.name == "postgresql":  # SQLite reads one snapshot by itself
        db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    version = db.scalar(select(ItemCountState.version).where(ItemCountState.id == 1))
    oldest = func.min(ItemNote.id)
    days = db.execute(
        select(ItemNote.delivery_id, ItemNote.local_date)
        .group_by(ItemNote.delivery_id, ItemNote.local_date)
        .order_by(oldest)
        .limit(DAYS)
    ).all()
    if not days:
        return 0
    work = _Work()
    for delivery_id, day in days:
        _look_at(db, work, delivery_id, day)
    figures = _figures(db, work, now)
    known = set(_scalars(db, ItemFigure.item_version_id, ItemFigure.item_version_id, work.versions))
    with transaction(db):
        state = db.get_one(ItemCountState, 1, populate_existing=True, with_for_update=True)
        if state.version != version:
            return 0  # another worker was here; what is left to do is noted
        state.version += 1
        _write(db, work, figures, known)
    return len(days)


def _look_at(db: Session, work: _Work, delivery_id: int, day: date) -> None:
    """Count what one day of a delivery lacks."""
    notes = db.execute(
        select(ItemNote.id, ItemNote.attempt_id).where(ItemNote.delivery_id == delivery_id, ItemNote.local_date == day)
    ).all()
    work.notes += [note.id for note in notes]
    fresh = {note.attempt_id for note in notes}
    places = versions_of_places(db, delivery_id)
    of_day = Attempt.local_date == day
    if None in fresh or len(fresh) > ADDED_MOST:
        papers = sorted({paper_id for paper_id, _ in places})
        work.anew[day] += papers
        work.versions |= set(places.values())
        _add(work, day, places, count_answers(db, delivery_id, of_day))
        return
    added = [count_answers(db, delivery_id, of_day, Attempt.id.in_(piece)) for piece in pieces(sorted(fresh, key=int))]
    papers = sorted({paper_id for counted in added for paper_id in counted.people})
    _load(db, work, day, papers)
    for counted in added:
        _add(work, day, places, counted)


def _load(db: Session, work: _Work, day: date, papers: Sequence[int]) -> None:
    """The tallies that stand, to be added to."""
    for piece in pieces(papers):
        rows = db.execute(select(ItemTally.id, *_COLUMNS).where(ItemTally.paper_id.in_(piece), ItemTally.day == day))
        for number, *values in rows:
            tally = _tally(values)
            work.tallies[tally.key] = tally
            work.standing[tally.key] = number


def _add(work: _Work, day: date, places: Mapping[Place, int], counted: Counted) -> None:
    for place, version_id in places.items():
        if not counted.people.get(place[0]):
            continue
        counts, unreached = counted.at(place)
        key = (*place, day)
        tally = work.tallies.setdefault(key, Tally(*key, version_id, {}, 0))
        tally.include(counts, unreached)
        work.versions.add(version_id)


_COLUMNS = (
    ItemTally.paper_id, ItemTally.position, ItemTally.day, ItemTally.item_version_id, ItemTally.counts, ItemTally.unreached,
)  # fmt: skip


def _tally(values: Sequence[Any]) -> Tally:
    paper_id, position, day, version_id, counts, unreached = values
    read: Counts = {answer: {int(t): n for t, n in by.items()} for answer, by in counts.items()}
    return Tally(paper_id, position, day, version_id, read, unreached)


def _scalars(db: Session, column: Any, by: Any, values: Iterable[int]) -> list[Any]:
    return [one for piece in pieces(sorted(values)) for one in db.scalars(select(column).where(by.in_(piece)))]


def _figures(db: Session, work: _Work, now: datetime) -> list[dict[str, Any]]:
    """The figures of every version that is touched, from the tallies as they will stand."""
    of_version: dict[int, list[Tally]] = defaultdict(list)
    for tally in work.tallies.values():
        of_version[tally.version_id].append(tally)
    anew = {(paper_id, day) for day, papers in work.anew.items() for paper_id in papers}
    for piece in pieces(sorted(work.versions)):
        for values in db.execute(select(*_COLUMNS).where(ItemTally.item_version_id.in_(piece))):
            tally = _tally(values)
            if tally.key not in work.tallies and (tally.paper_id, tally.day) not in anew:
                of_version[tally.version_id].append(tally)
    lengths = _lengths(db, {tally.paper_id for tallies in of_version.values() for tally in tallies})
    return [
        figure_values(version, of_version[version.id], lengths, now)
        for version in _scalars(db, ItemVersion, ItemVersion.id, work.versions)
    ]


def _lengths(db: Session, papers: Iterable[int]) -> dict[int, int]:
    """How many questions papers have."""
    found: dict[int, int] = {}
    for piece in pieces(sorted(papers)):
        counted = select(PaperItem.paper_id, func.count()).where(PaperItem.paper_id.in_(piece))
        found |= dict(db.execute(counted.group_by(PaperItem.paper_id)).all())
    return found


def _write(db: Session, work: _Work, figures: Sequence[dict[str, Any]], known: set[int]) -> None:
    for day, papers in work.anew.items():
        for piece in pieces(papers):
            db.execute(delete(ItemTally).where(ItemTally.paper_id.in_(piece), ItemTally.day == day))
    rows = [(work.standing.get(key), tally.as_row()) for key, tally in work.tallies.items()]
    if fresh := [row for number, row in rows if number is None]:
        db.execute(insert(ItemTally), fresh)
    if changed := [{"id": number, **row} for number, row in rows if number is not None]:
        db.execute(update(ItemTally), changed)
    if new := [row for row in figures if row["item_version_id"] not in known]:
        db.execute(insert(ItemFigure), new)
    if old := [row for row in figures if row["item_version_id"] in known]:
        db.execute(update(ItemFigure), old)
    for piece in pieces(work.notes):
        db.execute(delete(ItemNote).where(ItemNote.id.in_(piece)))
