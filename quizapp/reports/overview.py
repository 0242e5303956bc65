"""Where a coordinator stands: what needs attention, and the year so far. Its pass rates are those of `figures.groups` by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, joinedload

from quizapp.core.clock import day_start, local_date, to_ms
from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import CLOSED_STATES, Attempt, Delivery, DeliveryState
from quizapp.trainings.models import Attendance, TrainingSession
from quizapp.trainings.queries import counts

#: A delivery that closes within so many days and has no taker needs a push.
ENDING_DAYS = 7
#: A session that ended so long ago and has no list is not asked after any more.
ASKED_DAYS = 60
#: As many of each kind as are listed.
MOST = 20


@dataclass(frozen=True)
class Needs:
    """What needs attention, each kind with its rows, the most urgent first."""

    #: Open, closing soon, nobody has started.
    deliveries: Sequence[Delivery]
    #: Over, not called off, nobody is on the list.
    sessions: Sequence[TrainingSession]
    #: Nobody of them has started a test this year.
    units: Sequence[OrgUnit]

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.sessions or self.units)


@dataclass(frozen=True)
class YearSoFar:
    """The year's figures up to now; each of one measure, none a sum of different ones."""

    #: 期: course runs with a session held.
    runs: int
    #: 场: sessions held.
    sessions: int
    #: 人次: attendances that count.
    attended: int
    #: 人: different people who came.
    attended_persons: int
    #: 人次: attempts submitted or closed.
    closed: int
    #: 人: different people with such an attempt.
    persons: int


def needs_of(db: Session, scope: Scope, now: datetime) -> Needs:
    """What needs attention in the units whose figures the reader sees in full.

    Those who see aggregates only are told nothing of today: their numbers are last night's.
    """
    own = scope.condition(Permission.EXPORT_FIGURES, OrgUnit.path)
    return Needs(
        _deliveries_without_takers(db, own, now), _sessions_without_list(db, own, now), _idle_units(db, scope, now)
    )


def _deliveries_without_takers(db: Session, own: ColumnElement[bool], now: datetime) -> Sequence[Delivery]:
    now_ms = to_ms(now)
    statement = (
        select(Delivery)
        .join(OrgUnit, OrgUnit.id == Delivery.unit_id)
        .options(joinedload(Delivery.unit))
        .where(
            own,
            Delivery.state == DeliveryState.READY,
            Delivery.opens_at <= now_ms,
            Delivery.closes_at > now_ms,
            Delivery.closes_at <= to_ms(now + timedelta(days=ENDING_DAYS)),
            ~exists().where(Attempt.delivery_id == Delivery.id),
        )
    )
    return db.scalars(statement.order_by(Delivery.closes_at, Delivery.id).limit(MOST)).all()


def _sessions_without_list(db: Session, own: ColumnElement[bool], now: datetime) -> Sequence[TrainingSession]:
    statement = (
        select(TrainingSession)
        .join(OrgUnit, OrgUnit.id == TrainingSession.unit_id)
        .options(joinedload(TrainingSession.unit))
        .where(
            own,
            TrainingSession.ends_at <= to_ms(now),
            TrainingSession.ends_at > to_ms(now - timedelta(days=ASKED_DAYS)),
            TrainingSession.cancelled_at.is_(None),
            ~exists().where(Attendance.session_id == TrainingSession.id, counts()),
        )
    )
    return db.scalars(statement.order_by(TrainingSession.ends_at.desc(), TrainingSession.id).limit(MOST)).all()


def _idle_units(db: Session, scope: Scope, now: datetime) -> Sequence[OrgUnit]:
    """The open units directly below the reader's with people, of whom nobody has taken a test this year, once anybody has."""
    first_day = local_date(now).replace(month=1, day=1)
    reached = _counted(scope, first_day, local_date(now), Permission.EXPORT_FIGURES)
    started = db.scalars(
        select(func.coalesce(Attempt.unit_path, OrgUnit.path))
        .select_from(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(OrgUnit, OrgUnit.id == func.coalesce(Attempt.unit_id, Delivery.unit_id))
        .where(*reached)
        .distinct()
    ).all()
    if not started:
        return ()
    grants = scope.with_permission(Permission.EXPORT_FIGURES)
    tops = [grant.path for grant in grants if grant.path is not None]
    whole = any(grant.path is None for grant in grants)
    parent = select(OrgUnit.id).where(OrgUnit.parent_id.is_(None) if whole else OrgUnit.path.in_(tops))
    children = db.scalars(
        select(OrgUnit).where(OrgUnit.parent_id.in_(parent), OrgUnit.closed_at.is_(None)).order_by(OrgUnit.id)
    ).all()
    peopled = db.scalars(select(OrgUnit.path).where(exists().where(Person.unit_id == OrgUnit.id))).all()
    return [
        unit
        for unit in children
        if any(path.startswith(unit.path) for path in peopled)
        and not any(path.startswith(unit.path) for path in started)
    ][:MOST]


def year_so_far(db: Session, scope: Scope, now: datetime) -> YearSoFar:
    """The figures from the first of January to now, of the units of today's tree."""
    today = local_date(now)
    first_day = today.replace(month=1, day=1)
    sessions, runs = _sessions_held(db, scope, first_day, now)
    attended, attended_persons = _attended(db, scope, first_day, now)
    closed, persons = db.execute(
        select(func.count(), func.count(func.distinct(Attempt.person_id)))
        .select_from(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(OrgUnit, OrgUnit.id == func.coalesce(Attempt.unit_id, Delivery.unit_id))
        .where(*_counted(scope, first_day, today), Attempt.state.in_(CLOSED_STATES))
    ).one()
    return YearSoFar(runs, sessions, attended, attended_persons, closed, persons)


def _sessions_held(db: Session, scope: Scope, first_day: date, now: datetime) -> tuple[int, int]:
    row = db.execute(
        select(func.count(), func.count(func.distinct(TrainingSession.run_id)))
        .select_from(TrainingSession)
        .join(OrgUnit, OrgUnit.id == TrainingSession.unit_id)
        .where(*_held(scope, first_day, now))
    ).one()
    return row[0], row[1]


def _attended(db: Session, scope: Scope, first_day: date, now: datetime) -> tuple[int, int]:
    row = db.execute(
        select(func.count(), func.count(func.distinct(Attendance.person_id)))
        .select_from(Attendance)
        .join(TrainingSession, TrainingSession.id == Attendance.session_id)
        .join(OrgUnit, OrgUnit.id == TrainingSession.unit_id)
        .where(*_held(scope, first_day, now), counts())
    ).one()
    return row[0], row[1]


def _held(scope: Scope, first_day: date, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        scope.condition(Permission.SEE_FIGURES, OrgUnit.path),
        TrainingSession.starts_at >= to_ms(day_start(first_day)),
        TrainingSession.starts_at <= to_ms(now),
        TrainingSession.cancelled_at.is_(None),
    )


def _counted(
    scope: Scope, first_day: date, last_day: date, permission: Permission = Permission.SEE_FIGURES
) -> tuple[ColumnElement[bool], ...]:
    return (
        scope.condition(permission, OrgUnit.path, Attempt.industry_id),
        Attempt.local_date >= first_day,
        Attempt.local_date <= last_day,
    )
