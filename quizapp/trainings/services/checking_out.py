"""Checking out (签退), where a session asks for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.trainings.errors import CheckInLate, CheckOutEarly, NotCheckedIn, RightNeeded
from quizapp.trainings.hours import LEEWAY_MS
from quizapp.trainings.models import Attendance, AttendanceState, CodeMode, TrainingSession
from quizapp.trainings.rotating import Right
from quizapp.trainings.services.checking_in import find_of_person, hold, identify_attendee
from quizapp.trainings.services.sessions import check_not_closed


def check_out_from(session: TrainingSession) -> int | None:
    """From when people check out of a session, ms UTC; None where they do not."""
    return session.ends_at - LEEWAY_MS if session.check_out else None


def offers_check_out(session: TrainingSession, now_ms: int) -> bool:
    """Whether a scan now offers to check out."""
    begin = check_out_from(session)
    return begin is not None and begin <= now_ms < session.check_in_until


def check_out(
    db: Session,
    *,
    session: TrainingSession,
    attendance_id: int | None,
    name: str | None,
    phone: str | None,
    personal_code: str | None,
    keys: Keys,
    actor: Actor,
    right: Right | None,
    now: datetime,
) -> Attendance:
    """Write down that somebody leaves; the latest time stands. Who it is: the attendance that this browser made, or as at check-in.

    Raises SessionCancelled, CheckInClosed, CheckOutEarly, CheckInLate, RightNeeded (no right, or one older than five minutes),
    NotCheckedIn, and what finding the person raises.
    """
    now_ms = to_ms(now)
    session = hold(db, session)
    check_not_closed(session)
    if not offers_check_out(session, now_ms):
        if now_ms >= session.check_in_until:
            raise CheckInLate(closed_at=session.check_in_until)
        raise CheckOutEarly(opens_at=check_out_from(session))
    if session.code_mode == CodeMode.ROTATING and (right is None or right.expired(now_ms)):
        raise RightNeeded
    attendance = db.get(Attendance, attendance_id) if attendance_id is not None else None
    if attendance is None or attendance.session_id != session.id:
        person = identify_attendee(
            db, name=name, phone=phone, personal_code=personal_code, keys=keys, actor=actor, now=now
        )
        attendance = find_of_person(db, session, person.id)
    if attendance is None or attendance.state not in (AttendanceState.COUNTED, AttendanceState.PENDING):
        raise NotCheckedIn
    attendance.checked_out_at = max(now_ms, attendance.checked_out_at or 0)
    db.flush()
    return attendance
