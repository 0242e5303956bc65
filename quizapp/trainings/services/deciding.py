"""What a trainer decides about a list: confirm, strike, undo, note, check-out.

Nothing is refused silently and nothing is deleted: each decision is kept in the log (ids and codes, never a name or a note). A closed
session is frozen until it is opened again.

    pending  ── confirm ──▶ counted ── strike ──▶ struck ── confirm ──▶ counted
    pending  ── strike ───▶ struck
    counted, pending ── undo ──▶ undone ── confirm, or written down anew ──▶ counted
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.organisation.people import clean_name
from quizapp.trainings.errors import CheckOutImpossible, NothingToUndo, SessionClosed, StrikeReasonNeeded
from quizapp.trainings.models import Attendance, AttendanceState, TrainingSession

#: The longest note.
NOTE_LENGTH = 200


class StrikeReason(StrEnum):
    """Why somebody on the list does not count."""

    PROXY = "proxy"
    MISTAKE = "mistake"
    OTHER = "other"
    #: A pending one that the trainer does not take in.
    NOT_TAKEN = "not_taken"


def check_open(db: Session, session: TrainingSession) -> None:
    """Raise SessionClosed where the list is frozen. Until the end of the transaction nobody can close it meanwhile."""
    closed_at = db.scalar(
        select(TrainingSession.closed_at).where(TrainingSession.id == session.id).with_for_update(read=True)
    )
    if closed_at is not None:
        raise SessionClosed(closed_at=closed_at)


def confirm_attendance(
    db: Session, *, session: TrainingSession, attendance: Attendance, actor: Actor, now: datetime
) -> None:
    """It counts: a pending one is taken in, a marked one is found right, a struck or undone one is restored. Raises SessionClosed."""
    _decide(db, session, attendance, AttendanceState.COUNTED, None, "attendance_confirmed", actor, now)


def strike_attendance(
    db: Session, *, session: TrainingSession, attendance: Attendance, reason: str, actor: Actor, now: datetime
) -> None:
    """It does not count, and stays on the list with its reason. Raises SessionClosed or StrikeReasonNeeded."""
    if reason not in set(StrikeReason):
        raise StrikeReasonNeeded(field="reason")
    _decide(db, session, attendance, AttendanceState.STRUCK, reason, "attendance_struck", actor, now)


def undo_attendance(
    db: Session, *, session: TrainingSession, attendance: Attendance, actor: Actor, now: datetime
) -> None:
    """Take back what was written down by mistake, as if nobody had come. Raises SessionClosed, NothingToUndo (a struck one)."""
    if attendance.state == AttendanceState.STRUCK:
        raise NothingToUndo
    _decide(db, session, attendance, AttendanceState.UNDONE, "undone", "attendance_undone", actor, now)


def note_attendance(
    db: Session, *, session: TrainingSession, attendance: Attendance, note: str, actor: Actor, now: datetime
) -> None:
    """Write something beside it; the log says that, not what. Raises SessionClosed."""
    check_open(db, session)
    text = clean_name(note)[:NOTE_LENGTH]
    if text != attendance.note:
        attendance.note = text
        _record(db, session, attendance, "attendance_noted", {"empty": not text}, actor, now)


def set_check_out(
    db: Session, *, session: TrainingSession, attendance: Attendance, at_ms: int | None, actor: Actor, now: datetime
) -> None:
    """Set the check-out by hand, or empty it (None). Raises SessionClosed or CheckOutImpossible."""
    check_open(db, session)
    if at_ms is not None and not (session.check_out and attendance.at_ms < at_ms <= to_ms(now)):
        raise CheckOutImpossible(field="checked_out")
    if at_ms != attendance.checked_out_at:
        attendance.checked_out_at = at_ms
        _record(db, session, attendance, "attendance_checked_out", {"at_ms": at_ms}, actor, now)


def check_out_all(db: Session, *, session: TrainingSession, at_ms: int, actor: Actor, now: datetime) -> int:
    """Set the check-out of all who count and have none, for a hall that leaves together; gives their number.

    Raises SessionClosed or CheckOutImpossible.
    """
    check_open(db, session)
    if not session.check_out or at_ms > to_ms(now):
        raise CheckOutImpossible(field="checked_out")
    found = db.scalars(
        select(Attendance).where(
            Attendance.session_id == session.id,
            Attendance.state == AttendanceState.COUNTED,
            Attendance.checked_out_at.is_(None),
            Attendance.at_ms < at_ms,
        )
    ).all()
    for attendance in found:
        attendance.checked_out_at = at_ms
    if found:
        details = {"code": session.code, "rows": len(found), "at_ms": at_ms}
        record(
            db,
            actor=actor,
            action="attendances_checked_out",
            object_type="training_session",
            object_id=session.id,
            unit_id=session.unit_id,
            details=details,
            now=now,
        )
    return len(found)


def _decide(
    db: Session,
    session: TrainingSession,
    attendance: Attendance,
    state: AttendanceState,
    reason: str | None,
    action: str,
    actor: Actor,
    now: datetime,
) -> None:
    check_open(db, session)
    db.refresh(attendance, ["state", "reason"], with_for_update=True)
    before = {"from": attendance.state, **({"waited_for": attendance.reason} if attendance.reason else {})}
    attendance.state = state.value
    attendance.reason = reason
    attendance.decided_by = actor.account_id
    attendance.decided_at = to_ms(now)
    _record(db, session, attendance, action, before | ({"reason": reason} if reason else {}), actor, now)


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
        details={"session_id": session.id, **details},
        now=now,
    )
