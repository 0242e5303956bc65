"""The gathering pages: home for each kind of visitor, my page, codes, help and privacy."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quizapp.accounts.models import Account
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys, check_character
from quizapp.core.web import Runtime
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery
from quizapp.trainings.models import TrainingSession
from tests.conftest import START, FakeClock
from tests.factories import make_account, make_attendance, make_delivery, make_session, make_unit
from tests.quizzes.support import begin


class District:
    """A district with two streets, a test of each, and a resident of the first street."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.app, self.database = app, database
        self.client: FlaskClient = app.test_client()
        with database.session() as db, transaction(db):
            self.top = make_unit(db, kind="district", name="青禾区")
            self.own = make_unit(db, self.top, name="紫兴社区")
            self.other = make_unit(db, self.top, name="外街道")
            self.account: Account = make_account(db, name="周敏", unit=self.own)

    def deliver(self, unit: OrgUnit, title: str, **values: object) -> Delivery:
        with self.database.session() as db, transaction(db):
            return make_delivery(db, unit, title=title, **values)

    def hold(self, unit: OrgUnit, title: str, **delta: float) -> TrainingSession:
        start = START + timedelta(**delta)
        with self.database.session() as db, transaction(db):
            return make_session(
                db,
                unit,
                code=f"S{to_ms(start) % 10**7:07}",
                title=title,
                starts_at=to_ms(start),
            )

    def sign_in(self, *grants: Grant) -> Actor:
        actor = Actor(self.account.id, self.account.person_id, "周敏", Scope(grants))
        runtime: Runtime = self.app.extensions["quizapp"]
        runtime.load_actor = lambda: actor
        return actor

    def get(self, path: str) -> str:
        response = self.client.get(path)
        assert response.status_code == 200, response.status
        return response.text

    def type_code(self, code: str) -> TestResponse:
        page = self.get("/code")
        token = re.search(r'name="csrf_token" value="([^"]*)"', page)[1]  # type: ignore[index]
        not_before = re.search(r'name="not_before" value="([^"]*)"', page)[1]  # type: ignore[index]
        return self.client.post("/code", data={"csrf_token": token, "not_before": not_before, "code": code})


@pytest.fixture
def district(app: Flask, database: Database) -> District:
    return District(app, database)


def test_a_guest_is_greeted_without_a_name_and_can_look_up_a_result(district: District) -> None:
    page = district.get("/")
    assert "<h1>您好</h1>" in page
    assert "开始今天的练习" in page
    assert "用凭证码查成绩" in page
    assert "近期培训" not in page


def test_a_guest_sees_only_open_tests_that_guests_may_take(district: District) -> None:
    district.deliver(district.top, "人人可答")
    district.deliver(district.top, "登录才答", guests=False)
    district.deliver(district.top, "还没开始", opens_at=to_ms(START) + 1)
    district.deliver(district.top, "已经结束", closes_at=to_ms(START))
    for path in ("/", "/quizzes"):
        page = district.get(path)
        assert "人人可答" in page
        for title in ("登录才答", "还没开始", "已经结束"):
            assert title not in page


def test_a_resident_sees_the_tests_and_trainings_of_the_own_unit_and_above(district: District) -> None:
    district.sign_in()
    for unit, title in ((district.top, "全区测验"), (district.own, "社区测验"), (district.other, "外面测验")):
        district.deliver(unit, title, guests=False)
        district.hold(unit, title.replace("测验", "培训"), days=2, minutes=unit.id)
    page = district.get("/")
    assert "周敏，您好" in page
    assert "紫兴社区" in page
    for word in ("全区测验", "社区测验", "全区培训", "社区培训"):
        assert word in page
    for path in ("/", "/quizzes", "/coming"):
        assert "外面" not in district.get(path)


def test_home_shows_three_tests_and_three_trainings_and_the_lists_all(district: District) -> None:
    district.sign_in()
    for number in range(5):
        district.deliver(district.own, f"测验甲{number}")
        district.hold(district.own, f"培训乙{number}", days=1, hours=number)
    page = district.get("/")
    assert len(re.findall("测验甲", page)) == len(re.findall("培训乙", page)) == 3
    assert "全部 5 项" in page
    assert len(re.findall("测验甲", district.get("/quizzes"))) == 5
    assert len(re.findall("培训乙", district.get("/coming"))) == 5


def test_trainings_beyond_two_weeks_and_past_ones_are_not_shown(district: District) -> None:
    district.sign_in()
    district.hold(district.own, "太远的", days=15)
    district.hold(district.own, "过去的", days=-1)
    page = district.get("/")
    assert "近期没有培训" in page
    assert "太远的" not in page
    assert "过去的" not in page


def test_no_session_code_stands_on_a_page_before_the_door(district: District) -> None:
    district.sign_in()
    session = district.hold(district.own, "消防演练", days=1)
    for path in ("/", "/coming"):
        assert session.code not in district.get(path)


