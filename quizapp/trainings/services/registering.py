"""Registering for a session, giving a place up, and moving up from the waiting list.

Every change of a session's registrations first locks the session's row: whoever counts the places then counts what is stored, one after
the other. So never more are registered than places, and the line is kept: each who joins it stands behind all who joined before, also
within one millisecond and whatever the clocks of two machines say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.phones import normalize_phone
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit, Person
from quizapp.organisation.people import hold_person
from quizapp.organisation.services import clean_name, identify
from quizapp.trainings.errors import (
    AttendeeNameNeeded,
    AttendeePhoneNeeded,
    CheckInCalledOff,
    CheckInClosed,
    OutsideAudience,
    RegistrationClosed,
    RegistrationKnown,
    RegistrationOver,
    SignInToRegister,
)
from quizapp.trainings.models import (
    Registration,
    RegistrationMode,
    RegistrationState,
    RegistrationVia,
    TrainingSession,
)
from quizapp.trainings.queries.registrations import STANDING, is_invited, places_of


@dataclass(frozen=True)
class Registered:
    """A registration, and whether it stood already."""

    registration: Registration
    again: bool


@dataclass(frozen=True)
class Reminders:
    """Where reminders go, sealed (None: to the page alone), and in which language."""

    address_sealed: bytes | None = None
    language: str = "zh"


def check_open(session: TrainingSession, now_ms: int) -> None:
    """Raise why nobody can register now: RegistrationClosed, CheckInCalledOff or RegistrationOver."""
    if session.registration == RegistrationMode.CLOSED:
        raise RegistrationClosed
    if session.cancelled_at is not None:
        raise CheckInCalledOff
    until = session.starts_at if session.registration_until is None else session.registration_until
    if session.closed_at is not None or now_ms >= min(until, session.starts_at):
        raise RegistrationOver


def lock_session(db: Session, session_id: int) -> TrainingSession:
    """The session's row as it is stored, held until the transaction ends: its registrations change one after the other."""
    return db.scalars(
        select(TrainingSession)
        .where(TrainingSession.id == session_id)
        .with_for_update(of=TrainingSession)
        .execution_options(populate_existing=True)
    ).one()


class Line:
    """The places of a locked session and the line for them, in the hands of one transaction."""

    def __init__(self, db: Session, session: TrainingSession, now_ms: int) -> None:
        self.db, self.session, self.now_ms = db, session, now_ms
        self.moved_up = move_up(db, session, now_ms)
        self.free = places_of(db, session).free
        self._last = (
            db.scalar(select(func.max(Registration.queued_at)).where(Registration.session_id == session.id)) or 0
        )

    def enter(
        self,
        person: Person,
        *,
        unit: OrgUnit | None,
        via: RegistrationVia,
        registered_by: int | None,
        secret_hash: bytes | None = None,
        reminders: Reminders | None = None,
    ) -> Registered:
        """Give somebody a place, or the end of the line; one who stands already is left where they are."""
        found = self.db.scalar(
            select(Registration)
            .where(Registration.session_id == self.session.id, Registration.person_id == person.id)
            .execution_options(populate_existing=True)
        )
        if found is not None and found.state in STANDING:
            return Registered(found, again=True)
        reminders = reminders or Reminders()
        row = found or Registration(session_id=self.session.id, person_id=person.id)
        row.state = RegistrationState.WAITING if self.free == 0 else RegistrationState.REGISTERED
        row.via = via.value
        row.unit_id, row.unit_path = (unit.id, unit.path) if unit is not None else (None, None)
        row.registered_by = registered_by
        row.registered_at = self.now_ms
        row.queued_at = self._last = max(self.now_ms, self._last + 1)
        row.promoted_at = row.cancelled_at = row.seen_at = None
        row.email_encrypted, row.language = reminders.address_sealed, reminders.language
        row.known_revision = self.session.revision
        row.secret_hash = secret_hash
        row.person = person
        self.db.add(row)
        self.db.flush()
        if self.free:
            self.free -= 1
        return Registered(row, again=False)


