"""Who came, how that is known, and the phones that wrote it down."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.core.db import Base, BigId, PathText
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models.sessions import TrainingSession


class CheckInMethod(StrEnum):
    """How an attendance came to be."""

    ROTATING = "rotating"
    POSTER = "poster"
    PERSONAL = "personal"
    BY_HAND = "by_hand"
    BACK_FILLED = "back_filled"


class AttendanceState(StrEnum):
    """Whether an attendance counts. `pending` was kept, marked, and waits for the trainer's word; nothing else but `counted` counts."""

    COUNTED = "counted"
    PENDING = "pending"
    STRUCK = "struck"
    UNDONE = "undone"


class Matched(StrEnum):
    """How it is known who it is: an account or a personal code prove it, a typed name and phone do not."""

    ACCOUNT = "account"
    CODE = "code"
    TYPED = "typed"
    HAND = "hand"


class Expected(StrEnum):
    """Whether the person was expected when they came. None where the session expects nobody in particular."""

    ROSTER = "roster"
    REGISTERED = "registered"
    WALK_IN = "walk_in"


class Attendance(Base):
    """One person at one session, once."""

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("session_id", "person_id"),
        # A right to check in is used once, whatever arrives twice.
        UniqueConstraint("session_id", "right_hash"),
        Index("ix_attendance_person_id_at_ms", "person_id", "at_ms"),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"))
    #: Who.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: `CheckInMethod` of the earliest check-in.
    method: Mapped[str] = mapped_column(String(20))
    #: Earliest check-in, ms UTC.
    at_ms: Mapped[int] = mapped_column(BigId)
    #: The check-in that the person made alone on their own phone, ms UTC; None where somebody else wrote it down.
    self_at_ms: Mapped[int | None] = mapped_column(BigId)
    #: The earliest check-in that no scanning phone wrote down (by the person, or on the trainer's page), ms UTC. Kept apart as soon as a
    #: phone also knows of the person, so that it stands when the phone takes its entries back.
    direct_at_ms: Mapped[int | None] = mapped_column(BigId)
    #: `CheckInMethod` of that one.
    direct_method: Mapped[str | None] = mapped_column(String(20))
    #: `Matched` of that one.
    direct_matched: Mapped[str | None] = mapped_column(String(10))
    #: When the server learnt of it, ms UTC.
    received_at: Mapped[int] = mapped_column(BigId)
    #: `AttendanceState`.
    state: Mapped[str] = mapped_column(String(10), default=AttendanceState.COUNTED)
    #: `Matched`.
    matched: Mapped[str] = mapped_column(String(10))
    #: `Expected`.
    expected: Mapped[str | None] = mapped_column(String(10))
    #: Unit of the day.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: That unit's path of the day.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: Hash of the browser's device token.
    device_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Hash of the right that was used up.
    right_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Milliseconds from opening the code to pressing the button.
    took_ms: Mapped[int | None] = mapped_column(BigId)
    #: The account that recorded it, where a trainer did.
    recorded_by: Mapped[int | None] = mapped_column(BigId)
    #: Photo of the sheet that it was filled in from.
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("session_evidence.id"))
    #: Why it is pending, struck or undone: a code ("after_closing", "right_expired", "full", "proxy", "mistake", "undone" …).
    reason: Mapped[str | None] = mapped_column(String(20))
    #: The account that confirmed, struck or undid it last.
    decided_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    decided_at: Mapped[int | None] = mapped_column(BigId)
    #: What the trainer wrote beside it.
    note: Mapped[str] = mapped_column(String(200), default="")
    #: Check-out, ms UTC.
    checked_out_at: Mapped[int | None] = mapped_column(BigId)
    #: The attendance of the same person under the name that they were merged into; this one counts no more.
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("attendance.id"))
    #: The person's row.
    person: Mapped[Person] = relationship()
    #: The session's row.
    session: Mapped[TrainingSession] = relationship()
    #: The unit's row.
    unit: Mapped[OrgUnit | None] = relationship()


