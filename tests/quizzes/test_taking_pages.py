"""The resident's pages through the test client, without scripts: what is shown, what is kept, what is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from quizapp.core import hot
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.hot import HotStatement
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Person
from quizapp.quizzes.models import Attempt, Delivery, LateResponse, PaperItem, Response
from quizapp.quizzes.views import quizzes_runtime
from tests.conftest import START, FakeClock
from tests.factories import RIGHT, make_delivery, make_unit
from tests.quizzes.support import begin

SAME = {"Sec-Fetch-Site": "same-origin"}


class Resident:
    """A browser without scripts."""

    def __init__(self, app: Flask, code: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.code = code
        self.pages: list[bytes] = []
        self.address = ""

    def get(self, path: str, **kwargs: object) -> TestResponse:
        response = self.client.get(path, **kwargs)  # type: ignore[arg-type] # passed on as it is
        self.pages.append(response.data)
        return response

    def post(self, path: str, data: dict[str, object]) -> TestResponse:
        response = self.client.post(path, data=data)
        self.pages.append(response.data)
        return response

    def start(self, **profile: str) -> TestResponse:
        form = self.get(f"/q/{self.code}/start").text
        response = self.post(
            f"/q/{self.code}/start",
            {"csrf_token": hidden(form, "csrf_token"), "ticket": hidden(form, "ticket"), "consent": "y", **profile},
        )
        if response.status_code == 303:
            self.address = response.location.rsplit("/", 1)[0]
        return response

    def answer(self, position: int, *options: str, go: str = "next") -> TestResponse:
        page = self.get(f"{self.address}/{position}").text
        data = {"form_token": hidden(page, "form_token"), "answer": list(options), "go": go}
        return self.post(f"{self.address}/{position}", data)

    def save(self, *items: tuple[int, str, int], **headers: str) -> TestResponse:
        response = self.client.post(
            f"{self.address}/answers",
            json={"items": [{"position": p, "answer": a, "sequence": s} for p, a, s in items]},
            headers={**SAME, **headers},
        )
        self.pages.append(response.data)
        return response

    def submit(self) -> TestResponse:
        page = self.get(f"{self.address}/submit").text
        return self.post(f"{self.address}/submit", {"form_token": hidden(page, "form_token")})


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'value="([^"]*)"[^>]*name="{name}"', page
    )
    assert found, f"the page has no field {name}"
    return found.group(1)


def deliver(database: Database, **values: object) -> Delivery:
    with database.session() as db, transaction(db):
        made = make_delivery(db, **values)
        _ = made.unit.name
        return made


@pytest.fixture
def resident(app: Flask, database: Database) -> Resident:
    return Resident(app, deliver(database).poster_code)


def test_the_landing_page_says_what_is_asked_how_long_and_what_passes(resident: Resident) -> None:
    page = resident.get(f"/q/{resident.code}").text
    for words in ("测试测验", "5</b> <span>题", "30</b> <span>分钟", "60</b> <span>分", "开始答题"):
        assert words in page


def test_a_typed_code_in_lower_case_with_a_hyphen_finds_its_way(resident: Resident) -> None:
    typed = f"{resident.code[:4]}-{resident.code[4:]}".lower()
    response = resident.get(f"/q/{typed}")
    assert (response.status_code, response.location) == (302, f"/q/{resident.code}")


def test_the_whole_way_without_scripts(either_app: Flask, either_database: Database) -> None:
    database = either_database
    resident = Resident(either_app, deliver(database).poster_code)
    assert resident.start().status_code == 303
    for position, options in enumerate((["b"], ["t"], ["a", "c"], ["a"]), start=1):
        assert resident.answer(position, *options).location.endswith(f"/{position + 1}")
    summary = resident.get(f"{resident.address}/submit").text
    assert "还有 1 题没有答" in summary
    assert resident.submit().location.endswith("/result")
    result = resident.get(f"{resident.address}/result").text
    assert 'data-score="60"' in result
    assert "合格" in result
    review = resident.get(f"{resident.address}/review/4").text
    for words in ("正确，您没选", "您选的", "解析密钥3", "文件，第4条（2021）"):
        assert words in review
    resident.client.set_cookie("lang", "en")
    assert '<span lang="zh">文件，第4条（2021）</span>' in resident.get(f"{resident.address}/review/4").text
    with database.session() as db:
        attempt = db.scalars(select(Attempt)).one()
        assert (attempt.state, attempt.score, attempt.passed, attempt.answered_count) == ("submitted", 60, True, 4)


def test_the_key_never_reaches_the_browser_before_the_submit(resident: Resident, database: Database) -> None:
    """Every byte sent before the submit is searched for rationales, citations and anything that marks the right option."""
    resident.start()
    resident.get(f"{resident.address}/questions")
    resident.get(f"{resident.address}/grid")
    for position in range(1, 6):
        resident.answer(position, "a")
        resident.save((position, "b", 100 + position))
    resident.get(f"{resident.address}/submit")
    resident.get(f"{resident.address}/review/1")
    resident.get(f"{resident.address}/result")
    sent = b"\n".join(resident.pages).decode()
    with database.session() as db:
        versions = [row.version for row in db.scalars(select(PaperItem))]
        for version in versions:
            assert version.stem["zh"] in sent  # the question itself was there
            assert version.rationale["zh"] not in sent
            assert version.rationale["en"] not in sent
            assert version.citation["article"] not in sent
    for word in ("rationale", "citation", '"key"', "data-key", "data-right", "is_key"):
        assert word not in sent
    # two attempts see the options in different orders, and no order puts the right one at one place
    places = set()
    for _ in range(12):
        other = Resident(resident.client.application, resident.code)
        other.start()
        page = other.get(f"{other.address}/1").text
        places.add(re.findall(r'name="answer" value="(\w)"', page).index("b"))
    assert len(places) > 1


def test_answers_survive_a_reload_the_back_button_and_another_tab(resident: Resident) -> None:
    resident.start()
    resident.answer(1, "b")
    assert re.search(r'value="b" checked', resident.get(f"{resident.address}/1").text)
    resident.save((1, "c", 9))
    assert re.search(r'value="c" checked', resident.get(f"{resident.address}/1").text)
    assert 'data-highest="9"' in resident.get(f"{resident.address}/2").text


def test_a_form_takes_the_next_sequence_so_that_a_script_goes_on_from_it(
    resident: Resident, database: Database
) -> None:
    resident.start()
    resident.save((2, "t", 41))
    resident.answer(1, "b")
    with database.session() as db:
        assert db.scalars(select(Response.sequence).order_by(Response.position)).all() == [42, 41]


def test_scanning_again_offers_to_go_on_and_another_person(resident: Resident, database: Database) -> None:
    resident.start()
    first = resident.address
    page = resident.get(f"/q/{resident.code}").text
    assert "接着答" in page
    assert "换一个人答" in page
    assert f'href="{first}/1"' in page
    resident.start()
    assert resident.address != first
    assert resident.get(f"{first}/1").status_code == 200
    with database.session() as db:
        assert len(db.scalars(select(Attempt)).all()) == 2


def test_the_start_page_tells_of_a_paper_that_is_not_finished(resident: Resident) -> None:
    """Who goes back to the form by the back button is led to their paper, not into a second try."""
    assert "没答完" not in resident.get(f"/q/{resident.code}/start").text
    resident.start()
    page = resident.get(f"/q/{resident.code}/start").text
    assert "您有一份没答完的卷子" in page
    assert f'href="{resident.address}/1"' in page
    resident.submit()
    assert "没答完" not in resident.get(f"/q/{resident.code}/start").text


def test_a_guest_whose_tries_are_used_up_is_told_so_and_sees_the_result(app: Flask, database: Database) -> None:
    resident = Resident(app, deliver(database, tries=1, fields={"name": "optional"}).poster_code)
    resident.start(name="李国", under_14="no")
    first = resident.address
    resident.answer(1, "a")
    resident.submit()
    refused = resident.start(name="李国", under_14="no")
    page = resident.get(refused.location).text
    assert "1 次机会都用完了" in page
    assert f'href="{first}/result"' in page
    assert "/practice" in page
    assert "/1" in resident.start(name="王芳", under_14="no").location  # somebody else of the family


def test_the_start_form_sent_twice_is_one_attempt(resident: Resident, database: Database) -> None:
    form = resident.get(f"/q/{resident.code}/start").text
    data = {"csrf_token": hidden(form, "csrf_token"), "ticket": hidden(form, "ticket"), "consent": "y"}
    first = resident.post(f"/q/{resident.code}/start", dict(data))
    second = resident.post(f"/q/{resident.code}/start", dict(data))
    assert first.location == second.location
    assert resident.get(second.location).status_code == 200
    with database.session() as db:
        assert len(db.scalars(select(Attempt)).all()) == 1


def test_a_forwarded_link_shows_the_start_page_and_nothing_of_the_paper(resident: Resident, app: Flask) -> None:
    resident.start()
    resident.answer(1, "b")
    stranger = Resident(app, resident.code)
    for page in ("1", "submit", "grid", "questions", "result", "review/1"):
        response = stranger.get(f"{resident.address}/{page}")
        assert (response.status_code, response.location) == (303, f"/q/{resident.code}?link=foreign")
    shown = stranger.get(f"/q/{resident.code}?link=foreign").text
    assert "这个地址打不开答卷" in shown
    assert "第1个问题" not in shown
    stranger.address = resident.address
    assert stranger.save((1, "c", 5)).json["results"][0]["status"] == "not_yours"  # type: ignore[index] # a JSON reply


@pytest.mark.parametrize("secret", ["", "x", "A" * 22, "é" * 10])
def test_a_forged_secret_opens_nothing(resident: Resident, app: Flask, secret: str) -> None:
    resident.start()
    stranger = Resident(app, resident.code)
    stranger.client.set_cookie(f"a_{resident.address.rsplit('/', 1)[1]}", secret, path=f"/q/{resident.code}")
    assert stranger.get(f"{resident.address}/1").status_code == 303


def test_a_form_without_our_signature_is_refused(resident: Resident, database: Database) -> None:
    resident.start()
    for token in ("", "x" * 22):
        response = resident.post(f"{resident.address}/1", {"form_token": token, "answer": ["b"]})
        assert response.status_code == 400
        assert resident.post(f"{resident.address}/submit", {"form_token": token}).status_code == 400
    with database.session() as db:
        assert db.scalars(select(Response)).all() == []
        assert db.scalars(select(Attempt.state)).all() == ["open"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 400),
        ({"Sec-Fetch-Site": "same-site"}, 400),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://evil.example"}, 400),
        ({"Referer": "http://localhost/q/x"}, 200),
        ({}, 400),
    ],
)
def test_answers_come_from_our_own_pages_only(resident: Resident, headers: dict[str, str], status: int) -> None:
    resident.start()
    body = {"items": [{"position": 1, "answer": "b", "sequence": 1}]}
    assert resident.client.post(f"{resident.address}/answers", json=body, headers=headers).status_code == status


def test_answers_that_are_no_json_are_refused(resident: Resident) -> None:
    resident.start()
    response = resident.client.post(f"{resident.address}/answers", data='{"items": []}', headers=SAME)
    assert response.status_code == 400


def test_an_answer_is_served_alike_whichever_way_it_comes(resident: Resident) -> None:
    """What the page's script sends is stored at the door; another content type or origin goes through an application."""
    resident.start()
    usual = resident.save((1, "b", 1))
    replies = [
        resident.save((1, "b", 1), **{"Content-Type": "application/json; charset=utf-8"}),
        resident.client.post(
            f"{resident.address}/answers",
            json={"items": [{"position": 1, "answer": "b", "sequence": 1}]},
            headers={"Origin": "http://localhost"},
        ),
    ]
    for reply in replies:
        assert (reply.status, reply.data) == (usual.status, usual.data)
        assert sorted(reply.headers) == sorted(usual.headers)
    for content in (b"{", b"[1]", b'{"items": [{"position": 0}]}', b"\xff"):
        refused = resident.client.post(
            f"{resident.address}/answers", data=content, content_type="application/json", headers=SAME
        )
        assert (refused.status_code, refused.get_json()["error"]["code"]) == (400, "answer_malformed")
    too_long = b'{"items": []}' + b" " * 3_000_000
    sent = resident.client.post(
        f"{resident.address}/answers", data=too_long, content_type="application/json", headers=SAME
    )
    assert sent.status_code == 413


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"opens_at": to_ms(START) + 3600_000}, "还没有开始"),
        ({"closes_at": to_ms(START)}, "这次测试已经结束"),
        ({"capacity": 0}, "名额已满"),
        ({"guests": False}, "这次测试要登录后答"),
        ({"state": "preparing"}, "正在组卷"),
    ],
)
def test_where_nobody_can_start_the_page_says_why_and_offers_practice(
    app: Flask, database: Database, values: dict[str, object], words: str
) -> None:
    resident = Resident(app, deliver(database, **values).poster_code)
    page = resident.get(f"/q/{resident.code}").text
    assert words in page
    assert "/practice" in page
    assert "开始答题" not in page
    assert resident.get(f"/q/{resident.code}/start").location == f"/q/{resident.code}"


