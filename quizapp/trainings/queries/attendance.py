"""Who came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, joinedload

from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import Attendance, AttendanceState, CheckInMethod, TrainingSession


@dataclass(frozen=True)
class Arrival:
    """One attendance as the trainer sees it."""

    attendance: Attendance
    person: Person
    #: The unit of the day, where it is known.
    unit: OrgUnit | None


def counts() -> ColumnElement[bool]:
    """The condition that an attendance counts: the one place that says so."""
    return and_(Attendance.state == AttendanceState.COUNTED, Attendance.duplicate_of_id.is_(None))


def find_attendance(db: Session, session_id: int, attendance_id: int) -> Attendance | None:
    """One attendance of a session, with its person."""
    return db.scalar(
        select(Attendance)
        .options(joinedload(Attendance.person))
        .where(Attendance.id == attendance_id, Attendance.session_id == session_id)
    )


def count_arrivals(db: Session, session_id: int, method: CheckInMethod | None = None) -> int:
    """How many people (人) came, in all or checked in one way."""
    statement = select(func.count()).where(Attendance.session_id == session_id, counts())
    if method is not None:
        statement = statement.where(Attendance.method == method)
    return db.scalar(statement) or 0


def arrivals(db: Session, session_id: int, *, limit: int | None = None) -> list[Arrival]:
    """Who came, the newest first. The session's own access was checked when it was loaded."""
    rows = db.execute(
        select(Attendance, Person, OrgUnit)
        .join(Person, Person.id == Attendance.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attendance.unit_id)
        .where(Attendance.session_id == session_id, counts())
        .order_by(Attendance.at_ms.desc(), Attendance.id.desc())
        .limit(limit)
    )
    return [Arrival(attendance, person, unit) for attendance, person, unit in rows]


def attendances_of_person(db: Session, person_id: int, *, limit: int = 50) -> Sequence[Attendance]:
    """Where somebody was, with the sessions, the latest first."""
    return db.scalars(
        select(Attendance)
        .options(joinedload(Attendance.session).joinedload(TrainingSession.unit))
        .where(Attendance.person_id == person_id, counts())
        .order_by(Attendance.at_ms.desc())
        .limit(limit)
    ).all()
