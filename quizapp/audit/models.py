"""The append-only log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, BigId, Json, UtcDateTime


class AuditEvent(Base):
    """Who did what to which object. Ids, codes and field names only: never a name, a phone number or typed text.

    Triggers refuse any update, and any deletion of a row younger than three years.
    """

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_object", "object_type", "object_id"),)

    #: Key, in order.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: When.
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    #: The acting account; None for the system or a guest.
    account_id: Mapped[int | None] = mapped_column(BigId, index=True)
    #: What was done, past tense: "delivery_published".
    action: Mapped[str] = mapped_column(String(40), index=True)
    #: The table of the object.
    object_type: Mapped[str] = mapped_column(String(40))
    #: Its key.
    object_id: Mapped[int | None] = mapped_column(BigId)
    #: The unit that it belongs to.
    unit_id: Mapped[int | None] = mapped_column(BigId, index=True)
    #: Codes, ids, names of changed fields.
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
