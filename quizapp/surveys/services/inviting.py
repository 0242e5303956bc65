"""What becomes of invitations: outcomes noted by hand, and the end of a survey."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.scope import Actor
from quizapp.quizzes.models import CLOSED_STATES, Attempt
from quizapp.surveys.errors import InvitationAnswered, SurveyClosed, SurveyNotDrawn
from quizapp.surveys.models import Outcome, Survey, SurveyInvitation
from quizapp.surveys.queries import proved_attempt
from quizapp.surveys.services.planning import lock_survey
from quizapp.surveys.services.recording import record_survey


def note_outcome(
    db: Session, *, survey: Survey, invitation: SurveyInvitation, outcome: Outcome, actor: Actor, now: datetime
) -> SurveyInvitation:
    """Note what became of an invitation. Raises SurveyClosed, InvitationAnswered."""
    lock_survey(db, survey)
    if survey.closed_at is not None:
        raise SurveyClosed
    db.refresh(invitation, with_for_update={"of": SurveyInvitation})
    if outcome in (Outcome.REFUSED, Outcome.UNREACHABLE) and _has_answered(db, survey, invitation):
        raise InvitationAnswered
    before, invitation.outcome = invitation.outcome, outcome.value
    invitation.noted_by, invitation.noted_at = actor.account_id, now
    db.flush()
    record(
        db,
        actor=actor,
        action="survey_outcome_noted",
        object_type="survey_invitation",
        object_id=invitation.id,
        unit_id=survey.unit_id,
        details={"before": before, "after": outcome.value},
        now=now,
    )
    return invitation


def _has_answered(db: Session, survey: Survey, invitation: SurveyInvitation) -> bool:
    if invitation.attempt_id is not None:
        attempt = db.scalar(select(Attempt).where(Attempt.id == invitation.attempt_id))
    elif invitation.person_id is not None:
        attempt = proved_attempt(db, survey.delivery_id, invitation.person_id)
    else:
        attempt = None
    return attempt is not None and attempt.state in CLOSED_STATES


def close_survey(db: Session, *, survey: Survey, actor: Actor, now: datetime) -> None:
    """Take no more answers by card. Raises SurveyNotDrawn, SurveyClosed."""
    _set_closed(db, survey, now, "survey_closed", actor, now)


def reopen_survey(db: Session, *, survey: Survey, actor: Actor, now: datetime) -> None:
    """Take answers by card again, as long as the test is open."""
    _set_closed(db, survey, None, "survey_reopened", actor, now)


def _set_closed(
    db: Session, survey: Survey, closed_at: datetime | None, action: str, actor: Actor, now: datetime
) -> None:
    lock_survey(db, survey)
    if survey.drawn_at is None:
        raise SurveyNotDrawn
    if (survey.closed_at is None) == (closed_at is None):
        raise SurveyClosed
    survey.closed_at = closed_at
    record_survey(db, survey, action=action, actor=actor, now=now)