class HelperPass(Base):
    """Admits a helper's phone to one session, by a link with 128 bits."""

    __tablename__ = "helper_pass"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"), index=True)
    #: SHA-256 of the link's secret.
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    #: What the trainer calls it: "二号门".
    label: Mapped[str] = mapped_column(String(40))
    #: Who admitted it.
    created_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: Until when, ms UTC.
    expires_at: Mapped[int] = mapped_column(BigId)
    #: When it was taken back, ms UTC.
    revoked_at: Mapped[int | None] = mapped_column(BigId)


class ScanDevice(Base):
    """A phone that scans at a session's door. Its key signs its entries and is derived from the installation's, never stored."""

    __tablename__ = "scan_device"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Unguessable name by which the phone is known.
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"), index=True)
    #: The trainer's account …
    account_id: Mapped[int | None] = mapped_column(BigId)
    #: … or the helper's pass.
    helper_pass_id: Mapped[int | None] = mapped_column(ForeignKey("helper_pass.id"))
    #: When it took roster and key along, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: When it was heard of last, ms UTC.
    seen_at: Mapped[int] = mapped_column(BigId)
    #: How far its clock is ahead of ours, ms, as of then.
    clock_ahead_ms: Mapped[int] = mapped_column(BigId, default=0)
    #: Highest entry number that arrived.
    last_sequence: Mapped[int] = mapped_column(default=0)
    #: When it was shut out, ms UTC.
    revoked_at: Mapped[int | None] = mapped_column(BigId)


class EntryKind(StrEnum):
    """What a scanning phone writes down."""

    IN = "in"
    OUT = "out"
    UNDO = "undo"


class AttendanceEntry(Base):
    """One line that a scanning phone wrote down, with or without a network. Lines are kept as they came; attendances follow from them.

    Whatever the order in which lines arrive, and however often, the attendance that follows is the same.
    """

    __tablename__ = "attendance_entry"
    __table_args__ = (Index("ix_attendance_entry_session_id_person_id", "session_id", "person_id"),)

    #: Key, in the order of arrival.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"))
    #: Random name that the phone gave it: what arrives twice is one.
    client_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: The phone.
    device_id: Mapped[int] = mapped_column(ForeignKey("scan_device.id"), index=True)
    #: Its number on that phone.
    sequence: Mapped[int]
    #: `EntryKind`.
    kind: Mapped[str] = mapped_column(String(10))
    #: `CheckInMethod`: personal code, or by hand.
    method: Mapped[str] = mapped_column(String(20))
    #: Who; None for a code that is not ours.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: `client_id` of the entry that an undo takes back.
    undoes: Mapped[str | None] = mapped_column(String(32), index=True)
    #: When it happened, ms UTC, set right by how far the phone's clock was ahead.
    at_ms: Mapped[int] = mapped_column(BigId)
    #: The same as the phone's clock said.
    phone_at_ms: Mapped[int] = mapped_column(BigId)
    #: When it arrived, ms UTC.
    received_at: Mapped[int] = mapped_column(BigId)
    #: What it came to: "in", "again", "out", "undone", "pending", "foreign".
    outcome: Mapped[str] = mapped_column(String(10))
    #: Why it waits for the trainer's word ("walk_in", "struck", "after_closing", "future", "not_in_window", "device_revoked"); None: it
    #: counts.
    reason: Mapped[str | None] = mapped_column(String(20))
    #: Whether a trainer confirmed it on the phone.
    sure: Mapped[bool] = mapped_column(default=False)
    #: The attendance that it belongs to.
    attendance_id: Mapped[int | None] = mapped_column(ForeignKey("attendance.id"))
    #: Keyed hash of a code that is not ours; the code itself is not kept.
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class SessionEvidence(Base):
    """A photo that shows a session or its paper sheet (佐证)."""

    __tablename__ = "session_evidence"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"), index=True)
    #: "sheet" (paper sign-in sheet) or "photo".
    kind: Mapped[str] = mapped_column(String(10))
    #: The kept file; None once its term is over.
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id", ondelete="SET NULL"))
    #: Who brought it.
    added_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    added_at: Mapped[int] = mapped_column(BigId)
    #: When it was taken out, ms UTC.
    removed_at: Mapped[int | None] = mapped_column(BigId)
    #: Since when somebody should look whether an erased person can be known on it, ms UTC.
    look_since: Mapped[int | None] = mapped_column(BigId)
