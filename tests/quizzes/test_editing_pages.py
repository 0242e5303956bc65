"""The pages on which a delivery is copied, changed and ended early, and what two editors at once read."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery, DeliveryAudience
from quizapp.quizzes.services.audience import AudienceLine, lines_of
from quizapp.quizzes.services.deliveries import update_delivery
from tests.conftest import START, FakeClock
from tests.factories import make_account, make_delivery, make_person, make_unit
from tests.quizzes.banks import make_blueprint
from tests.quizzes.staff import client_of, coordinator_of, delivery_form
from tests.quizzes.support import begin

ASKED = {"name": "required", "unit": "required"}


@pytest.fixture
def unit(db: Session) -> OrgUnit:
    with transaction(db):
        unit = make_unit(db, name="临江区科协", kind="district")
        make_person(db, unit_id=unit.id, source="roster")
        return unit


@pytest.fixture
def staff(app: Flask, db: Session, unit: OrgUnit) -> FlaskClient:
    with transaction(db):
        account = make_account(db, name="林晓")
    return client_of(app, coordinator_of(unit, account_id=account.id))


@pytest.fixture
def delivery(db: Session, unit: OrgUnit) -> Delivery:
    with transaction(db):
        return make_delivery(db, unit, title="冬季测验", fields=ASKED, tries=2, items=9, papers=2)


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send of the page's main form: name → value, or values."""
    body = max(re.findall(r"<form method=\"post\"[^>]*novalidate.*?</form>", page, re.S), key=len)
    found: dict[str, Any] = {}

    def add(name: str, value: str) -> None:
        found.setdefault(name, []).append(html.unescape(value))

    for tag in re.findall(r"<input[^>]*>", body):
        kind = re.search(r'type="(\w[\w-]*)"', tag)
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name is None or (kind and kind[1] in ("radio", "checkbox") and " checked" not in tag):
            continue
        add(name[1], value[1] if value else "")
    for name_, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'<option selected value="([^"]*)"', options) or re.search(r'value="([^"]*)"', options)
        add(name_, chosen[1] if chosen else "")
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def fresh(db: Session, delivery: Delivery) -> Delivery:
    db.rollback()
    db.expire_all()
    return db.get_one(Delivery, delivery.id)


def confirmed(client: FlaskClient, url: str, sent: dict[str, Any]) -> Any:
    """Post; what is amber is confirmed once."""
    reply = client.post(url, data=sent)
    if reply.status_code == 200:
        token = re.search(r'name="confirmed" value="([^"]*)"', reply.text)
        assert token is not None
        reply = client.post(url, data={**sent, "confirmed": html.unescape(token[1])})
    return reply


def test_before_the_first_start_the_whole_form_is_there_and_saves(
    staff: FlaskClient, db: Session, delivery: Delivery
) -> None:
    url = f"/deliveries/{delivery.id}/edit"
    page = staff.get(url).text
    assert page.count("<h1") == 1
    sent = {**fields_of(page), "action": "save"}
    assert (sent["title"], sent["revision"], sent["paper_count"]) == ("冬季测验", "1", "2")
    # nothing amber is asked that was there before: a new title is stored at once
    assert staff.post(url, data={**sent, "title": "春季测验"}).status_code == 303
    changed = fresh(db, delivery)
    assert (changed.title, changed.revision, changed.state) == ("春季测验", 2, "ready")
    page = staff.get(url).text
    refused = confirmed(staff, url, {**fields_of(page), "action": "save", "pass_score": "500"})
    assert refused.status_code == 422
    assert "1 到 180" in refused.text
    # other papers: the page of the delivery waits for them
    reply = confirmed(staff, url, {**fields_of(page), "action": "save", "paper_count": "3"})
    assert reply.status_code == 303
    assert "正在组 3 份试卷" in staff.get(reply.location).text


