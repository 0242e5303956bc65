"""Photos that show a session or its paper sheet: brought, linked to what was filled in from them, taken out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, digest_bytes
from quizapp.files.models import FileKind, StoredFile
from quizapp.files.services import delete_file, keep_file
from quizapp.trainings.errors import EvidenceFull
from quizapp.trainings.models import Attendance, CheckInMethod, SessionEvidence, TrainingSession
from quizapp.trainings.services.deciding import check_open

#: Photos of one session.
MOST_PHOTOS = 30


def add_evidence(
    db: Session,
    *,
    session: TrainingSession,
    kind: Literal["sheet", "photo"],
    jpeg: bytes,
    keep_days: int,
    keys: Keys,
    actor: Actor,
    now: datetime,
) -> SessionEvidence:
    """Keep a photo (made by `files.photos.kept_photo`), encrypted, for `keep_days`. The same photo twice is one.

    A sheet becomes the evidence of all that was filled in before without one. Raises SessionClosed or EvidenceFull.
    """
    check_open(db, session)
    standing = select(SessionEvidence).where(
        SessionEvidence.session_id == session.id, SessionEvidence.removed_at.is_(None)
    )
    same = standing.join(StoredFile, StoredFile.id == SessionEvidence.file_id).where(
        StoredFile.digest == digest_bytes(jpeg), SessionEvidence.kind == kind
    )
    evidence = db.scalars(same).first()
    if evidence is None:
        if (db.scalar(select(func.count()).select_from(standing.subquery())) or 0) >= MOST_PHOTOS:
            raise EvidenceFull(field="photo", most=MOST_PHOTOS)
        file = keep_file(
            db,
            jpeg,
            kind=FileKind.EVIDENCE,
            media_type="image/jpeg",
            name=f"{kind}-{session.code}.jpg",
            expires_at=now + timedelta(days=keep_days),
            keys=keys,
            actor=actor,
            now=now,
        )
        evidence = SessionEvidence(
            session_id=session.id, kind=kind, file_id=file.id, added_by=actor.account_id, added_at=to_ms(now)
        )
        db.add(evidence)
        db.flush()
        _record(db, session, evidence, "evidence_added", actor, now)
    if kind == "sheet":
        db.execute(
            update(Attendance)
            .where(
                Attendance.session_id == session.id,
                Attendance.method == CheckInMethod.BACK_FILLED,
                Attendance.evidence_id.is_(None),
            )
            .values(evidence_id=evidence.id)
        )
    return evidence


def remove_evidence(
    db: Session, *, session: TrainingSession, evidence: SessionEvidence, actor: Actor, now: datetime
) -> None:
    """Take a photo out and delete its file; what was filled in from it stands without evidence. Raises SessionClosed.

    One that somebody should look at because of an erasure goes at any time.
    """
    if evidence.look_since is None:
        check_open(db, session)
    if evidence.removed_at is not None:
        return
    file_id, evidence.file_id, evidence.removed_at = evidence.file_id, None, to_ms(now)
    db.execute(update(Attendance).where(Attendance.evidence_id == evidence.id).values(evidence_id=None))
    db.flush()
    if file_id is not None:
        delete_file(db, file_id)
    _record(db, session, evidence, "evidence_removed", actor, now)


def keep_evidence(
    db: Session, *, session: TrainingSession, evidence: SessionEvidence, actor: Actor, now: datetime
) -> None:
    """Somebody has looked: no erased person can be known on the photo, it stays until its term. Twice is harmless."""
    if evidence.look_since is not None:
        evidence.look_since = None
        _record(db, session, evidence, "evidence_looked_at", actor, now)


def _record(
    db: Session, session: TrainingSession, evidence: SessionEvidence, action: str, actor: Actor, now: datetime
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="session_evidence",
        object_id=evidence.id,
        unit_id=session.unit_id,
        details={"session_id": session.id, "kind": evidence.kind},
        now=now,
    )