def test_an_age_question_left_open_is_asked_for_in_words_of_its_own(app: Flask, database: Database) -> None:
    resident = Resident(app, deliver(database, fields={"name": "optional"}).poster_code)
    for answer in ({}, {"under_14": "perhaps"}):
        page = resident.start(**answer).text
        assert "请选择是否满 14 岁" in page
        assert "不是有效的选择" not in page


def test_errors_stand_at_their_fields_and_keep_what_was_typed(app: Flask, database: Database) -> None:
    made = deliver(
        database, fields={"name": "required", "phone": "optional", "birth_year": "required", "unit": "required"}
    )
    resident = Resident(app, made.poster_code)
    form = resident.get(f"/q/{resident.code}/start").text
    typed = {"csrf_token": hidden(form, "csrf_token"), "ticket": hidden(form, "ticket")}
    response = resident.post(
        f"/q/{resident.code}/start",
        {**typed, "name": "李国", "phone": "138 0000 0", "birth_year": "68", "under_14": "no"},
    )
    page = response.text
    assert response.status_code == 422
    for words in (
        "有 4 处需要改",
        "手机号要有 11 位，现在是 8 位",
        "出生年份是四位数字",
        "请选择单位",
        "请先看数据说明并勾选同意",
        'value="138 0000 0"',
        'value="李国"',
        'value="68"',
    ):
        assert words in page
    with database.session() as db:
        assert db.scalars(select(Attempt)).all() == []


