"""Sign-ins, one row each: made, used, ended one by one or all at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account, AccountSession
from quizapp.accounts.services.staff import check_reaches_account
from quizapp.audit.services import record
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor
from quizapp.core.tokens import digest, new_secret

#: How long a remembered sign-in holds, and another one without being used.
REMEMBERED = timedelta(days=31)
IDLE = timedelta(hours=12)
#: For how long a row is kept after its end: whoever looks into a theft wants to know of it.
KEPT = timedelta(days=90)
#: How exact "last used" is: not every page writes.
SEEN_STEP = timedelta(minutes=5)


def open_session(
    db: Session, *, account: Account, device: str, remember: bool, second_factor: bool, now: datetime
) -> str:
    """A new sign-in; gives the secret for the browser's cookie. Rows that ended long ago go with it."""
    secret = new_secret()
    db.execute(
        delete(AccountSession).where(AccountSession.account_id == account.id, AccountSession.expires_at < now - KEPT)
    )
    db.add(
        AccountSession(
            secret_hash=digest(secret),
            account_id=account.id,
            epoch=account.session_epoch,
            device=device,
            second_factor=second_factor,
            created_at=now,
            seen_at=now,
            expires_at=now + (REMEMBERED if remember else IDLE),
        )
    )
    db.flush()
    return secret


def touch_session(db: Session, *, session_id: int, remember: bool, now: datetime) -> None:
    """Note that a sign-in is in use; one that is not remembered holds on from here."""
    changes: dict[str, datetime] = {"seen_at": now} if remember else {"seen_at": now, "expires_at": now + IDLE}
    db.execute(
        update(AccountSession)
        .where(AccountSession.id == session_id, AccountSession.ended_at.is_(None), AccountSession.seen_at < now)
        .values(changes)
    )


def prove_session(db: Session, *, session_id: int) -> None:
    """Note that a second factor was checked in this sign-in."""
    db.execute(update(AccountSession).where(AccountSession.id == session_id).values(second_factor=True))


def end_session(db: Session, *, session_id: int, actor: Actor, now: datetime) -> None:
    """End one of the actor's own sign-ins: that browser is out with its next request. Twice is harmless. Raises NotFound."""
    row = db.get(AccountSession, session_id)
    if row is None or row.account_id != actor.account_id:
        raise NotFound
    if row.ended_at is None:
        row.ended_at = now
        _record(db, actor, row.account_id, {"sign_in_id": row.id}, now)


def end_other_sessions(db: Session, *, kept_id: int | None, actor: Actor, now: datetime) -> int:
    """End all of the actor's own sign-ins but this one; gives how many."""
    if actor.account_id is None:
        return 0
    return _end(db, actor.account_id, AccountSession.id != kept_id, actor, now)


def end_sessions_of(db: Session, *, account: Account, actor: Actor, now: datetime) -> int:
    """End all sign-ins of an account that lies within the actor's grants; gives how many. Raises AccountBeyond."""
    check_reaches_account(db, actor, account)
    return _end(db, account.id, AccountSession.id.is_not(None), actor, now)


def leave(db: Session, *, session_id: int, now: datetime) -> None:
    """Sign out."""
    db.execute(
        update(AccountSession)
        .where(AccountSession.id == session_id, AccountSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _end(db: Session, account_id: int, which: ColumnElement[bool], actor: Actor, now: datetime) -> int:
    rows = db.scalars(
        select(AccountSession)
        .where(AccountSession.account_id == account_id, AccountSession.ended_at.is_(None), which)
        .with_for_update()
    ).all()
    for row in rows:
        row.ended_at = now
    standing = sum(row.expires_at > now for row in rows)
    if rows:
        _record(db, actor, account_id, {"sign_ins": standing}, now)
    return standing


def _record(db: Session, actor: Actor, account_id: int, details: dict[str, int], now: datetime) -> None:
    record(
        db,
        actor=actor,
        action="sign_ins_ended",
        object_type="account",
        object_id=account_id,
        details=details,
        now=now,
    )
    db.flush()
