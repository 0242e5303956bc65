"""Reading sessions and who came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import normalize_code
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import Attendance, CheckInMethod, TrainingSession


@dataclass(frozen=True)
class SessionWithCount:
    """A session with the number of people who came."""

    session: TrainingSession
    arrivals: int


@dataclass(frozen=True)
class Arrival:
    """One attendance as the trainer sees it."""

    attendance: Attendance
    person: Person
    #: The unit of the day, where it is known.
    unit: OrgUnit | None


def list_sessions(db: Session, scope: Scope, *, limit: int = 50, offset: int = 0) -> list[SessionWithCount]:
    """The sessions of the units where the reader runs sessions, the latest first."""
    arrivals = (
        select(func.count())
        .where(Attendance.session_id == TrainingSession.id)
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


def find_attendance(db: Session, session_id: int, attendance_id: int) -> Attendance | None:
    """One attendance of a session, with its person."""
    return db.scalar(
        select(Attendance)
        .options(joinedload(Attendance.person))
        .where(Attendance.id == attendance_id, Attendance.session_id == session_id)
    )


def count_arrivals(db: Session, session_id: int, method: CheckInMethod | None = None) -> int:
    """How many people (人) came, in all or checked in one way."""
    statement = select(func.count()).where(Attendance.session_id == session_id)
    if method is not None:
        statement = statement.where(Attendance.method == method)
    return db.scalar(statement) or 0


def arrivals(db: Session, session_id: int, *, limit: int | None = None) -> list[Arrival]:
    """Who came, the newest first. The session's own access was checked when it was loaded."""
    rows = db.execute(
        select(Attendance, Person, OrgUnit)
        .join(Person, Person.id == Attendance.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attendance.unit_id)
        .where(Attendance.session_id == session_id)
        .order_by(Attendance.at_ms.desc(), Attendance.id.desc())
        .limit(limit)
    )
    return [Arrival(attendance, person, unit) for attendance, person, unit in rows]


def attendances_of_person(db: Session, person_id: int, *, limit: int = 50) -> Sequence[Attendance]:
    """Where somebody was, with the sessions, the latest first."""
    return db.scalars(
        select(Attendance)
        .options(joinedload(Attendance.session).joinedload(TrainingSession.unit))
        .where(Attendance.person_id == person_id)
        .order_by(Attendance.at_ms.desc())
        .limit(limit)
    ).all()
