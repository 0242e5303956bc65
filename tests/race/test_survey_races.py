"""A survey that two people draw at once, and a card that two phones start at once, on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.surveys.errors import CardUsed, SurveyDrawn
from quizapp.surveys.models import Survey, SurveyInvitation
from quizapp.surveys.services import drawing
from quizapp.surveys.services.drawing import draw_survey
from tests.conftest import START
from tests.race.gate import together
from tests.surveys.support import make_district, make_survey, make_test, start

pytestmark = [pytest.mark.race, pytest.mark.postgres]
AT_ONCE = 5


@pytest.fixture
def roomy(postgres_database: Database) -> Database:
    """A pool that holds a connection for each of them."""
    return Database(postgres_database.url, pooled=False)


def planned(roomy: Database, keys: Keys | None = None) -> int:
    with roomy.session() as db, transaction(db):
        top, _streets = make_district(db)
        return make_survey(db, top, make_test(db, top), keys=keys).id


def draw_together(roomy: Database, keys: Keys) -> tuple[list[Any], int, int]:
    """As many as there are draw at once; gives what each got, the invitations, and how many were to be drawn."""
    survey_id = planned(roomy)

    def draw(db: Session) -> Any:
        try:
            with transaction(db):
                survey = db.get_one(Survey, survey_id)
                return draw_survey(db, survey=survey, keys=keys, actor=SYSTEM, now=START).drawn_digest
        except IntegrityError as error:
            return error

    results = together(roomy, [draw] * AT_ONCE, table="survey_invitation")
    with roomy.session() as db:
        survey = db.get_one(Survey, survey_id)
        count = select(func.count(SurveyInvitation.id)).where(SurveyInvitation.survey_id == survey_id)
        return results, db.scalar(count) or 0, survey.counts["drawn"]


def test_of_two_draws_at_once_one_is_made(roomy: Database, keys: Keys) -> None:
    results, invitations, drawn = draw_together(roomy, keys)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, SurveyDrawn) for result in results) == AT_ONCE - 1
    assert invitations == drawn


def test_without_its_locks_they_meet_and_the_constraint_decides(
    roomy: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "lock_survey", lambda db, survey: db.refresh(survey))
    monkeypatch.setattr(drawing, "lock_delivery", lambda db, delivery_id: db.get_one(Delivery, delivery_id))
    results, invitations, drawn = draw_together(roomy, keys)
    assert any(isinstance(result, IntegrityError) for result in results)
    assert invitations == drawn


def test_a_card_on_two_phones_makes_one_attempt(roomy: Database, keys: Keys) -> None:
    survey_id = planned(roomy, keys)

    def begin(db: Session) -> Any:
        one = select(SurveyInvitation).where(SurveyInvitation.survey_id == survey_id, SurveyInvitation.number == 1)
        return start(db, db.scalars(one).one(), keys).attempt.id

    results = together(roomy, [begin] * AT_ONCE, table="attempt")
    assert sum(isinstance(result, int) for result in results) == 1
    assert sum(isinstance(result, CardUsed) for result in results) == AT_ONCE - 1
    with roomy.session() as db:
        assert db.scalar(select(func.count(Attempt.id))) == 1
