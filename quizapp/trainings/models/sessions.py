"""Courses, their runs, and the sessions: what is held, where, when, by whom and for whom."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.core.db import Base, BigId, PathText
from quizapp.core.tokens import new_poster_code
from quizapp.organisation.models import OrgUnit


class SessionKind(StrEnum):
    """For whom a session is held. Lectures and crew sessions have no roster: whoever comes is welcome."""

    JOINT = "joint"
    SECTOR = "sector"
    LECTURE = "lecture"
    CREW = "crew"

    @property
    def has_roster(self) -> bool:
        """Whether it is said beforehand who should come."""
        return self in (SessionKind.JOINT, SessionKind.SECTOR)


class CodeMode(StrEnum):
    """What the session's code is: one that changes on the projector, or one that can be printed."""

    ROTATING = "rotating"
    POSTER = "poster"


class RegistrationMode(StrEnum):
    """Who may register: nobody, those whom the audience rules name, everybody."""

    CLOSED = "closed"
    AUDIENCE = "audience"
    ANYONE = "anyone"


class Place(Base):
    """Where sessions are held (场地)."""

    __tablename__ = "place"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The unit that keeps it.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"))
    #: Name as people say it.
    name: Mapped[str] = mapped_column(String(60))
    #: How one gets there.
    address: Mapped[str] = mapped_column(String(120), default="")
    #: How many people it holds.
    capacity: Mapped[int | None]
    #: When it was made, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: When it was given up, ms UTC.
    closed_at: Mapped[int | None] = mapped_column(BigId)


class Course(Base):
    """What is taught (课程); it is held in runs."""

    __tablename__ = "course"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The unit that offers it.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: Title.
    title: Mapped[str] = mapped_column(String(60))
    #: What it is about.
    subject: Mapped[str] = mapped_column(String(120), default="")
    #: `SessionKind` of its sessions, unless one says otherwise.
    kind: Mapped[str] = mapped_column(String(10), default=SessionKind.JOINT)
    #: Who made it.
    created_by: Mapped[int | None] = mapped_column(BigId)
    #: When it was made, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: When it was given up, ms UTC.
    closed_at: Mapped[int | None] = mapped_column(BigId)
    #: The unit's row.
    unit: Mapped[OrgUnit] = relationship()


class CourseRun(Base):
    """One run (期) of a course: the sessions that somebody attends for one certificate."""

    __tablename__ = "course_run"
    __table_args__ = (UniqueConstraint("course_id", "number"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The course.
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    #: The unit that holds it.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: 1, 2, 3 … within the course.
    number: Mapped[int]
    #: "2026 年第 3 期".
    title: Mapped[str] = mapped_column(String(60))
    #: Training hours (学时) that its certificate takes, in tenths; None: every session of it.
    hours_needed_tenths: Mapped[int | None]
    #: For how many months its certificate holds; None: for good.
    certificate_months: Mapped[int | None]
    #: Who made it.
    created_by: Mapped[int | None] = mapped_column(BigId)
    #: When it was made, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: When it was ended, ms UTC: it takes no further sessions.
    closed_at: Mapped[int | None] = mapped_column(BigId)
    #: The course's row.
    course: Mapped[Course] = relationship()
    #: The unit's row.
    unit: Mapped[OrgUnit] = relationship()


class TrainingSession(Base):
    """One session (场次) of a training."""

    __tablename__ = "training_session"
    __table_args__ = (Index("ix_training_session_starts_at", "starts_at"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Eight characters of its public address: /s/<code>.
    code: Mapped[str] = mapped_column(String(8), unique=True)
    #: Eight characters of the page for whoever wants to come: /t/<page_code>. It lets nobody check in, so lists may show it.
    page_code: Mapped[str] = mapped_column(String(8), unique=True, default=new_poster_code)
    #: The run that it belongs to, where it does.
    run_id: Mapped[int | None] = mapped_column(ForeignKey("course_run.id"), index=True)
    #: Title.
    title: Mapped[str] = mapped_column(String(120))
    #: What it is about.
    subject: Mapped[str] = mapped_column(String(120), default="")
    #: `SessionKind`.
    kind: Mapped[str] = mapped_column(String(10), default=SessionKind.JOINT)
    #: Where, in words.
    place: Mapped[str] = mapped_column(String(120))
    #: The kept place behind the words, where there is one.
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"), index=True)
    #: How many people may be in; None: as many as come.
    capacity: Mapped[int | None]
    #: The unit that holds it.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: Its place on the day, written when the unit of a session that has begun gets another place; None: the unit's place today.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: Begin, ms UTC.
    starts_at: Mapped[int] = mapped_column(BigId)
    #: End, ms UTC.
    ends_at: Mapped[int] = mapped_column(BigId)
    #: From when people may check in, ms UTC.
    check_in_from: Mapped[int] = mapped_column(BigId)
    #: Until when, ms UTC.
    check_in_until: Mapped[int] = mapped_column(BigId)
    #: `CodeMode`.
    code_mode: Mapped[str] = mapped_column(String(10), default=CodeMode.ROTATING)
    #: Whether people also check out.
    check_out: Mapped[bool] = mapped_column(default=False)
    #: Training hours (学时) that attending it gives, in tenths.
    hours_tenths: Mapped[int] = mapped_column(default=0)
    #: `RegistrationMode`.
    registration: Mapped[str] = mapped_column(String(10), default=RegistrationMode.CLOSED)
    #: Until when people may register, ms UTC; None: until it begins.
    registration_until: Mapped[int | None] = mapped_column(BigId)
    #: Whether the projector shows whole names ("李建国") or masked ones ("李*国").
    full_names: Mapped[bool] = mapped_column(default=False)
    #: Raised with each change of time or place; calendars take the higher one.
    revision: Mapped[int] = mapped_column(default=0)
    #: When time or place changed last, ms UTC: whoever registered before is told.
    moved_at: Mapped[int | None] = mapped_column(BigId)
    #: The begin before that change, ms UTC.
    moved_from_at: Mapped[int | None] = mapped_column(BigId)
    #: The place before that change.
    moved_from_place: Mapped[str | None] = mapped_column(String(120))
    #: When it was called off, ms UTC.
    cancelled_at: Mapped[int | None] = mapped_column(BigId)
    #: The account that opened it.
    created_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: When the trainer closed it, ms UTC: its list is frozen from then on.
    closed_at: Mapped[int | None] = mapped_column(BigId)
    #: The unit's row.
    unit: Mapped[OrgUnit] = relationship()
    #: The run's row.
    run: Mapped[CourseRun | None] = relationship()


class SessionTrainer(Base):
    """Who teaches a session; several may."""

    __tablename__ = "session_trainer"

    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"), primary_key=True)
    #: The trainer's account.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)


class AudienceRule(Base):
    """Who should come: people of a unit and all below × an industry × a job role; an empty part means all. Several rules add up."""

    __tablename__ = "audience_rule"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"), index=True)
    #: The unit with all below; None: all units.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: The industry, of the person or of the person's unit; None: every industry.
    industry_id: Mapped[int | None] = mapped_column(ForeignKey("industry.id"))
    #: `JobRole`; None: every one.
    job_role: Mapped[str | None] = mapped_column(String(20))
