"""Sheets and personal code cards for the people who are expected at a session, also where there are many."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, group_code
from quizapp.files.models import FileKind, StoredFile
from quizapp.files.services import keep_file
from quizapp.jobs.models import Job
from quizapp.jobs.services import enqueue
from quizapp.organisation.personal_codes import card_text, codes_of, issue_code
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.queries.lists import expected_people
from quizapp.trainings.sheets import Card, Head, cards_pdf, period_words, sign_in_pdf

#: Names of the background tasks.
TASK = "print_cards"
SIGN_IN_TASK = "print_sign_in_sheet"
#: So many cards, or names on a sign-in sheet, are printed at once, while one waits; more by a job.
AT_ONCE = 100
NAMES_AT_ONCE = 500
#: Codes made in one transaction, and cards between two words of progress.
STEP = 100
#: How long a printed file can be fetched.
KEEP = timedelta(days=3)


def head_of(session: TrainingSession) -> Head:
    """What stands at the top of a session's sheets."""
    return Head(
        title=session.title,
        unit=session.unit.name,
        place=session.place,
        when=period_words(session.starts_at, session.ends_at),
    )


def print_name(kind: str, session: TrainingSession) -> str:
    """The name of a printed file: "cards" or "sign-in" of a session."""
    return f"{kind}-{session.code}.pdf"


def ask_for_cards(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> Job:
    """Print the cards in the background."""
    return enqueue(db, TASK, {"session_id": session.id}, actor=actor, now=now)


def ask_for_sign_in_sheet(db: Session, *, session: TrainingSession, url: str, actor: Actor, now: datetime) -> Job:
    """Print the sign-in sheet in the background; `url` is what its code says."""
    return enqueue(db, SIGN_IN_TASK, {"session_id": session.id, "url": url}, actor=actor, now=now)


def make_sign_in_sheet(db: Session, *, session: TrainingSession, url: str, actor: Actor, now: datetime) -> bytes:
    """The sign-in sheet of everybody who is expected, with empty lines; the log says how many names left the house."""
    people = [(one.unit.name if one.unit else "", one.person.name) for one in expected_people(db, session.id)]
    content = sign_in_pdf(head_of(session), people, url)
    with transaction(db):
        record(
            db,
            actor=actor,
            action="sign_in_sheet_exported",
            object_type="training_session",
            object_id=session.id,
            unit_id=session.unit_id,
            details={"code": session.code, "personal_data": True, "format": "pdf", "rows": len(people)},
            now=now,
        )
    return content


def make_cards(
    db: Session,
    *,
    session: TrainingSession,
    actor: Actor,
    now: datetime,
    on_step: Callable[[int, int], None] = lambda _done, _total: None,
) -> bytes:
    """The cards of everybody who is expected, ten on a page. Who has no code yet gets one; the log says how many were printed.

    Works in transactions of its own, a hundred people each: a code is a promise that stands by itself.
    """
    people = [(one.person, one.unit.name if one.unit else "") for one in expected_people(db, session.id)]
    codes = codes_of(db, (person.id for person, _ in people))
    missing = [person for person, _ in people if person.id not in codes]
    for start in range(0, len(missing), STEP):
        with transaction(db):
            codes |= {person.id: issue_code(db, person, now=now) for person in missing[start : start + STEP]}
        on_step(min(start + STEP, len(missing)), 2 * len(people))
    cards = [
        Card(person.name, unit, card_text(codes[person.id]), group_code(codes[person.id])) for person, unit in people
    ]
    content = cards_pdf(head_of(session), cards, lambda done: on_step(len(people) + done, 2 * len(people)), STEP)
    with transaction(db):
        record(
            db,
            actor=actor,
            action="cards_printed",
            object_type="training_session",
            object_id=session.id,
            unit_id=session.unit_id,
            details={"code": session.code, "personal_data": True, "rows": len(cards), "new_codes": len(missing)},
            now=now,
        )
    return content


def keep_print(
    db: Session, content: bytes, kind: str, *, session: TrainingSession, keys: Keys, actor: Actor, now: datetime
) -> StoredFile:
    """Keep a printed file for whoever asked for it."""
    return keep_file(
        db,
        content,
        kind=FileKind.RESULT,
        media_type="application/pdf",
        name=print_name(kind, session),
        expires_at=now + KEEP,
        keys=keys,
        actor=actor,
        now=now,
    )
