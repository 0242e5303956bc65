"""Closing the second step of a sign-in for an hour after many wrong codes.

Whoever guesses codes knows the password already, so that a stranger cannot lock anybody out; slowing alone (`throttle`) would leave them
thousands of guesses a day of a code that has six digits. The lock is for one account and its present second factor: who resets the
factor opens it.
"""

from __future__ import annotations

from datetime import datetime
from math import ceil

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.accounts.errors import TriesLocked
from quizapp.accounts.models import Failure
from quizapp.accounts.throttle import WINDOW_MS, Subject, subject_hash
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.tokens import Keys

#: Wrong codes within the throttle's window that close it.
AFTER = 10
#: For how long, milliseconds.
LOCK_MS = 60 * 60 * 1000


def check_lock(db: Session, *, keys: Keys, kind: str, subject: Subject, now: datetime) -> None:
    """Raise TriesLocked while it is closed."""
    until = db.scalar(
        select(func.max(Failure.at_ms)).where(
            Failure.kind == _kind(kind), Failure.subject == subject_hash(keys, subject), Failure.at_ms > to_ms(now)
        )
    )
    if until is not None:
        seconds = ceil((until - to_ms(now)) / 1000)
        raise TriesLocked(wait_seconds=seconds, minutes=ceil(seconds / 60))


def lock_after_failure(db: Session, *, keys: Keys, kind: str, subject: Subject, now: datetime) -> bool:
    """Close it where the failures of the window, the last one included, are enough; says whether it did. In a transaction of its own."""
    now_ms, stored = to_ms(now), subject_hash(keys, subject)
    with transaction(db):
        failures = db.scalar(
            select(func.count()).where(
                Failure.kind == kind, Failure.subject == stored, Failure.at_ms > now_ms - WINDOW_MS
            )
        )
        if (failures or 0) < AFTER:
            return False
        db.add(Failure(kind=_kind(kind), subject=stored, at_ms=now_ms + LOCK_MS))
    return True


def _kind(kind: str) -> str:
    """The row of a lock: its time is the end of it, so that the throttle takes it away only afterwards."""
    return f"{kind}_lock"
