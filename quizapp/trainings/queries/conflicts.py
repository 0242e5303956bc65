"""Two sessions that want the same trainer or the same place at the same time. What was called off wants nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from quizapp.core.scope import Permission, Scope
from quizapp.trainings.models import SessionTrainer, TrainingSession

#: No session is longer (`services.plans.LONGEST`), so that what runs at an instant began at most this long before, ms.
LONGEST_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Wanted:
    """What a session takes up: a time, trainers, a place."""

    starts_at: int
    ends_at: int
    trainers: tuple[int, ...]
    unit_id: int
    place: str
    place_id: int | None = None
    #: The session itself, which is in nobody's way.
    session_id: int | None = None


@dataclass(frozen=True)
class Clash:
    """Another session in the way. Of a foreign unit's session nothing may be told but its time (`visible` is False)."""

    session: TrainingSession
    visible: bool
    same_place: bool
    #: The accounts that would teach both.
    trainers: tuple[int, ...]


def find_conflicts(db: Session, scope: Scope, wanted: Wanted) -> list[Clash]:
    """What stands in the way, earliest first, foreign units' sessions too."""
    other = TrainingSession
    place = _same_place(other, wanted.place_id, wanted.place, wanted.unit_id)
    taught = exists().where(SessionTrainer.session_id == other.id, SessionTrainer.account_id.in_(wanted.trainers))
    query = (
        select(other, place)
        .where(
            _overlap(other, wanted.starts_at, wanted.ends_at),
            other.cancelled_at.is_(None),
            or_(place, taught if wanted.trainers else false()),
        )
        .options(joinedload(other.unit))
        .order_by(other.starts_at, other.id)
    )
    if wanted.session_id is not None:
        query = query.where(other.id != wanted.session_id)
    found = [(session, bool(same)) for session, same in db.execute(query)]
    both: dict[int, list[int]] = {}
    for session_id, account_id in db.execute(
        select(SessionTrainer.session_id, SessionTrainer.account_id)
        .where(
            SessionTrainer.session_id.in_([session.id for session, _ in found]),
            SessionTrainer.account_id.in_(wanted.trainers),
        )
        .order_by(SessionTrainer.account_id)
    ):
        both.setdefault(session_id, []).append(account_id)
    return [
        Clash(
            session,
            visible=scope.covers(Permission.RUN_SESSIONS, session.unit.path),
            same_place=same,
            trainers=tuple(both.get(session.id, ())),
        )
        for session, same in found
    ]


def wanted_by(db: Session, session: TrainingSession) -> Wanted:
    """What a session takes up as it stands."""
    trainers = db.scalars(select(SessionTrainer.account_id).where(SessionTrainer.session_id == session.id))
    return Wanted(
        session.starts_at,
        session.ends_at,
        tuple(trainers),
        session.unit_id,
        session.place,
        session.place_id,
        session_id=session.id,
    )


def sessions_in_conflict(db: Session, session_ids: Collection[int]) -> set[int]:
    """Those of some sessions that have a conflict, in one query."""
    if not session_ids:
        return set()
    other = aliased(TrainingSession)
    mine, theirs = aliased(SessionTrainer), aliased(SessionTrainer)
    this = TrainingSession
    taught = (
        exists()
        .where(mine.session_id == this.id, theirs.session_id == other.id, mine.account_id == theirs.account_id)
        .correlate(this, other)
    )
    clash = exists().where(
        other.id != this.id,
        other.cancelled_at.is_(None),
        _overlap(other, this.starts_at, this.ends_at),
        or_(_same_place(other, this.place_id, this.place, this.unit_id), taught),
    )
    query = select(this.id).where(this.id.in_(session_ids), this.cancelled_at.is_(None), clash)
    return set(db.scalars(query))


def _overlap(other: Any, starts_at: Any, ends_at: Any) -> ColumnElement[bool]:
    """Half-open periods: one that ends when the other begins is not in its way."""
    return and_(other.starts_at < ends_at, other.ends_at > starts_at, other.starts_at > starts_at - LONGEST_MS)


def _same_place(other: Any, place_id: Any, place: Any, unit_id: Any) -> ColumnElement[bool]:
    """The same kept place, or the same words for a place of the same unit."""
    written = and_(other.unit_id == unit_id, other.place == place)
    return or_(other.place_id == place_id, written) if place_id is not None else written
