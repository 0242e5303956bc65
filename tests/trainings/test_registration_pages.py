"""The pages of registration, through a test client."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import AudienceRule, Registration, TrainingSession
from tests.conftest import START, FakeClock
from tests.factories import make_account, make_person, make_unit
from tests.trainings.registering import as_account, as_guest, liaison_of, open_one, resident, rostered, standing
from tests.trainings.test_pages import client_for, staff_of

MakeApp = Callable[..., Flask]
GUEST_FORM = {"name": "周敏", "phone": "138 0000 1234", "consent": "y"}


def made(db: Session, unit: OrgUnit | None = None, **values: Any) -> TrainingSession:
    with transaction(db):
        return open_one(db, unit, **values)


def keys_of(app: Flask) -> Keys:
    keys: Keys = app.extensions["quizapp"].keys
    return keys


def test_a_guest_registers_keeps_the_link_and_cancels(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = made(db, capacity=5, subject="疏散通道")
        client = client_for(app)
        page = client.get(f"/t/{session.page_code}").text
        for words in ("消防演练", "疏散通道", "紫兴社区", "谁都可以来", "还有 5 个名额，共 5 个", "数据说明"):
            assert words in page
        assert page.count("<h1") == 1
        assert session.code not in page  # the code of the door: with it one could check in from home
        assert 'name="email"' not in page  # no mail server: nobody is asked
        reply = client.post(f"/t/{session.page_code}", data=GUEST_FORM)
        assert reply.status_code == 303
        cookie = next(c for c in reply.headers.getlist("Set-Cookie") if c.startswith("registered="))
        assert f"Path=/t/{session.page_code}" in cookie
        assert "HttpOnly" in cookie
        done = client.get(reply.headers["Location"]).text
        assert "周敏 报名成功" in done
        link = re.search(r"data-registration-link>http://localhost(/t/[^<]+)<", done)
        assert link is not None
        assert len(link[1].rsplit("/", 1)[1]) == 22
        assert "data-registration-link" not in client.get(f"/t/{session.page_code}").text
        assert "13800001234" not in done
        stranger = client_for(app)
        assert "周敏" not in stranger.get(f"/t/{session.page_code}").text
        opened = stranger.get(link[1])
        assert opened.headers["Location"] == f"/t/{session.page_code}#mine"  # the secret leaves the address bar
        assert "周敏" in stranger.get(f"/t/{session.page_code}").text
        cancel = re.search(r'href="(/t/[^"]+/cancel)"', stranger.get(f"/t/{session.page_code}").text)
        assert cancel is not None
        assert "取消 周敏 的报名？" in stranger.get(cancel[1]).text
        assert client_for(app).get(cancel[1]).status_code == 404
        assert client_for(app).post(cancel[1]).status_code == 404
        assert "已取消报名" in stranger.post(cancel[1], follow_redirects=True).text
        assert standing(db, session.id, "registered") == []
        assert "没有报名，或已经取消" in client_for(app).get(link[1], follow_redirects=True).text


def test_a_name_that_stands_already_gets_no_link_and_learns_nothing_else(db: Session, app: Flask) -> None:
    session = made(db, capacity=1)
    client_for(app).post(f"/t/{session.page_code}", data=GUEST_FORM)
    reply = client_for(app).post(f"/t/{session.page_code}", data=GUEST_FORM)
    assert reply.status_code == 409
    assert "已经报过名" in reply.text
    assert "data-registration=" not in reply.text
    assert "Set-Cookie" not in reply.headers or "registered=" not in reply.headers["Set-Cookie"]


def test_a_form_sent_twice_is_one_registration_with_one_link(db: Session, app: Flask) -> None:
    session = made(db, capacity=1)
    ticket = re.search(r'name="ticket"[^>]*value="([^"]{22})"', client_for(app).get(f"/t/{session.page_code}").text)
    assert ticket is not None
    cookies = set()
    for _ in range(2):  # the first reply never came: the second one carries the same link again
        reply = client_for(app).post(f"/t/{session.page_code}", data={**GUEST_FORM, "ticket": ticket[1]})
        assert reply.status_code == 303
        cookies |= {c.split(";")[0] for c in reply.headers.getlist("Set-Cookie") if c.startswith("registered=")}
    assert len(cookies) == 1
    assert ticket[1] not in next(iter(cookies))
    assert standing(db, session.id, "registered") == ["周敏"]


def test_what_is_missing_stands_at_its_field(db: Session, app: Flask) -> None:
    session = made(db)
    reply = client_for(app).post(f"/t/{session.page_code}", data={"name": "", "phone": "138"})
    assert reply.status_code == 422
    for words in ("请填写姓名", "手机号要有 11 位，现在是 3 位", "请先看数据说明并勾选同意"):
        assert words in reply.text
    assert db.scalars(select(Registration)).all() == []


def test_where_there_is_a_mail_server_an_address_may_be_given(sqlite_database: Database, make_app: MakeApp) -> None:
    app = make_app(sqlite_database, smtp_url="smtp://127.0.0.1:1", mail_from="a@example.org")
    with sqlite_database.session() as db:
        session = made(db)
        wrong = client_for(app).post(f"/t/{session.page_code}", data={**GUEST_FORM, "email": "周敏@"})
        assert (wrong.status_code, "邮箱写成 name@example.com 这样" in wrong.text) == (422, True)
        done = client_for(app).post(f"/t/{session.page_code}", data={**GUEST_FORM, "email": "zhou@example.com"})
        assert done.status_code == 303  # a server that does not answer stops no page
        db.rollback()
        row = db.scalars(select(Registration)).one()
        assert b"example" not in bytes(row.email_encrypted or b"")
        assert keys_of(app).unseal(bytes(row.email_encrypted or b""), "email") == b"zhou@example.com"


def test_a_family_shares_a_phone(db: Session, app: Flask) -> None:
    session = made(db, capacity=1)
    client = client_for(app)
    client.post(f"/t/{session.page_code}", data=GUEST_FORM)
    page = client.get(f"/t/{session.page_code}").text
    assert 'name="phone"' not in page
    assert 'name="phone"' in client.get(f"/t/{session.page_code}?other=1").text
    client.post(f"/t/{session.page_code}?other=1", data={**GUEST_FORM, "name": "周父"})
    page = client.get(f"/t/{session.page_code}").text
    assert "周敏" in page
    assert "周父" in page
    assert "候补第 1 位" in page


def test_a_resident_registers_with_one_press_and_is_told_when_a_place_comes_free(
    db: Session, app: Flask, clock: FakeClock
) -> None:
    session = made(db, capacity=1)
    with transaction(db):
        first, second = make_person(db, name="张伟"), make_person(db, name="周敏")
    as_account(db, session, first)
    client = client_for(app, resident(second))
    assert "以 周敏 的名字报名" in client.get(f"/t/{session.page_code}").text
    done = client.post(f"/t/{session.page_code}", follow_redirects=True).text
    assert "周敏 候补第 1 位" in done
    assert "data-registration-link" not in done
    client = client_for(app, resident(first))
    cancel = re.search(r'href="(/t/[^"]+/cancel)"', client.get(f"/t/{session.page_code}").text)
    assert cancel is not None
    client.post(cancel[1])
    client = client_for(app, resident(second))
    assert client.post(cancel[1]).status_code == 404
    for address in ("/", "/me", f"/t/{session.page_code}"):
        assert "已递补，有位了" in client.get(address).text, address
    seen = re.search(r'action="(/t/[^"]+/seen)"', client.get("/me").text)
    assert seen is not None
    assert client_for(app, resident(first)).post(seen[1]).status_code == 404
    client = client_for(app, resident(second))
    assert client.post(seen[1], data={"back": "me"}).headers["Location"] == "/me"
    assert "已递补，有位了" not in client.get("/me").text


def test_home_and_my_page_say_what_is_next_and_what_changed(db: Session, app: Flask, clock: FakeClock) -> None:
    session = made(db, starts_at=to_ms(START + timedelta(days=3, hours=4)))
    with transaction(db):
        person = make_person(db, name="周敏")
    as_account(db, session, person)
    client = client_for(app, resident(person))
    assert "data-notice" not in client.get("/").text
    assert "已报名" in client.get("/me").text
    with transaction(db):
        session.moved_from_at, session.moved_at, session.revision = session.starts_at, to_ms(START), 1
        session.starts_at -= 86_400_000
        session.ends_at -= 86_400_000
    page = client.get("/").text
    assert "时间或地点改了：消防演练" in page
    assert "原定 11月26日 周四 14:00，改到 11月25日 周三 14:00。" in page
    clock.forward(days=1)
    assert "明天 14:00 消防演练" in client.get("/").text
    seen = re.search(r'action="(/t/[^"]+/seen)"', client.get("/").text)
    assert seen is not None
    client.post(seen[1], data={"back": "home"})
    page = client.get("/me").text
    assert "时间或地点改了" not in page
    assert "明天 14:00 消防演练" in page
    clock.forward(minutes=1)
    with transaction(db):
        session.cancelled_at = to_ms(clock.now)
    page = client.get("/").text
    assert "这场取消了：消防演练" in page
    assert 'data-notice="soon"' not in page
    assert "已经取消" in client_for(app).get(f"/t/{session.page_code}").text


def test_what_was_typed_under_a_name_shows_its_account_nothing(db: Session, app: Flask) -> None:
    session = made(db)
    with transaction(db):
        person = make_person(db, name="人1", source="account", phone_hash=keys_of(app).phone_hash("13800000001"))
    as_guest(db, session, keys_of(app), 1)
    client = client_for(app, resident(person))
    assert "data-registration=" not in client.get(f"/t/{session.page_code}").text
    assert "data-registrations" not in client.get("/me").text


def test_a_closed_circle_says_for_whom_it_is(db: Session, app: Flask) -> None:
    with transaction(db):
        unit = make_unit(db, name="东市场")
        inside, outside = rostered(db, unit, "自己人"), make_person(db, name="外人")
    session = made(db, registration="audience")
    with transaction(db):
        db.add(AudienceRule(session_id=session.id, unit_id=unit.id, job_role=None))
    guest = client_for(app)
    page = guest.get(f"/t/{session.page_code}").text
    assert "东市场" in page
    assert "这场要登录后报名" in page
    assert guest.post(f"/t/{session.page_code}", data=GUEST_FORM).status_code == 409
    assert "不面向您的单位" in client_for(app, resident(outside)).get(f"/t/{session.page_code}").text
    assert client_for(app, resident(outside)).post(f"/t/{session.page_code}").status_code == 409
    assert client_for(app, resident(inside)).post(f"/t/{session.page_code}").status_code == 303
    assert standing(db, session.id, "registered") == ["自己人"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"registration": "closed"}, "这场不用报名，到时直接来"),
        ({"registration_until": to_ms(START)}, "报名已经截止"),
        ({"cancelled_at": 1}, "这场培训已经取消"),
    ],
)
def test_a_session_that_takes_nobody_says_why(db: Session, app: Flask, values: dict[str, Any], words: str) -> None:
    session = made(db, **values)
    page = client_for(app).get(f"/t/{session.page_code}")
    assert words in page.text
    assert 'id="register"' not in page.text
    assert client_for(app).post(f"/t/{session.page_code}", data=GUEST_FORM).status_code == 409


def test_a_code_may_be_typed_in_any_way(db: Session, app: Flask) -> None:
    code = made(db).page_code
    client = client_for(app)
    assert client.get(f"/t/{code[:4].lower()}-{code[4:]}").headers["Location"] == f"/t/{code}"
    assert client.get("/t/22222222").status_code == 404
    assert client.get("/t/--").status_code == 404


def test_trainings_open_to_anyone_stand_on_the_list_of_a_guest(db: Session, app: Flask) -> None:
    far = made(db, starts_at=to_ms(START + timedelta(days=40)))
    made(db, title="内部", registration="audience")
    page = client_for(app).get("/coming").text
    assert f"/t/{far.page_code}" in page
    assert "内部" not in page


def test_a_liaison_finds_the_session_ticks_people_and_reads_who_waits(
    either_database: Database, make_app: MakeApp
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = made(db, capacity=2)
        with transaction(db):
            own, foreign = make_unit(db, name="东市场"), make_unit(db, name="西市场")
            people = [rostered(db, own, f"职工{number}") for number in range(1, 4)]
            stranger = rostered(db, foreign, "外人")
        client = client_for(app, liaison_of(own))
        assert "消防演练" in client.get("/registrations").text
        page = client.get(f"/registrations/{session.id}").text
        assert page.count('name="person"') == 3
        assert "外人" not in page
        nothing = client.post(f"/registrations/{session.id}", data={}, follow_redirects=True)
        assert "先在名字前打勾" in nothing.text
        ids = [person.id for person in people]
        assert client.post(f"/registrations/{session.id}", data={"person": [stranger.id]}).status_code == 404
        reply = client.post(f"/registrations/{session.id}?state=none", data={"person": ids, "action": "register"})
        assert reply.headers["Location"] == f"/registrations/{session.id}?state=none"
        page = client.get(f"/registrations/{session.id}").text
        assert "2 人报上了名；名额已满，1 人候补：职工3（第 1 位）" in page
        assert "候补第 1 位" in page
        assert "本单位 3 人" in client.get("/registrations").text
        page = client.post(
            f"/registrations/{session.id}", data={"person": ids[:1], "action": "cancel"}, follow_redirects=True
        ).text
        assert "取消了 1 人的报名" in page
        assert standing(db, session.id, "registered") == ["职工2", "职工3"]
        new = {"name": "新来的", "phone": "13900001111", "unit_id": str(own.id)}
        page = client.post(f"/registrations/{session.id}/new", data=new, follow_redirects=True).text
        assert "名额已满，1 人候补：新来的（第 1 位）" in page
        assert "139****1111" in page
        again = client.post(f"/registrations/{session.id}/new", data=new, follow_redirects=True).text
        assert "新来的 已经报过名" in again
        assert client.post(f"/registrations/{session.id}/new", data={**new, "unit_id": foreign.id}).status_code == 422
        assert client.get(f"/registrations/{session.id}?unit={foreign.id}").status_code == 404


def test_a_liaisons_list_has_pages_of_fifty(db: Session, app: Flask) -> None:
    session = made(db)
    with transaction(db):
        own = make_unit(db, name="东市场")
        for number in range(53):
            rostered(db, own, f"职工{number:02}")
    client = client_for(app, liaison_of(own))
    assert client.get(f"/registrations/{session.id}").text.count('name="person"') == 50
    page = client.get(f"/registrations/{session.id}?page=2").text
    assert page.count('name="person"') == 3
    assert "第 51–53 行，共 53 行" in page


def test_a_trainer_sees_registrations_adds_and_strikes(either_database: Database, make_app: MakeApp) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        unit = make_unit(db, name="紫兴社区")
        db.commit()
        session = made(db, unit, capacity=1)
        as_guest(db, session, keys_of(app), 1)
        client = client_for(app, staff_of(unit))
        assert f"/sessions/{session.id}/registrations" in client.get(f"/sessions/{session.id}").text
        page = client.get(f"/sessions/{session.id}/registrations").text
        assert "138****0001" in page
        assert "13800000001" not in page
        assert "本人" in page
        add = f"/sessions/{session.id}/registrations/new"
        assert client.post(add, data={"name": "", "phone": ""}).status_code == 422
        page = client.post(add, data={"name": "周敏", "phone": "13900001111"}, follow_redirects=True).text
        assert "周敏 候补第 1 位" in page
        row = db.scalars(select(Registration).join(Person).where(Person.name == "人1")).one()
        page = client.post(f"/sessions/{session.id}/registrations/{row.id}/strike", follow_redirects=True).text
        assert "已取消 人1 的报名；1 人递补" in page
        assert "人1" in client.get(f"/sessions/{session.id}/registrations?state=cancelled").text
        other = made(db, unit)
        assert client.post(f"/sessions/{other.id}/registrations/{row.id}/strike").status_code == 404


def test_a_calendar_address_is_shown_once_and_a_new_one_ends_the_old(
    either_database: Database, make_app: MakeApp
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        with transaction(db):
            account = make_account(db, name="周敏")
        person = db.get_one(Person, account.person_id)
        session = made(db)
        as_account(db, session, person)
        client = client_for(app, resident(person, account.id))
        assert "/me/calendar" in client.get("/me").text
        first = re.search(r"data-feed-link>http://localhost([^<]+)<", client.post("/me/calendar").text)
        assert first is not None
        assert "data-feed-link" not in client.get("/me/calendar").text
        anyone = client_for(app)
        reply = anyone.get(first[1])
        assert reply.content_type == "text/calendar; charset=utf-8"
        assert f"session-{session.page_code}@trainings.quizapp" in reply.text
        second = re.search(
            r"data-feed-link>http://localhost([^<]+)<",
            client_for(app, resident(person, account.id)).post("/me/calendar").text,
        )
        assert second is not None
        anyone = client_for(app)
        assert anyone.get(first[1]).status_code == 404
        assert anyone.get(second[1]).status_code == 200
        assert anyone.get("/calendar/x.ics").status_code == 404
