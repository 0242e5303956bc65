"""Finding sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from quizapp.core.clock import day_after, day_start, local_date, to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import normalize_code
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.models import Attendance, AttendanceState, TrainingSession


def list_today(db: Session, scope: Scope, now: datetime) -> Sequence[TrainingSession]:
    """The sessions of one's own units that touch the local day, in their order."""
    begin, end = _today(now)
    query = _own(scope).where(TrainingSession.starts_at < end, TrainingSession.ends_at > begin)
    return db.scalars(query.order_by(TrainingSession.starts_at, TrainingSession.id)).all()


def list_coming(db: Session, scope: Scope, now: datetime, *, limit: int = 100) -> Sequence[TrainingSession]:
    """Those from tomorrow on, the next first."""
    query = _own(scope).where(TrainingSession.starts_at >= _today(now)[1])
    return db.scalars(query.order_by(TrainingSession.starts_at, TrainingSession.id).limit(limit)).all()


def list_past(
    db: Session, scope: Scope, now: datetime, *, limit: int = 50, offset: int = 0
) -> Sequence[TrainingSession]:
    """Those that ended before today, the latest first."""
    query = _own(scope).where(TrainingSession.ends_at <= _today(now)[0])
    query = query.order_by(TrainingSession.starts_at.desc(), TrainingSession.id.desc())
    return db.scalars(query.limit(limit).offset(offset)).all()


def count_past(db: Session, scope: Scope, now: datetime) -> int:
    """How many there are of them."""
    query = _own(scope).where(TrainingSession.ends_at <= _today(now)[0])
    return db.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def list_to_finish(db: Session, scope: Scope, now: datetime, *, limit: int = 20) -> Sequence[TrainingSession]:
    """Those of earlier days that wait for their trainer: not closed, or with attendances that wait for a word; the latest first."""
    waits = exists().where(
        Attendance.session_id == TrainingSession.id,
        Attendance.state == AttendanceState.PENDING,
        Attendance.duplicate_of_id.is_(None),
    )
    query = _own(scope).where(
        TrainingSession.ends_at <= _today(now)[0],
        TrainingSession.cancelled_at.is_(None),
        or_(TrainingSession.closed_at.is_(None), waits),
    )
    return db.scalars(query.order_by(TrainingSession.starts_at.desc(), TrainingSession.id.desc()).limit(limit)).all()


def sessions_of_run(db: Session, scope: Scope, run_id: int) -> Sequence[TrainingSession]:
    """The sessions of a run that the reader runs, in their order."""
    query = _own(scope).where(TrainingSession.run_id == run_id)
    return db.scalars(query.order_by(TrainingSession.starts_at, TrainingSession.id)).all()


def _own(scope: Scope) -> Select[TrainingSession]:
    return (
        select(TrainingSession)
        .join(TrainingSession.unit)
        .options(contains_eager(TrainingSession.unit))
        .where(scope.condition(Permission.RUN_SESSIONS, OrgUnit.path))
    )


def _today(now: datetime) -> tuple[int, int]:
    day = local_date(now)
    return to_ms(day_start(day)), to_ms(day_start(day_after(day)))


def get_session(db: Session, scope: Scope, session_id: int) -> TrainingSession:
    """A session that the reader runs. Raises NotFound, also for one of a foreign unit."""
    found = db.scalar(
        select(TrainingSession)
        .join(TrainingSession.unit)
        .options(contains_eager(TrainingSession.unit))
        .where(TrainingSession.id == session_id, scope.condition(Permission.RUN_SESSIONS, OrgUnit.path))
    )
    if found is None:
        raise NotFound
    return found


def find_by_code(db: Session, typed: str) -> TrainingSession | None:
    """The session of a code as somebody typed it."""
    code = normalize_code(typed)
    if not code:
        return None
    statement = select(TrainingSession).options(joinedload(TrainingSession.unit)).where(TrainingSession.code == code)
    return db.scalar(statement)


def get_by_code(db: Session, typed: str) -> TrainingSession:
    """The same, or NotFound."""
    found = find_by_code(db, typed)
    if found is None:
        raise NotFound
    return found
