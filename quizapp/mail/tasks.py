"""Sending what waits, once a minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.jobs.periodic import every
from quizapp.jobs.worker import JobContext
from quizapp.mail import services
from quizapp.mail.letters import COMPOSERS, Question, Words
from quizapp.mail.models import OutgoingMail
from quizapp.mail.sending import Outcome, Parcel, Server, make_message, send

#: Seconds between two turns.
SENDING_SECONDS = 60


@every(SENDING_SECONDS)
@task("send_mail")
def send_mail(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Send what is due. Each outcome is stored at once, so that a turn that breaks off sends nothing again."""
    settings, counts = context.settings, Counter[str]()
    if not settings.smtp_url:
        return {}
    server = Server.read(settings.smtp_url)
    with context.session() as db:
        with transaction(db):
            due = services.take_due(db, now=context.now())
        parcels, empty = [], []
        for mail in due:
            parcel = _pack(context, mail)
            parcels.append(parcel) if isinstance(parcel, Parcel) else empty.append(parcel)
        for outcome in _both(empty, send(server, parcels)):
            with transaction(db):
                if outcome.error is None:
                    services.note_sent(db, outcome.mail_id, now=context.now())
                elif outcome.error == "dropped":
                    services.note_dropped(db, outcome.mail_id, now=context.now())
                else:
                    services.note_failed(
                        db, outcome.mail_id, error=outcome.error, for_good=outcome.for_good, now=context.now()
                    )
            counts["sent" if outcome.error is None else "dropped" if outcome.error == "dropped" else "failed"] += 1
    return dict(counts)


def _both(first: list[Outcome], second: Iterator[Outcome]) -> Iterator[Outcome]:
    yield from first
    yield from second


def _pack(context: JobContext, mail: OutgoingMail) -> Parcel | Outcome:
    """The mail with its words, or why there is none."""
    address = services.open_address(context.keys, mail.address_encrypted) if mail.address_encrypted else None
    composer = COMPOSERS.get(mail.kind)
    if address is None or composer is None:
        return Outcome(mail.id, "unreadable", for_good=True)
    with context.session() as db:
        question = Question(db, mail.about_id, mail.mark, context.settings.public_url, context.now())
        letter = composer(question, Words(mail.language))
    if letter is None:
        return Outcome(mail.id, "dropped")
    try:
        message = make_message(
            sender=context.settings.mail_from,
            address=address,
            subject=letter.subject,
            text=letter.text,
            public_id=mail.public_id,
            language=mail.language,
            now=context.now(),
        )
    except ValueError:
        return Outcome(mail.id, "address", for_good=True)
    return Parcel(mail.id, message)