def test_a_running_attempt_offers_to_go_on_and_stands_first_when_it_runs_out(
    district: District, keys: Keys, clock: FakeClock
) -> None:
    actor = district.sign_in()
    delivery = district.deliver(district.own, "在答的测验", time_limit_s=7200)
    with district.database.session() as db:
        begin(db, db.merge(delivery), keys, actor=actor)
    page = district.get("/")
    assert "续答" in page
    assert "已答 0/5 题" in page
    assert "data-urgent" not in page
    assert page.count("在答的测验") == 1
    clock.forward(minutes=70)
    page = district.get("/")
    assert "data-urgent" in page
    assert page.index("在答的测验") < page.index("开始今天的练习")
    assert page.count("在答的测验") == 1
    assert "在答的测验" in district.get("/me")
    clock.forward(minutes=60)
    assert "续答" not in district.get("/")


def test_staff_find_their_workspace(district: District) -> None:
    district.sign_in()
    assert "工作台" not in district.get("/")
    district.sign_in(Grant(Role.COORDINATOR, district.top.path))
    assert "工作台" in district.get("/")


def test_the_elder_home_keeps_four_things_and_two_buttons(district: District) -> None:
    district.client.set_cookie("elder", "1")
    district.sign_in()
    page = district.get("/")
    assert "data-elder" in page
    for word in ("每日一练", "参加测试", "培训与签到", "我的成绩"):
        assert word in page
    assert page.count('class="card elder-row"') == 3
    bottom = page[page.index("bottom-bar") :]
    assert len(re.findall(r'class="button', bottom)) == 2


def test_my_page_is_mine_alone_and_shows_the_phone_masked(district: District, keys: Keys) -> None:
    assert district.client.get("/me").status_code in (302, 303, 401)
    actor = district.sign_in()
    assert "还没有签到记录。" in district.get("/me")
    session = district.hold(district.own, "消防演练", days=0)
    with district.database.session() as db, transaction(db):
        runtime: Runtime = district.app.extensions["quizapp"]
        from quizapp.organisation.models import Person

        db.get(Person, actor.person_id).phone_encrypted = runtime.keys.encrypt_phone("13800001234")  # type: ignore[union-attr]
        assert actor.person_id is not None
        make_attendance(db, session.id, actor.person_id)
    page = district.get("/me")
    assert "138****1234" in page
    assert "13800001234" not in page
    assert "消防演练" in page


def test_a_poster_code_typed_badly_opens_the_test(district: District) -> None:
    delivery = district.deliver(district.own, "测验")
    typed = f" {delivery.poster_code[:4].lower()}-{delivery.poster_code[4:]} "
    response = district.type_code(typed)
    assert (response.status_code, response.location) == (303, f"/q/{delivery.poster_code}")


def test_a_session_code_opens_the_check_in(district: District) -> None:
    session = district.hold(district.own, "培训", days=0)
    response = district.type_code(session.code)
    assert (response.status_code, response.location) == (303, f"/s/{session.code}")


def test_a_receipt_code_goes_on_as_a_form_and_never_into_an_address(district: District) -> None:
    body = "23456789ABC"
    code = body + check_character(body)
    response = district.type_code(code)
    assert (response.status_code, response.location) == (307, "/receipt")
    assert code not in str(response.headers)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "请填写码"),
        ("ABC", "现在是 3 位"),
        ("22223333", "没有这个码"),
        ("23456789ABC2", "有一位不对"),
        ("X" * 60, "码有 8 位或 12 位"),
    ],
)
def test_a_code_that_opens_nothing_is_refused_at_its_field(district: District, typed: str, words: str) -> None:
    response = district.type_code(typed)
    assert response.status_code == 422
    assert words in response.text
    assert f'value="{typed}"' in response.text or not typed


def test_a_guesser_of_codes_is_slowed_and_honest_people_are_not(district: District) -> None:
    for number in range(8):
        district.type_code("22223333" if number % 2 else "2222 3333")
    assert "秒再试" in district.type_code("22223333").text
    delivery = district.deliver(district.own, "测验")
    assert district.app.test_client().get(f"/q/{delivery.poster_code}").status_code == 200


def test_privacy_names_the_keeper_and_the_contact(database: Database, make_app: object) -> None:
    app = make_app(database, data_keeper="青禾区科协", data_contact="010-12345678")  # type: ignore[operator]
    client = app.test_client()
    page = client.get("/privacy").text
    for word in ("青禾区科协", "010-12345678", "不满 14 岁", "存多久", "您可以要求什么"):
        assert word in page
    assert "010-12345678" in client.get("/help").text


@pytest.mark.parametrize("elder", ["0", "1"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", ["/", "/quizzes", "/coming", "/me", "/code", "/help", "/privacy"])
def test_every_page_has_one_title_and_the_footer(district: District, path: str, lang: str, elder: str) -> None:
    district.sign_in()
    district.deliver(district.own, "测验")
    district.client.set_cookie("lang", lang)
    district.client.set_cookie("elder", elder)
    page = district.get(path)
    assert page.count("<h1") == 1
    assert "style=" not in page
    for link in ('href="/help"', 'href="/privacy"', 'name="elder"'):
        assert link in page
