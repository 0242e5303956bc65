"""Training sessions and who attended them."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.core.db import Base, BigId, PathText
from quizapp.organisation.models import OrgUnit, Person


class CheckInMethod(StrEnum):
    """How an attendance came to be."""

    POSTER = "poster"
    BY_HAND = "by_hand"


class TrainingSession(Base):
    """One session (场次) of a training."""

    __tablename__ = "training_session"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Eight characters of its check-in address: /s/<code>.
    code: Mapped[str] = mapped_column(String(8), unique=True)
    #: Title.
    title: Mapped[str] = mapped_column(String(120))
    #: Where.
    place: Mapped[str] = mapped_column(String(120))
    #: The unit that holds it.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: Begin, ms UTC.
    starts_at: Mapped[int] = mapped_column(BigId)
    #: End, ms UTC.
    ends_at: Mapped[int] = mapped_column(BigId)
    #: The account that opened it.
    created_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: When check-in was closed by the trainer, ms UTC.
    closed_at: Mapped[int | None] = mapped_column(BigId)
    #: The unit's row.
    unit: Mapped[OrgUnit] = relationship()


class Attendance(Base):
    """One person at one session, once."""

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("session_id", "person_id"),
        Index("ix_attendance_person_id_at_ms", "person_id", "at_ms"),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"))
    #: Who.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: `CheckInMethod`.
    method: Mapped[str] = mapped_column(String(20))
    #: First check-in, ms UTC.
    at_ms: Mapped[int] = mapped_column(BigId)
    #: Unit of the day.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: That unit's path of the day.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: Hash of the browser's device token.
    device_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: The account that recorded it, where a trainer did.
    recorded_by: Mapped[int | None] = mapped_column(BigId)
    #: The person's row.
    person: Mapped[Person] = relationship()
    #: The session's row.
    session: Mapped[TrainingSession] = relationship()
