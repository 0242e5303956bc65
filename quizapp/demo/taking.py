"""Attempts of the demo: whole lives of attempts through the functions that the pages use, with a clock of their own."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.hot import session_runner
from quizapp.core.scope import GUEST, Actor
from quizapp.core.tokens import Keys, digest
from quizapp.demo.answering import Given, Question, answer_paper, questions_of
from quizapp.demo.people import Resident
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.services.saving import AnswerItem, save_answers
from quizapp.quizzes.services.starting import Profile, Started, start_attempt
from quizapp.quizzes.services.submitting import close_if_over, submit_attempt
from quizapp.surveys.models import SurveyInvitation
from quizapp.surveys.services.answering import start_by_card


class Ending(StrEnum):
    """How an attempt ends."""

    SUBMITTED = "submitted"
    #: Put down after some questions: scored when its time is over.
    LEFT = "left"
    #: Nothing was answered: void when its time is over.
    EMPTY = "empty"


@dataclass(frozen=True)
class Plan:
    """One attempt to be made."""

    starts: datetime
    delivery_id: int
    resident: Resident
    profile: Profile
    actor: Actor = GUEST
    #: Which browser; the same one for a second try.
    device: str = ""
    ending: Ending = Ending.SUBMITTED
    #: The card by which it is started, where there is one.
    invitation: SurveyInvitation | None = None


def random_token(rng: Random) -> str:
    """What `core.tokens.new_secret` makes, from a seeded generator."""
    return base64.urlsafe_b64encode(rng.randbytes(16)).rstrip(b"=").decode()


class Taker:
    """Makes attempts in the caller's transactions; keeps papers between them."""

    def __init__(self, keys: Keys, rng: Random) -> None:
        self._keys = keys
        self._rng = rng
        self._papers = PaperCache()
        self._questions: dict[int, list[Question]] = {}

    def take(self, db: Session, plan: Plan, now: datetime) -> Attempt:
        """Start, answer and end one attempt as the pages do; what would happen after `now` has not happened yet."""
        started = self._start(db, plan)
        attempt = started.attempt
        answers = self._answers(db, attempt, plan)
        start_ms, end_ms = attempt.started_at, to_ms(now)
        answers = [given for given in answers if start_ms + int(given.second * 1000) <= end_ms]
        self._save(db, attempt, answers, started.secret)
        last = answers[-1].second if answers else 0.0
        submit_ms = min(start_ms + int((last + self._rng.uniform(4, 25)) * 1000), attempt.deadline_at)
        if plan.ending == Ending.SUBMITTED and submit_ms <= end_ms:
            return submit_attempt(db, attempt.id, papers=self._papers, now_ms=submit_ms)
        return close_if_over(db, attempt.id, papers=self._papers, now_ms=end_ms)

    def _start(self, db: Session, plan: Plan) -> Started:
        if plan.invitation is not None:
            return start_by_card(
                db,
                invitation=plan.invitation,
                profile=plan.profile,
                actor=plan.actor,
                device_hash=digest(plan.device),
                ticket=random_token(self._rng),
                keys=self._keys,
                now=plan.starts,
            )
        return start_attempt(
            db,
            delivery=db.get_one(Delivery, plan.delivery_id),
            profile=plan.profile,
            actor=plan.actor,
            device_hash=digest(plan.device),
            ticket=random_token(self._rng),
            keys=self._keys,
            now=plan.starts,
        )

    def _answers(self, db: Session, attempt: Attempt, plan: Plan) -> list[Given]:
        if attempt.paper_id not in self._questions:
            self._questions[attempt.paper_id] = questions_of(db, attempt.paper_id)
        questions = self._questions[attempt.paper_id]
        seconds = (attempt.deadline_at - attempt.started_at) / 1000
        answers = answer_paper(self._rng, plan.resident, questions, seconds)
        if plan.ending == Ending.EMPTY:
            return []
        if plan.ending == Ending.LEFT:
            return answers[: max(1, int(len(answers) * self._rng.uniform(0.1, 0.6)))]
        return answers

    def _save(self, db: Session, attempt: Attempt, answers: Iterable[Given], secret: str) -> None:
        run = session_runner(db)
        secret_hash = digest(secret)
        for sequence, given in enumerate(answers, start=1):
            save_answers(
                run,
                attempt=attempt.public_id,
                secret_hash=secret_hash,
                items=[AnswerItem(given.position, given.answer, sequence)],
                now_ms=attempt.started_at + int(given.second * 1000),
            )


def daytime(rng: Random, first: datetime, last: datetime) -> datetime:
    """A moment between two, more often early in the window, between 8 and 22 o'clock in Shanghai."""
    span = (last - first).total_seconds()
    for _ in range(50):
        moment = first + timedelta(seconds=span * rng.betavariate(1.1, 1.7))
        if 0 <= (moment.hour * 60 + moment.minute) <= 14 * 60:  # UTC: 8 to 22 o'clock there
            return moment
    return first + timedelta(seconds=span / 2)
