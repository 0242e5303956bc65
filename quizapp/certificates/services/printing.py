"""Certificates as files: one for whoever holds it, all of a run by a job."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.certificates.errors import CertificateRevoked, NothingToPrint
from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import typed_code
from quizapp.certificates.paper import Page
from quizapp.certificates.queries import Found, RunDays, list_certificates, run_days, run_sessions
from quizapp.core.clock import local_date
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.files.models import FileKind, StoredFile
from quizapp.files.services import keep_file
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue
from quizapp.trainings.models import CourseRun

#: The job that makes the file of a run.
TASK = "print_certificates"
#: How long the file is kept.
KEPT = timedelta(days=7)


def check_address(public_url: str, certificate: Certificate) -> str:
    """What the QR code says."""
    return f"{public_url}/c/{certificate.check_code}"


def page_of(db: Session, certificate: Certificate, public_url: str) -> Page:
    """What is printed on a certificate. Raises CertificateRevoked."""
    if certificate.revoked_at is not None:
        raise CertificateRevoked
    return _page(certificate, run_days(run_sessions(db, certificate.run_id)), public_url)


def pages_of_run(db: Session, run_id: int, public_url: str, *, today: datetime) -> list[Page]:
    """The pages of a run's certificates that are not revoked, in the order of their numbers."""
    days = run_days(run_sessions(db, run_id))
    found = list_certificates(db, Found(run_id), today=local_date(today))
    return [_page(one, days, public_url) for one in found if one.revoked_at is None]


def _page(certificate: Certificate, days: RunDays | None, public_url: str) -> Page:
    return Page(
        name=certificate.person.name,
        course=certificate.course_title,
        run=certificate.run_title,
        first=days.first if days else None,
        last=days.last if days else None,
        hours=certificate.hours_tenths,
        number=certificate.number,
        code=typed_code(certificate.check_code),
        url=check_address(public_url, certificate),
        address=f"{public_url}/c".split("://", 1)[-1],
        issuer=certificate.issuer,
        issued=certificate.issued_on,
        until=certificate.valid_until,
    )


def ask_for_file(db: Session, *, run: CourseRun, language: str, actor: Actor, now: datetime) -> Job:
    """Ask for the file of a run's certificates. Raises NothingToPrint."""
    found = list_certificates(db, Found(run.id), today=local_date(now))
    if all(one.revoked_at is not None for one in found):
        raise NothingToPrint
    return enqueue(db, TASK, {"run_id": run.id, "language": language}, actor=actor, now=now)


def file_name(run_id: int) -> str:
    """The name of the file of a run's certificates."""
    return f"certificates-{run_id}.pdf"


def keep_pdf(db: Session, content: bytes, *, run_id: int, keys: Keys, actor: Actor, now: datetime) -> StoredFile:
    """Keep the file for whoever asked, for a week."""
    return keep_file(
        db,
        content,
        kind=FileKind.RESULT,
        media_type="application/pdf",
        name=file_name(run_id),
        expires_at=now + KEPT,
        keys=keys,
        actor=actor,
        now=now,
    )


def note_export(db: Session, *, run: CourseRun, form: str, rows: int, actor: Actor, now: datetime) -> None:
    """Write down that personal data left the house: `form` is "pdf" or "xlsx"."""
    record(
        db,
        actor=actor,
        action="certificates_exported",
        object_type="course_run",
        object_id=run.id,
        unit_id=run.unit_id,
        details={"form": form, "personal_data": True, "rows": rows},
        now=now,
    )
