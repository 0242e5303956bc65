"""Scanning phones and the passes by which a helper's phone is admitted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, digest, new_public_id, new_secret
from quizapp.trainings.errors import HelperPassInvalid, HelperPassLate
from quizapp.trainings.models import HelperPass, ScanDevice, TrainingSession
from quizapp.trainings.queries.scanning import find_device, find_pass


def register_device(
    db: Session,
    *,
    session: TrainingSession,
    actor: Actor,
    helper: HelperPass | None,
    now: datetime,
    known: str = "",
) -> ScanDevice:
    """A phone begins to scan at a session: the trainer's, or one that a pass admits. `known`: what it was called before; it stays the
    same phone while the same person or pass uses it and it was not shut out."""
    now_ms = to_ms(now)
    account_id, pass_id = (None, helper.id) if helper else (actor.account_id, None)
    before = find_device(db, session.id, known) if known else None
    if (
        before is not None
        and before.revoked_at is None
        and (before.account_id, before.helper_pass_id) == (account_id, pass_id)
    ):
        before.seen_at = now_ms
        return before
    device = ScanDevice(
        public_id=new_public_id(),
        session_id=session.id,
        account_id=account_id,
        helper_pass_id=pass_id,
        created_at=now_ms,
        seen_at=now_ms,
        clock_ahead_ms=0,
        last_sequence=0,
    )
    db.add(device)
    db.flush()
    _record(db, session, "scan_device_added", "scan_device", device.id, actor, now)
    return device


def page_device(
    db: Session, *, session: TrainingSession, actor: Actor, helper: HelperPass | None, keys: Keys, now: datetime
) -> ScanDevice:
    """What stands for a browser without scripts: one for each trainer or pass."""
    owner = f"helper {helper.id}" if helper else f"account {actor.account_id}"
    public_id = keys.sign("scan-page", session.id, owner)
    now_ms = to_ms(now)
    insert_once(
        db,
        ScanDevice,
        {
            "public_id": public_id,
            "session_id": session.id,
            "account_id": None if helper else actor.account_id,
            "helper_pass_id": helper.id if helper else None,
            "created_at": now_ms,
            "seen_at": now_ms,
            "clock_ahead_ms": 0,
            "last_sequence": 0,
        },
        ["public_id"],
    )
    device = find_device(db, session.id, public_id, lock=True)
    assert device is not None  # noqa: S101 # it was made above
    return device


def revoke_device(db: Session, *, session: TrainingSession, device: ScanDevice, actor: Actor, now: datetime) -> None:
    """Shut a phone out: nothing more is taken from it over the network."""
    if device.revoked_at is None:
        device.revoked_at = to_ms(now)
        _record(db, session, "scan_device_revoked", "scan_device", device.id, actor, now)


def admit_helper(
    db: Session, *, session: TrainingSession, label: str, actor: Actor, now: datetime
) -> tuple[HelperPass, str]:
    """A pass for a helper's phone until the check-in ends, with the secret of its link, which is shown this once.

    Raises HelperPassLate.
    """
    now_ms = to_ms(now)
    if now_ms >= session.check_in_until or session.closed_at is not None:
        raise HelperPassLate
    secret = new_secret()
    admitted = HelperPass(
        session_id=session.id,
        secret_hash=digest(secret),
        label=label,
        created_by=actor.account_id,
        created_at=now_ms,
        expires_at=session.check_in_until,
    )
    db.add(admitted)
    db.flush()
    _record(db, session, "helper_admitted", "helper_pass", admitted.id, actor, now)
    return admitted, secret


def revoke_pass(db: Session, *, session: TrainingSession, helper: HelperPass, actor: Actor, now: datetime) -> None:
    """Take a pass back, with every phone that came by it."""
    if helper.revoked_at is None:
        helper.revoked_at = to_ms(now)
        _record(db, session, "helper_revoked", "helper_pass", helper.id, actor, now)


def open_pass(db: Session, secret: str, now: datetime) -> HelperPass:
    """The pass of a link or cookie, while it holds. Raises HelperPassInvalid."""
    found = find_pass(db, digest(secret)) if len(secret) == 22 else None
    if found is None or found.revoked_at is not None or to_ms(now) >= found.expires_at:
        raise HelperPassInvalid
    return found


def _record(
    db: Session, session: TrainingSession, action: str, kind: str, object_id: int, actor: Actor, now: datetime
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type=kind,
        object_id=object_id,
        unit_id=session.unit_id,
        details={"session_id": session.id},
        now=now,
    )
