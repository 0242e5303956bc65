"""Finding sessions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import normalize_code
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.models import Attendance, TrainingSession
from quizapp.trainings.queries.attendance import counts


@dataclass(frozen=True)
class SessionWithCount:
    """A session with the number of people who came."""

    session: TrainingSession
    arrivals: int


def list_sessions(db: Session, scope: Scope, *, limit: int = 50, offset: int = 0) -> list[SessionWithCount]:
    """The sessions of the units where the reader runs sessions, the latest first."""
    arrivals = (
        select(func.count())
        .where(Attendance.session_id == TrainingSession.id, counts())
        .correlate(TrainingSession)
        .scalar_subquery()
    )
    rows = db.execute(
        select(TrainingSession, arrivals)
        .join(TrainingSession.unit)
        .options(contains_eager(TrainingSession.unit))
        .where(scope.condition(Permission.RUN_SESSIONS, OrgUnit.path))
        .order_by(TrainingSession.starts_at.desc(), TrainingSession.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [SessionWithCount(session, count) for session, count in rows]


def count_sessions(db: Session, scope: Scope) -> int:
    """How many there are of them."""
    statement = select(func.count()).select_from(TrainingSession).join(TrainingSession.unit)
    return db.scalar(statement.where(scope.condition(Permission.RUN_SESSIONS, OrgUnit.path))) or 0


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
