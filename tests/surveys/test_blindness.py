"""Who may strike somebody out of a survey cannot know the score, and once scores can be read nobody is struck out."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.quizzes.models import Attempt, AttemptState, Delivery
from quizapp.quizzes.rescoring.models import ResultChange
from quizapp.reports.attempt_rows import COLUMNS, attempt_rows
from quizapp.surveys.errors import InvitationSettled, SurveyStillOpen
from quizapp.surveys.models import Outcome, SurveyInvitation
from quizapp.surveys.services.estimating import ask_for_estimate
from quizapp.surveys.services.inviting import close_survey, note_outcome, reopen_survey
from quizapp.surveys.services.rows import survey_rows
from tests.conftest import START
from tests.surveys.support import answer, answer_within, let_read, make_district, make_survey, make_test
from tests.surveys.test_pages import Place

#: No number of a page is this score by chance.
SCORE = 73


def _tells(page: str) -> bool:
    return re.search(rf"(?<![\w-]){SCORE}(?![\w-])", re.sub(r"<[^>]+>", " ", page)) is not None


def _answers(db: Session, keys: Keys) -> list[SurveyInvitation]:
    places = list(db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)))
    for one in places[:12]:
        answer_within(db, one, keys, SCORE, sex="male")
    return places


def test_no_page_and_no_file_tells_a_score_before_the_survey_is_closed(
    app: Flask, database: Database, db: Session
) -> None:
    place = Place(app, database, db)
    survey = place.drawn()
    with transaction(db):
        attempt_id = _answers(db, place.keys)[0].attempt_id
        attempt = db.get_one(Attempt, attempt_id)
        before = {"score": 20, "passed": False, "state": "submitted"}
        after = {"score": SCORE, "passed": True, "state": "submitted"}
        db.add(
            ResultChange(
                attempt_id=attempt.id,
                delivery_id=place.test.id,
                cause="key",
                before=before,
                after=after,
                at=to_ms(START),
            )
        )
        public_id, delivery = attempt.public_id, place.test.id
    place.fresh()
    records = f"/reports/records?delivery={delivery}&period=all&figure="
    pages = [
        f"{records}closed",
        f"/deliveries/{delivery}/attempts",
        f"/deliveries/{delivery}/changes",
        f"/attempts/{public_id}",
        f"/deliveries/{delivery}/live",
        f"/surveys/{survey.id}/people",
        f"/surveys/{survey.id}/estimate",
    ]
    files = [
        f"/surveys/{survey.id}/sample.csv",
        f"/surveys/{survey.id}/design.toml",
        f"/surveys/{survey.id}/estimate.xlsx",
    ]
    for address in pages:
        page = place.client.get(address)
        assert page.status_code == 200, address
        assert not _tells(page.text), address
    for address in (f"{records}closed", *pages[1:4], pages[-1]):
        assert "结束调查以后" in place.client.get(address).text, address
    for figure in ("passed", "literate"):
        assert "data-attempt" not in place.client.get(records + figure).text
    for address in files:
        assert place.client.get(address).status_code == 303, address
    assert place.client.post(f"/surveys/{survey.id}/estimate").status_code == 200
    with place.database.session() as other:
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in attempt_rows(other, [Delivery.id == delivery])]
        assert {(row["score"], row["passed"]) for row in rows} == {(None, None)}

    assert place.client.post(f"/surveys/{survey.id}/close").status_code == 303
    for address in pages[:4]:
        assert _tells(place.client.get(address).text), address
    assert "data-attempt" in place.client.get(f"{records}passed").text
    sample = list(csv.DictReader(io.StringIO(place.client.get(files[0]).text)))
    assert [row["score"] for row in sample].count(str(SCORE)) == 12


def test_whose_answer_counts_stands_once_scores_could_be_read(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        top, _streets = make_district(db)
        survey = make_survey(db, top, make_test(db, top), keys=keys)
        places = _answers(db, keys)

    def note(one: SurveyInvitation, outcome: Outcome) -> None:
        with transaction(db):
            note_outcome(db, survey=survey, invitation=one, outcome=outcome, actor=SYSTEM, now=START)

    assert survey.delivery.scores_held
    with pytest.raises(SurveyStillOpen):
        survey_rows(db, survey)
    with pytest.raises(SurveyStillOpen):
        ask_for_estimate(db, survey=survey, actor=SYSTEM, now=START)
    note(places[0], Outcome.INELIGIBLE)
    note(places[1], Outcome.INELIGIBLE)
    note(places[1], Outcome.INVITED)  # a slip, put right while nobody knows the score
    with transaction(db):
        let_read(db, survey)
    assert not survey.delivery.scores_held
    for one, outcome in ((places[2], Outcome.INELIGIBLE), (places[0], Outcome.INVITED), (places[1], Outcome.REFUSED)):
        with pytest.raises(InvitationSettled):
            note(one, outcome)
    note(places[20], Outcome.UNREACHABLE)  # who has not answered has no score
    answer(db, places[21], keys, 20)
    with pytest.raises(InvitationSettled):
        note(places[21], Outcome.INELIGIBLE)
    assert survey_rows(db, survey).struck_out == 1


def test_a_test_taken_before_the_draw_was_seen_already(db: Session, keys: Keys) -> None:
    with transaction(db):
        top, _streets = make_district(db)
        survey = make_survey(db, top, make_test(db, top), keys=keys)
        place, *_rest = _answers(db, keys)
        db.get_one(Attempt, place.attempt_id).closed_at = to_ms(START - timedelta(days=1))
    with pytest.raises(InvitationSettled), transaction(db):
        note_outcome(db, survey=survey, invitation=place, outcome=Outcome.INELIGIBLE, actor=SYSTEM, now=START)


def test_of_two_surveys_of_a_test_the_last_to_close_shows_the_scores(either_db: Session, keys: Keys) -> None:
    with transaction(either_db):
        top, _streets = make_district(either_db)
        delivery = make_test(either_db, top)
        one, other = (make_survey(either_db, top, delivery, keys=keys, seed=f"seed of {name}") for name in "ab")
    states = []
    for step in (close_survey, reopen_survey):
        with transaction(either_db):
            step(either_db, survey=one, actor=SYSTEM, now=START)
        states.append(delivery.scores_held)
    with transaction(either_db):
        close_survey(either_db, survey=other, actor=SYSTEM, now=START)
    assert [*states, delivery.scores_held] == [True, True, False]


def test_an_open_answer_has_no_score_to_know(db: Session, keys: Keys) -> None:
    with transaction(db):
        top, _streets = make_district(db)
        survey = make_survey(db, top, make_test(db, top), keys=keys)
        place, *_rest = _answers(db, keys)
        let_read(db, survey)
        attempt = db.get_one(Attempt, place.attempt_id)
        attempt.state, attempt.score, attempt.passed = AttemptState.OPEN, None, None
    with transaction(db):
        note_outcome(db, survey=survey, invitation=place, outcome=Outcome.UNREACHABLE, actor=SYSTEM, now=START)
    assert isinstance(InvitationSettled(), DomainError)
