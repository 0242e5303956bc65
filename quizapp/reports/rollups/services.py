"""Keeping the sums: a job goes over the days that the triggers have noted, and writes what differs.

A day of a delivery is read from its sums only while no note of it stands. A note is taken away by the run that has seen it before it read
the attempts: whatever changes later has a note of its own, and the day stays with the records until the next run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, null, select, text, update
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.quizzes.models import CLOSED_STATES, Attempt, AttemptState
from quizapp.reports.models import RollupDay, RollupMonth, RollupStale, RollupState
from quizapp.reports.rollups.columns import keep_people, people_of_month
from quizapp.reports.rollups.months import month_after, month_of

#: Code of a group dimension (`figures.GroupDimension`) → its column. "": everybody.
GROUPS: dict[str, Any] = {
    "industry": Attempt.industry_id,
    "age_band": Attempt.age_band,
    "sex": Attempt.sex,
    "education": Attempt.education,
    "key_group": Attempt.key_group,
    "identity": Attempt.identity_level,
}
COUNTED = ("started", "closed", "first", "passed", "void", "unidentified", "score", "squares")
#: Notes that one run takes up at once.
NOTES = 20_000

_Key = tuple[Any, ...]
_Model = type[RollupDay] | type[RollupMonth]


def advance(db: Session, today: date) -> bool:
    """Let the sums reach up to yesterday; whether they do.

    First the triggers are told to note changes of these days. The sums follow only once everybody who writes has heard of it: a start
    whose transaction began before and is not stored yet would be in neither.
    """
    state = db.get_one(RollupState, 1, populate_existing=True)
    if state.before_day >= today:
        return True
    if state.marks_before < today:
        with transaction(db):
            db.execute(update(RollupState).values(marks_before=today, settled_at=None))
    with transaction(db):
        state = db.get_one(RollupState, 1, populate_existing=True)
        if state.settled_at is None:
            state.settled_at = _newest_transaction(db)
    with transaction(db):
        state = db.get_one(RollupState, 1, populate_existing=True, with_for_update=True)
        if state.settled_at is None or not _all_ended(db, state.settled_at):
            return False
        new = (Attempt.local_date >= state.before_day, Attempt.local_date < state.marks_before)
        pairs = select(Attempt.delivery_id, Attempt.local_date).where(*new).distinct()
        db.execute(insert(RollupStale).from_select(["delivery_id", "local_date"], pairs))
        state.before_day = state.marks_before
        state.version += 1
    return state.before_day >= today


def _newest_transaction(db: Session) -> int:
    """Every transaction that has written by now has a lower number. SQLite has one writer, which is this one."""
    if db.get_bind().dialect.name == "sqlite":
        return 0
    return int(db.scalar(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")) or 0)


def _all_ended(db: Session, number: int) -> bool:
    if db.get_bind().dialect.name == "sqlite":
        return True
    return bool(db.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= :n"), {"n": number}))


def refresh(db: Session) -> int:
    """Sum the noted days anew; gives how many months of deliveries were looked at. Call it again while it gives more than 0."""
    state = db.get_one(RollupState, 1, populate_existing=True)
    before_day = state.before_day
    notes = db.execute(
        select(RollupStale.id, RollupStale.delivery_id, RollupStale.local_date)
        .where(RollupStale.local_date < before_day)
        .order_by(RollupStale.id)
        .limit(NOTES)
    ).all()
    by_month: dict[tuple[int, date], list[tuple[int, date]]] = defaultdict(list)
    for number, delivery_id, day in notes:
        by_month[delivery_id, month_of(day)].append((number, day))
    return sum(
        _refresh_month(db, delivery_id, month, noted, before_day) for (delivery_id, month), noted in by_month.items()
    )


def _refresh_month(
    db: Session, delivery_id: int, month: date, noted: Sequence[tuple[int, date]], before_day: date
) -> bool:
    """One month of one delivery: read outside of any lock, then write the differences unless somebody else has written meanwhile."""
    db.rollback()
    version = db.get_one(RollupState, 1, populate_existing=True).version
    days = sorted({day for _, day in noted})
    wanted = _sums_of_days(db, delivery_id, days)
    kept = _kept(db, RollupDay, delivery_id, RollupDay.day.in_(days))
    whole = _sums_of_month(db, delivery_id, month, min(month_after(month), before_day))
    kept_whole = _kept(db, RollupMonth, delivery_id, RollupMonth.day == month)
    people = people_of_month(db, delivery_id, month, min(month_after(month), before_day))
    with transaction(db):
        state = db.get_one(RollupState, 1, populate_existing=True, with_for_update=True)
        if state.version != version or state.before_day != before_day:
            return False  # another worker was here: its state counts, and the next run looks again
        _write(db, RollupDay, delivery_id, wanted, kept)
        _write(db, RollupMonth, delivery_id, whole, kept_whole)
        keep_people(db, delivery_id, month, people)
        for piece in pieces([number for number, _ in noted]):
            db.execute(delete(RollupStale).where(RollupStale.id.in_(piece)))
        state.version += 1
    return True


def _sums_of_days(db: Session, delivery_id: int, days: Sequence[date]) -> dict[_Key, tuple[int, ...]]:
    found: dict[_Key, tuple[int, ...]] = {}
    for piece in pieces(days):
        statement = select(Attempt.local_date, Attempt.unit_id, Attempt.unit_path, *counted())
        statement = statement.where(Attempt.delivery_id == delivery_id, Attempt.local_date.in_(piece))
        statement = statement.group_by(Attempt.local_date, Attempt.unit_id, Attempt.unit_path)
        found |= {tuple(row[:3]): tuple(map(int, row[3:])) for row in db.execute(statement)}
    return found


def _sums_of_month(db: Session, delivery_id: int, month: date, end: date) -> dict[_Key, tuple[int, ...]]:
    found: dict[_Key, tuple[int, ...]] = {}
    for dimension, column in {"": None, **GROUPS}.items():
        group = null() if column is None else column
        statement = select(Attempt.unit_id, Attempt.unit_path, group, *counted()).where(
            Attempt.delivery_id == delivery_id, Attempt.local_date >= month, Attempt.local_date < end
        )
        statement = statement.group_by(Attempt.unit_id, Attempt.unit_path, *([column] if column is not None else []))
        for unit_id, path, value, *counts in db.execute(statement):
            key = (month, unit_id, path, dimension, None if value is None else str(value))
            found[key] = tuple(map(int, counts))
    return found


def counted() -> list[Any]:
    """The counts of `COUNTED` as columns."""
    closed = Attempt.state.in_(CLOSED_STATES)
    first = and_(closed, Attempt.is_first.is_(True))
    score = case((first, func.coalesce(Attempt.score, 0)), else_=0)
    conditions = (
        closed,
        first,
        and_(first, Attempt.passed.is_(True)),
        Attempt.state == AttemptState.VOID,
        and_(closed, Attempt.person_id.is_(None)),
    )
    return [
        func.count(),
        *(func.sum(case((condition, 1), else_=0)) for condition in conditions),
        func.sum(score),
        func.sum(score * score),
    ]


def _kept(db: Session, model: _Model, delivery_id: int, which: Any) -> dict[_Key, tuple[int, tuple[int, ...]]]:
    """What stands: key → (id, counts)."""
    keys = [getattr(model, name) for name in _key_names(model)]
    rows = db.execute(
        select(model.id, *keys, *(getattr(model, name) for name in COUNTED)).where(
            model.delivery_id == delivery_id, which
        )
    )
    width = len(keys) + 1
    return {tuple(row[1:width]): (row[0], tuple(row[width:])) for row in rows}


def _key_names(model: _Model) -> tuple[str, ...]:
    plain = ("day", "unit_id", "unit_path")
    return plain if model is RollupDay else (*plain, "dimension", "value")


def _write(
    db: Session,
    model: _Model,
    delivery_id: int,
    wanted: dict[_Key, tuple[int, ...]],
    kept: dict[_Key, tuple[int, tuple[int, ...]]],
) -> None:
    """Only what differs: a claim changes a handful of rows of a month of thousands."""
    names = _key_names(model)
    fresh = [
        {"delivery_id": delivery_id, **dict(zip(names, key, strict=True)), **_counts(counts)}
        for key, counts in wanted.items()
        if key not in kept
    ]
    changed = [
        {"id": kept[key][0], **_counts(counts)}
        for key, counts in wanted.items()
        if key in kept and kept[key][1] != counts
    ]
    gone = [number for key, (number, _) in kept.items() if key not in wanted]
    if fresh:
        db.execute(insert(model), fresh)
    if changed:
        db.execute(update(model), changed)
    for piece in pieces(gone):
        db.execute(delete(model).where(model.id.in_(piece)))


def _counts(counts: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(COUNTED, counts, strict=True))


def pieces(values: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    """Parts of a sequence, as many values each as a statement may hold."""
    return (values[start : start + size] for start in range(0, len(values), size))
