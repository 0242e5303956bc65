"""What the gathering pages read across features: tests and trainings of one's own unit, and one's own records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from quizapp.core.clock import from_ms, to_ms
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, DeliveryAudience, DeliveryState, Response
from quizapp.trainings.models import Attendance, AudienceRule, RegistrationMode, TrainingSession
from quizapp.trainings.queries import counts
from quizapp.trainings.queries.registrations import open_for_registration

#: How far ahead trainings are shown, those that take registrations further.
COMING_DAYS = 14
REGISTRATION_DAYS = 90
#: As many as a page lists.
MOST_COMING = 100
#: An attempt that runs out within this time stands above everything else.
URGENT = timedelta(hours=1)


@dataclass(frozen=True)
class RunningAttempt:
    """An account's open attempt."""

    delivery: Delivery
    answered: int
    deadline_at: int

    def urgent(self, now: datetime) -> bool:
        """Whether it runs out within the hour."""
        return from_ms(self.deadline_at) - now < URGENT


@dataclass(frozen=True)
class OfferedDelivery:
    """An open delivery and what the account has done with it."""

    delivery: Delivery
    closed: int
    running: bool

    @property
    def fresh(self) -> bool:
        """Whether the account has not touched it."""
        return not self.closed and not self.running

    @property
    def can_start(self) -> bool:
        """Whether a try is left."""
        return self.running or self.delivery.tries is None or self.closed < self.delivery.tries


@dataclass(frozen=True)
class Records:
    """How much an account has done."""

    attempts: int
    attendances_this_year: int


def ancestors(path: str) -> list[str]:
    """The paths of a unit and of all above it.

    >>> ancestors("/1/7/33/")
    ['/1/', '/1/7/', '/1/7/33/']
    """
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))]


def find_unit_of_person(db: Session, person_id: int | None) -> OrgUnit | None:
    """The unit that somebody belongs to today."""
    if person_id is None:
        return None
    return db.scalar(select(OrgUnit).join(Person, Person.unit_id == OrgUnit.id).where(Person.id == person_id))


def running_attempts(db: Session, account_id: int, now: datetime) -> list[RunningAttempt]:
    """The open attempts of an account, the one that runs out first at the top."""
    answered = (
        select(func.count())
        .where(Response.attempt_id == Attempt.id, Response.answer != "")
        .correlate(Attempt)
        .scalar_subquery()
    )
    rows = db.execute(
        select(Attempt, answered)
        .where(
            Attempt.account_id == account_id,
            Attempt.state == AttemptState.OPEN,
            Attempt.accepts_until > to_ms(now),
        )
        .options(joinedload(Attempt.delivery))
        .order_by(Attempt.deadline_at, Attempt.id)
    )
    return [RunningAttempt(attempt.delivery, count, attempt.deadline_at) for attempt, count in rows]


def open_deliveries(
    db: Session, *, unit_path: str | None, account_id: int | None, now: datetime
) -> list[OfferedDelivery]:
    """Tests that can be taken now: for a unit those that it or a unit above offers, without one those open to guests.

    One that is limited to an audience is shown to the units of it, whoever offers it.
    """
    now_ms = to_ms(now)
    query = (
        select(Delivery)
        .join(OrgUnit, OrgUnit.id == Delivery.unit_id)
        .where(
            Delivery.state == DeliveryState.READY,
            Delivery.opens_at <= now_ms,
            Delivery.closes_at > now_ms,
            _offered_to(unit_path),
        )
        .options(joinedload(Delivery.unit))
        .order_by(Delivery.closes_at, Delivery.id)
    )
    deliveries = list(db.scalars(query))
    counts = _attempts_by_delivery(db, account_id, [delivery.id for delivery in deliveries])
    return [OfferedDelivery(delivery, *counts.get(delivery.id, (0, False))) for delivery in deliveries]


def _offered_to(unit_path: str | None) -> ColumnElement[bool]:
    if unit_path is None:
        return and_(Delivery.guests, Delivery.limited.is_(False))
    above = [int(part) for part in unit_path.strip("/").split("/")]
    meant = exists().where(DeliveryAudience.delivery_id == Delivery.id, DeliveryAudience.unit_id.in_(above))
    return or_(and_(Delivery.limited.is_(False), OrgUnit.path.in_(ancestors(unit_path))), and_(Delivery.limited, meant))


def _attempts_by_delivery(
    db: Session, account_id: int | None, delivery_ids: Sequence[int]
) -> dict[int, tuple[int, bool]]:
    if account_id is None or not delivery_ids:
        return {}
    rows = db.execute(
        select(Attempt.delivery_id, Attempt.state).where(
            Attempt.account_id == account_id,
            Attempt.delivery_id.in_(delivery_ids),
            Attempt.state != AttemptState.VOID,
        )
    )
    counts: dict[int, tuple[int, bool]] = {}
    for delivery_id, state in rows:
        closed, running = counts.get(delivery_id, (0, False))
        is_open = state == AttemptState.OPEN
        counts[delivery_id] = (closed + (not is_open), running or is_open)
    return counts


def coming_sessions(db: Session, unit_path: str | None, now: datetime) -> list[TrainingSession]:
    """Sessions that somebody of a unit can come to: running or within the next days, and further ahead those that take registrations.

    Those of the own unit and of the units above, those whose audience names one of these, and those open to anyone; without a unit the
    last alone.
    """
    now_ms = to_ms(now)
    paths = ancestors(unit_path) if unit_path is not None else []
    named = (
        select(AudienceRule.id)
        .join(OrgUnit, OrgUnit.id == AudienceRule.unit_id)
        .where(AudienceRule.session_id == TrainingSession.id, OrgUnit.path.in_(paths))
        .correlate(TrainingSession)
        .exists()
    )
    holder = aliased(OrgUnit)
    soon = TrainingSession.starts_at < to_ms(now + timedelta(days=COMING_DAYS))
    return list(
        db.scalars(
            select(TrainingSession)
            .join(holder, holder.id == TrainingSession.unit_id)
            .where(
                or_(holder.path.in_(paths), named, TrainingSession.registration == RegistrationMode.ANYONE),
                or_(soon, open_for_registration(now_ms)),
                TrainingSession.starts_at < to_ms(now + timedelta(days=REGISTRATION_DAYS)),
                TrainingSession.ends_at > now_ms,
                TrainingSession.closed_at.is_(None),
            )
            .options(joinedload(TrainingSession.unit))
            .order_by(TrainingSession.starts_at, TrainingSession.id)
            .limit(MOST_COMING)
        )
    )


def records_of(db: Session, *, account_id: int, person_id: int | None, year_start: datetime) -> Records:
    """The counts for the home page: closed attempts, and check-ins since the beginning of the year."""
    attempts = db.scalar(
        select(func.count()).where(
            Attempt.account_id == account_id, Attempt.state.in_((AttemptState.SUBMITTED, AttemptState.EXPIRED))
        )
    )
    attendances = db.scalar(
        select(func.count()).where(Attendance.person_id == person_id, counts(), Attendance.at_ms >= to_ms(year_start))
    )
    return Records(attempts or 0, attendances or 0)


def find_code(db: Session, code: str) -> tuple[str, str] | None:
    """What an eight-character code names: ("delivery", code) or ("session", code)."""
    if db.scalar(select(Delivery.id).where(Delivery.poster_code == code)) is not None:
        return "delivery", code
    if db.scalar(select(TrainingSession.id).where(TrainingSession.code == code)) is not None:
        return "session", code
    return None
