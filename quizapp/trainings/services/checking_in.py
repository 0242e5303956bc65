"""Checking people in: on their own phone, or by the trainer's hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.errors import NotFound
from quizapp.core.phones import normalize_phone
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, digest, normalize_code
from quizapp.organisation.models import OrgUnit, Person, PersonalCode
from quizapp.organisation.people import hold_person
from quizapp.organisation.queries import find_open_unit
from quizapp.organisation.services import clean_name, identify
from quizapp.trainings.errors import (
    AttendeeNameNeeded,
    AttendeePhoneNeeded,
    CheckInCalledOff,
    CheckInFull,
    CheckInStruck,
    PersonalCodeUnknown,
    RightNeeded,
    RightUsed,
)
from quizapp.trainings.models import Attendance, AttendanceState, CheckInMethod, CodeMode, Matched, TrainingSession
from quizapp.trainings.rotating import Right
from quizapp.trainings.services.at_door import attend, has_place
from quizapp.trainings.services.scanning import note_own_check_in
from quizapp.trainings.services.sessions import check_not_closed, check_window

#: Why an attendance is kept without counting.
RIGHT_EXPIRED = "right_expired"
AFTER_CLOSING = "after_closing"


@dataclass(frozen=True)
class CheckedIn:
    """An attendance; `again` when it stood already."""

    attendance: Attendance
    again: bool

    @property
    def pending(self) -> bool:
        """Whether it is kept and waits for the trainer's word."""
        return self.attendance.state == AttendanceState.PENDING


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
    personal_code: str | None = None,
    right: Right | None = None,
) -> CheckedIn:
    """One person at one session, once: by personal code, by name and phone, or the signed-in person where neither is given.

    Two scans make one attendance; the second learns when the first was. Where the session's code rotates the right that it was
    exchanged for is used up; pressing twice with one right is pressing once. A right that is too old, or comes after the session was
    closed, still proves presence: the attendance is kept, and the trainer decides. The unit of the day is the roster's, else the stated
    one, else the person's.

    Raises the refusals of `check_window`, RightNeeded, RightUsed, CheckInFull, CheckInStruck, AttendeeNameNeeded, AttendeePhoneNeeded,
    PhoneInvalid, PersonalCodeUnknown, NotFound (an unknown unit).
    """
    now_ms = to_ms(now)
    session = hold(db, session)
    reason = _check_right(session, right, now_ms)
    if unit_id is not None and db.get(OrgUnit, unit_id) is None:
        raise NotFound
    if personal_code:
        person, matched = _by_personal_code(db, personal_code), Matched.CODE
    elif name is None and actor.person_id is not None:
        person, matched = _present(db, actor.person_id), Matched.ACCOUNT
    else:
        person, matched = _typed_person(db, name, phone, keys, now, unit_id), Matched.TYPED
    used = _used_for(db, session, right)
    if used is not None and used.person_id != person.id:
        raise RightUsed
    there = find_of_person(db, session, person.id)
    if there is not None:
        return _again(db, session, there, matched, reason, right, now_ms)
    if reason is None and not has_place(db, session, person.id, now_ms):
        raise CheckInFull
    values = {
        "method": _method(session).value,
        "matched": matched.value,
        "state": (AttendanceState.PENDING if reason else AttendanceState.COUNTED).value,
        "reason": reason,
        "device": device_hash,
        "right": right.hash if right else None,
        "took": right.took_ms(now_ms) if right else None,
        "unit": unit_id,
        "self_at": now_ms,
        "trusted": int(matched is not Matched.TYPED),
    }
    return _insert(db, session, person, values, now_ms)


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
    of one name count twice. A full session takes them too: that is the trainer's decision, and the log says so. Raises CheckInClosed
    (CheckInCalledOff), AttendeeNameNeeded, PhoneInvalid, NotFound (a unit that takes nobody).
    """
    session = hold(db, session)
    check_not_closed(session)
    if unit_id is not None and find_open_unit(db, unit_id) is None:
        raise NotFound
    if phone:
        person = _typed_person(db, name, phone, keys, now, unit_id)
    else:
        person = _identified(db, name, None, digest(f"by-hand {session.id} {ticket}"), keys, now, unit_id)
    beyond = not has_place(db, session, person.id, to_ms(now))
    values = {
        "method": CheckInMethod.BY_HAND.value,
        "matched": Matched.HAND.value,
        "state": AttendanceState.COUNTED.value,
        "recorded_by": actor.account_id,
        "self_at": None,
        "unit": unit_id,
    }
    checked = _insert(db, session, person, values, to_ms(now))
    revived = checked.again and checked.attendance.state != AttendanceState.COUNTED
    if revived:
        _count(checked.attendance, None, to_ms(now))
        checked.attendance.decided_by, checked.attendance.decided_at = actor.account_id, to_ms(now)
        db.flush()
        checked = CheckedIn(checked.attendance, again=False)
    if not checked.again:
        record(
            db,
            actor=actor,
            action="attendance_added",
            object_type="attendance",
            object_id=checked.attendance.id,
            unit_id=session.unit_id,
            details={"session_id": session.id} | ({"beyond_capacity": True} if beyond else {}),
            now=now,
        )
    return checked


def hold(db: Session, session: TrainingSession) -> TrainingSession:
    """The session as it stands now, locked until the transaction ends: nobody closes it, and where places count nobody else is counted."""
    statement = select(TrainingSession).where(TrainingSession.id == session.id)
    statement = statement.execution_options(populate_existing=True)
    if session.capacity is None:
        session = db.scalars(statement.with_for_update(read=True)).one()
    if session.capacity is not None:
        session = db.scalars(statement.with_for_update()).one()
    return session


def find_of_person(db: Session, session: TrainingSession, person_id: int) -> Attendance | None:
    """Somebody's attendance at a session, whatever its state."""
    return db.scalar(
        select(Attendance).where(Attendance.session_id == session.id, Attendance.person_id == person_id)
    )  # fmt: skip


