"""The pages of sessions, through a test client."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database, transaction
from quizapp.core.scope import GUEST, Actor, Grant, Role, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.trainings import queries
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.services import close_session, open_session
from tests.conftest import START, FakeClock
from tests.factories import make_person, make_unit

MakeApp = Callable[..., Flask]


def staff_of(unit: OrgUnit | None, role: Role = Role.TRAINER) -> Actor:
    return Actor(account_id=7, name="陈立新", scope=Scope((Grant(role, unit.path if unit else None),)))


def client_for(app: Flask, actor: Actor = GUEST, csrf: bool = False) -> FlaskClient:
    app.extensions["quizapp"].load_actor = lambda: actor
    app.config["WTF_CSRF_ENABLED"] = csrf
    return app.test_client()


def make_session(db: Session, unit: OrgUnit | None = None, starts_at: datetime = START) -> TrainingSession:
    with transaction(db):
        unit = unit or make_unit(db, name="紫兴社区")
        return open_session(
            db,
            title="老旧小区消防疏散演练",
            place="党群服务中心二楼",
            unit_id=unit.id,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=90),
            actor=staff_of(None),
            now=START,
        )


def scan(client: FlaskClient, code: str, name: str = "周敏", phone: str = "13800001234", **more: Any) -> Any:
    return client.post(f"/s/{code}", data={"name": name, "phone": phone}, **more)


def test_a_scan_ends_on_a_green_page_and_a_second_one_says_when_the_first_was(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    with either_database.session() as db:
        code = make_session(db).code
    client = client_for(make_app(either_database))
    form = client.get(f"/s/{code}").text
    assert "老旧小区消防疏散演练" in form
    assert form.count("<h1") == 1
    reply = scan(client, code)
    assert (reply.status_code, reply.headers["Location"]) == (303, f"/s/{code}/in")
    page = client.get(f"/s/{code}/in").text
    assert "签到成功" in page
    assert "周敏 · 10:00" in page
    clock.forward(minutes=10)
    scan(client, code)
    again = client.get(f"/s/{code}/in").text
    assert "您已经签过到" in again
    assert "首次签到 10:00" in again
    with either_database.session() as db:
        assert queries.count_arrivals(db, queries.get_by_code(db, code).id) == 1


def test_the_confirmation_opens_in_the_browser_that_checked_in_alone(db: Session, app: Flask, clock: FakeClock) -> None:
    first, second = make_session(db), make_session(db)
    client = client_for(app)
    reply = scan(client, first.code)
    cookie = next(c for c in reply.headers.getlist("Set-Cookie") if c.startswith("checked_in="))
    assert f"Path=/s/{first.code}" in cookie
    assert "HttpOnly" in cookie
    assert "周敏" not in cookie
    value = cookie.split("=", 1)[1].split(";")[0]
    other = client_for(app)
    assert other.get(f"/s/{first.code}/in").headers["Location"] == f"/s/{first.code}"
    for forged, code in (
        (value, second.code),
        (value[:-1] + ("A" if value[-1] != "A" else "B"), first.code),
        ("1.0.9", first.code),
    ):
        other.set_cookie("checked_in", forged, path=f"/s/{code}")
        assert other.get(f"/s/{code}/in").status_code == 302
    clock.forward(minutes=16)
    assert client.get(f"/s/{first.code}/in").status_code == 302


@pytest.mark.parametrize(("hours", "words"), [(3, "还没到签到时间"), (-4, "签到时间已过")])
def test_outside_the_window_the_page_says_why(db: Session, app: Flask, hours: int, words: str) -> None:
    session = make_session(db, starts_at=START + timedelta(hours=hours))
    client = client_for(app)
    page = client.get(f"/s/{session.code}")
    assert words in page.text
    assert "<form class" not in page.text.split("<main")[1].split("</main>")[0]
    assert scan(client, session.code).status_code == 409
    assert queries.count_arrivals(db, session.id) == 0


def test_a_closed_session_says_so(db: Session, app: Flask) -> None:
    session = make_session(db)
    with transaction(db):
        close_session(db, session=session, actor=staff_of(None), now=START)
    assert "签到已经结束" in client_for(app).get(f"/s/{session.code}").text


def test_a_wrong_number_stands_at_its_field_and_keeps_what_was_typed(db: Session, app: Flask) -> None:
    session = make_session(db)
    reply = scan(client_for(app), session.code, phone="138 0000 12")
    assert reply.status_code == 422
    assert "手机号要有 11 位，现在是 9 位" in reply.text
    assert 'value="周敏"' in reply.text
    assert 'value="138 0000 12"' in reply.text


def test_whoever_is_signed_in_presses_one_button(db: Session, app: Flask) -> None:
    session = make_session(db)
    person = make_person(db, name="周敏")
    db.commit()
    client = client_for(app, Actor(account_id=3, person_id=person.id, name="周敏"))
    page = client.get(f"/s/{session.code}").text
    assert "以 周敏 的名字签到" in page
    assert 'name="phone"' not in page
    assert client.post(f"/s/{session.code}").status_code == 303
    assert "周敏 · 10:00" in client.get(f"/s/{session.code}/in").text
    assert 'name="phone"' in client.get(f"/s/{session.code}?other=1").text
    client.post(f"/s/{session.code}?other=1", data={"name": "王秀兰", "phone": "13800001234"})
    assert queries.count_arrivals(db, session.id) == 2


def test_a_code_may_be_typed_in_any_way_and_an_unknown_one_is_not_there(db: Session, app: Flask) -> None:
    code = make_session(db).code
    client = client_for(app)
    assert client.get(f"/s/{code[:4].lower()}-{code[4:]}").headers["Location"] == f"/s/{code}"
    assert "输入签到码" in client.get("/s").text
    assert client.get(f"/s?code={code.lower()}").headers["Location"] == f"/s/{code}"
    wrong = client.get("/s?code=2222%202222")
    assert (wrong.status_code, 'value="2222 2222"' in wrong.text) == (404, True)
    assert client.get("/s/22222222").status_code == 404
    assert client.get("/s/--").status_code == 404
    assert client.get("/s/22222222/in").status_code == 404


def test_the_form_carries_a_token_without_which_nothing_is_kept(db: Session, app: Flask) -> None:
    session = make_session(db)
    client = client_for(app, csrf=True)
    assert scan(client, session.code).status_code == 400
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"/s/{session.code}").text)
    assert token is not None
    reply = client.post(f"/s/{session.code}", data={"name": "周敏", "phone": "13800001234", "csrf_token": token[1]})
    assert reply.status_code == 303


def test_a_trainer_opens_a_session_and_sees_people_come(db: Session, app: Flask) -> None:
    unit = make_unit(db, name="紫兴社区")
    db.commit()
    client = client_for(app, staff_of(unit))
    assert "还没有场次" in client.get("/sessions").text
    form = client.get("/sessions/new").text
    assert "紫兴社区" in form  # the only unit is chosen already
    values = {
        "title": "消防演练",
        "place": "二楼",
        "unit_id": str(unit.id),
        "day": "2026-11-23",
        "begins": "10:30",
        "ends": "12:00",
        "code_mode": "poster",
    }
    wrong = client.post("/sessions/new", data={**values, "title": "", "ends": "10:00", "day": "x"})
    assert wrong.status_code == 422
    assert "请填写名称" in wrong.text
    assert "日期写成 2026-11-27 这样" in wrong.text
    early = client.post("/sessions/new", data={**values, "ends": "10:00"})
    assert (early.status_code, "结束要晚于开始，一场不超过一天" in early.text) == (422, True)
    reply = client.post("/sessions/new", data=values)
    assert reply.status_code == 303
    session = db.scalars(select(TrainingSession)).one()
    assert session.ends_at - session.starts_at == 90 * 60 * 1000
    scan(client_for(app), session.code)
    client = client_for(app, staff_of(unit))
    page = client.get(reply.headers["Location"]).text
    assert "周敏" in page
    assert "138****1234" in page
    assert "13800001234" not in page
    assert "签到中" in page
    assert "消防演练" in client.get("/sessions").text


def test_late_in_the_evening_the_form_still_proposes_a_time_of_one_day(
    db: Session, app: Flask, clock: FakeClock
) -> None:
    unit = make_unit(db)
    db.commit()
    clock.forward(hours=12, minutes=30)  # half past ten in the evening in Shanghai
    form = client_for(app, staff_of(unit)).get("/sessions/new").text
    assert 'value="23:00"' in form
    assert 'value="23:59"' in form


def test_the_unit_search_of_the_form_works_without_scripts_and_keeps_to_ones_own(db: Session, app: Flask) -> None:
    top = make_unit(db, name="临江区")
    street = make_unit(db, top, name="滨江街道", code="BJ")
    own = make_unit(db, street, name="江湾社区", code="BJ-01")
    make_unit(db, top, name="江北社区", code="QT-01")
    db.commit()
    client = client_for(app, staff_of(street))
    page = client.post("/sessions/new", data={"unit_id_search": "1", "unit_id_query": "江", "title": "演练"})
    assert page.status_code == 200
    assert "江湾社区" in page.text
    assert "江北社区" not in page.text
    assert 'value="演练"' in page.text
    assert [unit["id"] for unit in client.get("/sessions/units?q=江湾").json] == [own.id]
    assert client.get("/sessions/units?q=江北").json == []


def test_the_projector_page_has_the_code_and_masked_names(db: Session, app: Flask) -> None:
    session = make_session(db)
    scan(client_for(app), session.code, name="李建国")
    client = client_for(app, staff_of(None))
    page = client.get(f"/sessions/{session.id}/projector").text
    assert "<svg" in page
    assert f"{session.code[:4]}-{session.code[4:]}" in page
    assert "李*国 10:00" in page
    assert "李建国" not in page
    news = client.get(f"/sessions/{session.id}/arrivals")
    assert (news.json["count"], news.json["last"]) == (1, [{"name": "李*国", "time": "10:00"}])
    assert news.headers["Cache-Control"] == "no-store"


def test_the_trainer_writes_somebody_down_and_closes(db: Session, app: Flask) -> None:
    session = make_session(db)
    client = client_for(app, staff_of(None))
    ticket = re.search(r'name="ticket"[^>]*value="([^"]+)"', client.get(f"/sessions/{session.id}/walk-in").text)
    assert ticket is not None
    for words in ("张伟 已补登", "张伟 已经签过到"):
        data = {"ticket": ticket[1], "name": "张伟", "phone": ""}
        page = client.post(f"/sessions/{session.id}/walk-in", data=data, follow_redirects=True).text
        assert words in page
    wrong = client.post(f"/sessions/{session.id}/walk-in", data={"name": "张", "phone": "12"})
    assert wrong.status_code == 422
    client.post(f"/sessions/{session.id}/close")
    page = client.get(f"/sessions/{session.id}").text
    assert "重新开放" in page
    assert "补登" in page
    assert "签到已经结束" in client.get(f"/sessions/{session.id}/walk-in").text
    assert client.post(f"/sessions/{session.id}/walk-in", data={"name": "张", "phone": ""}).status_code == 303
    client.post(f"/sessions/{session.id}/reopen")
    assert "结束签到" in client.get(f"/sessions/{session.id}").text
    assert queries.count_arrivals(db, session.id) == 1


def test_the_list_is_read_back_and_kept_in_the_log(either_database: Database, make_app: MakeApp) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db)
        scan(client_for(app), session.code, name="=1+1")
        scan(client_for(app), session.code, name="王秀兰", phone="13900001111")
        reply = client_for(app, staff_of(None)).get(f"/sessions/{session.id}/attendance.xlsx")
        book = CalamineWorkbook.from_filelike(io.BytesIO(reply.data))
        rows = book.get_sheet_by_name("签到名单").to_python()
        assert rows[0] == ["序号", "姓名", "手机号", "单位", "签到方式", "签到时间", "学时", "备注"]
        assert [row[1:3] for row in rows[1:]] == [["=1+1", "138****1234"], ["王秀兰", "139****1111"]]
        assert rows[1][5] == datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 # a spreadsheet has no zones
        facts = dict(row[:2] for row in book.get_sheet_by_name("说明").to_python() if row[1])
        assert facts["导出人"] == "陈立新"
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "attendance_exported")).one()
        assert event.details == {"code": session.code, "personal_data": True, "format": "xlsx", "rows": 2}
        assert event.object_id == session.id


ADDRESSES = (
    ("GET", "/sessions/{id}"),
    ("GET", "/sessions/{id}/projector"),
    ("GET", "/sessions/{id}/arrivals"),
    ("GET", "/sessions/{id}/attendance.xlsx"),
    ("GET", "/sessions/{id}/walk-in"),
    ("POST", "/sessions/{id}/walk-in"),
    ("POST", "/sessions/{id}/close"),
    ("POST", "/sessions/{id}/reopen"),
)


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_a_session_of_a_foreign_unit_is_not_there(db: Session, app: Flask, method: str, address: str) -> None:
    top = make_unit(db)
    own, foreign = make_unit(db, top), make_unit(db, top)
    db.commit()
    session = make_session(db, foreign)
    url = address.format(id=session.id)
    assert client_for(app, staff_of(own)).open(url, method=method).status_code == 404
    assert client_for(app, staff_of(own, Role.LEADER)).open(url, method=method).status_code == 403
    assert client_for(app).open(url, method=method).status_code in (302, 303, 401)
    assert client_for(app, staff_of(top)).open(url, method=method).status_code in (200, 303, 422)
    assert client_for(app, staff_of(top)).open(address.format(id=10**9), method=method).status_code == 404


def test_a_session_for_a_foreign_unit_cannot_be_opened(db: Session, app: Flask) -> None:
    own, foreign = make_unit(db), make_unit(db)
    db.commit()
    values = {
        "title": "a",
        "place": "b",
        "unit_id": str(foreign.id),
        "day": "2026-11-23",
        "begins": "10:30",
        "ends": "12:00",
    }
    client = client_for(app, staff_of(own))
    assert client.post("/sessions/new", data=values).status_code == 404
    assert client.get("/sessions").text.count(f'/sessions/{foreign.id}"') == 0
