"""Which attempt of a person at a delivery is the first.

First = the earliest started attempt that is not void. One exception: one that is proved (made while signed in or with a card of one's
own, or claimed with its receipt code) takes the flag from an earlier one that was only matched by name and phone (anybody could have
typed them), unless both came from the same browser; never the other way.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import from_ms
from quizapp.core.scope import SYSTEM, Actor
from quizapp.organisation.models import Person
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, IdentityLevel


def choose_first(attempts: Sequence[Attempt]) -> Attempt | None:
    """The first of one person's attempts at one delivery; None when all are void."""
    valid = sorted((a for a in attempts if a.state != AttemptState.VOID), key=lambda a: (a.started_at, a.id))
    if not valid:
        return None
    earliest = valid[0]
    if _proved(earliest):
        return earliest
    proved = next((a for a in valid if _proved(a)), None)
    if proved is None or (proved.device_hash is not None and proved.device_hash == earliest.device_hash):
        return earliest
    return proved


def _proved(attempt: Attempt) -> bool:
    return attempt.account_id is not None or attempt.identity_level in (IdentityLevel.SIGNED_IN, IdentityLevel.INVITED)


def lock_persons(db: Session, *person_ids: int | None) -> None:
    """Let what decides on a person's tries and first attempt happen one after the other.

    It is taken before any lock on an attempt and in the order of the ids, so that two never wait for each other.
    """
    for person_id in sorted({one for one in person_ids if one is not None}):
        db.scalar(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))


def lock_standing(db: Session, person_id: int) -> int:
    """Like `lock_persons` for one person, or for whoever stands for them since a merge; gives that person.

    Who was merged while a request was on its way is known only once the lock is there.
    """
    standing = Person.merged_into_id
    while (
        into := db.scalar(select(standing).where(Person.id == person_id).with_for_update(key_share=True))
    ) is not None:
        person_id = into
    return person_id


def settle_first(
    db: Session, delivery_id: int, person_id: int, *, actor: Actor = SYSTEM, now_ms: int
) -> tuple[int | None, int | None]:
    """Set the flag anew: cleared, then set, and its move recorded, in the caller's transaction. Returns (id before, id after).

    The person's lock lets no start that is on its way be overlooked; the partial unique index keeps two flags from being set.
    """
    lock_persons(db, person_id)
    attempts = list(
        db.scalars(
            select(Attempt)
            .where(Attempt.delivery_id == delivery_id, Attempt.person_id == person_id)
            .with_for_update(of=Attempt)
            .execution_options(populate_existing=True)
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
    if before is not None and before != after:
        record(
            db,
            actor=actor,
            action="first_attempt_moved",
            object_type="attempt",
            object_id=before,
            unit_id=db.scalar(select(Delivery.unit_id).where(Delivery.id == delivery_id)),
            details={"before": before, "after": after},
            now=from_ms(now_ms),
        )
    return before, after
