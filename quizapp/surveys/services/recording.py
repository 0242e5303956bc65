"""What is written into the log of a survey."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.scope import Actor
from quizapp.surveys.models import Survey


def record_survey(
    db: Session, survey: Survey, *, action: str, actor: Actor, now: datetime, details: dict[str, object] | None = None
) -> None:
    """Flush, then note what was done to a survey; its key is known by then."""
    db.flush()
    record(
        db,
        actor=actor,
        action=action,
        object_type="survey",
        object_id=survey.id,
        unit_id=survey.unit_id,
        details=details or {},
        now=now,
    )
