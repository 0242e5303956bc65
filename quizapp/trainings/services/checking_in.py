"""Checking people in: on their own phone, or by the trainer's hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.errors import NotFound
from quizapp.core.phones import normalize_phone
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, digest
from quizapp.organisation.models import OrgUnit, Person
from quizapp.organisation.queries import find_open_unit
from quizapp.organisation.services import clean_name, identify
from quizapp.trainings.errors import AttendeeNameNeeded, AttendeePhoneNeeded, CheckInClosed
from quizapp.trainings.models import Attendance, CheckInMethod, Matched, TrainingSession
from quizapp.trainings.services.sessions import check_window


@dataclass(frozen=True)
class CheckedIn:
    """An attendance; `again` when it stood already."""

    attendance: Attendance
    again: bool


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
        person, matched = db.get_one(Person, actor.person_id), Matched.ACCOUNT
        unit = stated or (db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None)
    else:
        person, matched = _typed_person(db, name, phone, keys, now, unit_id), Matched.TYPED
        unit = stated or _unit_known_to(db, session, person)
    return _insert(
        db,
        session=session,
        person=person,
        unit=unit,
        method=CheckInMethod.POSTER,
        matched=matched,
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
    unit_id: int | None = None,
) -> CheckedIn:
    """The trainer writes somebody down who has no phone at hand, also after the window while the session is not closed.

    Without a phone number the same `ticket` (random, one for each form) means the same person: a double press counts once, two people
    of one name count twice. Raises CheckInClosed, AttendeeNameNeeded, PhoneInvalid, NotFound (a unit that takes nobody).
    """
    if session.closed_at is not None:
        raise CheckInClosed(closed_at=session.closed_at)
    stated = find_open_unit(db, unit_id) if unit_id is not None else None
    if stated is None and unit_id is not None:
        raise NotFound
    if phone:
        person = _typed_person(db, name, phone, keys, now, unit_id)
    else:
        person = _identified(db, name, None, digest(f"by-hand {session.id} {ticket}"), keys, now, unit_id)
    checked = _insert(
        db,
        session=session,
        person=person,
        unit=stated or _unit_known_to(db, session, person),
        method=CheckInMethod.BY_HAND,
        matched=Matched.HAND,
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
    matched: Matched,
    device_hash: bytes | None,
    recorded_by: int | None,
    now: datetime,
) -> CheckedIn:
    now_ms = to_ms(now)
    values = {
        "session_id": session.id,
        "person_id": person.id,
        "method": method.value,
        "matched": matched.value,
        "at_ms": now_ms,
        "self_at_ms": None if matched is Matched.HAND else now_ms,
        "received_at": now_ms,
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
