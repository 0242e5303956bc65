"""The secret address under which an account's sessions are read by a calendar program."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.tokens import digest, new_secret
from quizapp.trainings.models import CalendarFeed


def renew_feed(db: Session, *, account_id: int, now: datetime) -> str:
    """Make an account's address, or a new one that ends the old; gives its secret, which is not stored."""
    secret = new_secret()
    hashed, made_at = digest(secret), to_ms(now)
    values = {"account_id": account_id, "secret_hash": hashed, "made_at": made_at}
    if not insert_once(db, CalendarFeed, values, ["account_id"]):
        feed = db.get_one(CalendarFeed, account_id)
        feed.secret_hash, feed.made_at = hashed, made_at
        db.flush()
    return secret
