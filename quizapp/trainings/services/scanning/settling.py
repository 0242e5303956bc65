"""Bringing one attendance in line with everything that was written down about it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import (
    Attendance,
    AttendanceEntry,
    AttendanceState,
    CheckInMethod,
    Matched,
    TrainingSession,
)
from quizapp.trainings.queries.scanning import expectation
from quizapp.trainings.services.scanning.rule import TAKEN_BACK, Decision, Direct, Line, Standing, derive


def settle(
    db: Session, *, session: TrainingSession, person: Person, recorded_by: int | None, now: datetime
) -> Attendance | None:
    """The attendance that follows from the entries about a person, made where there was none; None where nothing is known of them.

    Two phones that deliver the same person at once come one after the other here: the second waits for the first's row.
    """
    lines, rows = _lines(db, session.id, person.id)
    standing = derive(lines, None, None)
    if standing is None:
        return None
    unit = db.get(OrgUnit, person.unit_id) if person.unit_id is not None else None
    if unit is not None and not unit.path.startswith(session.unit.path):
        unit = None  # of others' people the trainer learns nothing
    expected = expectation(db, session, person.id)
    made = insert_once(
        db,
        Attendance,
        {
            "session_id": session.id,
            "person_id": person.id,
            "method": standing.method,
            "matched": standing.matched,
            "at_ms": standing.at_ms,
            "received_at": to_ms(now),
            "state": standing.state.value,
            "expected": expected.value if expected else None,
            "unit_id": unit.id if unit else None,
            "unit_path": unit.path if unit else None,
            "recorded_by": recorded_by,
        },
        ["session_id", "person_id"],
    )
    attendance = _locked(db, session.id, person.id)
    if not made:
        lines, rows = _lines(db, session.id, person.id)  # what the other phone brought meanwhile
        _keep_direct(attendance, rows)
    _apply(attendance, lines)
    for row in rows:
        row.attendance_id = attendance.id
    db.flush()
    return attendance


def note_own_check_in(
    db: Session, attendance: Attendance, *, at_ms: int, method: CheckInMethod, matched: Matched
) -> None:
    """Somebody checks in on their own phone who stands on the list through a scanning phone already: both are kept."""
    attendance = _locked(db, attendance.session_id, attendance.person_id)
    lines, rows = _lines(db, attendance.session_id, attendance.person_id)
    _keep_direct(attendance, rows)
    if attendance.self_at_ms is None or at_ms < attendance.self_at_ms:
        attendance.self_at_ms = at_ms
    if attendance.direct_at_ms is None or at_ms < attendance.direct_at_ms:
        attendance.direct_at_ms, attendance.direct_method = at_ms, method.value
        attendance.direct_matched = matched.value
    _apply(attendance, lines)
    db.flush()


def _locked(db: Session, session_id: int, person_id: int) -> Attendance:
    return db.scalars(
        select(Attendance)
        .where(Attendance.session_id == session_id, Attendance.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _lines(db: Session, session_id: int, person_id: int) -> tuple[list[Line], list[AttendanceEntry]]:
    """The entries about a person, with those that take them back."""
    about = db.scalars(
        select(AttendanceEntry).where(AttendanceEntry.session_id == session_id, AttendanceEntry.person_id == person_id)
    ).all()
    names = [row.client_id for row in about]
    undone = db.scalars(select(AttendanceEntry).where(AttendanceEntry.undoes.in_(names))).all() if names else []
    rows = list({row.id: row for row in (*about, *undone)}.values())
    lines = [
        Line(row.client_id, row.device_id, row.kind, row.method, row.at_ms, row.reason, row.sure, row.undoes)
        for row in rows
    ]
    return lines, rows


def _keep_direct(attendance: Attendance, rows: list[AttendanceEntry]) -> None:
    """A row that stood before any phone knew of the person says what it said then."""
    if attendance.direct_method is None and all(row.attendance_id != attendance.id for row in rows):
        attendance.direct_at_ms, attendance.direct_method = attendance.at_ms, attendance.method
        attendance.direct_matched = attendance.matched


def _apply(attendance: Attendance, lines: list[Line]) -> None:
    direct = None
    if attendance.direct_at_ms is not None and attendance.direct_method and attendance.direct_matched:
        direct = Direct(attendance.direct_at_ms, attendance.direct_method, attendance.direct_matched)
    standing = derive(lines, direct, decision_of(attendance))
    assert standing is not None  # noqa: S101 # a row was made from a line or stood by itself
    _write(attendance, standing, outs=any(line.kind == "out" for line in lines))


def decision_of(attendance: Attendance) -> Decision | None:
    """The trainer's last word on an attendance. Undone for want of entries is nobody's word, but the row was confirmed before."""
    if attendance.state == AttendanceState.STRUCK:
        return Decision(attendance.state, attendance.decided_at or attendance.received_at)
    if attendance.decided_at is None or attendance.state == AttendanceState.PENDING:
        return None
    if attendance.state == AttendanceState.UNDONE and attendance.reason == TAKEN_BACK:
        return Decision(AttendanceState.COUNTED, attendance.decided_at)
    return Decision(attendance.state, attendance.decided_at)


def _write(attendance: Attendance, standing: Standing, *, outs: bool) -> None:
    decided = decision_of(attendance)
    if standing.state == AttendanceState.STRUCK or (
        decided is not None and decided.state == AttendanceState.UNDONE and standing.state == AttendanceState.UNDONE
    ):
        reason = attendance.reason  # the trainer's
    else:
        reason = standing.reason
    attendance.state, attendance.reason = standing.state.value, reason
    attendance.at_ms, attendance.method, attendance.matched = standing.at_ms, standing.method, standing.matched
    if outs:
        attendance.checked_out_at = standing.checked_out_at
