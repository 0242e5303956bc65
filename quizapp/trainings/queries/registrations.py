"""Who registered, who may, and what a person should be told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, true
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import normalize_code
from quizapp.organisation.models import Industry, JobRole, OrgUnit, Person
from quizapp.trainings.models import (
    AudienceRule,
    CalendarFeed,
    Registration,
    RegistrationMode,
    RegistrationState,
    RegistrationVia,
    RosterEntry,
    SessionTrainer,
    TrainingSession,
)

#: What holds a place or waits for one.
STANDING = (RegistrationState.REGISTERED, RegistrationState.WAITING)


@dataclass(frozen=True)
class Places:
    """How full a session is. `free` is None where as many may come as want."""

    registered: int
    waiting: int
    free: int | None

    @property
    def full(self) -> bool:
        """Whether whoever registers now waits."""
        return self.free == 0


@dataclass(frozen=True)
class AudiencePart:
    """One rule of a session, with its rows; None means every one."""

    unit: OrgUnit | None
    industry: Industry | None
    job_role: JobRole | None


@dataclass(frozen=True)
class RegistrationRow:
    """A registration as staff see it: with the place in the line of whoever waits."""

    registration: Registration
    person: Person
    unit: OrgUnit | None
    place: int | None


def get_by_page(db: Session, typed: str) -> TrainingSession:
    """The session of a public page's address. Raises NotFound."""
    code = normalize_code(typed)
    statement = (
        select(TrainingSession).options(joinedload(TrainingSession.unit)).where(TrainingSession.page_code == code)
    )
    found = db.scalar(statement) if code else None
    if found is None:
        raise NotFound
    return found


def places_of(db: Session, session: TrainingSession) -> Places:
    """Counts of a session's registrations."""
    counts: dict[str, int] = dict(
        db.execute(
            select(Registration.state, func.count())
            .where(Registration.session_id == session.id, Registration.state.in_(STANDING))
            .group_by(Registration.state)
        ).all()
    )
    registered = counts.get(RegistrationState.REGISTERED, 0)
    free = None if session.capacity is None else max(0, session.capacity - registered)
    return Places(registered, counts.get(RegistrationState.WAITING, 0), free)


def place_in_line(db: Session, registration: Registration) -> int | None:
    """1 for whoever moves up next; None for one who does not wait."""
    if registration.state != RegistrationState.WAITING:
        return None
    before = or_(
        Registration.queued_at < registration.queued_at,
        and_(Registration.queued_at == registration.queued_at, Registration.id <= registration.id),
    )
    statement = select(func.count()).where(
        Registration.session_id == registration.session_id, Registration.state == RegistrationState.WAITING, before
    )
    return db.scalar(statement) or 0


def audience_of(db: Session, session_id: int) -> list[AudiencePart]:
    """The rules that say who should come."""
    rows = db.execute(
        select(OrgUnit, Industry, AudienceRule.job_role)
        .select_from(AudienceRule)
        .outerjoin(OrgUnit, OrgUnit.id == AudienceRule.unit_id)
        .outerjoin(Industry, Industry.id == AudienceRule.industry_id)
        .where(AudienceRule.session_id == session_id)
        .order_by(AudienceRule.id)
    )
    return [AudiencePart(unit, industry, JobRole(role) if role else None) for unit, industry, role in rows]


def named_by_rule(session_id: Any, path: Any, industries: Sequence[Any], job_role: Any) -> ColumnElement[bool]:
    """The condition that a rule of a session names somebody of a unit path, of any of these industries, of a job role.

    Each part is a column or a value: lists ask it of rows, a form asks it of what was typed.
    """
    unit = aliased(OrgUnit)
    own_path = literal(path or "") if path is None or isinstance(path, str) else path
    return exists(
        select(AudienceRule.id)
        .outerjoin(unit, unit.id == AudienceRule.unit_id)
        .where(
            AudienceRule.session_id == session_id,
            or_(AudienceRule.unit_id.is_(None), func.substr(own_path, 1, func.length(unit.path)) == unit.path),
            or_(AudienceRule.industry_id.is_(None), *(AudienceRule.industry_id == industry for industry in industries)),
            or_(AudienceRule.job_role.is_(None), AudienceRule.job_role == job_role),
        )
        .correlate(Person, OrgUnit, TrainingSession)
    )


def may_register(session: TrainingSession) -> ColumnElement[bool]:
    """The condition on `Person` outer-joined with `OrgUnit` that the session is open to them: by rule or by its roster."""
    if session.registration != RegistrationMode.AUDIENCE:
        return true()
    on_roster = exists(
        select(RosterEntry.id).where(RosterEntry.session_id == session.id, RosterEntry.person_id == Person.id)
    ).correlate(Person)
    return or_(
        named_by_rule(session.id, OrgUnit.path, (Person.industry_id, OrgUnit.industry_id), Person.job_role), on_roster
    )


def is_invited(db: Session, session: TrainingSession, person_id: int) -> bool:
    """Whether a session is open to somebody."""
    statement = (
        select(Person.id)
        .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(Person.id == person_id, may_register(session))
    )
    return db.scalar(statement) is not None


def find_registration(db: Session, session_id: int, person_id: int | None) -> Registration | None:
    """Somebody's registration for a session, in whatever state."""
    if person_id is None:
        return None
    return db.scalar(
        select(Registration)
        .options(joinedload(Registration.person))
        .where(Registration.session_id == session_id, Registration.person_id == person_id)
    )


