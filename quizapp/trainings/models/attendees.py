"""Who should come (roster), who said that they would (registration), and the calendars that show it."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.core.db import Base, BigId, PathText
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models.sessions import TrainingSession


class RosterSource(StrEnum):
    """How somebody came on a roster."""

    RULE = "rule"
    IMPORT = "import"
    BY_HAND = "by_hand"


class RosterEntry(Base):
    """One person on the roster (名册) of a session."""

    __tablename__ = "roster_entry"
    __table_args__ = (UniqueConstraint("session_id", "person_id"), Index("ix_roster_entry_person_id", "person_id"))

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"))
    #: Who.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: Unit of that day.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: That unit's path of that day.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: `JobRole` of that day.
    job_role: Mapped[str | None] = mapped_column(String(20))
    #: `RosterSource`.
    source: Mapped[str] = mapped_column(String(10))
    #: The file that it came from.
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"))
    #: The account that put it there.
    added_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    added_at: Mapped[int] = mapped_column(BigId)
    #: The person's row.
    person: Mapped[Person] = relationship()
    #: The unit's row.
    unit: Mapped[OrgUnit | None] = relationship()


class RemovalReason(StrEnum):
    """Why somebody was taken off a roster by hand."""

    MOVED = "moved"
    LEFT = "left"
    EXCUSED = "excused"
    MISTAKE = "mistake"


class RosterRemoval(Base):
    """Somebody whom a trainer took off a roster: the rules do not bring them back, a file or a hand does."""

    __tablename__ = "roster_removal"
    __table_args__ = (UniqueConstraint("session_id", "person_id"), Index("ix_roster_removal_person_id", "person_id"))

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"))
    #: Who.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: `RemovalReason`.
    reason: Mapped[str] = mapped_column(String(10))
    #: The account that did it.
    removed_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    removed_at: Mapped[int] = mapped_column(BigId)


class RegistrationState(StrEnum):
    """Where a registration stands."""

    REGISTERED = "registered"
    WAITING = "waiting"
    CANCELLED = "cancelled"


class RegistrationVia(StrEnum):
    """Who registered."""

    SELF = "self"
    LIAISON = "liaison"
    TRAINER = "trainer"


class Registration(Base):
    """One person's registration (报名) for a session. Those who wait move up in the order of `queued_at`, `id`."""

    __tablename__ = "registration"
    __table_args__ = (
        UniqueConstraint("session_id", "person_id"),
        Index("ix_registration_session_id_state_queued_at_id", "session_id", "state", "queued_at", "id"),
        Index("ix_registration_person_id", "person_id"),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"))
    #: Who.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: `RegistrationState`.
    state: Mapped[str] = mapped_column(String(10))
    #: `RegistrationVia`.
    via: Mapped[str] = mapped_column(String(10))
    #: Unit of that day.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: That unit's path of that day.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: The account that registered; None for a guest.
    registered_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    registered_at: Mapped[int] = mapped_column(BigId)
    #: Since when it waits or has its place, ms UTC; a registration that was cancelled and made anew queues anew.
    queued_at: Mapped[int] = mapped_column(BigId)
    #: When it moved up from the waiting list, ms UTC.
    promoted_at: Mapped[int | None] = mapped_column(BigId)
    #: When it was cancelled, ms UTC.
    cancelled_at: Mapped[int | None] = mapped_column(BigId)
    #: Where reminders go, encrypted; None: only to the page.
    email_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: `TrainingSession.revision` that the person knows of.
    known_revision: Mapped[int] = mapped_column(default=0)
    #: When the person last said that they have read what changed, ms UTC.
    seen_at: Mapped[int | None] = mapped_column(BigId)
    #: SHA-256 of the secret that a guest's link carries; None for who signed in or was registered by others.
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    #: Language of the reminders: "zh" or "en".
    language: Mapped[str] = mapped_column(String(5), default="zh")
    #: The person's row.
    person: Mapped[Person] = relationship()
    #: The unit's row.
    unit: Mapped[OrgUnit | None] = relationship()
    #: The session's row.
    session: Mapped[TrainingSession] = relationship()


class CalendarFeed(Base):
    """The secret address under which an account's sessions are read by a calendar program; a new one ends the old one."""

    __tablename__ = "calendar_feed"

    #: The account.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    #: SHA-256 of the address's secret.
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    #: When this address was made, ms UTC.
    made_at: Mapped[int] = mapped_column(BigId)
