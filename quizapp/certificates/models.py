"""The table of certificates."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.certificates.validity import CertificateState
from quizapp.core.db import Base, BigId, PathText
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import CourseRun


class Certificate(Base):
    """That somebody attended a run. What it says of the course never changes; the name is the person's."""

    __tablename__ = "certificate"
    __table_args__ = (
        # Two presses of the button issue once; a revoked one may be followed by another.
        Index(
            "uq_certificate_valid",
            "run_id",
            "person_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_certificate_person_id", "person_id"),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Printed number, "2026-000123-7".
    number: Mapped[str] = mapped_column(String(24), unique=True)
    #: Random part of the address by which anybody checks it (128 bits).
    check_code: Mapped[str] = mapped_column(String(32), unique=True)
    #: The run that was attended.
    run_id: Mapped[int] = mapped_column(ForeignKey("course_run.id"))
    #: Who.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: Title of the course of that day.
    course_title: Mapped[str] = mapped_column(String(60))
    #: Title of the run of that day.
    run_title: Mapped[str] = mapped_column(String(60))
    #: Name of the issuing unit of that day.
    issuer: Mapped[str] = mapped_column(String(120))
    #: Unit of the person of that day.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: That unit's path of that day.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: Training hours (学时) attended, in tenths.
    hours_tenths: Mapped[int]
    #: Local day of issue.
    issued_on: Mapped[date]
    #: Last local day on which it holds; None: for good.
    valid_until: Mapped[date | None]
    #: The account that issued it.
    issued_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    issued_at: Mapped[int] = mapped_column(BigId)
    #: When it was revoked, ms UTC.
    revoked_at: Mapped[int | None] = mapped_column(BigId)
    #: The account that revoked it.
    revoked_by: Mapped[int | None] = mapped_column(BigId)
    #: Why, in the words of whoever revoked it.
    revoke_reason: Mapped[str | None] = mapped_column(String(200))
    #: The person's row.
    person: Mapped[Person] = relationship()
    #: The run's row.
    run: Mapped[CourseRun] = relationship()
    #: The unit's row.
    unit: Mapped[OrgUnit | None] = relationship()

    def state(self, today: date) -> CertificateState:
        """What it is worth on a local day; `queries.is_state` says the same in SQL."""
        if self.revoked_at is not None:
            return CertificateState.REVOKED
        if self.valid_until is not None and self.valid_until < today:
            return CertificateState.EXPIRED
        return CertificateState.VALID