def test_a_key_group_is_asked_where_the_delivery_says_so_and_takes_no_other_word(
    app: Flask, database: Database
) -> None:
    made = deliver(database, fields={"name": "optional", "key_group": "required"})
    resident = Resident(app, made.poster_code)
    form = resident.get(f"/q/{resident.code}/start").text
    for words in ("青少年", "农民", "产业工人", "老年人", "领导干部和公务员", "都不是"):
        assert words in form
    assert "重点人群" in resident.get(f"/q/{resident.code}").text
    assert "请选择一类" in resident.start(under_14="no").text
    refused = resident.start(under_14="no", key_group="astronaut")
    assert (refused.status_code, "这一项要填" in refused.text) == (422, True)
    assert resident.start(under_14="no", name="李国", key_group="farmer").status_code == 303
    with database.session() as db:
        assert db.scalars(select(Attempt.key_group)).one() == "farmer"
        assert db.scalars(select(Person.key_group).where(Person.name == "李国")).one() == "farmer"
    plain = deliver(database, fields={"name": "optional"})
    assert "产业工人" not in Resident(app, plain.poster_code).get(f"/q/{plain.poster_code}/start").text


def test_a_child_needs_a_guardian_and_gives_no_phone(app: Flask, database: Database) -> None:
    made = deliver(database, fields={"name": "required", "phone": "required"})
    resident = Resident(app, made.poster_code)
    refused = resident.start(name="小明", under_14="yes")
    assert "不满 14 岁要由监护人同意" in refused.text
    assert resident.start(name="小明", under_14="yes", guardian="y", phone="abc").status_code == 303
    with database.session() as db:
        attempt = db.scalars(select(Attempt)).one()
        assert attempt.guardian