def test_of_two_editors_the_second_reads_what_the_first_changed_and_keeps_what_was_typed(
    either_database: Database, make_app: Callable[..., Flask]
) -> None:
    with either_database.session() as db, transaction(db):
        unit = make_unit(db)
        make_person(db, unit_id=unit.id, source="roster")
        delivery = make_delivery(db, unit, title="冬季测验", fields=ASKED, tries=2, items=9)
        account = make_account(db, name="罗建华")
        actor, url = coordinator_of(unit, account_id=account.id), f"/deliveries/{delivery.id}/edit"
    one, two = (client_of(make_app(either_database), actor) for _ in range(2))
    first, second = fields_of(one.get(url).text), fields_of(two.get(url).text)
    changed = {**first, "action": "save", "title": "春季测验", "tries": "5", "contact": "0571-9"}
    assert confirmed(one, url, changed).status_code == 303
    told = two.post(url, data={**second, "action": "save", "title": "夏季测验", "keeper": "应急局"})
    assert told.status_code == 409
    assert "罗建华" in told.text
    assert "从“冬季测验”改成“春季测验”" in told.text
    assert "您填的是“夏季测验”" in told.text
    assert "从“2”改成“5”" in told.text
    again = fields_of(told.text)
    # typed values stand, what only the other changed has come with them
    assert [again[name] for name in ("title", "keeper", "tries", "contact", "revision")] == [
        "夏季测验",
        "应急局",
        "5",
        "0571-9",
        "2",
    ]
    assert confirmed(two, url, {**again, "action": "save"}).status_code == 303
    with either_database.session() as db:
        stored = db.get_one(Delivery, delivery.id)
        values = (stored.title, stored.notice["keeper"], stored.tries, stored.notice["contact"], stored.revision)
        assert values == ("夏季测验", "应急局", 5, "0571-9", 3)


def test_two_who_change_a_running_delivery_read_the_same(
    staff: FlaskClient, db: Session, delivery: Delivery, unit: OrgUnit, keys: Keys
) -> None:
    begin(db, delivery, keys, name="张三", unit_id=unit.id)
    url = f"/deliveries/{delivery.id}/edit"
    first, second = fields_of(staff.get(url).text), fields_of(staff.get(url).text)
    assert staff.post(url, data={**first, "action": "save", "audience_unit": str(unit.id)}).status_code == 303
    told = staff.post(url, data={**second, "action": "save", "reveal": "score_only"})
    assert told.status_code == 409
    assert "从“扫海报的人都能答”改成“临江区科协及以下”" in told.text
    again = fields_of(told.text)
    assert (again["audience"], "score_only" in told.text) == (str(unit.id), True)
    assert staff.post(url, data={**again, "action": "save", "reveal": "score_only"}).status_code == 303
    changed = fresh(db, delivery)
    assert (changed.reveal, lines_of(changed)) == ("score_only", (AudienceLine(unit.id),))


def test_a_forged_base_deceives_only_who_forges_it(staff: FlaskClient, db: Session, delivery: Delivery) -> None:
    url = f"/deliveries/{delivery.id}/edit"
    sent = {**fields_of(staff.get(url).text), "action": "save", "title": "我的"}
    for base in ("", "no json", "[1]", '{"title": {"x": 1}, "audience": 7, "opens_at": "then"}'):
        reply = staff.post(url, data={**sent, "base": base, "revision": "99"})
        assert reply.status_code == 409
        assert 'value="我的"' in reply.text
    assert fresh(db, delivery).title == "冬季测验"


def test_after_the_first_start_what_stands_is_said_and_a_copy_is_offered(
    staff: FlaskClient, db: Session, delivery: Delivery, unit: OrgUnit, keys: Keys
) -> None:
    url = f"/deliveries/{delivery.id}/edit"
    before = fields_of(staff.get(url).text)
    begin(db, delivery, keys, name="张三", unit_id=unit.id)
    page = staff.get(url).text
    assert "data-fixed" in page
    assert 'name="title"' not in page
    assert f"/deliveries/new?copy={delivery.id}" in page
    # the form was opened before: what is too late is named, nothing of it is stored, and a copy takes what was typed
    late = staff.post(url, data={**before, "action": "save", "title": "春季测验", "tries": "7", "reveal": "score_only"})
    assert late.status_code == 409
    assert "没有保存：名称、次数。" in late.text
    assert (fresh(db, delivery).title, fresh(db, delivery).reveal) == ("冬季测验", "at_once")
    refused = re.search(r"<form[^>]*data-refused>(.*?)</form>", late.text, re.S)
    assert refused is not None
    typed = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', refused[1]))
    copied = staff.post("/deliveries/new", data=typed)
    assert copied.status_code == 200
    assert 'value="春季测验"' in copied.text
    assert f'name="copied_from" type="hidden" value="{delivery.id}"' in copied.text
    # the three that may still change; a later end is refused with the way to it
    sent = {**fields_of(page), "action": "save"}
    assert staff.post(url, data={**sent, "closes_at": "2027-06-01T00:00"}).status_code == 422
    reply = staff.post(url, data={**sent, "reveal": "score_only", "audience_unit": str(unit.id)})
    assert reply.status_code == 303, reply.text
    changed = fresh(db, delivery)
    assert (changed.reveal, lines_of(changed)) == ("score_only", (AudienceLine(unit.id),))
    stored = changed.closes_at
    page = staff.get(url).text
    assert f'name="audience" value="{unit.id}" checked' in page
    unticked = {**fields_of(page), "action": "save"}
    unticked.pop("audience")
    assert staff.post(url, data=unticked).status_code == 303
    changed = fresh(db, delivery)
    # the end that the box shows to the minute has kept its milliseconds
    assert (changed.limited, changed.closes_at) == (False, stored)


