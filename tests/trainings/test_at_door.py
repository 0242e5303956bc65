"""At the door: the rotating code, the right, the words for everything that can happen, places, and who was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import Client

from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import GUEST, Actor
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime
from quizapp.organisation.models import OrgUnit, Person, PersonalCode
from quizapp.trainings import queries
from quizapp.trainings.models import Attendance, AudienceRule, Registration, RosterEntry, TrainingSession
from quizapp.trainings.rotating import slot_of, token_of
from quizapp.trainings.services import check_in, check_in_by_hand
from quizapp.trainings.views.door import DoorFirst
from tests.conftest import START, FakeClock
from tests.factories import make_attendance, make_person, make_unit
from tests.factories import make_session as make_bare_session
from tests.trainings.test_pages import client_for, staff_of

MakeApp = Callable[..., Flask]
NOW = to_ms(START)


def make_session(db: Session, unit: OrgUnit | None = None, **values: Any) -> TrainingSession:
    with transaction(db):
        unit = db.merge(unit) if unit is not None else make_unit(db, name="紫兴社区")
        return make_bare_session(db, unit, **{"code_mode": "rotating", **values})


def keys_of(app: Flask) -> Keys:
    runtime: Runtime = app.extensions["quizapp"]
    return runtime.keys


def code_now(app: Flask, session: TrainingSession, clock: FakeClock, slots: int = 0) -> str:
    return token_of(keys_of(app), session.code, slot_of(to_ms(clock.now)) + slots)


def open_code(client: FlaskClient, app: Flask, session: TrainingSession, clock: FakeClock) -> str:
    """Scan what the projector shows; gives the form that follows."""
    reply = client.get(f"/s/{session.code}/{code_now(app, session, clock)}")
    assert (reply.status_code, reply.headers["Location"]) == (303, f"/s/{session.code}")
    return client.get(reply.headers["Location"]).text


def press(
    client: FlaskClient,
    session: TrainingSession,
    form: str,
    name: str = "周敏",
    phone: str = "13800001234",
    **more: Any,
) -> Any:
    token = re.search(r'name="form_token" value="([^"]+)"', form)
    data = {"form_token": token[1] if token else "", "name": name, "phone": phone, **more}
    return client.post(f"/s/{session.code}/check-in", data=data)


def scan(
    app: Flask, session: TrainingSession, clock: FakeClock, name: str = "周敏", phone: str = "13800001234", **more: Any
) -> Any:
    """Another browser scans and presses; gives its client and the page that it ends on."""
    client = client_for(app)
    reply = press(client, session, open_code(client, app, session, clock), name, phone, **more)
    if reply.status_code == 303:
        return client, client.get(reply.headers["Location"]).text
    return client, reply.text


def states(page: str) -> list[str]:
    return re.findall(r'data-state="(\w+)"', page)


def only(db: Session) -> Attendance:
    db.rollback()
    return db.scalars(select(Attendance).execution_options(populate_existing=True)).one()


def test_a_code_is_exchanged_for_a_right_and_a_press_makes_one_attendance(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db)
        client = client_for(app)
        opened = client.get(f"/s/{session.code}/{code_now(app, session, clock)}")
        cookie = next(c for c in opened.headers.getlist("Set-Cookie") if c.startswith("right="))
        assert {f"Path=/s/{session.code}", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        form = client.get(f"/s/{session.code}").text
        clock.forward(seconds=40)
        assert press(client, session, form).headers["Location"] == f"/s/{session.code}/in"
        page = client.get(f"/s/{session.code}/in").text
        assert states(page) == ["in"]
        assert "周敏 · 10:00" in page
        row = only(db)
        assert (row.method, row.matched, row.took_ms, row.state) == ("rotating", "typed", 40_000, "counted")
        assert row.expected is None
        assert row.device_hash is not None
        person = db.get_one(Person, row.person_id)
        assert (person.name, person.source, person.created_at) == ("周敏", "typed", clock.now)
        # the button was pressed twice: the same confirmation, and one attendance
        press(client, session, form)
        assert states(client.get(f"/s/{session.code}/in").text) == ["in"]
        assert queries.count_arrivals(db, session.id) == 1


def test_the_quick_door_alone_takes_a_plain_check_in(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)

    def whole(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("418 I'm a teapot", [])
        return [b"whole"]

    door = DoorFirst(whole, app.extensions["quizapp"])
    with either_database.session() as db:
        session = make_session(db)
        known = make_person(db, name="李建国", phone_hash=keys_of(app).phone_hash("13900001111"), source="roster")
        db.commit()
        for name, phone, status in (
            ("李 建国", "139 0000 1111", 303),
            ("王秀兰", "13800001234", 303),
            ("王秀兰", "12", 418),
        ):
            browser = client_for(app)
            token = re.search(r'form_token" value="([^"]+)', open_code(browser, app, session, clock))
            assert token is not None
            cookies = "; ".join(f"{c.key}={c.value}" for c in browser._cookies.values())
            data = {"name": name, "phone": phone}
            outside = Client(door, use_cookies=False)

            def send(token: str, outside: Client = outside, data: dict[str, str] = data, cookies: str = cookies) -> int:
                fields = {**data, "form_token": token}
                headers = {"Cookie": cookies}
                return outside.post(f"/s/{session.code}/check-in", data=fields, headers=headers).status_code

            # a form without its signature is nobody's; whoever is in is told so by the whole application
            assert [send(""), send(token[1]), send(token[1])] == [418, status, 418]
        names = {row.person.name: row.person.id for row in queries.arrivals(db, session.id)}
        assert names.keys() == {"李建国", "王秀兰"}
        assert names["李建国"] == known.id
    door.hot.close()


def test_a_copied_address_shows_the_session_and_no_form(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    owner, stranger = client_for(app), client_for(app)
    form = open_code(owner, app, session, clock)
    page = stranger.get(f"/s/{session.code}").text
    assert "怎么签到" in page
    assert "紫兴社区" in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    reply = press(stranger, session, form)
    assert (reply.status_code, states(reply.text)) == (409, ["check_in_right_needed"])
    assert stranger.post(f"/s/{session.code}", data={"name": "周敏", "phone": "13800001234"}).status_code == 409
    assert stranger.get(f"/s/{session.code}/check-in").status_code == 302
    assert queries.count_arrivals(db, session.id) == 0


@pytest.mark.parametrize(
    ("slots", "fresh"), [(1, True), (0, True), (-2, True), (2, False), (-3, False), (-4320, False)]
)
def test_a_phone_or_a_projector_with_a_clock_astray(
    db: Session, app: Flask, clock: FakeClock, slots: int, fresh: bool
) -> None:
    session = make_session(db)
    reply = client_for(app).get(f"/s/{session.code}/{code_now(app, session, clock, slots)}")
    if fresh:
        assert reply.status_code == 303
    else:
        assert reply.status_code == 410
        assert "这个码过期了" in reply.text
        assert "请扫屏幕上的新码" in reply.text
        assert "full-word-amber" in reply.text
        assert "right=" not in str(reply.headers.getlist("Set-Cookie"))


def test_a_code_of_another_session_says_no_more_than_that(db: Session, app: Flask, clock: FakeClock) -> None:
    first, second = make_session(db), make_session(db, title="用电安全")
    reply = client_for(app).get(f"/s/{first.code}/{code_now(app, second, clock)}")
    assert (reply.status_code, states(reply.text)) == (409, ["rotating_code_elsewhere"])
    assert "不是本场的码" in reply.text
    assert "full-word-red" in reply.text
    assert "用电安全" not in reply.text
    assert client_for(app).get(f"/s/{first.code}/XY").status_code == 404
    poster = make_session(db, code_mode="poster")
    assert client_for(app).get(f"/s/{poster.code}/{code_now(app, poster, clock)}").status_code == 404


def test_the_code_on_the_wall_can_be_typed(db: Session, app: Flask, clock: FakeClock) -> None:
    make_session(db)
    session = make_session(db)
    token = code_now(app, session, clock)
    client = client_for(app)
    reply = client.get(f"/s?code={token[:4].lower()}-{token[4:]}")
    assert (reply.status_code, reply.headers["Location"]) == (303, f"/s/{session.code}")
    press(client, session, client.get(f"/s/{session.code}").text)
    assert queries.count_arrivals(db, session.id) == 1
    with transaction(db):
        db.get_one(TrainingSession, session.id).closed_at = NOW
    assert client_for(app).get(f"/s?code={token}").status_code == 404


def test_guessing_the_typed_code_is_slowed(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    client = client_for(app)
    open_code(client, app, session, clock)  # the browser is known by its device from here on
    replies = [client.get(f"/s?code=2222222{n}") for n in "23456789"]
    assert [reply.status_code for reply in replies] == [404] * 5 + [429] * 3
    assert "秒" in replies[-1].text
    assert client.get(f"/s?code={code_now(app, session, clock)}").status_code == 429
    clock.forward(seconds=31)
    assert client.get(f"/s?code={code_now(app, session, clock)}").status_code == 303


def test_a_second_scan_says_when_the_first_was(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    scan(app, session, clock)
    clock.forward(minutes=8)
    _, page = scan(app, session, clock)
    assert states(page) == ["again"]
    assert "首次签到 10:00" in page
    assert "full-word-amber" in page
    assert queries.count_arrivals(db, session.id) == 1


def test_one_scan_signs_one_person(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    client = client_for(app)
    form = open_code(client, app, session, clock)
    press(client, session, form)
    reply = press(client, session, form, "王秀兰", "13800001234")
    assert (reply.status_code, states(reply.text)) == (409, ["check_in_right_used"])
    assert "<form" not in client.get(f"/s/{session.code}").text.split("<main")[1].split("</main>")[0]
    press(client, session, open_code(client, app, session, clock), "王秀兰", "13800001234")
    assert queries.count_arrivals(db, session.id) == 2
    found = queries.marks(db, session.id)
    assert [[(mark.kind, mark.amount) for mark in of_row] for of_row in found.values()] == [[("same_device", 2)]] * 2


def test_a_right_that_is_too_old_is_kept_for_the_trainer(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db)
        client = client_for(app)
        form = open_code(client, app, session, clock)
        clock.forward(minutes=6)
        reply = press(client, session, form)
        page = client.get(reply.headers["Location"]).text
        assert states(page) == ["pending"]
        assert "已记下，等老师确认" in page
        assert "full-word-amber" in page
        row = only(db)
        assert (row.state, row.reason) == ("pending", "right_expired")
        assert queries.count_arrivals(db, session.id) == 0
        assert [mark.kind for mark in queries.marks(db, session.id)[row.id]] == ["slow"]
        # from a new code on it counts
        _, page = scan(app, session, clock)
        assert states(page) == ["in"]
        row = only(db)
        assert (row.state, row.reason, row.took_ms) == ("counted", None, 0)


def test_what_comes_after_the_closing_is_kept_and_marked_if_the_scan_was_before(
    db: Session, app: Flask, clock: FakeClock
) -> None:
    session = make_session(db)
    client, late = client_for(app), client_for(app)
    form = open_code(client, app, session, clock)
    clock.forward(minutes=1)
    with transaction(db):
        db.get_one(TrainingSession, session.id).closed_at = to_ms(clock.now)
    clock.forward(minutes=1)
    press(client, session, form)
    assert states(client.get(f"/s/{session.code}/in").text) == ["pending"]
    assert (only(db).state, only(db).reason) == ("pending", "after_closing")
    page = open_code(late, app, session, clock)
    assert "签到已经结束" in page
    assert queries.count_arrivals(db, session.id) == 0


@pytest.mark.parametrize(
    ("values", "state", "title", "look"),
    [
        ({"check_in_from": NOW + 60_000}, "check_in_early", "还没到签到时间", "amber"),
        ({"check_in_until": NOW}, "check_in_late", "签到时间已过", "amber"),
        ({"closed_at": NOW}, "check_in_closed", "签到已经结束", "amber"),
        ({"cancelled_at": NOW}, "session_cancelled", "这一场取消了", "red"),
    ],
)
def test_when_nobody_can_check_in_the_page_says_why(
    db: Session, app: Flask, clock: FakeClock, values: dict[str, int], state: str, title: str, look: str
) -> None:
    session = make_session(db, **values)
    client = client_for(app)
    page = open_code(client, app, session, clock)
    assert states(page) == [state]
    assert title in page
    assert f"full-word-{look}" in page
    assert "<svg" in page.split("full-word-disc")[1].split("</div>")[0]
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    poster = make_session(db, code_mode="poster", **values)
    reply = client.post(f"/s/{poster.code}", data={"name": "周敏", "phone": "13800001234"})
    assert (reply.status_code, states(reply.text)) == (409, [state])
    assert db.scalar(select(func.count()).select_from(Attendance)) == 0


def test_a_full_session_says_so_and_the_trainer_may_go_beyond(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db, capacity=1)
        assert states(scan(app, session, clock)[1]) == ["in"]
        _, page = scan(app, session, clock, "王秀兰")
        assert states(page) == ["check_in_full"]
        assert "名额满了" in page
        assert "full-word-amber" in page
        # who is in is told so, and not that it is full
        assert states(scan(app, session, clock)[1]) == ["again"]
        with transaction(db):
            check_in_by_hand(
                db,
                session=session,
                name="赵海",
                phone=None,
                ticket="t",
                keys=keys_of(app),
                actor=staff_of(None),
                now=START,
            )
        assert queries.count_arrivals(db, session.id) == 2
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "attendance_added")).one()
        assert event.details["beyond_capacity"] is True


def register(db: Session, session: TrainingSession, person: Person, state: str = "registered") -> None:
    db.add(
        Registration(
            session_id=session.id, person_id=person.id, state=state, via="self", registered_at=NOW, queued_at=NOW
        )
    )
    db.flush()


def known(db: Session, keys: Keys, name: str, phone: str = "13800001234", **values: Any) -> Person:
    return make_person(db, name=name, phone_hash=keys.phone_hash(phone), source="roster", **values)


def test_who_registered_has_a_place_until_the_session_begins(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        # it begins in half an hour; two places, one of them held
        session = make_session(db, capacity=2, starts_at=NOW + 1_800_000, check_in_from=NOW)
        with transaction(db):
            register(db, session, known(db, keys_of(app), "李建国"))
            register(db, session, known(db, keys_of(app), "等候的人"), "waiting")
        assert states(scan(app, session, clock, "王秀兰")[1]) == ["in"]
        assert states(scan(app, session, clock, "赵海")[1]) == ["check_in_full"]
        assert states(scan(app, session, clock, "等候的人")[1]) == ["check_in_full"]
        assert queries.count_registered(db, session.id) == queries.Registered(1, 0)
        assert states(scan(app, session, clock, "李建国")[1]) == ["in"]
        db.rollback()
        assert queries.count_registered(db, session.id).all_here

        other = make_session(db, capacity=1, starts_at=NOW + 1_800_000, check_in_from=NOW)
        with transaction(db):
            register(db, other, known(db, keys_of(app), "没来的人"))
        assert states(scan(app, other, clock, "赵海")[1]) == ["check_in_full"]
        clock.forward(minutes=30)  # it begins: whoever stands there gets the place
        assert states(scan(app, other, clock, "赵海")[1]) == ["in"]
        assert states(scan(app, other, clock, "没来的人")[1]) == ["check_in_full"]


def test_who_was_expected_is_kept_and_the_answer_does_not_tell(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db, kind="joint")
        with transaction(db):
            unit = make_unit(db, name="外单位")
            on_roster, registered = known(db, keys_of(app), "李建国"), known(db, keys_of(app), "王秀兰")
            db.add(
                RosterEntry(
                    session_id=session.id, person_id=on_roster.id, unit_id=unit.id, source="import", added_at=NOW
                )
            )
            register(db, session, registered)
        pages = [scan(app, session, clock, name)[1] for name in ("李建国", "王秀兰", "赵海来")]
        expected = {row.person.name: row.attendance.expected for row in queries.arrivals(db, session.id)}
        assert expected == {"李建国": "roster", "王秀兰": "registered", "赵海来": "walk_in"}
        assert (
            len({re.sub("李建国|王秀兰|赵海来", "X", re.sub(r'(csrf_token"|nonce).*', "", page)) for page in pages})
            == 1
        )
        row = next(row for row in queries.arrivals(db, session.id) if row.person.name == "李建国")
        assert row.unit is not None
        assert row.unit.name == "外单位"  # the roster's unit of the day
        marked = {number: [mark.kind for mark in found] for number, found in queries.marks(db, session.id).items()}
        assert sorted(marked.values()) == [["unrostered"], ["unrostered"]]


@pytest.mark.parametrize("audience", [True, False])
def test_a_session_that_expects_nobody_has_no_walk_ins(
    db: Session, app: Flask, clock: FakeClock, audience: bool
) -> None:
    session = make_session(db)
    if audience:
        with transaction(db):
            db.add(AudienceRule(session_id=session.id))
    scan(app, session, clock)
    assert only(db).expected == ("walk_in" if audience else None)


def test_a_walk_in_may_say_the_unit(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    with transaction(db):
        unit = make_unit(db, name="江湾社区")
    scan(app, session, clock, unit_id=str(unit.id))
    assert only(db).unit_id == unit.id
    client = client_for(app)
    page = press(
        client, session, open_code(client, app, session, clock), "赵海", unit_id_search="1", unit_id_query="江湾"
    )
    assert page.status_code == 200
    assert "江湾社区" in page.text
    assert 'value="赵海"' in page.text


def test_a_personal_code_proves_who_it_is(either_database: Database, make_app: MakeApp, clock: FakeClock) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db)
        with transaction(db):
            old, person = make_person(db, name="旧名"), make_person(db, name="李建国")
            old.merged_into_id = person.id
            db.add(PersonalCode(person_id=old.id, code="ABCDEFGH2345", issued_at=START))
            db.add(PersonalCode(person_id=old.id, code="ABCDEFGH2346", issued_at=START, revoked_at=START))
        _, page = scan(app, session, clock, "", "", personal_code="abcd-efgh 2345")
        assert "李建国 · 10:00" in page
        assert (only(db).matched, only(db).person_id, only(db).method) == ("code", person.id, "rotating")
        client = client_for(app)
        form = open_code(client, app, session, clock)
        reply = press(client, session, form, "", "", personal_code="ABCDEFGH2346")
        assert reply.status_code == 422
        assert "没有这个个人码" in reply.text
        for number in range(6):
            reply = press(client, session, form, "", "", personal_code=f"ABCDEFGH239{number}")
        assert "秒" in reply.text
        assert press(client, session, form, "", "", personal_code="ABCDEFGH2345").status_code == 422


def test_whoever_was_merged_is_the_person_who_stays(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db)
        with transaction(db):
            gone, stays = known(db, keys_of(app), "李健国"), known(db, keys_of(app), "李建国", "13900001111")
            gone.merged_into_id = stays.id
        _, page = scan(app, session, clock, "李健国")
        assert "李建国" in page
        assert only(db).person_id == stays.id
        assert states(scan(app, session, clock, "李建国", "13900001111")[1]) == ["again"]


def test_an_account_checks_in_by_the_code_too(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    with transaction(db):
        person = make_person(db, name="周敏")
    client = client_for(app, Actor(account_id=3, person_id=person.id, name="周敏"))
    page = open_code(client, app, session, clock)
    assert "以 周敏 的名字签到" in page
    reply = client.post(f"/s/{session.code}")
    assert states(client.get(reply.headers["Location"]).text) == ["in"]
    assert (only(db).matched, only(db).person_id) == ("account", person.id)


def test_a_struck_check_in_says_so_and_an_undone_one_counts_again(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    scan(app, session, clock)
    for state, shown in (("struck", "check_in_struck"), ("undone", "in")):
        row = only(db)
        with transaction(db):
            db.get_one(Attendance, row.id).state = state
        assert states(scan(app, session, clock)[1]) == [shown]
    assert only(db).state == "counted"


def test_checking_out_from_a_quarter_of_an_hour_before_the_end(
    either_database: Database, make_app: MakeApp, clock: FakeClock
) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        session = make_session(db, check_out=True)  # two hours from START
        client, page = scan(app, session, clock)
        assert "11:45 起再扫一次码" in page
        clock.forward(minutes=104)
        early = press(client, session, open_code(client, app, session, clock), action="out")
        assert states(early.text) == ["check_out_early"]
        assert "11:45 起可以签退" in early.text
        clock.forward(minutes=1)
        page = open_code(client, app, session, clock)
        assert "周敏，10:00 签到" in page
        assert "签退" in page.split("</main>")[1]
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        reply = client.post(f"/s/{session.code}", data={"action": "out", "csrf_token": token[1] if token else ""})
        page = client.get(reply.headers["Location"]).text
        assert states(page) == ["out"]
        assert "签退成功" in page
        assert only(db).checked_out_at == to_ms(clock.now)
        # another browser says who it is; who was never in cannot leave
        clock.forward(minutes=5)
        other, page = scan(app, session, clock, action="out")
        assert states(page) == ["out"]
        assert only(db).checked_out_at == to_ms(clock.now)
        _, page = scan(app, session, clock, "赵海", action="out")
        assert states(page) == ["not_checked_in"]
        stale = open_code(other, app, session, clock)
        clock.forward(minutes=6)
        reply = press(other, session, stale, action="out", phone="13800001234")
        assert states(reply.text) == ["check_in_right_needed"]


def test_the_projector_carries_codes_by_small_portions(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db)
    client = client_for(app, staff_of(None))
    page = client.get(f"/sessions/{session.id}/projector")
    token = code_now(app, session, clock)
    assert f"{token[:4]}-{token[4:]}" in page.text
    assert session.code not in re.sub(r'data-session="\w+"', "", page.text)
    assert page.headers["Cache-Control"] == "no-store"
    assert '<meta http-equiv="refresh" content="20">' in page.text
    first = client.get(f"/sessions/{session.id}/codes").json
    now = slot_of(NOW)
    assert (first["from"], first["now"], len(first["codes"])) == (now, NOW, 12)
    assert first["codes"][1][0].replace("-", "") == code_now(app, session, clock, 1)
    last = client.get(f"/sessions/{session.id}/codes?from={now + 268}").json
    assert (last["from"], len(last["codes"])) == (now + 268, 3)
    assert client.get(f"/sessions/{session.id}/codes?from={now + 300}").json["codes"] == []
    assert client.get(f"/sessions/{session.id}/codes?from=0").json["from"] == now  # no code of the past
    poster = make_session(db, code_mode="poster")
    assert client.get(f"/sessions/{poster.id}/codes").json["codes"] == []
    assert poster.code[:4] + "-" + poster.code[4:] in client.get(f"/sessions/{poster.id}/projector").text


def test_the_wall_shows_who_came_as_the_session_says(db: Session, app: Flask, clock: FakeClock) -> None:
    session = make_session(db, full_names=True)
    with transaction(db):
        register(db, session, known(db, keys_of(app), "李建国"))
    wall = client_for(app, staff_of(None))
    assert "报名 1 人" in wall.get(f"/sessions/{session.id}/projector").text
    scan(app, session, clock, "李建国")
    wall = client_for(app, staff_of(None))
    news = wall.get(f"/sessions/{session.id}/arrivals").json
    assert news == {
        "count": 1, "registered": 1, "all_here": True, "state": "open", "now": NOW,
        "last": [{"name": "李建国", "time": "10:00"}],
    }  # fmt: skip
    page = wall.get(f"/sessions/{session.id}/projector").text
    assert re.search(r"<span data-hall-all\s*>", page)


def test_a_right_proves_presence_within_the_window_alone(db: Session, keys: Keys) -> None:
    from quizapp.trainings.errors import CheckInEarly, RightNeeded
    from quizapp.trainings.rotating import Right

    session = make_session(db)
    common: dict[str, Any] = {
        "session": session, "name": "周敏", "phone": "13800001234", "device_hash": None, "keys": keys, "actor": GUEST,
    }  # fmt: skip
    with pytest.raises(CheckInEarly):
        check_in(db, right=Right.new(session.code, session.check_in_from - 1), now=START, **common)
    with pytest.raises(RightNeeded):
        check_in(db, now=START, **common)
    # scanned in the last second of the window, pressed after it
    end = datetime.fromtimestamp(session.check_in_until / 1000 + 30, START.tzinfo)
    checked = check_in(db, right=Right.new(session.code, session.check_in_until - 1), now=end, **common)
    assert not checked.pending


def test_marks_are_for_what_stands(either_db: Session) -> None:
    db = either_db
    session = make_bare_session(db, make_unit(db))
    rows = [
        make_attendance(db, session.id, make_person(db).id, device_hash=b"one", **values)
        for values in ({}, {"took_ms": 180_001}, {"state": "struck"}, {"took_ms": 180_000})
    ]
    rows.append(make_attendance(db, session.id, make_person(db).id, device_hash=b"two", took_ms=1))
    found = queries.marks(db, session.id)
    assert [[mark.kind for mark in found.get(row.id, [])] for row in rows] == [
        ["same_device"],
        ["same_device", "slow"],
        [],
        ["same_device"],
        [],
    ]
    assert found[rows[0].id][0].amount == 3
