"""The pages of surveys: a refused plan with its cure, the draw, cards, outcomes, the estimate by its job, those who took part."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

import quizapp.tasks  # noqa: F401 # a worker knows every task
from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database, transaction
from quizapp.core.scope import GUEST
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime
from quizapp.jobs.worker import run_pending
from quizapp.operations.installation import open_installation
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery, DeliveryAudience
from quizapp.surveys.models import Outcome, Survey, SurveyInvitation
from quizapp.surveys.services.drawing import card_secret
from tests.conftest import START, FakeClock, make_settings
from tests.factories import make_account, make_attempt, make_person
from tests.pdf import page_pictures
from tests.quizzes.staff import client_of, coordinator_of
from tests.surveys.support import SEED, answer_within, let_read, make_district, make_survey, make_test

AppMaker = Callable[..., Flask]


class Place:
    """A district with a literacy test, and its coordinator at the pages."""

    def __init__(self, app: Flask, database: Database, db: Session) -> None:
        self.app, self.database, self.db = app, database, db
        with transaction(db):
            self.top, self.streets = make_district(db)
            self.test = make_test(db, self.top)
            account = make_account(db)
        self.client = client_of(app, coordinator_of(self.top, account_id=account.id))

    @property
    def keys(self) -> Keys:
        """The application's keys."""
        runtime: Runtime = self.app.extensions["quizapp"]
        return runtime.keys

    def form(self, **changes: Any) -> dict[str, Any]:
        """What the page of a plan sends."""
        values = {
            "action": "save",
            "title": "公民科学素质抽样调查",
            "unit_id": str(self.top.id),
            "delivery_id": str(self.test.id),
            "design": "stratified",
            "frame_kind": "roster",
            "margin": "10",
            "response": "80",
            "confidence": "95",
            "seed": SEED,
        }
        return {**values, **changes}

    def drawn(self, **values: Any) -> Survey:
        """A drawn survey."""
        with transaction(self.db):
            return make_survey(self.db, self.top, self.test, keys=self.keys, **values)

    def fresh(self) -> None:
        """End the read that this session is in, so that it sees what the pages have stored."""
        self.db.rollback()
        self.db.expire_all()

    def run_jobs(self, tmp_path: Path) -> None:
        """What the background does."""
        settings = make_settings(tmp_path, self.database)
        installation = open_installation(settings)
        try:
            run_pending(installation)
        finally:
            installation.database.dispose()


@pytest.fixture
def place(app: Flask, database: Database, db: Session) -> Place:
    return Place(app, database, db)


def test_volunteers_are_refused_with_the_sample_that_would_do(place: Place) -> None:
    page = place.client.post("/surveys/new", data=place.form(design="open"))
    assert page.status_code == 422
    assert "2401" in page.text
    assert place.db.scalars(select(Survey)).first() is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"margin": "2"}, "全请来，误差也要放宽到"),
        ({"design": "two_stage", "per_unit": "2"}, "只有 3 个"),
        ({"seed": "1"}, "种子至少 6 个字"),
        ({"frame_kind": "units", "unit_list": "x,1"}, "先抽单位，再抽人"),
        ({"design": "two_stage", "frame_kind": "units", "unit_list": "x,1"}, "第 1 行看不懂"),
        ({"delivery_id": ""}, "请选择一次测验"),
        ({"margin": "50"}, "0.5 到 20"),
    ],
)
def test_a_plan_that_does_not_hold_says_what_to_change(place: Place, changes: dict[str, Any], words: str) -> None:
    page = place.client.post("/surveys/new", data=place.form(**changes))
    assert page.status_code == 422
    assert words in page.text


def test_a_test_without_year_of_birth_or_for_others_is_not_taken(place: Place) -> None:
    for changes, words in (({"fields": {}}, "没有把出生年份设为必填"), ({"limited": True}, "限定了对象")):
        with transaction(place.db):
            other = make_test(place.db, place.top, **changes)
            if other.limited:
                place.db.add(DeliveryAudience(delivery_id=other.id, unit_id=place.streets[0].id))
        page = place.client.post("/surveys/new", data=place.form(delivery_id=str(other.id)))
        assert page.status_code == 422
        assert words in page.text