def proved() -> ColumnElement[bool]:
    """The condition that a registration was made by an account or by staff: a typed name shows its owner's account nothing."""
    return or_(Registration.via != RegistrationVia.SELF, Registration.registered_by.is_not(None))


def find_by_secrets(db: Session, session_id: int, hashes: Sequence[bytes]) -> list[Registration]:
    """The standing registrations that a browser holds the links of."""
    if not hashes:
        return []
    return list(
        db.scalars(
            select(Registration)
            .options(joinedload(Registration.person))
            .where(
                Registration.session_id == session_id,
                Registration.secret_hash.in_(hashes),
                Registration.state.in_(STANDING),
            )
            .order_by(Registration.id)
        )
    )


def registrations_of_person(db: Session, person_id: int | None, now_ms: int) -> list[Registration]:
    """What somebody is registered for, from the session that is going on; whatever was called off since is among it."""
    if person_id is None:
        return []
    return list(
        db.scalars(
            select(Registration)
            .join(Registration.session)
            .options(contains_eager(Registration.session).joinedload(TrainingSession.unit))
            .where(
                Registration.person_id == person_id,
                Registration.state.in_(STANDING),
                proved(),
                TrainingSession.ends_at > now_ms,
            )
            .order_by(TrainingSession.starts_at, Registration.id)
        )
    )


def _wanted(state: str) -> ColumnElement[bool]:
    if state == RegistrationState.CANCELLED:
        return Registration.state == RegistrationState.CANCELLED
    return Registration.state.in_((state,) if state else STANDING)


def count_registrations(db: Session, session_id: int, *, state: str = "", unit_id: int | None = None) -> int:
    """How many rows the staff's list has."""
    statement = select(func.count()).where(Registration.session_id == session_id, _wanted(state))
    if unit_id is not None:
        statement = statement.where(Registration.unit_id == unit_id)
    return db.scalar(statement) or 0


def list_registrations(
    db: Session,
    session_id: int,
    *,
    state: str = "",
    unit_id: int | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[RegistrationRow]:
    """The registrations of a session: who has a place by unit, then who waits, in the order of the line."""
    waits = case((Registration.state == RegistrationState.WAITING, 1), else_=0)
    place = (
        select(
            Registration.id, func.row_number().over(order_by=(Registration.queued_at, Registration.id)).label("place")
        )
        .where(Registration.session_id == session_id, Registration.state == RegistrationState.WAITING)
        .subquery()
    )
    statement = (
        select(Registration, Person, OrgUnit, place.c.place)
        .join(Person, Person.id == Registration.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Registration.unit_id)
        .outerjoin(place, place.c.id == Registration.id)
        .where(Registration.session_id == session_id, _wanted(state))
        .order_by(
            waits,
            case((waits == 1, ""), else_=func.coalesce(Registration.unit_path, "~")),
            Registration.queued_at,
            Registration.id,
        )
        .limit(limit)
        .offset(offset)
    )
    if unit_id is not None:
        statement = statement.where(Registration.unit_id == unit_id)
    return [RegistrationRow(*row) for row in db.execute(statement)]


def units_of_registrations(db: Session, session_id: int) -> list[OrgUnit]:
    """The units that people were registered for."""
    return list(
        db.scalars(
            select(OrgUnit)
            .where(
                OrgUnit.id.in_(
                    select(Registration.unit_id).where(
                        Registration.session_id == session_id, Registration.state.in_(STANDING)
                    )
                )
            )
            .order_by(OrgUnit.path)
        )
    )


def get_registration(db: Session, session_id: int, registration_id: int) -> Registration:
    """One of a session, with its person. Raises NotFound."""
    found = db.scalar(
        select(Registration)
        .options(joinedload(Registration.person))
        .where(Registration.id == registration_id, Registration.session_id == session_id)
    )
    if found is None:
        raise NotFound
    return found


def open_for_registration(now_ms: int) -> ColumnElement[bool]:
    """The condition that a session takes registrations now."""
    return and_(
        TrainingSession.registration != RegistrationMode.CLOSED,
        TrainingSession.cancelled_at.is_(None),
        TrainingSession.closed_at.is_(None),
        TrainingSession.starts_at > now_ms,
        func.coalesce(TrainingSession.registration_until, TrainingSession.starts_at) > now_ms,
    )


def find_feed(db: Session, account_id: int) -> CalendarFeed | None:
    """An account's calendar address, where it has made one."""
    return db.get(CalendarFeed, account_id)


def find_feed_by_hash(db: Session, secret_hash: bytes) -> CalendarFeed | None:
    """The feed of an address."""
    return db.scalar(select(CalendarFeed).where(CalendarFeed.secret_hash == secret_hash))


def sessions_taught(db: Session, account_id: int, since_ms: int) -> list[TrainingSession]:
    """The sessions that somebody teaches, those that were called off too."""
    return list(
        db.scalars(
            select(TrainingSession)
            .join(SessionTrainer, SessionTrainer.session_id == TrainingSession.id)
            .options(joinedload(TrainingSession.unit))
            .where(SessionTrainer.account_id == account_id, TrainingSession.ends_at > since_ms)
            .order_by(TrainingSession.starts_at, TrainingSession.id)
        )
    )


def of_own_units(scope: Scope) -> ColumnElement[bool]:
    """The condition on `OrgUnit` that a liaison registers its people."""
    return scope.condition(Permission.REGISTER_OTHERS, OrgUnit.path, OrgUnit.industry_id)
