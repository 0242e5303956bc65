"""What a trainer should look at: marks are computed from the list, stored nowhere, and accuse nobody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.trainings.models import Attendance, AttendanceState, Expected, RosterEntry

#: From opening the code to pressing the button: who takes longer may not have been there any more, milliseconds.
SLOW_MS = 3 * 60 * 1000


class MarkKind(StrEnum):
    """Why an attendance is marked."""

    #: One browser checked several people in.
    SAME_DEVICE = "same_device"
    #: The button was pressed long after the code was opened.
    SLOW = "slow"
    #: The session has a roster, and the name is not on it.
    UNROSTERED = "unrostered"


@dataclass(frozen=True)
class Mark:
    """One mark; `amount` is how many people the device checked in, or the milliseconds it took."""

    kind: MarkKind
    amount: int | None = None


def marks(db: Session, session_id: int) -> dict[int, list[Mark]]:
    """Attendance id → its marks, for those that count or wait for a word; the others have none."""
    rows = db.execute(
        select(Attendance.id, Attendance.device_hash, Attendance.took_ms, Attendance.expected).where(
            Attendance.session_id == session_id,
            Attendance.state.in_((AttendanceState.COUNTED, AttendanceState.PENDING)),
            Attendance.duplicate_of_id.is_(None),
        )
    ).all()
    has_roster = db.scalar(select(RosterEntry.id).where(RosterEntry.session_id == session_id).limit(1)) is not None
    devices = Counter(bytes(row.device_hash) for row in rows if row.device_hash is not None)
    found: dict[int, list[Mark]] = {}
    for row in rows:
        of_row = []
        if row.device_hash is not None and (people := devices[bytes(row.device_hash)]) > 1:
            of_row.append(Mark(MarkKind.SAME_DEVICE, people))
        if row.took_ms is not None and row.took_ms > SLOW_MS:
            of_row.append(Mark(MarkKind.SLOW, row.took_ms))
        if has_roster and row.expected != Expected.ROSTER:
            of_row.append(Mark(MarkKind.UNROSTERED))
        if of_row:
            found[row.id] = of_row
    return found
