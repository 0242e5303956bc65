"""Writing the log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.scope import Actor


def record(
    db: Session,
    *,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: int | None = None,
    unit_id: int | None = None,
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write who did what to which object, in the caller's transaction.

    `action` is past tense ("unit_created"), `object_type` the table. `details` holds ids, codes and names of changed fields, never a
    name, a phone number or typed text.

    >>> record(db, actor=actor, action="unit_closed", object_type="org_unit", object_id=7, unit_id=7, now=now)  # doctest: +SKIP
    """
    db.add(
        AuditEvent(
            at=now,
            account_id=actor.account_id,
            action=action,
            object_type=object_type,
            object_id=object_id,
            unit_id=unit_id,
            details=dict(details or {}),
        )
    )
    db.flush()