def test_the_unit_is_searched_chosen_step_by_step_or_absent(app: Flask, database: Database) -> None:
    with database.session() as db, transaction(db):
        made = make_delivery(db, fields={"unit": "required"})
        below = make_unit(db, made.unit, name="紫兴社区")
        outside = make_unit(db, name="紫兴外县")
        unit_id, outside_id, root_id = below.id, outside.id, made.unit_id
    resident = Resident(app, made.poster_code)
    form = resident.get(f"/q/{resident.code}/start").text
    found = resident.post(
        f"/q/{resident.code}/start",
        {"csrf_token": hidden(form, "csrf_token"), "unit_id_query": "紫兴", "unit_id_search": "1"},
    ).text
    assert "紫兴社区" in found
    assert "紫兴外县" not in found
    steps = resident.get(f"/q/{resident.code}/units").text
    assert f"unit={unit_id}" in steps
    assert resident.get(f"/q/{resident.code}/units?parent={outside_id}").status_code == 404
    assert f'value="{unit_id}"' in resident.get(f"/q/{resident.code}/start?unit={unit_id}").text
    assert "不在这次测试的范围内" in resident.start(unit_id=str(outside_id)).text
    assert resident.start(unit_id=str(unit_id)).status_code == 303
    assert resident.start(unit_id="none").status_code == 303
    with database.session() as db:
        assert db.scalars(select(Attempt.unit_id).order_by(Attempt.id)).all() == [unit_id, None]
        assert root_id not in (unit_id, None)


