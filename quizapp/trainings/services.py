"""Opening and closing a session, and checking people in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.errors import NotFound
from quizapp.core.phones import normalize_phone
from quizapp.core.scope import Actor, Permission
from quizapp.core.tokens import Keys, digest, new_poster_code
from quizapp.organisation.models import OrgUnit, Person
from quizapp.organisation.services import clean_name, identify
from quizapp.trainings.errors import (
    AttendeeNameNeeded,
    AttendeePhoneNeeded,
    CheckInClosed,
    CheckInEarly,
    CheckInLate,
    PeriodInvalid,
)
from quizapp.trainings.models import Attendance, CheckInMethod, TrainingSession

#: Check-in begins this long before a session and ends this long after it.
MARGIN = timedelta(hours=2)
#: The longest session.
LONGEST = timedelta(days=1)


@dataclass(frozen=True)
class CheckedIn:
    """An attendance; `again` when it stood already."""

    attendance: Attendance
    again: bool


def open_session(
    db: Session,
    *,
    title: str,
    place: str,
    unit_id: int,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
) -> TrainingSession:
    """Open a session of a unit. Raises NotFound (a unit where the actor runs no sessions) or PeriodInvalid."""
    unit = db.get(OrgUnit, unit_id)
    if unit is None or unit.closed_at is not None or not actor.scope.covers(Permission.RUN_SESSIONS, unit.path):
        raise NotFound
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        raise PeriodInvalid(field="ends")
    session = TrainingSession(
        code=new_poster_code(),
        title=title,
        place=place,
        unit_id=unit.id,
        starts_at=to_ms(starts_at),
        ends_at=to_ms(ends_at),
        created_by=actor.account_id,
        created_at=to_ms(now),
    )
    session.unit = unit
    db.add(session)
    db.flush()
    _record(db, session, "session_opened", actor, now)
    return session


def close_session(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """End the check-in by hand; a session that is closed already stays as it is."""
    if session.closed_at is None:
        session.closed_at = to_ms(now)
        _record(db, session, "session_closed", actor, now)


def reopen_session(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """Let people check in again."""
    if session.closed_at is not None:
        session.closed_at = None
        _record(db, session, "session_reopened", actor, now)


def _record(db: Session, session: TrainingSession, action: str, actor: Actor, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="training_session",
        object_id=session.id,
        unit_id=session.unit_id,
        details={"code": session.code},
        now=now,
    )


def check_window(session: TrainingSession, now_ms: int) -> None:
    """Raise why nobody can check in now: CheckInClosed, CheckInEarly or CheckInLate."""
    margin = int(MARGIN.total_seconds() * 1000)
    if session.closed_at is not None:
        raise CheckInClosed(closed_at=session.closed_at)
    if now_ms < session.starts_at - margin:
        raise CheckInEarly(opens_at=session.starts_at - margin)
    if now_ms >= session.ends_at + margin:
        raise CheckInLate(closed_at=session.ends_at + margin)


def check_in(
    db: Session,
    *,
    session: TrainingSession,
    name: str | None,
    phone: str | None,
    device_hash: bytes | None,
    keys: Keys,
    actor: Actor,
    now: datetime,
    unit_id: int | None = None,
) -> CheckedIn:
    """One person at one session, once: by name and phone, or the signed-in person where no name is given.

    Two scans make one attendance; the second learns when the first was. The unit of the day is the stated one, else the person's.
    Raises the refusals of `check_window`, AttendeeNameNeeded, AttendeePhoneNeeded, PhoneInvalid, NotFound (an unknown unit).
    """
    check_window(session, to_ms(now))
    stated = db.get(OrgUnit, unit_id) if unit_id is not None else None
    if stated is None and unit_id is not None:
        raise NotFound
    if name is None and actor.person_id is not None:
        person = db.get_one(Person, actor.person_id)
        unit = stated or (db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None)
    else:
        person = _typed_person(db, name, phone, keys, now, unit_id)
        unit = stated or _unit_known_to(db, session, person)
    return _insert(
        db,
        session=session,
        person=person,
        unit=unit,
        method=CheckInMethod.POSTER,
        device_hash=device_hash,
        recorded_by=None,
        now=now,
    )


def check_in_by_hand(
    db: Session,
    *,
    session: TrainingSession,
    name: str,
    phone: str | None,
    ticket: str,
    keys: Keys,
    actor: Actor,
    now: datetime,
) -> CheckedIn:
    """The trainer writes somebody down who has no phone at hand, also after the window while the session is not closed.

    Without a phone number the same `ticket` (random, one for each form) means the same person: a double press counts once, two people
    of one name count twice. Raises CheckInClosed, AttendeeNameNeeded, PhoneInvalid.
    """
    if session.closed_at is not None:
        raise CheckInClosed(closed_at=session.closed_at)
    if phone:
        person = _typed_person(db, name, phone, keys, now)
    else:
        person = _identified(db, name, None, digest(f"by-hand {session.id} {ticket}"), keys, now)
    checked = _insert(
        db,
        session=session,
        person=person,
        unit=_unit_known_to(db, session, person),
        method=CheckInMethod.BY_HAND,
        device_hash=None,
        recorded_by=actor.account_id,
        now=now,
    )
    if not checked.again:
        record(
            db,
            actor=actor,
            action="attendance_added",
            object_type="attendance",
            object_id=checked.attendance.id,
            unit_id=session.unit_id,
            details={"session_id": session.id},
            now=now,
        )
    return checked


def _typed_person(
    db: Session, name: str | None, phone: str | None, keys: Keys, now: datetime, unit_id: int | None = None
) -> Person:
    if not clean_name(name):
        raise AttendeeNameNeeded(field="name")
    if not phone:
        raise AttendeePhoneNeeded(field="phone")
    return _identified(db, name, normalize_phone(phone), None, keys, now, unit_id)


def _identified(
    db: Session,
    name: str | None,
    phone: str | None,
    device_hash: bytes | None,
    keys: Keys,
    now: datetime,
    unit_id: int | None = None,
) -> Person:
    found = identify(
        db,
        keys=keys,
        name=name,
        phone=phone,
        device_hash=device_hash,
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


def _unit_known_to(db: Session, session: TrainingSession, person: Person) -> OrgUnit | None:
    """A matched person's unit, where it lies below the session's: of others' people the trainer learns nothing."""
    unit = db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None
    return unit if unit is not None and unit.path.startswith(session.unit.path) else None


def _insert(
    db: Session,
    *,
    session: TrainingSession,
    person: Person,
    unit: OrgUnit | None,
    method: CheckInMethod,
    device_hash: bytes | None,
    recorded_by: int | None,
    now: datetime,
) -> CheckedIn:
    values = {
        "session_id": session.id,
        "person_id": person.id,
        "method": method.value,
        "at_ms": to_ms(now),
        "unit_id": unit.id if unit else None,
        "unit_path": unit.path if unit else None,
        "device_hash": device_hash,
        "recorded_by": recorded_by,
    }
    new = insert_once(db, Attendance, values, ["session_id", "person_id"])
    attendance = db.scalars(
        select(Attendance).where(Attendance.session_id == session.id, Attendance.person_id == person.id)
    ).one()
    return CheckedIn(attendance, again=not new)