def test_a_list_is_announced_withdrawn_and_drawn_from_with_the_numbers_that_came_out(place: Place) -> None:
    client, stranger = place.client, place.app.test_client()
    with transaction(place.db):
        survey = make_survey(place.db, place.top, place.test)
    address = f"/surveys/{survey.id}"
    assert stranger.get(f"{address}/drawn").status_code == 404
    for _ in range(2):  # pressed twice: one announcement
        assert client.post(f"{address}/announce").headers["Location"] == f"{address}/drawn"
    place.fresh()
    shown = stranger.get(f"{address}/drawn").text
    assert "抽签公告" in shown
    assert len(survey.announcements) == 1
    assert str(survey.frame_digest) in shown
    assert client.get(f"{address}/edit").status_code == 303
    assert "名单已公布" in client.get(address).text
    assert client.get(f"{address}/frame.csv").text.count("\n") == 124
    for refused in (client.get(f"{address}/drop"), client.post(f"{address}/drop")):
        assert refused.headers["Location"] == address
    asked = client.get(f"{address}/withdraw").text
    assert "收回了，谁都看得到" in asked
    place.fresh()
    assert survey.announced is not None, "asked, and nothing done"
    for _ in range(2):  # pressed twice
        assert client.post(f"{address}/withdraw").headers["Location"] == address
    assert client.get(f"{address}/withdraw").headers["Location"] == address, "nothing to be taken back"
    assert "收回" in stranger.get(f"{address}/drawn").text
    assert client.get(f"{address}/frame.csv").status_code == 409
    client.post(f"{address}/announce")
    empty = client.post(f"{address}/draw", data={"came_out": ""})
    assert empty.status_code == 422
    assert "请填写这一项" in empty.text
    assert client.post(f"{address}/draw", data={"came_out": "03 08 11"}).status_code == 303
    place.fresh()
    assert client.get(f"{address}/withdraw").headers["Location"] == address, "it was drawn from"
    drawn = stranger.get(f"{address}/drawn").text
    assert f"{SEED} 03 08 11" in html.unescape(drawn)
    assert drawn.count(str(survey.frame_digest)) == 3  # announced twice and drawn from
    place.db.expire_all()
    actions = set(place.db.scalars(select(AuditEvent.action)))
    assert {"survey_announced", "survey_announcement_withdrawn", "survey_drawn"} <= actions


def test_a_plan_is_given_up_after_a_question(place: Place) -> None:
    with transaction(place.db):
        survey = make_survey(place.db, place.top, place.test)
    address = f"/surveys/{survey.id}"
    assert "删了就找不回来" in place.client.get(f"{address}/drop").text
    assert place.client.get(address).status_code == 200
    assert place.client.post(f"{address}/drop").headers["Location"] == "/surveys"
    assert place.client.get(address).status_code == 404


def test_from_plan_to_draw_to_cards(place: Place) -> None:
    client = place.client
    worked_out = client.post("/surveys/new", data=place.form(action="check")).text
    assert place.db.scalars(select(Survey)).first() is None
    assert "第3街道" in worked_out
    to = client.post("/surveys/new", data=place.form()).location
    place.fresh()
    survey = place.db.scalars(select(Survey)).one()
    assert to.endswith(f"/surveys/{survey.id}")
    assert client.get(to).status_code == 200
    changed = client.post(f"/surveys/{survey.id}/edit", data=place.form(title="改过的名称"))
    assert changed.status_code == 303
    assert SEED in client.get(f"/surveys/{survey.id}/draw").text
    assert client.post(f"/surveys/{survey.id}/draw").status_code == 303
    place.fresh()
    assert survey.title == "改过的名称"
    assert client.get(f"/surveys/{survey.id}/edit").status_code == 303  # the plan stands
    shown = client.get(f"/surveys/{survey.id}/drawn").text
    assert survey.frame_digest is not None
    assert survey.frame_digest in shown
    assert str(survey.drawn_digest) in shown
    assert f"--people {survey.counts['wanted']}" in shown
    frame = list(csv.reader(io.StringIO(client.get(f"/surveys/{survey.id}/frame.csv").text)))
    assert len(frame) == 1 + survey.counts["people"]
    cards = client.post(f"/surveys/{survey.id}/cards")
    assert cards.mimetype == "application/pdf"
    codes = {code.text for picture in page_pictures(cards.data, ppi=150) for code in zxingcpp.read_barcodes(picture)}
    numbers = range(1, survey.counts["drawn"] + 1)
    assert codes == {f"http://localhost/i/{card_secret(place.keys, survey.id, number)}" for number in numbers}
    place.fresh()
    actions = set(place.db.scalars(select(AuditEvent.action)))
    assert {"survey_planned", "survey_changed", "survey_drawn", "survey_cards_printed"} <= actions