def test_time_over_closes_the_attempt_with_what_was_saved(
    resident: Resident, database: Database, clock: FakeClock
) -> None:
    resident.start()
    resident.answer(1, "b")
    clock.forward(minutes=31)
    assert resident.get(f"{resident.address}/2").location.endswith("/result")
    assert "时间到时自动交卷" in resident.get(f"{resident.address}/result").text
    assert resident.save((2, "t", 9)).json["results"][0]["status"] == "late"  # type: ignore[index] # a JSON reply
    with database.session() as db:
        assert db.scalars(select(Attempt.state)).one() == "expired"
        assert db.scalars(select(LateResponse.answer)).all() == ["t"]


def test_nothing_saved_and_time_over_counts_as_not_taken(resident: Resident, clock: FakeClock) -> None:
    resident.start()
    clock.forward(minutes=31)
    assert resident.get(f"{resident.address}/1").location.endswith("/result")
    assert "这份卷子没有作答" in resident.get(f"{resident.address}/result").text


@pytest.mark.parametrize(
    ("reveal", "shown_before", "shown_after"),
    [("at_once", True, True), ("after_close", False, True), ("score_only", False, False)],
)
def test_keys_are_shown_when_the_delivery_says_so(
    app: Flask, database: Database, clock: FakeClock, reveal: str, shown_before: bool, shown_after: bool
) -> None:
    resident = Resident(app, deliver(database, reveal=reveal).poster_code)
    resident.start()
    resident.answer(1, "a")
    resident.submit()
    for shown in (shown_before, shown_after):
        review = resident.get(f"{resident.address}/review/1")
        assert (review.status_code == 200) is shown
        assert ("review/1" in resident.get(f"{resident.address}/result").text) is shown
        clock.forward(days=8)


