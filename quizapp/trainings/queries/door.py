"""What the door and the hall's wall ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from quizapp.trainings.models import Attendance, CodeMode, Registration, RegistrationState, TrainingSession
from quizapp.trainings.queries.attendance import counts
from quizapp.trainings.rotating import Right

#: More sessions than any installation holds at one moment.
_MOST_OPEN = 500


@dataclass(frozen=True)
class Registered:
    """How many registered, and how many of them are in."""

    registered: int
    came: int

    @property
    def all_here(self) -> bool:
        """Whether everybody who registered is in; False where nobody did."""
        return 0 < self.registered == self.came


def open_rotating_sessions(db: Session, now_ms: int) -> Sequence[TrainingSession]:
    """The sessions whose projector may be showing a code that somebody can check in by."""
    return db.scalars(
        select(TrainingSession)
        .where(
            TrainingSession.code_mode == CodeMode.ROTATING,
            TrainingSession.check_in_from <= now_ms,
            TrainingSession.check_in_until > now_ms,
            TrainingSession.closed_at.is_(None),
            TrainingSession.cancelled_at.is_(None),
        )
        .order_by(TrainingSession.starts_at)
        .limit(_MOST_OPEN)
    ).all()


def count_registered(db: Session, session_id: int) -> Registered:
    """Those who registered for a session and have a place, and those of them who are in."""
    came = exists().where(
        Attendance.session_id == session_id, Attendance.person_id == Registration.person_id, counts()
    )  # fmt: skip
    total, here = db.execute(
        select(func.count(), func.count().filter(came)).where(
            Registration.session_id == session_id, Registration.state == RegistrationState.REGISTERED
        )
    ).one()
    return Registered(total, here)


def right_is_used(db: Session, session_id: int, right: Right) -> bool:
    """Whether somebody was checked in by a right."""
    statement = select(Attendance.id).where(Attendance.session_id == session_id, Attendance.right_hash == right.hash)
    return db.scalar(statement) is not None
