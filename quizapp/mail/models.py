"""The table of mail that waits, was sent, or was given up."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, BigId, UtcDateTime


class MailState(StrEnum):
    """Where a mail stands. `dropped`: when its turn came there was nothing to say any more."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"


class OutgoingMail(Base):
    """One mail to one person about one thing. Its text is made when it is sent; the address is forgotten afterwards."""

    __tablename__ = "outgoing_mail"
    __table_args__ = (
        # Nobody gets the same mail twice.
        UniqueConstraint("kind", "about_id", "mark"),
        Index("ix_outgoing_mail_state_due_at", "state", "due_at"),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Random name, part of the Message-ID: a server that gets it twice knows it again.
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: What it says; a feature has registered how it is composed.
    kind: Mapped[str] = mapped_column(String(20))
    #: Key of the row that it is about; which table, the kind says.
    about_id: Mapped[int] = mapped_column(BigId)
    #: Which of several occasions of that kind it is: a revision, an instant; 0 where there is one only.
    mark: Mapped[int] = mapped_column(BigId)
    #: To whom, encrypted; None once it was sent or given up.
    address_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: "zh" or "en".
    language: Mapped[str] = mapped_column(String(5))
    #: `MailState`.
    state: Mapped[str] = mapped_column(String(10))
    #: How often it was tried.
    tries: Mapped[int] = mapped_column(default=0)
    #: Why the last try failed: a code.
    error: Mapped[str | None] = mapped_column(String(40))
    #: When it was written down.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it may be tried next.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was sent or given up.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
