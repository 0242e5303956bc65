"""Filling in attendances from a paper sheet, after the session or beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from quizapp.organisation.people import clean_name, identify
from quizapp.organisation.queries import find_open_unit
from quizapp.trainings.errors import ArrivalImpossible, AttendeeNameNeeded, NothingToUndo
from quizapp.trainings.models import (
    Attendance,
    AttendanceState,
    CheckInMethod,
    Matched,
    Registration,
    RosterEntry,
    SessionEvidence,
    TrainingSession,
)
from quizapp.trainings.queries.people import get_candidate, how_expected
from quizapp.trainings.services.deciding import check_open, undo_attendance

#: What an attendance that is written anew keeps nothing of.
_BLANK: dict[str, Any] = dict.fromkeys(
    ("reason", "decided_by", "decided_at", "self_at_ms", "device_hash", "right_hash", "took_ms", "checked_out_at")
)


@dataclass(frozen=True)
class BackFilled:
    """The attendance, and what became of the line: "in", "again" (it stood already) or "struck" (the trainer struck it before)."""

    attendance: Attendance
    outcome: str


def back_fill(
    db: Session,
    *,
    session: TrainingSession,
    person_id: int | None,
    name: str,
    phone: str | None,
    unit_id: int | None,
    arrived_at: int | None,
    evidence_id: int | None,
    ticket: str,
    keys: Keys,
    actor: Actor,
    now: datetime,
) -> BackFilled:
    """One line of the sheet: a known person (`person_id`), or a new one by name, with a phone number and a unit where they are given.

    The same line twice (`ticket`, random for each) is one. Without a time the arrival is the session's begin.
    Raises SessionClosed, NotFound (a person, a unit or a photo that is not theirs), AttendeeNameNeeded, PhoneInvalid, ArrivalImpossible.
    """
    check_open(db, session)
    at_ms = session.starts_at if arrived_at is None else arrived_at
    if arrived_at is not None and not session.check_in_from <= arrived_at <= min(session.check_in_until, to_ms(now)):
        raise ArrivalImpossible(field="arrived")
    if evidence_id is not None:
        _check_evidence(db, session, evidence_id)
    stated = find_open_unit(db, unit_id) if unit_id is not None else None
    if unit_id is not None and stated is None:
        raise NotFound
    if person_id is not None:
        person = get_candidate(db, session, actor.scope, person_id)
    else:
        person = _new_person(db, session, name, phone, stated, ticket, keys, now)
    unit = _unit_of(db, session, person, stated)
    values: dict[str, Any] = {
        "session_id": session.id,
        "person_id": person.id,
        "method": CheckInMethod.BACK_FILLED.value,
        "matched": Matched.HAND.value,
        "expected": how_expected(db, session, person.id),
        "at_ms": at_ms,
        "received_at": to_ms(now),
        "unit_id": unit.id if unit else None,
        "unit_path": unit.path if unit else None,
        "recorded_by": actor.account_id,
        "evidence_id": evidence_id,
        "state": AttendanceState.COUNTED.value,
    }
    new = insert_once(db, Attendance, values, ["session_id", "person_id"])
    attendance = db.scalars(
        select(Attendance)
        .where(Attendance.session_id == session.id, Attendance.person_id == person.id)
        .execution_options(populate_existing=True)
        .with_for_update()
    ).one()
    if not new and attendance.state == AttendanceState.UNDONE:
        for column, value in (_BLANK | values).items():
            setattr(attendance, column, value)
        new = True
    if new:
        details = {"session_id": session.id, "evidence_id": evidence_id}
        _record(db, session, attendance, "attendance_back_filled", details, actor, now)
        return BackFilled(attendance, "in")
    return BackFilled(attendance, "struck" if attendance.state == AttendanceState.STRUCK else "again")


def undo_back_fill(
    db: Session, *, session: TrainingSession, attendance: Attendance, actor: Actor, now: datetime
) -> None:
    """Take back a line that was filled in and that nobody has decided about since; twice is once. Raises SessionClosed, NothingToUndo."""
    if attendance.state == AttendanceState.UNDONE:
        return
    if attendance.method != CheckInMethod.BACK_FILLED or attendance.decided_at is not None:
        raise NothingToUndo
    undo_attendance(db, session=session, attendance=attendance, actor=actor, now=now)


def _new_person(
    db: Session,
    session: TrainingSession,
    name: str,
    phone: str | None,
    unit: OrgUnit | None,
    ticket: str,
    keys: Keys,
    now: datetime,
) -> Person:
    if not clean_name(name):
        raise AttendeeNameNeeded(field="name")
    found = identify(
        db,
        keys=keys,
        name=name,
        phone=normalize_phone(phone) if phone else None,
        # without a number two people of one name are two, and one line sent twice is one
        device_hash=None if phone else digest(f"back-fill {session.id} {ticket}"),
        unit_id=unit.id if unit else None,
        industry_id=None,
        birth_year=None,
        sex=None,
        education=None,
        now=now,
    )
    if found.person_id is None:
        raise AttendeeNameNeeded(field="name")
    return db.get_one(Person, found.person_id)


def _unit_of(db: Session, session: TrainingSession, person: Person, stated: OrgUnit | None) -> OrgUnit | None:
    """The unit of the day: the roster's, the stated one, the registration's, else the person's own where it lies below the session's."""
    rostered, registered = (
        db.scalar(select(table.unit_id).where(table.session_id == session.id, table.person_id == person.id))
        for table in (RosterEntry, Registration)
    )
    known = rostered or (stated.id if stated else None) or registered
    if known is not None:
        return db.get(OrgUnit, known)
    own = db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None
    return own if own is not None and own.path.startswith(session.unit.path) else None


def _check_evidence(db: Session, session: TrainingSession, evidence_id: int) -> None:
    standing = select(SessionEvidence.id).where(
        SessionEvidence.id == evidence_id,
        SessionEvidence.session_id == session.id,
        SessionEvidence.kind == "sheet",
        SessionEvidence.removed_at.is_(None),
    )
    if db.scalar(standing) is None:
        raise NotFound


def _record(
    db: Session,
    session: TrainingSession,
    attendance: Attendance,
    action: str,
    details: Mapping[str, object],
    actor: Actor,
    now: datetime,
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="attendance",
        object_id=attendance.id,
        unit_id=session.unit_id,
        details=details,
        now=now,
    )