def test_a_copy_is_filled_from_its_source_and_noted(
    staff: FlaskClient, db: Session, delivery: Delivery, unit: OrgUnit
) -> None:
    with transaction(db):
        make_blueprint(db)
        own, gone = make_unit(db, unit, name="东湖社区"), make_unit(db, unit)
        make_person(db, unit_id=own.id, source="roster")
        lines = [AudienceLine(own.id), AudienceLine(gone.id)]
        update_delivery(
            db,
            delivery.id,
            changes={"audience": lines, "blueprint_code": "safety_20", "pass_score": 35},
            actor=coordinator_of(unit),
            now=START,
        )
        db.get_one(OrgUnit, gone.id).closed_at = START
    page = staff.get(f"/deliveries/new?copy={delivery.id}").text
    assert "照“冬季测验”填好了" in page
    sent = fields_of(page)
    assert (sent["title"], sent["audience"], sent["opens_at"]) == ("冬季测验", str(own.id), "2026-11-23T10:00")
    assert sent["closes_at"] == "2026-11-30T10:00"
    reply = confirmed(staff, "/deliveries/new", {**sent, "action": "publish", "title": "冬季测验（二）"})
    assert reply.status_code == 303, reply.text
    db.rollback()
    made = db.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
    assert made is not None
    assert (made.title, lines_of(made)) == ("冬季测验（二）", (AudienceLine(own.id),))
    assert made.seed != delivery.seed
    event = db.scalars(select(AuditEvent).where(AuditEvent.object_id == made.id)).one()
    assert (event.details["copied_from"], event.details["audience"]) == (delivery.id, [own.id])


def test_an_audience_is_put_together_without_scripts(staff: FlaskClient, db: Session, unit: OrgUnit) -> None:
    with transaction(db):
        make_blueprint(db)
        street = make_unit(db, unit, name="滨江街道")
        make_unit(db, name="滨江外街道")
    search = {"audience_unit_search": "1", "audience_unit_query": "滨江"}
    form = delivery_form(unit_id=str(unit.id), pass_score="35", unit="optional")
    page = staff.post("/deliveries/new", data={**form, **search}).text
    assert f'name="audience_unit" value="{street.id}"' in page
    assert "滨江外街道" not in page
    page = staff.post("/deliveries/new", data={**form, "audience_unit": str(street.id), "action": "add_audience"}).text
    assert f'name="audience" value="{street.id}" checked' in page
    assert "滨江街道及以下" in page
    # the unit is not asked of everybody: red, at its field, with what to do
    sent = {**form, "audience": str(street.id)}
    refused = staff.post("/deliveries/new", data=sent)
    assert refused.status_code == 422
    assert "把“单位或社区”设为必填" in refused.text
    assert db.scalars(select(DeliveryAudience)).all() == []
    reply = confirmed(staff, "/deliveries/new", {**sent, "unit": "required"})
    assert reply.status_code == 303
    assert "滨江街道及以下" in staff.get(reply.location).text


def test_ending_early_asks_once_and_says_whom_it_meets(
    staff: FlaskClient, db: Session, delivery: Delivery, unit: OrgUnit, keys: Keys, clock: FakeClock
) -> None:
    begin(db, delivery, keys, name="张三", unit_id=unit.id)
    url = f"/deliveries/{delivery.id}/close"
    place = staff.get(f"/deliveries/{delivery.id}").text
    assert url in place
    page = staff.get(url).text
    assert "现在截止" in page
    assert "1 份" in page
    clock.forward(minutes=1)
    reply = staff.post(url, follow_redirects=True)
    assert "正在答的 1 份按存下的答案交卷" in reply.text
    assert "已结束" in reply.text
    attempt = db.scalars(select(Attempt).execution_options(populate_existing=True)).one()
    assert attempt.deadline_at == to_ms(START + timedelta(minutes=1))
    assert staff.post(url).status_code == 409
    assert "不用提前截止" in staff.get(url).text
    assert url not in staff.get(f"/deliveries/{delivery.id}").text
    assert 'data-closed="ended"' in staff.get(f"/q/{delivery.poster_code}").text
