"""A district with a roster and a literacy test, surveys of it, and people who answer by their card."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.scope import GUEST, SYSTEM, Actor
from quizapp.core.tokens import Keys, digest, new_secret
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Attempt, AttemptState, Delivery
from quizapp.quizzes.services.starting import Profile, Started
from quizapp.surveys.models import Survey, SurveyInvitation
from quizapp.surveys.services.answering import start_by_card
from quizapp.surveys.services.drawing import draw_survey
from quizapp.surveys.services.inviting import close_survey, reopen_survey
from quizapp.surveys.services.planning import Numbers, Planned, check_plan, plan_survey
from tests.conftest import START
from tests.factories import make_delivery, make_unit

SEED = "第2026137期 3 8 1 2026-11-22"


def make_district(db: Session, streets: int = 3, each: int = 40, **values: Any) -> tuple[OrgUnit, list[OrgUnit]]:
    """A district with streets of `each` people, and one more person in each street before the next."""
    top = make_unit(db, kind="district", **values)
    below = [make_unit(db, top, kind="street", name=f"{top.name}第{number}街道") for number in range(1, streets + 1)]
    for number, street in enumerate(below):
        db.add_all(
            Person(
                name=f"居民{number}-{index}",
                source="roster",
                unit_id=street.id,
                birth_year=1950 + index % 55,
                sex="female" if index % 2 else "male",
                created_at=START,
            )
            for index in range(each + number)
        )
    db.flush()
    return top, below


def make_test(db: Session, unit: OrgUnit, standard: str = "literacy_2016", **values: Any) -> Delivery:
    """A literacy test of five items that asks the year of birth, for invited people and accounts."""
    values = {"fields": {"birth_year": "required", "sex": "optional"}, "guests": False, **values}
    delivery = make_delivery(db, unit, **values)
    delivery.blueprint.rules = {**delivery.blueprint.rules, "standard": standard}
    db.flush()
    return delivery


def planned(unit: OrgUnit, delivery: Delivery, **values: Any) -> Planned:
    """A plan; what belongs to its numbers is put there."""
    numbers = {name: values.pop(name) for name in list(values) if name in Numbers.__dataclass_fields__}
    return Planned(
        **{
            "title": "公民科学素质抽样调查",
            "unit_id": unit.id,
            "delivery_id": delivery.id,
            "design": "stratified",
            "frame_kind": "roster",
            "numbers": Numbers(**{"margin": 0.1, "response": 0.8, **numbers}),
            "seed": SEED,
            **values,
        }
    )


def make_survey(
    db: Session, unit: OrgUnit, delivery: Delivery, *, keys: Keys | None = None, actor: Actor = SYSTEM, **values: Any
) -> Survey:
    """A planned survey; with `keys` it is drawn."""
    checked = check_plan(db, planned(unit, delivery, **values), actor=actor, now=START)
    survey = plan_survey(db, checked, actor=actor, now=START)
    return survey if keys is None else draw_survey(db, survey=survey, keys=keys, actor=actor, now=START)


def readable_survey(db: Session, unit: OrgUnit, delivery: Delivery, *, keys: Keys, **values: Any) -> Survey:
    """A drawn survey whose scores may be read though people still answer."""
    survey = make_survey(db, unit, delivery, keys=keys, **values)
    let_read(db, survey)
    return survey


def let_read(db: Session, survey: Survey) -> None:
    """Close the survey and open it again: its scores may be read from then on, and people can still answer."""
    close_survey(db, survey=survey, actor=SYSTEM, now=START)
    reopen_survey(db, survey=survey, actor=SYSTEM, now=START)


def begin_by_card(
    db: Session, invitation: SurveyInvitation, keys: Keys, now: datetime, ticket: str, profile: Any
) -> Started:
    return start_by_card(
        db,
        invitation=invitation,
        profile=Profile(**{"consent": True, "birth_year": 1970, **profile}),
        actor=GUEST,
        device_hash=digest(new_secret()),
        ticket=ticket or new_secret(),
        keys=keys,
        now=now,
    )


def start(
    db: Session, invitation: SurveyInvitation, keys: Keys, *, now: datetime = START, ticket: str = "", **profile: Any
) -> Started:
    """Start with a card, in a transaction of its own."""
    with transaction(db):
        return begin_by_card(db, invitation, keys, now, ticket, profile)


def answer_within(
    db: Session, invitation: SurveyInvitation, keys: Keys, score: int, *, now: datetime = START, **profile: Any
) -> Attempt:
    """Start with a card and hand in with this score, in the caller's transaction."""
    attempt = begin_by_card(db, invitation, keys, now, "", profile).attempt
    attempt.state, attempt.score, attempt.passed = AttemptState.SUBMITTED, score, score >= 60
    attempt.closed_at = attempt.started_at + 60_000
    db.flush()
    return attempt


def answer(db: Session, invitation: SurveyInvitation, keys: Keys, score: int, **profile: Any) -> Attempt:
    """The same in a transaction of its own."""
    with transaction(db):
        return answer_within(db, invitation, keys, score, **profile)