def test_going_on_in_another_browser_moves_the_attempt(resident: Resident, app: Flask) -> None:
    resident.start()
    resident.answer(1, "b")
    page = resident.get(f"{resident.address}/1").text
    moved = resident.post(f"{resident.address}/move", {"form_token": hidden(page, "form_token")}).text
    code = re.search(r"data-transfer-code>\s*<span[^>]*>([^<]+)<", moved)
    assert code
    other = Resident(app, resident.code)
    form = other.get(f"/q/{resident.code}/continue").text
    answer = other.post(
        f"/q/{resident.code}/continue", {"csrf_token": hidden(form, "csrf_token"), "code": code.group(1)}
    )
    other.address = answer.location.rsplit("/", 1)[0]
    assert re.search(r'value="b" checked', other.get(f"{other.address}/1").text)
    assert other.answer(2, "t").status_code == 303
    # the first browser only reads
    first = resident.get(f"{resident.address}/1").text
    assert "这份卷子已转到另一个浏览器" in first
    assert resident.save((1, "c", 99)).json["results"][0]["status"] == "not_yours"  # type: ignore[index] # a JSON reply
    assert resident.post(f"{resident.address}/2", {"form_token": "x", "answer": "f"}).status_code == 409


def test_a_receipt_code_opens_the_result_again_in_any_browser(resident: Resident, app: Flask) -> None:
    resident.start()
    resident.answer(1, "b")
    resident.submit()
    result = resident.get(f"{resident.address}/result").text
    code = re.search(r"data-receipt-code>\s*<span[^>]*>([^<]+)<", result)
    assert code
    other = Resident(app, resident.code)
    form = other.get("/receipt").text
    token = hidden(form, "csrf_token")
    wrong = other.post("/receipt", {"csrf_token": token, "code": "0000-0000-0000"})
    assert (wrong.status_code, "没有这个码" in wrong.text) == (422, True)
    opened = other.post("/receipt", {"csrf_token": token, "code": code.group(1).lower()})
    assert opened.location == f"{resident.address}/result"
    shown = other.get(opened.location).text
    assert 'data-score="20"' in shown
    assert code.group(1) not in shown


def test_the_right_that_a_receipt_code_earns_ends_and_cannot_be_forged(
    resident: Resident, app: Flask, clock: FakeClock
) -> None:
    resident.start()
    resident.submit()
    result = resident.get(f"{resident.address}/result").text
    code = re.search(r"data-receipt-code>\s*<span[^>]*>([^<]+)<", result)
    assert code
    other = Resident(app, resident.code)
    token = hidden(other.get("/receipt").text, "csrf_token")
    opened = other.post("/receipt", {"csrf_token": token, "code": code.group(1)})
    name, value = opened.headers["Set-Cookie"].split(";")[0].split("=", 1)
    until, _, signature = value.partition(".")

    def opens(cookie: str) -> bool:
        stranger = Resident(app, resident.code)
        stranger.client.set_cookie(name, cookie, path=f"/q/{resident.code}")
        return stranger.get(f"{resident.address}/result").status_code == 200

    assert opens(value)
    for forged in ("", "x", f"{int(until) + 9999}.{signature}", f"{until}.{signature[:-1]}", f"{until}.é", f"²{value}"):
        assert not opens(forged)
    clock.forward(minutes=31)  # a browser that keeps the cookie longer than it was told
    assert not opens(value)


def test_whoever_guesses_receipt_codes_waits_and_the_right_code_then_opens(
    either_app: Flask, either_database: Database, clock: FakeClock
) -> None:
    resident = Resident(either_app, deliver(either_database).poster_code)
    resident.start()
    resident.submit()
    code = re.search(r"data-receipt-code>\s*<span[^>]*>([^<]+)<", resident.get(f"{resident.address}/result").text)
    assert code
    page = resident.get("/receipt").text

    def type_in(typed: str) -> TestResponse:
        fields = {name: hidden(page, name) for name in ("csrf_token", "not_before")}
        return resident.post("/receipt", {**fields, "code": typed})

    for number in range(5):
        page = type_in(f"0000-0000-000{number}").text
    assert 'data-wait="2"' in page
    early = type_in(code.group(1))
    assert (early.status_code, "location" in early.headers) == (422, False)
    clock.forward(seconds=2)
    assert type_in(code.group(1)).location == f"{resident.address}/result"
    # nothing of this holds up who answers
    other = Resident(either_app, resident.code)
    assert other.start().status_code == 303
    assert other.save((1, "b", 1)).status_code == 200
    assert other.submit().status_code == 303


