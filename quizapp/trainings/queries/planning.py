"""What planning reads: courses, runs, kept places, who may teach, whom a session is for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from quizapp.accounts.models import Account, AccountGrant
from quizapp.core.errors import NotFound
from quizapp.core.scope import ROLE_PERMISSIONS, Actor, Permission, Scope
from quizapp.organisation.models import Industry, OrgUnit, Person
from quizapp.trainings.models import AudienceRule, Course, CourseRun, Place, SessionTrainer, TrainingSession

#: The roles whose accounts may teach.
TEACHING = [role.value for role, permissions in ROLE_PERMISSIONS.items() if Permission.RUN_SESSIONS in permissions]


@dataclass(frozen=True)
class Trainer:
    """An account that may teach, with the person's name."""

    account_id: int
    name: str


@dataclass(frozen=True)
class KeptPlace:
    """A place with the unit that keeps it."""

    place: Place
    unit: OrgUnit


@dataclass(frozen=True)
class CourseRow:
    """A course with the number of its runs."""

    course: Course
    runs: int


@dataclass(frozen=True)
class RunRow:
    """A run with the number of its sessions that were not called off."""

    run: CourseRun
    sessions: int


@dataclass(frozen=True)
class Audience:
    """One rule of a session's audience with the rows that it names."""

    rule: AudienceRule
    unit: OrgUnit | None
    industry: Industry | None


def _own(scope: Scope) -> ColumnElement[bool]:
    return scope.condition(Permission.RUN_SESSIONS, OrgUnit.path)


def trainers_to_choose(db: Session, actor: Actor, *, unit_path: str | None = None) -> list[Trainer]:
    """The accounts that run sessions and were granted so inside the actor's scope, and the actor's own; by name.

    `unit_path` keeps to those whose grant reaches that unit.
    """
    reach = _paths_down_to(unit_path) if unit_path is not None else None
    granted = (
        select(AccountGrant.account_id)
        .outerjoin(OrgUnit, OrgUnit.id == AccountGrant.unit_id)
        .where(AccountGrant.role.in_(TEACHING), AccountGrant.industry_id.is_(None))
    )
    inside = or_(_own(actor.scope), AccountGrant.unit_id.is_(None)) if _whole(actor.scope) else _own(actor.scope)
    chosen = granted.where(inside)
    if reach is not None:
        chosen = chosen.where(or_(OrgUnit.path.in_(reach), AccountGrant.unit_id.is_(None)))
    rows = db.execute(
        select(Account.id, Person.name)
        .join(Person, Person.id == Account.person_id)
        .where(
            Account.suspended_at.is_(None),
            or_(Account.id.in_(chosen), Account.id == (actor.account_id if actor.account_id is not None else -1)),
        )
        .order_by(Person.name, Account.id)
    )
    return [Trainer(account_id, name) for account_id, name in rows]


def _paths_down_to(path: str) -> list[str]:
    """The paths of a unit and of those above it."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:count]) + "/" for count in range(1, len(parts) + 1)]


def _whole(scope: Scope) -> bool:
    return scope.covers(Permission.RUN_SESSIONS, None)


def trainer_ids_of(db: Session, session_id: int) -> Sequence[int]:
    """The accounts that teach a session."""
    return db.scalars(select(SessionTrainer.account_id).where(SessionTrainer.session_id == session_id)).all()


def trainers_of(db: Session, session_id: int) -> list[Trainer]:
    """Who teaches a session, by name."""
    rows = db.execute(
        select(SessionTrainer.account_id, Person.name)
        .join(Account, Account.id == SessionTrainer.account_id)
        .join(Person, Person.id == Account.person_id)
        .where(SessionTrainer.session_id == session_id)
        .order_by(Person.name, SessionTrainer.account_id)
    )
    return [Trainer(account_id, name) for account_id, name in rows]


def trainer_names(db: Session, account_ids: Collection[int]) -> dict[int, str]:
    """Account → the name of the person behind it."""
    names = select(Account.id, Person.name).join(Person, Person.id == Account.person_id)
    return dict(db.execute(names.where(Account.id.in_(account_ids))).all())


def list_places(db: Session, scope: Scope, *, closed_too: bool = False, limit: int = 500) -> list[KeptPlace]:
    """The places that one's own units keep, by name."""
    query = (
        select(Place, OrgUnit)
        .join(OrgUnit, OrgUnit.id == Place.unit_id)
        .where(_own(scope))
        .order_by(Place.closed_at.is_not(None), Place.name, Place.id)
        .limit(limit)
    )
    if not closed_too:
        query = query.where(Place.closed_at.is_(None))
    return [KeptPlace(place, unit) for place, unit in db.execute(query)]


