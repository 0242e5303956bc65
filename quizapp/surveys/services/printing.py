"""The cards of a survey's invitations, and files that leave the house."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys
from quizapp.core.tokens import digest as digest_secret
from quizapp.files.models import FileKind, StoredFile
from quizapp.files.services import keep_file
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue
from quizapp.surveys.cards import InvitationCard, cards_pdf
from quizapp.surveys.errors import SurveyNotDrawn
from quizapp.surveys.models import Outcome, Survey, SurveyInvitation
from quizapp.surveys.queries import Place, places_of, unit_names
from quizapp.surveys.services.drawing import card_secret

TASK = "print_survey_cards"
#: So many cards are printed at once, while one waits; more by a job.
AT_ONCE = 100
#: Cards between two words of progress.
STEP = 50
#: How long a printed file can be fetched.
KEEP = timedelta(days=3)


def print_name(survey: Survey) -> str:
    """The name of the printed file."""
    return f"survey-cards-{survey.id}.pdf"


def ask_for_cards(db: Session, *, survey: Survey, base: str, actor: Actor, now: datetime) -> Job:
    """Print the cards in the background; `base` is the address before a card's secret."""
    return enqueue(db, TASK, {"survey_id": survey.id, "base": base}, actor=actor, now=now)


def cards_to_print(db: Session, survey: Survey) -> list[Place]:
    """Whom a card is for: those still invited who have not answered."""
    return [
        place
        for place in places_of(db, survey, people=True)
        if place.invitation.outcome != Outcome.INELIGIBLE
        and not place.answered
        and place.invitation.secret_hash is not None
    ]


def make_cards(
    db: Session,
    *,
    survey: Survey,
    base: str,
    keys: Keys,
    actor: Actor,
    now: datetime,
    on_step: Callable[[int, int], None] = lambda _done, _total: None,
) -> bytes:
    """The cards of everybody who has not answered, eight on a page, by unit; the log says how many names left the house.

    Raises SurveyNotDrawn.
    """
    if survey.drawn_at is None:
        raise SurveyNotDrawn
    places = cards_to_print(db, survey)
    names = unit_names(db, {place.invitation.home for place in places})
    places.sort(key=lambda place: (names.get(place.invitation.home, ""), place.invitation.number))
    cards = []
    renewed: dict[int, bytes] = {}
    for place in places:
        one = place.invitation
        secret = card_secret(keys, survey.id, one.number)
        if digest_secret(secret) != one.secret_hash:
            renewed[one.id] = digest_secret(
                secret
            )  # the installation has another key by now: cards of before open nothing
        of = one.populations[-1] if one.place is not None else None
        cards.append(
            InvitationCard(
                number=one.number,
                name=one.person.name if one.person is not None else "",
                place=one.place,
                of=of,
                unit=names.get(one.home, ""),
                url=f"{base}{secret}",
            )
        )
    content = cards_pdf(survey, cards, lambda done: on_step(done, len(cards)), STEP)
    with transaction(db):
        for invitation_id, secret_hash in renewed.items():
            db.execute(
                update(SurveyInvitation).where(SurveyInvitation.id == invitation_id).values(secret_hash=secret_hash)
            )
        record(
            db,
            actor=actor,
            action="survey_cards_printed",
            object_type="survey",
            object_id=survey.id,
            unit_id=survey.unit_id,
            details={"personal_data": True, "rows": len(cards), "format": "pdf"},
            now=now,
        )
    return content


def keep_cards(db: Session, content: bytes, *, survey: Survey, keys: Keys, actor: Actor, now: datetime) -> StoredFile:
    """Keep printed cards for whoever asked for them."""
    return keep_file(
        db,
        content,
        kind=FileKind.RESULT,
        media_type="application/pdf",
        name=print_name(survey),
        expires_at=now + KEEP,
        keys=keys,
        actor=actor,
        now=now,
    )
