"""Runs with people who attended them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import Course, CourseRun, TrainingSession
from tests.conftest import START
from tests.factories import make_attendance, make_person, make_session, make_unit


def staff_of(unit: OrgUnit | None, role: Role = Role.COORDINATOR, account_id: int = 7) -> Actor:
    return Actor(account_id=account_id, name="陈立新", scope=Scope((Grant(role, unit.path if unit else None),)))


def make_run(db: Session, unit: OrgUnit | None = None, **values: Any) -> CourseRun:
    """A run whose certificates hold a year and take every session."""
    unit = unit or make_unit(db, name="临江区应急管理局")
    course = Course(unit_id=unit.id, title=values.pop("course", "公民安全素质培训"), created_at=to_ms(START))
    db.add(course)
    db.flush()
    run = CourseRun(
        **{
            "course_id": course.id,
            "unit_id": unit.id,
            "number": 3,
            "title": "2026 年第 3 期",
            "certificate_months": 12,
            "created_at": to_ms(START),
            **values,
        }
    )
    db.add(run)
    db.flush()
    return run


def add_session(db: Session, run: CourseRun, day: int = 0, **values: Any) -> TrainingSession:
    """A session of the run, `day` days after START, held and closed."""
    begin = to_ms(START + timedelta(days=day))
    unit = db.get_one(OrgUnit, run.unit_id)
    values = {"starts_at": begin, "closed_at": begin + 7_200_000, "hours_tenths": 40, **values}
    return make_session(db, unit, run_id=run.id, **values)


def attend(db: Session, person: Person, *sessions: TrainingSession, **values: Any) -> None:
    """A counted attendance at each."""
    for session in sessions:
        make_attendance(db, session.id, person.id, **{"at_ms": session.starts_at, "unit_id": person.unit_id, **values})


def make_attended_run(
    db: Session, unit: OrgUnit | None = None, *, names: tuple[str, ...] = ("李建国",), **values: Any
) -> CourseRun:
    """A run of one closed session that everybody named attended."""
    run = make_run(db, unit, **values)
    session = add_session(db, run)
    for name in names:
        attend(db, make_person(db, name=name), session)
    return run
