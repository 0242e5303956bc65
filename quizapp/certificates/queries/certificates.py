"""Finding certificates: a run's, one's own, and the one that a stranger holds in the hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from quizapp.certificates.models import Certificate
from quizapp.certificates.validity import CertificateState
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import normalize_code
from quizapp.organisation.models import OrgUnit, Person, name_key
from quizapp.trainings.models import CourseRun


@dataclass(frozen=True)
class Found:
    """What a list of certificates is narrowed to."""

    run_id: int
    text: str = ""
    state: CertificateState | None = None


def is_state(state: CertificateState, today: date) -> ColumnElement[bool]:
    """`Certificate.state` as SQL."""
    if state is CertificateState.REVOKED:
        return Certificate.revoked_at.is_not(None)
    over = and_(Certificate.valid_until.is_not(None), Certificate.valid_until < today)
    standing = Certificate.revoked_at.is_(None)
    if state is CertificateState.EXPIRED:
        return and_(standing, over)
    return and_(standing, or_(Certificate.valid_until.is_(None), Certificate.valid_until >= today))


def _narrowed(statement: Select[Certificate], wanted: Found, today: date) -> Select[Certificate]:
    statement = statement.join(Certificate.person).where(Certificate.run_id == wanted.run_id)
    if wanted.state is not None:
        statement = statement.where(is_state(wanted.state, today))
    if text := wanted.text.strip():
        parts = [Person.name_key.contains(name_key(text), autoescape=True)] if name_key(text) else []
        digits = normalize_code(text)
        # a part of a number, not a name with a digit in it
        if digits and len(digits) == sum(character.isalnum() for character in text):
            plain = func.replace(Certificate.number, "-", "")
            parts.append(plain.contains(digits, autoescape=True))
        statement = statement.where(or_(*parts)) if parts else statement
    return statement


def list_certificates(
    db: Session, wanted: Found, *, today: date, limit: int | None = None, offset: int = 0
) -> Sequence[Certificate]:
    """Certificates of a run with person and unit, in the order of their numbers. The run's own access was checked when it was loaded."""
    statement = _narrowed(select(Certificate), wanted, today)
    return db.scalars(
        statement.options(contains_eager(Certificate.person), joinedload(Certificate.unit))
        .order_by(Certificate.id)
        .limit(limit)
        .offset(offset)
    ).all()


def count_certificates(db: Session, wanted: Found, *, today: date) -> int:
    """How many there are of them."""
    statement = _narrowed(select(Certificate), wanted, today).with_only_columns(func.count())
    return db.scalar(statement) or 0


def count_states(db: Session, run_id: int, *, today: date) -> dict[CertificateState, int]:
    """How many of a run are valid, expired and revoked."""
    return {state: count_certificates(db, Found(run_id, state=state), today=today) for state in CertificateState}


def get_certificate(db: Session, scope: Scope, certificate_id: int, permission: Permission) -> Certificate:
    """A certificate of a run where the reader has the permission. Raises NotFound, also for one of a foreign unit."""
    found = db.scalar(
        select(Certificate)
        .join(Certificate.run)
        .join(CourseRun.unit)
        .options(
            contains_eager(Certificate.run).contains_eager(CourseRun.unit),
            contains_eager(Certificate.run).joinedload(CourseRun.course),
            joinedload(Certificate.person),
        )
        .where(Certificate.id == certificate_id, scope.condition(permission, OrgUnit.path))
    )
    if found is None:
        raise NotFound
    return found


def get_own_certificate(db: Session, person_id: int | None, certificate_id: int) -> Certificate:
    """A certificate of this person. Raises NotFound, also for somebody else's."""
    found = db.scalar(
        select(Certificate)
        .options(joinedload(Certificate.person), joinedload(Certificate.run))
        .where(Certificate.id == certificate_id, Certificate.person_id == person_id)
    )
    if found is None:
        raise NotFound
    return found


def certificates_of_person(db: Session, person_id: int | None) -> Sequence[Certificate]:
    """All of somebody, the latest first."""
    return db.scalars(
        select(Certificate).where(Certificate.person_id == person_id).order_by(Certificate.id.desc())
    ).all()


def find_by_check_code(db: Session, code: str) -> Certificate | None:
    """The certificate whose QR code was scanned."""
    return db.scalar(select(Certificate).options(joinedload(Certificate.person)).where(Certificate.check_code == code))


def find_by_number(db: Session, number: str) -> Certificate | None:
    """The certificate of a number; what else must be typed is checked by the service."""
    return db.scalar(select(Certificate).where(Certificate.number == number))
