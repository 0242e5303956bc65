"""Taking a certificate back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.certificates.errors import CertificateRevoked, RevokeReasonNeeded
from quizapp.certificates.models import Certificate
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor


def revoke(db: Session, *, certificate: Certificate, reason: str, actor: Actor, now: datetime) -> None:
    """Revoke it for good, with a reason that its holder reads; everybody else reads that, and since when, it is revoked.

    The reason stays with the certificate; the log, which can never be changed, holds no typed words. Raises RevokeReasonNeeded,
    CertificateRevoked.
    """
    words = " ".join(reason.split())
    if not words:
        raise RevokeReasonNeeded(field="reason")
    done = db.execute(
        update(Certificate)
        .where(Certificate.id == certificate.id, Certificate.revoked_at.is_(None))
        .values(revoked_at=to_ms(now), revoked_by=actor.account_id, revoke_reason=words[:200])
        .returning(Certificate.id)
    ).first()
    if done is None:
        raise CertificateRevoked
    db.refresh(certificate)
    record(
        db,
        actor=actor,
        action="certificate_revoked",
        object_type="certificate",
        object_id=certificate.id,
        unit_id=certificate.run.unit_id,
        details={"run_id": certificate.run_id, "number": certificate.number},
        now=now,
    )
