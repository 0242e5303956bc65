"""Going on in another browser, and getting a result back with its receipt code."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import from_ms
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, check_character, digest, new_code, new_secret, normalize_code
from quizapp.organisation.people import kept_person_id
from quizapp.quizzes.errors import AlreadyClaimed, AttemptClosed, CodeUnknown
from quizapp.quizzes.models import Attempt, AttemptState, IdentityLevel, TransferCode
from quizapp.quizzes.services.first_attempts import lock_persons, lock_standing, settle_first
from quizapp.quizzes.services.starting import receipt_hash

#: How long a code to go on in another browser lives, milliseconds.
TRANSFER_MS = 10 * 60 * 1000
#: Characters of a transfer code, the last one a check character: 35 random bits for ten minutes, one use.
TRANSFER_LENGTH = 8


def make_transfer_code(db: Session, attempt: Attempt, *, keys: Keys, now_ms: int) -> str:
    """A new one-time code for an open attempt; an older unused one ends. Raises AttemptClosed."""
    if attempt.state != AttemptState.OPEN or now_ms > attempt.accepts_until:
        raise AttemptClosed
    db.execute(delete(TransferCode).where(TransferCode.attempt_id == attempt.id, TransferCode.used_at.is_(None)))
    body = new_code(TRANSFER_LENGTH - 1)
    code = body + check_character(body)
    db.add(
        TransferCode(
            code_hash=_transfer_hash(keys, attempt.delivery_id, code),
            attempt_id=attempt.id,
            expires_at=now_ms + TRANSFER_MS,
        )
    )
    db.flush()
    return code


def take_over(db: Session, *, delivery_id: int, code: str, keys: Keys, now_ms: int) -> tuple[Attempt, str]:
    """Move an attempt to the browser that typed its code: gives the attempt and the new secret.

    The first browser keeps the right to read. Raises CodeUnknown for a wrong, used or expired code.
    """
    normal = normalize_code(code)
    used = db.execute(
        update(TransferCode)
        .where(
            TransferCode.code_hash == _transfer_hash(keys, delivery_id, normal),
            TransferCode.used_at.is_(None),
            TransferCode.expires_at >= now_ms,
        )
        .values(used_at=now_ms)
        .returning(TransferCode.attempt_id)
    ).scalar()
    if used is None:
        raise CodeUnknown(field="code")
    return _rotate(db, used)


def take_over_own(db: Session, *, attempt_id: int, account_id: int) -> tuple[Attempt, str]:
    """Move an account's own open attempt to the browser where it is signed in."""
    attempt = db.scalars(select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)).one()
    if attempt.account_id != account_id or attempt.state != AttemptState.OPEN:
        raise AttemptClosed
    return _rotate(db, attempt_id)


def take_over_invited(db: Session, *, attempt_id: int) -> tuple[Attempt, str]:
    """Move the open attempt of a card to the browser where the card was opened again; whoever calls has checked the card."""
    attempt = db.scalars(select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)).one()
    if attempt.identity_level != IdentityLevel.INVITED or attempt.state != AttemptState.OPEN:
        raise AttemptClosed
    return _rotate(db, attempt_id)


def _rotate(db: Session, attempt_id: int) -> tuple[Attempt, str]:
    attempt = db.scalars(select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)).one()
    secret = new_secret()
    attempt.reader_hash = attempt.secret_hash
    attempt.secret_hash = digest(secret)
    db.flush()
    return attempt, secret


def find_by_receipt(db: Session, *, code: str, phone_tail: str, keys: Keys) -> Attempt:
    """The attempt of a receipt code with the phone's last four digits ("" where none was given). Raises CodeUnknown."""
    normal = normalize_code(code)
    if len(normal) != 12 or check_character(normal[:-1]) != normal[-1]:
        raise CodeUnknown(field="code")
    attempt = db.scalar(select(Attempt).where(Attempt.receipt_hash == receipt_hash(keys, normal, phone_tail)))
    if attempt is None:
        raise CodeUnknown(field="code")
    return attempt


def claim_attempt(db: Session, *, attempt_id: int, actor: Actor, now_ms: int) -> Attempt:
    """Give an attempt to the account that proved its receipt code. The person changes, the snapshot of the day
    (with how sure it was then who answered) does not.

    Raises AlreadyClaimed where it belongs to another account. The first flag is set anew for both persons.
    """
    if actor.account_id is None or actor.person_id is None:
        raise CodeUnknown(field="code")
    mine = kept_person_id(db, actor.person_id)
    lock_persons(db, mine, db.scalar(select(Attempt.person_id).where(Attempt.id == attempt_id)))
    mine = lock_standing(db, mine)
    attempt = db.scalars(select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)).one()
    if attempt.account_id == actor.account_id:
        return attempt
    if attempt.account_id is not None:
        raise AlreadyClaimed
    before = attempt.person_id
    attempt.is_first = False
    attempt.account_id = actor.account_id
    attempt.person_id = mine
    db.flush()
    flags = [
        settle_first(db, attempt.delivery_id, person, actor=actor, now_ms=now_ms)
        for person in {before, mine}
        if person is not None
    ]
    record(
        db,
        actor=actor,
        action="attempt_claimed",
        object_type="attempt",
        object_id=attempt.id,
        unit_id=attempt.unit_id,
        details={"person_before": before, "first_flags": [list(flag) for flag in flags]},
        now=from_ms(now_ms),
    )
    return attempt


def _transfer_hash(keys: Keys, delivery_id: int, code: str) -> bytes:
    return sha256(keys.sign("transfer-lookup", delivery_id, code).encode()).digest()
