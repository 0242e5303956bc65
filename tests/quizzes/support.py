"""Starting attempts in tests, by the service that the pages use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.scope import GUEST, Actor
from quizapp.core.tokens import Keys, digest, new_secret
from quizapp.quizzes.models import Delivery
from quizapp.quizzes.services.starting import Profile, Started, start_attempt
from tests.conftest import START


def begin(
    db: Session,
    delivery: Delivery,
    keys: Keys,
    *,
    actor: Actor = GUEST,
    device: str | None = None,
    ticket: str | None = None,
    now: datetime = START,
    **profile: Any,
) -> Started:
    """Start an attempt in a transaction of its own."""
    with transaction(db):
        return start_attempt(
            db,
            delivery=delivery,
            profile=Profile(consent=True, **profile),
            actor=actor,
            device_hash=digest(device) if device else None,
            ticket=ticket or new_secret(),
            keys=keys,
            now=now,
        )
