"""Which attempt of a person at a delivery is the first.

First = the earliest started attempt that is not void. One exception: a signed-in attempt takes the flag from an earlier one that was
only matched by name and phone (anybody could have typed them), unless both came from the same browser; never the other way.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quizapp.quizzes.models import Attempt, AttemptState, IdentityLevel


def choose_first(attempts: Sequence[Attempt]) -> Attempt | None:
    """The first of one person's attempts at one delivery; None when all are void."""
    valid = sorted((a for a in attempts if a.state != AttemptState.VOID), key=lambda a: (a.started_at, a.id))
    if not valid:
        return None
    earliest = valid[0]
    if earliest.identity_level == IdentityLevel.SIGNED_IN:
        return earliest
    proved = next((a for a in valid if a.identity_level == IdentityLevel.SIGNED_IN), None)
    if proved is None or (proved.device_hash is not None and proved.device_hash == earliest.device_hash):
        return earliest
    return proved


def settle_first(db: Session, delivery_id: int, person_id: int) -> tuple[int | None, int | None]:
    """Set the flag anew: cleared, then set, in the caller's transaction. Returns (attempt id before, attempt id after).

    The partial unique index keeps two settlements at the same time from setting two flags.
    """
    attempts = list(
        db.scalars(
            select(Attempt)
            .where(Attempt.delivery_id == delivery_id, Attempt.person_id == person_id)
            .with_for_update(of=Attempt)
        )
    )
    before = next((a.id for a in attempts if a.is_first), None)
    chosen = choose_first(attempts)
    after = chosen.id if chosen else None
    if before != after:
        if before is not None:
            db.execute(update(Attempt).where(Attempt.id == before).values(is_first=False))
        if after is not None:
            db.execute(update(Attempt).where(Attempt.id == after).values(is_first=True))
    return before, after