def move_up(db: Session, session: TrainingSession, now_ms: int) -> list[Registration]:
    """Give free places to those who wait, in the order of the line. The session is locked; whoever raises its capacity calls this too.

    A session that was called off or closed, or has begun, moves nobody up.
    """
    if session.cancelled_at is not None or session.closed_at is not None or now_ms >= session.starts_at:
        return []
    free = places_of(db, session).free
    rows = db.scalars(
        select(Registration)
        .where(Registration.session_id == session.id, Registration.state == RegistrationState.WAITING)
        .order_by(Registration.queued_at, Registration.id)
        .limit(free)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.state = RegistrationState.REGISTERED
        row.promoted_at = now_ms
    db.flush()
    return list(rows)


def register_account(
    db: Session, *, session: TrainingSession, actor: Actor, reminders: Reminders, now: datetime
) -> Registered:
    """Whoever is signed in registers. A registration under the same name that nobody proved becomes theirs, at its place in the line.

    Raises RegistrationClosed, CheckInCalledOff, RegistrationOver, OutsideAudience.
    """
    now_ms = to_ms(now)
    session = lock_session(db, session.id)
    check_open(session, now_ms)
    person = db.get_one(Person, hold_person(db, actor.person_id or 0))
    if not is_invited(db, session, person.id):
        raise OutsideAudience
    unit = db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None
    entered = Line(db, session, now_ms).enter(
        person, unit=unit, via=RegistrationVia.SELF, registered_by=actor.account_id, reminders=reminders
    )
    row = entered.registration
    if entered.again and row.via == RegistrationVia.SELF and row.registered_by is None:
        row.registered_by, row.secret_hash = actor.account_id, None
        row.email_encrypted, row.language = reminders.address_sealed, reminders.language
        return Registered(row, again=False)
    return entered


def register_guest(
    db: Session,
    *,
    session: TrainingSession,
    name: str,
    phone: str,
    secret_hash: bytes,
    reminders: Reminders,
    keys: Keys,
    now: datetime,
) -> Registered:
    """A guest registers by name and phone, for a session that is open to anyone; the holder of the secret can look and cancel.

    Raises RegistrationClosed, CheckInCalledOff, RegistrationOver, SignInToRegister, AttendeeNameNeeded, PhoneInvalid, and
    RegistrationKnown where this name and number stand already: they prove nothing, so the one who stands is left alone. With the same
    secret it is the same form, sent twice.
    """
    now_ms = to_ms(now)
    check_open(session, now_ms)
    if session.registration != RegistrationMode.ANYONE:
        raise SignInToRegister
    person = identify_typed(db, name=name, phone=phone, unit_id=None, keys=keys, now=now)
    session = lock_session(db, session.id)
    check_open(session, now_ms)
    if session.registration != RegistrationMode.ANYONE:
        raise SignInToRegister
    entered = Line(db, session, now_ms).enter(
        person,
        unit=unit_below(db, session, person),
        via=RegistrationVia.SELF,
        registered_by=None,
        secret_hash=secret_hash,
        reminders=reminders,
    )
    if entered.again and entered.registration.secret_hash != secret_hash:
        raise RegistrationKnown
    return entered


def register_by_trainer(
    db: Session, *, session: TrainingSession, name: str, phone: str, actor: Actor, keys: Keys, now: datetime
) -> Registered:
    """The trainer registers somebody, whoever they are and also after the term; a full session makes them wait like all others.

    Raises CheckInCalledOff, CheckInClosed (the list is frozen), AttendeeNameNeeded, AttendeePhoneNeeded, PhoneInvalid.
    """
    person = identify_typed(db, name=name, phone=phone, unit_id=None, keys=keys, now=now)
    session = lock_session(db, session.id)
    _check_list(session)
    entered = Line(db, session, to_ms(now)).enter(
        person,
        unit=unit_below(db, session, person),
        via=RegistrationVia.TRAINER,
        registered_by=actor.account_id,
    )
    if not entered.again:
        record_registrations(db, "registrations_made", session, [entered.registration], actor, now)
    return entered


def cancel_own(db: Session, *, registration: Registration, now: datetime) -> list[Registration]:
    """Somebody gives their own place up, until the session begins; gives who moved up. Twice is harmless. Raises RegistrationOver."""
    session = lock_session(db, registration.session_id)
    if to_ms(now) >= session.starts_at or session.closed_at is not None:
        raise RegistrationOver
    return strike(db, session, [registration.id], to_ms(now))[1]


def cancel_by_trainer(
    db: Session, *, session: TrainingSession, registration_id: int, actor: Actor, now: datetime
) -> list[Registration]:
    """The trainer strikes a registration; gives who moved up. Raises CheckInClosed (the list is frozen)."""
    session = lock_session(db, session.id)
    if session.closed_at is not None:
        raise CheckInClosed(closed_at=session.closed_at)
    struck, moved = strike(db, session, [registration_id], to_ms(now))
    if struck:
        record_registrations(db, "registrations_cancelled", session, struck, actor, now)
    return moved


def strike(
    db: Session, session: TrainingSession, registration_ids: list[int], now_ms: int
) -> tuple[list[Registration], list[Registration]]:
    """Cancel registrations of a locked session and let the line move up: who was cancelled, who moved up."""
    rows = db.scalars(
        select(Registration)
        .where(
            Registration.session_id == session.id,
            Registration.id.in_(registration_ids),
            Registration.state.in_(STANDING),
        )
        .order_by(Registration.id)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.state = RegistrationState.CANCELLED
        row.cancelled_at = now_ms
        row.email_encrypted = None
    db.flush()
    return list(rows), move_up(db, session, now_ms)


def note_seen(db: Session, *, registration: Registration, now: datetime) -> None:
    """The person has read what changed: time, place, a place of their own, a session called off."""
    session = db.get_one(TrainingSession, registration.session_id)
    registration.known_revision = session.revision
    registration.seen_at = to_ms(now)


def identify_typed(db: Session, *, name: str, phone: str, unit_id: int | None, keys: Keys, now: datetime) -> Person:
    """The person of a typed name and number, known or new."""
    if not clean_name(name):
        raise AttendeeNameNeeded(field="name")
    if not phone:
        raise AttendeePhoneNeeded(field="phone")
    found = identify(
        db,
        keys=keys,
        name=name,
        phone=normalize_phone(phone),
        device_hash=None,
        unit_id=unit_id,
        industry_id=None,
        birth_year=None,
        sex=None,
        education=None,
        now=now,
    )
    if found.person_id is None:
        raise AttendeeNameNeeded(field="name")
    return db.get_one(Person, found.person_id)


def unit_below(db: Session, session: TrainingSession, person: Person) -> OrgUnit | None:
    """A matched person's unit, where it lies below the session's: of others' people nothing is written down."""
    holder = db.get_one(OrgUnit, session.unit_id)
    unit = db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None
    return unit if unit is not None and unit.path.startswith(holder.path) else None


def record_registrations(
    db: Session, action: str, session: TrainingSession, rows: list[Registration], actor: Actor, now: datetime
) -> None:
    """What staff did with others' registrations, in the log: ids alone."""
    record(
        db,
        actor=actor,
        action=action,
        object_type="training_session",
        object_id=session.id,
        unit_id=session.unit_id,
        details={"code": session.code, "registrations": [row.id for row in rows]},
        now=now,
    )


def _check_list(session: TrainingSession) -> None:
    if session.cancelled_at is not None:
        raise CheckInCalledOff
    if session.closed_at is not None:
        raise CheckInClosed(closed_at=session.closed_at)
