"""A card starts one attempt of whom it was made for, and afterwards leads back to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.quizzes.models import Attempt, AttemptState
from quizapp.quizzes.services.first_attempts import lock_standing
from quizapp.quizzes.services.standing import hold_delivery
from quizapp.quizzes.services.starting import Card, Profile, Started, start_attempt, ticket_identity
from quizapp.surveys.errors import CardTakenBack, CardUnknown, CardUsed
from quizapp.surveys.models import FrameKind, Outcome, Survey, SurveyInvitation
from quizapp.surveys.queries import find_invitation, proved_attempt


def open_card(db: Session, secret: str) -> tuple[SurveyInvitation, Survey]:
    """The invitation of a card with its survey. Raises CardUnknown."""
    invitation = find_invitation(db, secret)
    if invitation is None:
        raise CardUnknown
    return invitation, db.get_one(Survey, invitation.survey_id)


def check_card(survey: Survey, invitation: SurveyInvitation) -> None:
    """Raise CardTakenBack where the invitation does not hold."""
    if survey.closed_at is not None or invitation.outcome == Outcome.INELIGIBLE:
        raise CardTakenBack


def attempt_of(db: Session, survey: Survey, invitation: SurveyInvitation) -> Attempt | None:
    """The attempt that the card leads back to: its own unless that is void, else one that its person has proved already."""
    if invitation.attempt_id is not None:
        found = db.scalar(
            select(Attempt).where(Attempt.id == invitation.attempt_id).execution_options(populate_existing=True)
        )
        if found is not None and found.state != AttemptState.VOID:
            return found
    if invitation.person_id is not None:
        return proved_attempt(db, survey.delivery_id, invitation.person_id)
    return None


def card_of(survey: Survey, invitation: SurveyInvitation) -> Card:
    """What the start of an attempt needs to know of a card."""
    if survey.frame_kind == FrameKind.UNITS:
        return Card(None, int(invitation.home))
    return Card(invitation.person_id)


def start_by_card(
    db: Session,
    *,
    invitation: SurveyInvitation,
    profile: Profile,
    actor: Actor,
    device_hash: bytes | None,
    ticket: str,
    keys: Keys,
    now: datetime,
) -> Started:
    """Start the one attempt of a card. Raises CardTakenBack, CardUsed, and what `start_attempt` raises.

    Locks as every start: the delivery, the person, then the invitation, behind which a second start of the same card waits.
    """
    survey = db.get_one(Survey, invitation.survey_id)
    hold_delivery(db, survey.delivery)
    if invitation.person_id is not None:
        lock_standing(db, invitation.person_id)
    db.refresh(invitation, with_for_update={"of": SurveyInvitation})
    db.refresh(survey)
    check_card(survey, invitation)
    public_id, secret = ticket_identity(keys, ticket)
    before = attempt_of(db, survey, invitation)
    if before is not None:
        if before.public_id == public_id:
            return Started(before, secret)  # the same form again
        raise CardUsed
    started = start_attempt(
        db,
        delivery=survey.delivery,
        profile=profile,
        actor=actor,
        device_hash=device_hash,
        ticket=ticket,
        keys=keys,
        now=now,
        card=card_of(survey, invitation),
    )
    invitation.attempt_id = started.attempt.id
    if invitation.outcome != Outcome.INVITED:
        invitation.outcome = Outcome.INVITED.value  # who would not, or was not found, came after all
    db.flush()
    return started
