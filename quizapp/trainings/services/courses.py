"""Courses and their runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import local_date, to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.errors import CourseClosed, PlanInvalid
from quizapp.trainings.models import Course, CourseRun, SessionKind

#: Training hours in tenths, and months, that a certificate of a run may take and hold.
MOST_HOURS_TENTHS = 5000
MOST_MONTHS = 120


@dataclass(frozen=True)
class RunPlan:
    """All that is decided about a run."""

    title: str
    hours_needed_tenths: int | None = None
    certificate_months: int | None = None

    def check(self) -> None:
        """Raise PlanInvalid, with the field at fault."""
        if self.hours_needed_tenths is not None and not 1 <= self.hours_needed_tenths <= MOST_HOURS_TENTHS:
            raise PlanInvalid(field="hours", low=0.1, high=MOST_HOURS_TENTHS // 10)
        if self.certificate_months is not None and not 1 <= self.certificate_months <= MOST_MONTHS:
            raise PlanInvalid(field="certificate_months", low=1, high=MOST_MONTHS)


def add_course(
    db: Session, *, title: str, subject: str, kind: SessionKind, unit_id: int, actor: Actor, now: datetime
) -> Course:
    """Offer a course of a unit. Raises NotFound for a unit where the actor runs no sessions."""
    unit = _own_unit(db, unit_id, actor)
    course = Course(
        unit_id=unit.id,
        title=title,
        subject=subject,
        kind=kind.value,
        created_by=actor.account_id,
        created_at=to_ms(now),
    )
    course.unit = unit
    db.add(course)
    db.flush()
    _record(db, course, "course_added", actor, now)
    return course


def edit_course(
    db: Session, *, course: Course, title: str, subject: str, kind: SessionKind, actor: Actor, now: datetime
) -> None:
    """Change what a course says; sessions that stand keep what they say."""
    course.title, course.subject, course.kind = title, subject, kind.value
    _record(db, course, "course_edited", actor, now)


def close_course(db: Session, *, course: Course, actor: Actor, now: datetime) -> None:
    """Offer a course no longer: it takes no further runs."""
    if course.closed_at is None:
        course.closed_at = to_ms(now)
        _record(db, course, "course_closed", actor, now)


def reopen_course(db: Session, *, course: Course, actor: Actor, now: datetime) -> None:
    """Offer it again."""
    if course.closed_at is not None:
        course.closed_at = None
        _record(db, course, "course_reopened", actor, now)


def next_run_number(db: Session, course_id: int) -> int:
    """The number that the course's next run gets."""
    return (db.scalar(select(func.max(CourseRun.number)).where(CourseRun.course_id == course_id)) or 0) + 1


def proposed_run_title(number: int, now: datetime) -> str:
    """What a run is called unless somebody says otherwise; for residents, so in Chinese whatever the trainer reads."""
    return f"{local_date(now).year} 年第 {number} 期"


def add_run(
    db: Session, *, course: Course, plan: RunPlan, unit_id: int | None = None, actor: Actor, now: datetime
) -> CourseRun:
    """Begin a run of a course, held by the course's unit unless another is named. Raises NotFound, CourseClosed, PlanInvalid."""
    plan.check()
    unit = _own_unit(db, unit_id if unit_id is not None else course.unit_id, actor)
    # two runs that begin at once get two numbers
    db.refresh(course, with_for_update=True)
    if course.closed_at is not None:
        raise CourseClosed(field="title")
    number = next_run_number(db, course.id)
    run = CourseRun(
        course_id=course.id,
        unit_id=unit.id,
        number=number,
        title=plan.title or proposed_run_title(number, now),
        hours_needed_tenths=plan.hours_needed_tenths,
        certificate_months=plan.certificate_months,
        created_by=actor.account_id,
        created_at=to_ms(now),
    )
    run.course, run.unit = course, unit
    db.add(run)
    db.flush()
    _record(db, run, "run_added", actor, now)
    return run


def edit_run(db: Session, *, run: CourseRun, plan: RunPlan, actor: Actor, now: datetime) -> None:
    """Change a run. Raises PlanInvalid."""
    plan.check()
    run.title = plan.title or run.title
    run.hours_needed_tenths, run.certificate_months = plan.hours_needed_tenths, plan.certificate_months
    _record(db, run, "run_edited", actor, now)


def end_run(db: Session, *, run: CourseRun, actor: Actor, now: datetime) -> None:
    """End a run: it takes no further sessions."""
    if run.closed_at is None:
        run.closed_at = to_ms(now)
        _record(db, run, "run_ended", actor, now)


def reopen_run(db: Session, *, run: CourseRun, actor: Actor, now: datetime) -> None:
    """Let it take sessions again."""
    if run.closed_at is not None:
        run.closed_at = None
        _record(db, run, "run_reopened", actor, now)


def _own_unit(db: Session, unit_id: int, actor: Actor) -> OrgUnit:
    unit = db.get(OrgUnit, unit_id)
    if unit is None or unit.closed_at is not None or not actor.scope.covers(Permission.RUN_SESSIONS, unit.path):
        raise NotFound
    return unit


def _record(db: Session, row: Course | CourseRun, action: str, actor: Actor, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type=row.__tablename__,
        object_id=row.id,
        unit_id=row.unit_id,
        now=now,
    )