def test_a_failing_database_puts_nothing_typed_into_the_log(
    either_app: Flask, either_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    either_app.config["PROPAGATE_EXCEPTIONS"] = False
    made = deliver(either_database, fields={"name": "required", "phone": "required"})
    resident = Resident(either_app, made.poster_code)
    form = resident.get(f"/q/{resident.code}/start").text
    with either_database.session() as db, transaction(db):
        db.execute(text("ALTER TABLE person RENAME TO mislaid"))
    response = resident.post(
        f"/q/{resident.code}/start",
        {
            **{name: hidden(form, name) for name in ("csrf_token", "ticket")},
            **{"consent": "y", "name": "李国强", "phone": "13800001234", "under_14": "no"},
        },
    )
    assert response.status_code in (500, 503)
    assert "person" in caplog.text  # what went wrong is there
    for typed in ("李国强", "李国", "13800001234"):
        assert typed not in caplog.text


def test_marks_are_kept_and_shown(resident: Resident) -> None:
    resident.start()
    resident.answer(2, "t", go="mark")
    grid = resident.get(f"{resident.address}/grid").text
    assert "第 2 题，已答，已标记" in grid
    assert resident.get(f"{resident.address}/2").text.count("已标记") >= 1
    page = resident.get(f"{resident.address}/3").text
    data = {"form_token": hidden(page, "form_token"), "position": "3", "marked": "1"}
    assert resident.post(f"{resident.address}/marks", dict(data)).status_code == 204
    assert "第 3 题，未答，已标记" in resident.get(f"{resident.address}/grid").text


def test_right_answers_of_the_factory_score_full(resident: Resident) -> None:
    resident.start()
    for position, kind in enumerate(
        ("single_choice", "true_false", "multiple_choice", "single_choice", "true_false"), start=1
    ):
        resident.answer(position, *RIGHT[kind].split(","))
    resident.submit()
    assert 'data-score="100"' in resident.get(f"{resident.address}/result").text


def test_the_taking_page_carries_what_scripts_follow(resident: Resident) -> None:
    resident.start()
    page = resident.get(f"{resident.address}/2").text
    for part in ("data-attempt=", 'data-position="2"', 'data-state="saved"', 'data-waiting="0"'):
        assert part in page


def test_a_full_disk_is_a_503_that_keeps_nothing_in_part(app: Flask, database: Database, keys: Keys) -> None:
    made = deliver(database)
    with database.session() as db:
        started = [begin(db, made, keys) for _ in range(60)]
    with quizzes_runtime(app).hot.run() as run:
        pages = run(HotStatement("PRAGMA page_count", ""), {})[0][0]
        run(HotStatement(f"PRAGMA max_page_count={pages}", ""), {})
    client = app.test_client()
    refused = None
    for one in started:
        client.set_cookie(f"a_{one.attempt.public_id}", one.secret, path=f"/q/{made.poster_code}")
        response = client.post(
            f"/q/{made.poster_code}/a/{one.attempt.public_id}/answers",
            json={"items": [{"position": p, "answer": "a,b,c,d,e", "sequence": p} for p in range(1, 6)]},
            headers=SAME,
        )
        if response.status_code != 200:
            refused = response
            break
    assert refused is not None
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert refused.get_json()["error"]["code"] == "unavailable"
    with database.session() as db:
        counts = Counter(db.scalars(select(Response.attempt_id)))
    assert set(counts.values()) == {5}  # all answers of a request, or none


@pytest.mark.postgres
def test_a_statement_that_takes_too_long_is_a_503_and_stores_nothing(
    postgres_database: Database, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "STATEMENT_SECONDS", 1)
    app = make_app(postgres_database)
    resident = Resident(app, deliver(postgres_database).poster_code)
    resident.start()
    with postgres_database.session() as other, transaction(other):
        other.scalars(select(Attempt).with_for_update()).one()  # somebody holds the attempt and does not let go
        response = resident.save((1, "b", 1))
    assert response.status_code == 503
    assert response.get_json()["error"]["code"] == "unavailable"
    assert resident.save((1, "b", 1)).get_json()["results"][0]["status"] == "saved"
    quizzes_runtime(app).hot.close()