def test_the_response_by_street_and_what_is_noted(place: Place) -> None:
    survey = place.drawn()
    one, other, *_rest = place.db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)).all()
    with transaction(place.db):
        answer_within(place.db, one, place.keys, 80)
    address = f"/surveys/{survey.id}/people"
    noted = place.client.post(f"{address}/{other.id}?state=invited", data={"outcome": "ineligible"})
    assert noted.location.endswith("/people?state=invited")
    refused = place.client.post(f"{address}/{one.id}", data={"outcome": "refused"}, follow_redirects=True)
    assert "已经答完的人" in refused.text
    place.fresh()
    assert other.outcome == Outcome.INELIGIBLE
    page = place.client.get(f"/surveys/{survey.id}").text
    total = re.search(r'class="total">(.*?)</tr>', page, re.DOTALL)
    assert total is not None
    numbers = [int(text) for text in re.findall(r'"num">(\d+)<', total[1])]
    assert numbers == [survey.counts["drawn"], 1, 0, 0, 1]
    assert "第1街道" in page
    assert str(one.number) in place.client.get(f"{address}?state=answered").text
    assert place.client.post(f"/surveys/{survey.id}/close").status_code == 303
    assert place.client.get(f"/i/{card_secret(place.keys, survey.id, 9)}").text.count("已经结束") == 1
    assert place.client.post(f"/surveys/{survey.id}/reopen").status_code == 303


def test_the_estimate_is_made_by_a_job_and_goes_along_as_files(place: Place, tmp_path: Path) -> None:
    survey = place.drawn()
    address = f"/surveys/{survey.id}/estimate"
    assert "结束调查以后才估计" in place.client.get(address).text
    with transaction(place.db):
        for number, one in enumerate(place.db.scalars(select(SurveyInvitation)).all()):
            if number % 4:
                sex = "female" if number % 2 else "male"
                answer_within(place.db, one, place.keys, 20 * (number % 6), sex=sex)
    place.client.post(f"/surveys/{survey.id}/close")
    assert "/jobs/" in place.client.post(address).location
    place.run_jobs(tmp_path)
    place.fresh()
    assert survey.estimate is not None
    page = place.client.get(address).text
    rate = survey.estimate["main"]["estimate"]
    assert f"{rate * 100:.1f}%" in page
    assert "作答不足 400 人" in page
    assert "Korn–Graubard" in page
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(place.client.get(f"{address}.xlsx").data))
    rows = sheets.get_sheet_by_name("估计").to_python()
    assert rows[1][3] == pytest.approx(rate)
    assert place.client.get(f"/surveys/{survey.id}/sample.csv").text.count("\n") == 1 + survey.counts["drawn"]
    wrong = place.client.post(f"/surveys/{survey.id}/weighting", data={"margins": "身高,高,1"})
    assert wrong.status_code == 422
    assert "第 1 行看不懂" in wrong.text
    kept = place.client.post(f"/surveys/{survey.id}/weighting", data={"margins": "性别,女,60\n性别,男,63", "cap": "4"})
    assert "/jobs/" in kept.location
    place.run_jobs(tmp_path)
    page = place.client.get(address).text
    assert "sex,female,60" in page
    assert "再调到已知的人口数（性别）" in page


def test_a_group_says_why_its_rate_is_not_shown(place: Place, tmp_path: Path) -> None:
    survey = place.drawn(design="simple", margin=0.05)
    with transaction(place.db):
        for number, one in enumerate(place.db.scalars(select(SurveyInvitation)).all()):
            attempt = answer_within(place.db, one, place.keys, 20 * (number % 6), birth_year=1990)
            attempt.sex = None if number < 4 else "male" if number < 16 else "female"
        let_read(place.db, survey)
    place.client.post(f"/surveys/{survey.id}/estimate")
    place.run_jobs(tmp_path)
    page = place.client.get(f"/surveys/{survey.id}/estimate").text
    none, male = (page.split(f'class="row-name">{label}</th>')[1].split("</tr>")[0] for label in ("没有填", "男"))
    assert "作答不足 10 人" in none
    assert "能推算出人数少的一行" in male  # twelve people, but all less the women would tell of the four


