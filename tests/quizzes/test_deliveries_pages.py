"""The staff pages of deliveries: list, new, one delivery, change; and what a foreign coordinator gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor
from quizapp.jobs.models import Job
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery, DeliveryState
from tests.conftest import FakeClock
from tests.factories import make_delivery, make_person, make_unit
from tests.quizzes.banks import make_blueprint
from tests.quizzes.staff import client_of, coordinator_of, delivery_form


@pytest.fixture
def unit(db: Session) -> OrgUnit:
    with transaction(db):
        unit = make_unit(db, name="临江区科协", kind="district")
        make_person(db, unit_id=unit.id, source="roster")
        return unit


@pytest.fixture
def staff(app: Flask, unit: OrgUnit) -> FlaskClient:
    return client_of(app, coordinator_of(unit))


@pytest.fixture
def _bank(db: Session) -> None:
    with transaction(db):
        make_blueprint(db)


def _delivery(db: Session) -> Delivery:
    db.rollback()
    db.expire_all()
    return db.scalars(select(Delivery).order_by(Delivery.id.desc())).all()[0]


def test_without_deliveries_the_list_says_what_to_do(staff: FlaskClient) -> None:
    page = staff.get("/deliveries").text
    assert "还没有发布过测验" in page
    assert 'href="/deliveries/new"' in page


def test_without_banks_the_page_says_who_can_help(staff: FlaskClient) -> None:
    assert "quizapp banks load" in staff.get("/deliveries/new").text


@pytest.mark.usefixtures("_bank")
def test_the_new_page_is_filled_in_so_that_two_texts_are_enough(staff: FlaskClient, unit: OrgUnit) -> None:
    page = staff.get("/deliveries/new").text
    assert page.count("<h1") == 1
    assert 'value="安全知识测试"' in page
    assert 'name="opens_at"' in page
    assert 'value="2026-11-23T10:00"' in page
    assert f'name="unit_id" value="{unit.id}"' in page
    assert "只靠猜也合格的概率" in page
    assert 'name="action" value="check"' in page
    assert "style=" not in page


@pytest.mark.usefixtures("_bank")
def test_publishing_leads_to_the_page_that_waits_for_its_papers(staff: FlaskClient, db: Session, unit: OrgUnit) -> None:
    sent = delivery_form(unit_id=str(unit.id), pass_score="35")
    response = staff.post("/deliveries/new", data=sent)
    assert response.status_code == 303, response.text
    delivery = _delivery(db)
    assert response.location == f"/deliveries/{delivery.id}"
    assert (delivery.title, delivery.paper_count, delivery.time_limit_s) == ("安全知识测试", 2, 1200)
    assert delivery.fields["birth_year"] == "optional"
    # 8 o'clock in Shanghai is midnight UTC
    assert delivery.opens_at == 1_795_392_000_000
    page = staff.get(response.location).text
    assert '<meta http-equiv="refresh" content="2">' in page
    assert "正在组 2 份试卷" in page
    assert db.scalars(select(Job)).one().account_id == 41


@pytest.mark.usefixtures("_bank")
def test_an_amber_check_asks_once(staff: FlaskClient, db: Session, unit: OrgUnit) -> None:
    sent = delivery_form(unit_id=str(unit.id), pass_score="35", name="off")
    page = staff.post("/deliveries/new", data=sent)
    assert page.status_code == 200
    assert "仍要发布" in page.text
    assert db.scalars(select(Delivery)).all() == []
    confirmed = re.search(r'name="confirmed" value="([^"]*)"', page.text)
    assert confirmed is not None
    # another value is asked about again
    again = staff.post("/deliveries/new", data={**sent, "phone": "required", "confirmed": confirmed[1]})
    assert again.status_code == 200
    assert staff.post("/deliveries/new", data={**sent, "confirmed": confirmed[1]}).status_code == 303


def test_a_red_check_refuses(staff: FlaskClient, db: Session, unit: OrgUnit) -> None:
    with transaction(db):
        make_blueprint(db, items=8)
    page = staff.post("/deliveries/new", data=delivery_form(unit_id=str(unit.id), pass_score="35"))
    assert page.status_code == 422
    assert "只有 8 道，要 9 道" in page.text
    db.rollback()
    assert db.scalars(select(Delivery)).all() == []


@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "", "请填写这一项"),
        ("closes_at", "2026-11-23T07:00", "截止时间已经过去"),
        ("opens_at", "2026-12-02T08:00", "截止早于开始"),
        ("closes_at", "", "请选择截止时间"),
        ("minutes", "0", "1 到 1440"),
        ("tries", "x", "Not a valid"),
        ("pass_score", "99", "1 到 45"),
        ("paper_count", "500", "1 到 100"),
        ("contact", " ", "请填写这一项"),
        ("unit_id", "", "请选择由谁举办"),
    ],
)
def test_an_error_stands_at_its_field_and_what_was_typed_stays(
    staff: FlaskClient, unit: OrgUnit, field: str, value: str, words: str
) -> None:
    sent = delivery_form(**{"unit_id": str(unit.id), "pass_score": "35", "title": "我的名称", field: value})
    page = staff.post("/deliveries/new", data=sent)
    assert page.status_code == 422, page.text
    assert "data-error-summary" in page.text
    if field != "tries":
        assert words in page.text
    if field != "title":
        assert 'value="我的名称"' in page.text


@pytest.mark.usefixtures("_bank")
def test_the_check_button_renders_the_checks_anew(staff: FlaskClient, unit: OrgUnit, db: Session) -> None:
    easy = staff.post("/deliveries/new", data=delivery_form(action="check", pass_score="5", unit="off")).text
    assert "没有问单位" in easy
    assert "3 项要看" in easy or "2 项要看" in easy
    part = staff.post("/deliveries/checks", data=delivery_form(unit_id=str(unit.id), pass_score="35")).text
    assert "<html" not in part
    assert "都通过了" in part
    assert db.scalars(select(Delivery)).all() == []


def test_another_quiz_brings_its_own_figures_before_it_is_published(
    staff: FlaskClient, db: Session, unit: OrgUnit
) -> None:
    with transaction(db):
        make_blueprint(db)
        other = make_blueprint(db, code="health_20")
        other.title = {"zh": "健康知识测试", "en": "Health quiz"}
        other.rules = {**other.rules, "minutes": 33, "pass_score": 40}
    sent = delivery_form(unit_id=str(unit.id), blueprint="health_20", pass_score="25", minutes="20")
    page = staff.post("/deliveries/new", data=sent)
    assert page.status_code == 200
    assert "已经跟着改" in page.text
    for value in ('value="健康知识测试"', 'value="33"', 'value="40"'):
        assert value in page.text


@pytest.mark.usefixtures("_bank")
def test_units_of_others_are_neither_found_nor_accepted(staff: FlaskClient, db: Session, unit: OrgUnit) -> None:
    with transaction(db):
        foreign = make_unit(db, name="紫兴街道")
        own = make_unit(db, unit, name="紫兴社区")
        make_unit(db, unit, name="紫兴旧社区", closed_at=FakeClock()())
    found = staff.get("/deliveries/units?q=紫兴").json
    assert [row["id"] for row in found or []] == [own.id]
    assert (found or [{}])[0]["path"] == "临江区科协"
    searched = staff.post("/deliveries/new", data={**delivery_form(), "unit_id_search": "1", "unit_id_query": "紫兴"})
    assert "紫兴社区" in searched.text
    assert "紫兴街道" not in searched.text
    refused = staff.post("/deliveries/new", data=delivery_form(unit_id=str(foreign.id), pass_score="35"))
    assert refused.status_code == 422
    assert "请在自己的单位里选一个" in refused.text


def test_a_ready_delivery_shows_link_code_and_chance(staff: FlaskClient, db: Session, unit: OrgUnit) -> None:
    with transaction(db):
        delivery = make_delivery(db, unit, poster_code="7K4M92XA", guess_pass=0.000695)
    page = staff.get(f"/deliveries/{delivery.id}").text
    assert page.count("<h1") == 1
    assert "7K4M-92XA" in page
    assert "http://localhost/q/7K4M92XA" in page
    assert "0.07%" in page
    assert "进行中" in page
    assert "refresh" not in page.split("<body")[0].replace("refresh-cw", "")
    assert "<svg" in page
    assert f"/deliveries/{delivery.id}/poster.pdf" in page


def test_a_failed_delivery_says_what_is_missing_and_can_be_tried_again(
    staff: FlaskClient, db: Session, unit: OrgUnit
) -> None:
    with transaction(db):
        delivery = make_delivery(db, unit, state=DeliveryState.FAILED, failure="type:single_choice:12/25")
    page = staff.get(f"/deliveries/{delivery.id}").text
    assert "单选题只有 12 道，要 25 道" in page
    assert "再组一次" in page
    assert staff.post(f"/deliveries/{delivery.id}/assemble").status_code == 303
    assert "正在组卷" in staff.get(f"/deliveries/{delivery.id}").text
    assert staff.post(f"/deliveries/{delivery.id}/assemble").status_code == 409


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("dimension:spirit:6/10", "科学精神的题只有 6 道，要 10 道"),
        ("difficulty:5:1/2", "估计难度 5 的题只有 1 道"),
        ("use_max:all:100/120", "一共能用 100 次"),
        ("overlap_max:all:0/3", "平均至少要重 3 道"),
        ("topic:a:20/6", "不能同时满足"),
        ("benchmark_min:13:3/4;items:all:90/50", "第 13 条基准要 4 道，能用的有 3 道；一共要 50 道，能用的有 90 道"),
    ],
)
def test_each_kind_of_shortfall_has_words(
    staff: FlaskClient, db: Session, unit: OrgUnit, failure: str, words: str
) -> None:
    with transaction(db):
        delivery = make_delivery(db, unit, state=DeliveryState.FAILED, failure=failure)
    assert words in staff.get(f"/deliveries/{delivery.id}").text


def test_a_worker_that_never_comes_is_noticed(staff: FlaskClient, db: Session, unit: OrgUnit, clock: FakeClock) -> None:
    with transaction(db):
        delivery = make_delivery(db, unit, state=DeliveryState.PREPARING)
    clock.forward(minutes=3)
    page = staff.get(f"/deliveries/{delivery.id}").text
    assert "过了两分钟还没有组好" in page
    assert 'http-equiv="refresh"' not in page


URLS = ["", "/edit", "/close", "/qr.svg", "/poster.pdf", "/cards.pdf"]


@pytest.fixture(params=["foreign", "guest", "nobody"])
def stranger(request: pytest.FixtureRequest, db: Session) -> Iterator[tuple[Actor, int]]:
    if request.param == "foreign":
        with transaction(db):
            yield coordinator_of(make_unit(db)), 404
    elif request.param == "nobody":
        yield Actor(account_id=9), 403
    else:
        yield Actor(), 401


def test_another_districts_delivery_is_not_there(
    app: Flask, db: Session, unit: OrgUnit, stranger: tuple[Actor, int]
) -> None:
    with transaction(db):
        delivery = make_delivery(db, unit)
    actor, status = stranger
    client = client_of(app, actor)
    json = {"Accept": "application/json"}
    for url in URLS:
        assert client.get(f"/deliveries/{delivery.id}{url}", headers=json).status_code == status, url
    for url in ("/edit", "/close", "/assemble"):
        sent = client.post(f"/deliveries/{delivery.id}{url}", data=delivery_form(), headers=json)
        assert sent.status_code == status, url
    assert client.get(f"/deliveries/new?copy={delivery.id}", headers=json).status_code == status
    assert "测试测验" not in client.get("/deliveries", headers=json).text


def test_the_list_shows_state_and_counts_on_both_databases(
    either_database: Database, make_app: Callable[..., Flask]
) -> None:
    with either_database.session() as db, transaction(db):
        unit = make_unit(db)
        make_delivery(db, unit, title="第一场")
        make_delivery(db, make_unit(db), title="别人的")
        actor = coordinator_of(unit)
    page = client_of(make_app(either_database), actor).get("/deliveries").text
    assert "第一场" in page
    assert "进行中" in page
    assert "别人的" not in page
