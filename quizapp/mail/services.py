"""Writing mail down, taking what is due, and noting how a try ended.

A mail is taken before it is sent: its next turn is set first, so that a worker that dies in between tries once more, later. Whether the
server had it already nobody can know then; the Message-ID is the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import insert_once
from quizapp.core.tokens import Keys, SealBroken, new_public_id
from quizapp.mail.models import MailState, OutgoingMail

#: The purpose under which addresses are sealed, here and where features keep them.
PURPOSE = "email"
#: How long a mail waits after each try that failed; after the last one it is given up.
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
#: Mails that one turn takes.
BATCH = 50


def seal_address(keys: Keys, address: str) -> bytes:
    """An address as it is stored."""
    return keys.seal(address.encode(), PURPOSE)


def open_address(keys: Keys, sealed: bytes) -> str | None:
    """The address again, or None when it was stored under another key."""
    try:
        return keys.unseal(sealed, PURPOSE).decode()
    except SealBroken:
        return None


def queue_mail(
    db: Session, kind: str, *, about_id: int, mark: int, address_sealed: bytes, language: str, now: datetime
) -> bool:
    """Write a mail down unless the same one stands already; False then."""
    values = {
        "public_id": new_public_id(),
        "kind": kind,
        "about_id": about_id,
        "mark": mark,
        "address_encrypted": address_sealed,
        "language": language,
        "state": MailState.WAITING.value,
        "tries": 0,
        "created_at": now,
        "due_at": now,
    }
    return insert_once(db, OutgoingMail, values, ["kind", "about_id", "mark"])


def take_due(db: Session, *, now: datetime, limit: int = BATCH) -> list[OutgoingMail]:
    """Take what is due, the longest waiting first, and set its next turn; no other worker gets the same."""
    rows = db.scalars(
        select(OutgoingMail)
        .where(OutgoingMail.state == MailState.WAITING, OutgoingMail.due_at <= now)
        .order_by(OutgoingMail.due_at, OutgoingMail.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.due_at = now + PAUSES[min(row.tries, len(PAUSES) - 1)]
        row.tries += 1
    db.flush()
    return list(rows)


def note_sent(db: Session, mail_id: int, *, now: datetime) -> None:
    """The server has taken it."""
    _end(db.get_one(OutgoingMail, mail_id), MailState.SENT, None, now)


def note_dropped(db: Session, mail_id: int, *, now: datetime) -> None:
    """There is nothing to say any more."""
    _end(db.get_one(OutgoingMail, mail_id), MailState.DROPPED, None, now)


def note_failed(db: Session, mail_id: int, *, error: str, for_good: bool, now: datetime) -> None:
    """The try failed: it waits for its next turn, or is given up."""
    row = db.get_one(OutgoingMail, mail_id)
    row.error = error[:40]
    if for_good or row.tries > len(PAUSES):
        _end(row, MailState.FAILED, row.error, now)


def _end(row: OutgoingMail, state: MailState, error: str | None, now: datetime) -> None:
    row.state, row.error, row.ended_at, row.address_encrypted = state.value, error, now, None