def test_a_card_on_a_phone_starts_goes_on_and_ends(place: Place) -> None:
    survey = place.drawn()
    runtime: Runtime = place.app.extensions["quizapp"]
    runtime.load_actor = lambda: GUEST
    phone, other = place.app.test_client(), place.app.test_client()
    address = f"/i/{card_secret(place.keys, survey.id, 1)}"
    page = phone.get(address)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert 'name="phone"' not in page.text
    assert 'name="birth_year"' in page.text
    assert phone.post(address, data={"ticket": "t" * 22}).status_code == 422
    begun = phone.post(address, data={"ticket": "t" * 22, "birth_year": "1970", "consent": "y"})
    assert begun.status_code == 303
    assert phone.get(begun.location).status_code == 200
    assert phone.get(address).location == begun.location  # the same browser goes on at once
    assert "已经在别处开始答了" in other.get(address).text
    moved = other.post(f"{address}/here")
    assert other.get(moved.location).status_code == 200
    assert "已经在别处开始答了" in phone.get(address).text
    submit = begun.location.rsplit("/", 1)[0] + "/submit"
    token = re.search(r'name="form_token" value="([^"]+)"', other.get(submit).text)
    assert token is not None
    assert other.post(submit, data={"form_token": token[1]}).status_code == 303
    done = phone.get(address)
    assert done.location.endswith("/result")
    held = phone.get(done.location).text
    assert "谁也看不到成绩" in held  # a card is in the hands of whoever printed it, too
    assert "data-score" not in held
    review = done.location.replace("/result", "/review/1")
    assert phone.get(review).location.endswith("/result")
    with transaction(place.db):
        let_read(place.db, place.db.get_one(Survey, survey.id))
    assert "data-score" in phone.get(done.location).text


def test_who_guesses_cards_is_slowed(client: FlaskClient) -> None:
    codes = [
        client.get(f"/i/{'A' * 21}{number}", environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code
        for number in range(9)
    ]
    assert codes[0] == 404
    limited = [client.get(f"/i/{'B' * 22}").status_code for _ in range(40)]
    assert 429 in limited


def test_of_those_who_took_part(place: Place) -> None:
    address = f"/surveys/took-part/{place.test.id}"
    with transaction(place.db):
        delivery = place.db.get_one(Delivery, place.test.id)
        unit = place.db.get_one(OrgUnit, place.top.id)
        for number in range(24):
            make_attempt(
                place.db,
                delivery,
                unit,
                person_id=make_person(place.db).id,
                score=60 if number % 3 == 0 else 40,
                age_band="14-17" if number < 4 else "30-39",
            )
    page = place.client.get(address).text
    assert "2,401" in page
    assert "30.0%" not in page, "the share has one place"
    assert f"/reports/pass-rates?delivery={delivery.id}#literacy" in page
    assert f"/surveys/new?delivery={delivery.id}" in page
    assert address in place.client.get(f"/deliveries/{delivery.id}").text
    figures = place.client.get(f"/reports/pass-rates?delivery={delivery.id}").text
    literate = figures.partition('id="literacy"')[2].partition("</section>")[0]
    assert "30.0%" in literate  # 6 of 20; the four who are younger do not count
    assert "2,401" in literate
    assert "2,017" in literate  # near 30 %
    assert f"/surveys/new?delivery={delivery.id}" in figures


def test_surveys_of_others_are_not_there(place: Place, app: Flask) -> None:
    survey = place.drawn()
    with transaction(place.db):
        elsewhere, _streets = make_district(place.db)
    client = client_of(app, coordinator_of(elsewhere))
    for path in ("", "/people", "/estimate", "/sample.csv", "/frame.csv", "/design.toml"):
        assert client.get(f"/surveys/{survey.id}{path}").status_code == 404, path
    assert survey.title not in client.get("/surveys").text


def test_a_clock_that_moves_ends_an_answer(place: Place, clock: FakeClock) -> None:
    survey = place.drawn()
    clock.forward(days=9)
    page = place.client.get(f"/i/{card_secret(place.keys, survey.id, 1)}")
    assert "这次调查已经结束" in page.text
    assert clock.now > START
