"""What becomes of invitations: outcomes noted by hand, and the end of a survey."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.quizzes.models import CLOSED_STATES, Attempt
from quizapp.quizzes.services.standing import lock_delivery
from quizapp.surveys.errors import InvitationAnswered, InvitationSettled, SurveyClosed, SurveyNotDrawn
from quizapp.surveys.models import Outcome, Survey, SurveyInvitation
from quizapp.surveys.queries import holds_scores, proved_attempt
from quizapp.surveys.services.planning import lock_survey
from quizapp.surveys.services.recording import record_survey


def note_outcome(
    db: Session, *, survey: Survey, invitation: SurveyInvitation, outcome: Outcome, actor: Actor, now: datetime
) -> SurveyInvitation:
    """Note what became of an invitation. Raises SurveyClosed, InvitationAnswered, InvitationSettled.

    Whoever has answered is struck out, or taken in again, only while nobody could read the score: before the survey is closed for the
    first time, and not where the test was taken before the draw.
    """
    lock_survey(db, survey)
    if survey.closed_at is not None:
        raise SurveyClosed
    db.refresh(invitation, with_for_update={"of": SurveyInvitation})
    attempt = _answer_of(db, survey, invitation)
    if attempt is not None and _could_be_read(survey, attempt):
        raise InvitationSettled
    if outcome in (Outcome.REFUSED, Outcome.UNREACHABLE) and attempt is not None:
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


def _answer_of(db: Session, survey: Survey, invitation: SurveyInvitation) -> Attempt | None:
    if invitation.attempt_id is not None:
        attempt = db.scalar(select(Attempt).where(Attempt.id == invitation.attempt_id))
    elif invitation.person_id is not None:
        attempt = proved_attempt(db, survey.delivery_id, invitation.person_id)
    else:
        attempt = None
    return attempt if attempt is not None and attempt.state in CLOSED_STATES else None


def _could_be_read(survey: Survey, attempt: Attempt) -> bool:
    before_the_draw = survey.drawn_at is not None and (attempt.closed_at or 0) < to_ms(survey.drawn_at)
    return survey.first_closed_at is not None or before_the_draw


def close_survey(db: Session, *, survey: Survey, actor: Actor, now: datetime) -> None:
    """Take no more answers by card; from now on scores are shown and estimated. Raises SurveyNotDrawn, SurveyClosed."""
    _set_closed(db, survey, now, "survey_closed", actor, now)


def reopen_survey(db: Session, *, survey: Survey, actor: Actor, now: datetime) -> None:
    """Take answers by card again, as long as the test is open. What could be read stays readable: whose answer counts stands."""
    _set_closed(db, survey, None, "survey_reopened", actor, now)


def _set_closed(
    db: Session, survey: Survey, closed_at: datetime | None, action: str, actor: Actor, now: datetime
) -> None:
    delivery = lock_delivery(db, survey.delivery_id)
    lock_survey(db, survey)
    if survey.drawn_at is None:
        raise SurveyNotDrawn
    if (survey.closed_at is None) == (closed_at is None):
        raise SurveyClosed
    survey.closed_at = closed_at
    survey.first_closed_at = survey.first_closed_at or closed_at
    db.flush()
    delivery.scores_held = holds_scores(db, delivery.id)
    record_survey(db, survey, action=action, actor=actor, now=now)