def identify_attendee(
    db: Session,
    *,
    name: str | None,
    phone: str | None,
    personal_code: str | None,
    keys: Keys,
    actor: Actor,
    now: datetime,
) -> Person:
    """Who stands there: by personal code, by account, or by name and phone. Raises what `check_in` raises for them."""
    if personal_code:
        return _by_personal_code(db, personal_code)
    if name is None and actor.person_id is not None:
        return _present(db, actor.person_id)
    return _typed_person(db, name, phone, keys, now)


def _method(session: TrainingSession) -> CheckInMethod:
    return CheckInMethod.ROTATING if session.code_mode == CodeMode.ROTATING else CheckInMethod.POSTER


def _check_right(session: TrainingSession, right: Right | None, now_ms: int) -> str | None:
    """Why an attendance would not count at once; None where it does. Raises why there can be none."""
    if session.cancelled_at is not None:
        raise CheckInCalledOff(cancelled_at=session.cancelled_at)
    if right is None:
        check_window(session, now_ms)
        if session.code_mode == CodeMode.ROTATING:
            raise RightNeeded
        return None
    if session.closed_at is not None and right.issued_ms < session.closed_at:
        return AFTER_CLOSING
    check_window(session, right.issued_ms)
    return RIGHT_EXPIRED if right.expired(now_ms) else None


def _used_for(db: Session, session: TrainingSession, right: Right | None) -> Attendance | None:
    if right is None:
        return None
    statement = select(Attendance).where(Attendance.session_id == session.id, Attendance.right_hash == right.hash)
    return db.scalar(statement)


def _again(
    db: Session,
    session: TrainingSession,
    there: Attendance,
    matched: Matched,
    reason: str | None,
    right: Right | None,
    now_ms: int,
) -> CheckedIn:
    """What a further check-in of the same person comes to. One that waits, or was undone, counts from a good one on.

    Whom a scanning phone wrote down before stays in by their own check-in, also when that scan is taken back.
    """
    same = right is not None and there.right_hash is not None and bytes(there.right_hash) == right.hash
    if there.state == AttendanceState.STRUCK:
        raise CheckInStruck
    if there.state == AttendanceState.COUNTED or reason is not None or same:
        if there.state == AttendanceState.UNDONE:
            there.state, there.reason = AttendanceState.PENDING.value, reason
        elif reason is None and there.self_at_ms is None:
            note_own_check_in(db, there, at_ms=now_ms, method=_method(session), matched=matched)
        db.flush()
        return CheckedIn(there, again=not same)
    if not has_place(db, session, there.person_id, now_ms):
        raise CheckInFull
    note_own_check_in(db, there, at_ms=now_ms, method=_method(session), matched=matched)
    _count(there, right, now_ms)
    there.method = _method(session).value
    db.flush()
    return CheckedIn(there, again=False)


def _count(attendance: Attendance, right: Right | None, now_ms: int) -> None:
    attendance.state, attendance.reason = AttendanceState.COUNTED.value, None
    if right is not None:
        attendance.right_hash, attendance.took_ms = right.hash, right.took_ms(now_ms)


def _by_personal_code(db: Session, typed: str) -> Person:
    code = normalize_code(typed)
    person_id = db.scalar(
        select(PersonalCode.person_id).where(PersonalCode.code == code, PersonalCode.revoked_at.is_(None))
    )
    if not code or person_id is None:
        raise PersonalCodeUnknown(field="personal_code")
    return _present(db, person_id)


def _present(db: Session, person_id: int) -> Person:
    """Whoever somebody was merged into stands for them, until the transaction ends."""
    return db.get_one(Person, hold_person(db, person_id))


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
    return _present(db, found.person_id)


def _insert(
    db: Session, session: TrainingSession, person: Person, values: dict[str, Any], now_ms: int
) -> CheckedIn:  # fmt: skip
    made = attend(db, {**values, "session": session.id, "person": person.id, "at": now_ms})
    attendance = find_of_person(db, session, person.id)
    if attendance is None:  # somebody else used the right in the same moment
        raise RightUsed
    db.refresh(attendance)
    return CheckedIn(attendance, again=made is None)