def get_place(db: Session, scope: Scope, place_id: int) -> Place:
    """A place that one's own units keep. Raises NotFound."""
    found = db.scalar(select(Place).join(OrgUnit, OrgUnit.id == Place.unit_id).where(Place.id == place_id, _own(scope)))
    if found is None:
        raise NotFound
    return found


def list_courses(db: Session, scope: Scope, *, limit: int = 200) -> list[CourseRow]:
    """The courses of one's own units with their runs, those given up last."""
    runs = select(func.count()).where(CourseRun.course_id == Course.id).correlate(Course).scalar_subquery()
    rows = db.execute(
        select(Course, runs)
        .join(Course.unit)
        .options(contains_eager(Course.unit))
        .where(_own(scope))
        .order_by(Course.closed_at.is_not(None), Course.id.desc())
        .limit(limit)
    )
    return [CourseRow(course, count) for course, count in rows]


def get_course(db: Session, scope: Scope, course_id: int) -> Course:
    """A course of one's own units. Raises NotFound."""
    found = db.scalar(
        select(Course).join(Course.unit).options(contains_eager(Course.unit)).where(Course.id == course_id, _own(scope))
    )
    if found is None:
        raise NotFound
    return found


def list_runs(
    db: Session, scope: Scope, *, course_id: int | None = None, open_only: bool = False, limit: int = 200
) -> list[RunRow]:
    """Runs of one's own units, the latest first: of one course, or of all."""
    sessions = (
        select(func.count())
        .where(TrainingSession.run_id == CourseRun.id, TrainingSession.cancelled_at.is_(None))
        .correlate(CourseRun)
        .scalar_subquery()
    )
    query = (
        select(CourseRun, sessions)
        .join(CourseRun.unit)
        .options(contains_eager(CourseRun.unit), joinedload(CourseRun.course))
        .where(_own(scope))
        .order_by(CourseRun.id.desc())
        .limit(limit)
    )
    if course_id is not None:
        query = query.where(CourseRun.course_id == course_id)
    if open_only:
        query = query.where(CourseRun.closed_at.is_(None))
    return [RunRow(run, count) for run, count in db.execute(query)]


def get_run(db: Session, scope: Scope, run_id: int) -> CourseRun:
    """A run of one's own units with its course. Raises NotFound."""
    found = db.scalar(
        select(CourseRun)
        .join(CourseRun.unit)
        .options(contains_eager(CourseRun.unit), joinedload(CourseRun.course))
        .where(CourseRun.id == run_id, _own(scope))
    )
    if found is None:
        raise NotFound
    return found


def audience_of(db: Session, session_id: int) -> list[Audience]:
    """The rules that say whom a session is for, in the order in which they were made."""
    rows = db.execute(
        select(AudienceRule, OrgUnit, Industry)
        .outerjoin(OrgUnit, OrgUnit.id == AudienceRule.unit_id)
        .outerjoin(Industry, Industry.id == AudienceRule.industry_id)
        .where(AudienceRule.session_id == session_id)
        .order_by(AudienceRule.id)
    )
    return [Audience(rule, unit, industry) for rule, unit, industry in rows]
