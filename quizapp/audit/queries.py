"""Searching the log by ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.scope import Permission, Scope


def search(
    db: Session,
    scope: Scope,
    *,
    unit_in_scope: ColumnElement[bool],
    accounts: Select[int] | None = None,
    action: str | None = None,
    object_type: str | None = None,
    object_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Sequence[AuditEvent]:
    """The newest events first, from `start` until before `end`; `before_id` goes on where an earlier page stopped.

    `accounts` selects the keys of the accounts that acted. `unit_in_scope` is the condition by which `AuditEvent.unit_id` lies in the
    scope (organisation makes it). Events without a unit are seen by a grant over all units only.
    """
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
    if not sees_all(scope):
        query = query.where(unit_in_scope)
    if accounts is not None:
        query = query.where(AuditEvent.account_id.in_(accounts))
    if action is not None:
        query = query.where(AuditEvent.action == action)
    if object_type is not None:
        query = query.where(AuditEvent.object_type == object_type)
    if object_id is not None:
        query = query.where(AuditEvent.object_id == object_id)
    if start is not None:
        query = query.where(AuditEvent.at >= start)
    if end is not None:
        query = query.where(AuditEvent.at < end)
    if before_id is not None:
        query = query.where(AuditEvent.id < before_id)
    return db.scalars(query).all()


def actions(db: Session) -> list[str]:
    """The kinds of action that the log holds, for the filter: one step of the index for each, however long the log is."""
    first = select(func.min(AuditEvent.action).label("action"))
    known = first.cte("known", recursive=True)
    after = select(func.min(AuditEvent.action)).where(AuditEvent.action > known.c.action).scalar_subquery()
    known = known.union_all(select(after).where(known.c.action.is_not(None)))
    return [action for action in db.scalars(select(known.c.action)) if action is not None]


def sees_all(scope: Scope) -> bool:
    """Whether a grant carries the log of all units and industries."""
    return any(g.path is None and g.industry_id is None for g in scope.with_permission(Permission.SEE_AUDIT))
