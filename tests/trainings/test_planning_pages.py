"""The pages by which sessions, courses and places are planned, through a test client."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import GUEST, Actor
from quizapp.organisation.models import Industry
from quizapp.trainings import queries
from quizapp.trainings.models import (
    Course,
    CourseRun,
    Place,
    Registration,
    SessionKind,
    SessionTrainer,
    TrainingSession,
)
from quizapp.trainings.services import (
    RunPlan,
    add_course,
    add_place,
    add_run,
    call_off,
    close_session,
    edit_session,
    plan_of,
)
from tests.conftest import START, FakeClock
from tests.factories import make_attendance, make_person, make_session
from tests.trainings.support import Street, make_street

HOUR = timedelta(hours=1)


@pytest.fixture
def street(db: Session) -> Street:
    street = make_street(db)
    db.commit()
    return street


def client_for(app: Flask, actor: Actor = GUEST) -> FlaskClient:
    app.extensions["quizapp"].load_actor = lambda: actor
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def values(street: Street, **more: Any) -> dict[str, Any]:
    """What the form sends for a session of tomorrow."""
    return {
        "title": "消防演练",
        "kind": "lecture",
        "place": "二楼",
        "unit_id": str(street.unit.id),
        "day": "2026-11-24",
        "begins": "14:00",
        "ends": "15:30",
        "code_mode": "rotating",
        **more,
    }


def main_of(page: str) -> str:
    return page.split("<main")[1].split("</main>")[0]


def test_one_form_plans_a_session_with_all_that_it_has(street: Street, app: Flask, db: Session) -> None:
    other = street.trainer()
    hall = add_place(
        db, name="文化礼堂", address="", capacity=50, unit_id=street.unit.id, actor=street.actor, now=START
    )
    course = add_course(
        db,
        title="安全员培训",
        subject="消防、用电",
        kind=SessionKind.JOINT,
        unit_id=street.unit.id,
        actor=street.actor,
        now=START,
    )
    run = add_run(db, course=course, plan=RunPlan(""), actor=street.actor, now=START)
    db.commit()
    client = client_for(app, street.actor)
    form = client.get(f"/sessions/new?run={run.id}").text
    assert 'value="安全员培训"' in form
    assert 'value="消防、用电"' in form
    assert re.search(rf'<option selected value="{run.id}">安全员培训 2026 年第 1 期', form)
    assert "文化礼堂（50 人）" in form
    reply = client.post(
        f"/sessions/new?run={run.id}",
        data=values(
            street,
            kind="joint",
            place_id=str(hall.id),
            place="一楼",
            run_id=str(run.id),
            trainers=[str(street.account.id), str(other.id)],
            capacity="40",
            registration="audience",
            registration_until="2026-11-24T12:00",
            opens_before="30",
            closes_after="",
            hours="1.5",
            check_out="y",
            full_names="y",
        ),
    )
    assert reply.status_code == 303
    session = db.scalars(select(TrainingSession)).one()
    assert (session.place, session.run_id, session.capacity) == ("文化礼堂 一楼", run.id, 40)
    assert (session.hours_tenths, session.check_out, session.full_names) == (15, True, True)
    assert session.starts_at - session.check_in_from == 30 * 60_000
    assert session.check_in_until - session.ends_at == 120 * 60_000  # left empty: the usual
    assert session.registration_until == session.starts_at - 2 * 3_600_000
    page = client.get(reply.headers["Location"]).text
    for words in (
        "未开始",
        "合训",
        "文化礼堂 一楼",
        "王海燕、陈立新",
        "1.5 学时，要签退",
        "40 人",
        "投屏动态码",
        "还没有定对象",
        "开始签到",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"title": ""}, "请填写名称"),
        ({"place": " "}, "请填写地点"),
        ({"day": "x"}, "日期写成 2026-11-27 这样"),
        ({"begins": "25:00"}, "时间写成 14:00 这样"),
        ({"ends": "13:00"}, "结束要晚于开始"),
        ({"unit_id": ""}, "请选择单位"),
        ({"capacity": "0"}, "请填写 1 到 100000 之间的数"),
        ({"hours": "99"}, "请填写 0 到 24 之间的数"),
        ({"registration_until": "2026-11-24T14:30"}, "报名要在开始之前截止"),
    ],
)
def test_an_error_stands_at_its_field_and_what_was_typed_stays(
    street: Street, app: Flask, db: Session, wrong: dict[str, str], words: str
) -> None:
    reply = client_for(app, street.actor).post("/sessions/new", data=values(street, subject="用电安全", **wrong))
    assert reply.status_code == 422
    assert words in reply.text
    assert 'value="用电安全"' in reply.text
    folded = not {"capacity", "hours", "registration_until"} & set(wrong)
    assert ('<details class="fold">' in reply.text) == folded  # an error behind "more" is not hidden
    assert db.scalars(select(TrainingSession)).all() == []


def test_a_conflict_is_asked_about_once_and_a_new_one_again(street: Street, app: Flask, db: Session) -> None:
    street.open(title="燃气安全", starts_at=START + 28 * HOUR)  # 14:00 tomorrow
    db.commit()
    client = client_for(app, street.actor)
    asked = client.post("/sessions/new", data=values(street, subject="用电"))
    assert asked.status_code == 409
    assert "这样排有冲突" in asked.text
    assert "“燃气安全”：地点、老师 陈立新" in asked.text
    assert "仍要这样排" in asked.text
    assert 'value="用电"' in asked.text
    token = re.search(r'name="anyway"[^>]*value="(\w+)"', asked.text)
    assert token is not None
    street.open(title="另外一门", starts_at=START + 28 * HOUR)
    db.commit()
    again = client.post("/sessions/new", data=values(street, anyway=token[1]))
    assert (again.status_code, "另外一门" in again.text) == (409, True)
    token = re.search(r'name="anyway"[^>]*value="(\w+)"', again.text)
    assert token is not None
    reply = client.post("/sessions/new", data=values(street, anyway=token[1]))
    assert reply.status_code == 303
    page = client.get(reply.headers["Location"]).text
    assert "和别的场次冲突" in page
    assert main_of(client.get("/sessions").text).count("有冲突") == 3


def test_of_a_foreign_units_session_in_the_way_only_the_time_is_told(street: Street, app: Flask, db: Session) -> None:
    foreign = make_session(
        db,
        street.foreign,
        title="西岸内部会",
        place="西岸",
        starts_at=to_ms(START + 28 * HOUR),
        ends_at=to_ms(START + 29 * HOUR),
    )
    db.add(SessionTrainer(session_id=foreign.id, account_id=street.account.id))
    db.commit()
    page = client_for(app, street.actor).post("/sessions/new", data=values(street)).text
    assert "14:00–15:00 另一场：老师 陈立新" in page
    assert "西岸" not in page


def test_more_people_than_the_place_holds_are_asked_about(street: Street, app: Flask, db: Session) -> None:
    hall = add_place(db, name="会议室", address="", capacity=20, unit_id=street.unit.id, actor=street.actor, now=START)
    db.commit()
    client = client_for(app, street.actor)
    data = values(street, place_id=str(hall.id), place="", capacity="30")
    asked = client.post("/sessions/new", data=data)
    assert "名额 30 人，场地只容 20 人" in asked.text
    token = re.search(r'name="anyway"[^>]*value="([^"]+)"', asked.text)
    assert token is not None
    assert client.post("/sessions/new", data={**data, "anyway": token[1]}).status_code == 303


def test_a_session_moved_after_registration_is_told_on_its_public_page(street: Street, app: Flask, db: Session) -> None:
    session = street.open(starts_at=START + 28 * HOUR)
    db.add(
        Registration(
            session_id=session.id,
            person_id=make_person(db).id,
            state="registered",
            via="self",
            registered_at=0,
            queued_at=0,
        )
    )
    db.commit()
    client = client_for(app, street.actor)
    form = client.get(f"/sessions/{session.id}/edit").text
    assert 'value="14:00"' in form
    assert 'name="unit_id"' not in form
    data = values(
        street, begins="15:00", ends="16:00", place="三楼", trainers=[str(street.account.id)], code_mode="poster"
    )
    page = client.post(f"/sessions/{session.id}/edit", data=data, follow_redirects=True).text
    assert "报名的 1 人会看到新的时间和地点" in page
    assert "还有 1 位报名的人没看到" in page
    public = client_for(app).get(f"/s/{session.code}").text
    assert "这一场改过时间或地点" in public
    assert "原来是明天 14:00，在二楼。" in public
    nobody = client_for(app, street.actor).post(f"/sessions/{session.id}/edit", data={**data, "trainers": []})
    assert (nobody.status_code, "请至少选一位老师" in nobody.text) == (422, True)


def test_calling_off_is_said_wherever_the_session_shows(street: Street, app: Flask, db: Session) -> None:
    session = street.open(starts_at=START + HOUR)
    person = make_person(db, unit_id=street.unit.id)
    db.commit()
    client = client_for(app, street.actor)
    assert "签到码和报名都停" in client.get(f"/sessions/{session.id}/call-off").text
    page = client.post(f"/sessions/{session.id}/call-off", follow_redirects=True).text
    assert "这一场取消了" in page
    assert "还是要办" in page
    assert "已取消" in client.get("/sessions").text
    assert "这一场取消了" in client.get(f"/sessions/{session.id}/projector").text
    assert "这一场取消了" in client.get(f"/sessions/{session.id}/walk-in").text
    for address in ("edit", "audience"):
        assert "这一场取消了" in client.get(f"/sessions/{session.id}/{address}", follow_redirects=True).text
    resident = client_for(app, Actor(account_id=3, person_id=person.id, name="周敏"))
    assert "已取消" in resident.get("/coming").text
    public = resident.get(f"/s/{session.code}")
    assert "不用来。要问原因，请找主办单位。" in public.text
    assert "<form" not in main_of(public.text)
    assert resident.post(f"/s/{session.code}").status_code == 409
    client = client_for(app, street.actor)
    client.post(f"/sessions/{session.id}/reinstate")
    assert "签到中" in client.get(f"/sessions/{session.id}").text
    with transaction(db):
        make_attendance(db, session.id, person.id)
    refused = client.post(f"/sessions/{session.id}/call-off")
    assert (refused.status_code, "已经有 1 人签到，不能取消" in refused.text) == (409, True)


def test_a_session_is_planned_again_a_week_later_in_the_same_run(street: Street, app: Flask, db: Session) -> None:
    hotels = Industry(code="hotel", name="酒店业", name_en="Hotels")
    db.add(hotels)
    source = street.open(starts_at=START + 28 * HOUR, kind=SessionKind.SECTOR)
    db.commit()
    client = client_for(app, street.actor)
    page = client.get(f"/sessions/{source.id}/audience").text
    assert "还没有定" in page
    rule = {"unit_id": str(street.unit.id), "industry_id": str(hotels.id), "job_role": "safety_officer"}
    assert client.post(f"/sessions/{source.id}/audience", data=rule).status_code == 303
    twice = client.post(f"/sessions/{source.id}/audience", data=rule)
    assert (twice.status_code, "这一条已经有了" in twice.text) == (422, True)
    assert "东岸街道及以下 · 酒店业 · 安全员" in client.get(f"/sessions/{source.id}").text
    english = client.get(f"/sessions/{source.id}", headers={"Accept-Language": "en"}).text
    assert "东岸街道 and below · Hotels · Safety officer" in english
    form = client.get(f"/sessions/new?copy={source.id}").text
    assert 'value="2026-12-01"' in form
    reply = client.post(f"/sessions/new?copy={source.id}", data=values(street, day="2026-12-01", kind="sector"))
    page = client.get(reply.headers["Location"]).text
    assert "东岸街道及以下 · 酒店业 · 安全员" in page
    (one,) = queries.audience_of(db, source.id)
    client.post(f"/sessions/{source.id}/audience/{one.rule.id}/drop")
    db.rollback()  # what it read before stays as it was
    assert queries.audience_of(db, source.id) == []
    missing = client.post(f"/sessions/{source.id}/audience", data={"unit_id": ""})
    assert (missing.status_code, "请选一个单位" in missing.text) == (422, True)


def test_a_closed_session_shows_that_its_list_is_final(street: Street, app: Flask, db: Session) -> None:
    session = street.open()
    db.commit()
    with transaction(db):
        close_session(db, session=session, actor=street.actor, now=START + HOUR)
    client = client_for(app, street.actor)
    page = client.get(f"/sessions/{session.id}").text
    assert "名单已定稿" in page
    assert "今天 11:00结束" in page
    assert f"/sessions/{session.id}/edit" not in page
    assert f"/sessions/{session.id}/walk-in" not in page
    back = client.get(f"/sessions/{session.id}/edit", follow_redirects=True).text
    assert "要改，先重新开放" in back
    assert "对象不能再改" in client.get(f"/sessions/{session.id}/audience").text
    assert (
        client.post(f"/sessions/{session.id}/audience", data={"unit_id": str(street.unit.id)})
        .headers["Location"]
        .endswith("/audience")
    )
    refused = client.post(f"/sessions/{session.id}/call-off")
    assert (refused.status_code, "名单已定稿" in refused.text) == (409, True)


def test_those_who_came_and_those_who_registered_are_two_counts(street: Street, app: Flask, db: Session) -> None:
    session = street.open(starts_at=START - 3 * HOUR)
    people = [make_person(db, unit_id=street.unit.id) for _ in range(6)]
    for person in people[:5]:
        db.add(
            Registration(
                session_id=session.id,
                person_id=person.id,
                state="registered",
                via="self",
                registered_at=0,
                queued_at=0,
            )
        )
    for person, method in zip(people[3:], ("rotating", "personal", "by_hand"), strict=True):
        make_attendance(db, session.id, person.id, method=method)
    db.commit()
    page = main_of(client_for(app, street.actor).get(f"/sessions/{session.id}").text)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "3 人 报名 5 人 到了 2 人" in text
    assert "报名未到 3 名单外到场 1 待确认 0" in text
    assert "怎么签的：扫码 1 · 个人码 1 · 补登 1" in text
    assert "课上完了，还没有结束" in text
    assert '<progress class="progress progress-tall" value="2" max="5"' in page


def test_the_trainers_page_begins_with_what_waits_and_says_what_to_do_where_nothing_is(
    street: Street, app: Flask, db: Session, clock: FakeClock
) -> None:
    client = client_for(app, street.actor)
    empty = client.get("/sessions").text
    assert "还没有场次" in empty
    assert "先建课程" in empty
    assert "还没有以前的场次" in client.get("/sessions/past").text
    street.open(title="防汛课", starts_at=START)
    street.open(title="用电课", starts_at=START + 24 * HOUR)
    old = street.open(title="燃气课", starts_at=START - 72 * HOUR)
    make_attendance(db, old.id, make_person(db).id, state="pending")
    db.commit()
    page = main_of(client.get("/sessions").text)
    assert [page.index(words) for words in ("要处理", "燃气课", "防汛课", "用电课")] == sorted(
        page.index(words) for words in ("要处理", "燃气课", "防汛课", "用电课")
    )
    assert "1 人待确认" in page
    assert "待结束" in page
    assert "以前的场次（1 场）" in page
    assert "燃气课" in client.get("/sessions/past").text
    clock.forward(days=1)
    page = main_of(client.get("/sessions").text)
    assert "今天没有培训" not in page
    assert page.index("防汛课") < page.index("用电课")


def test_courses_runs_and_places_have_their_pages(street: Street, app: Flask, db: Session) -> None:
    client = client_for(app, street.actor)
    assert "还没有课程" in client.get("/courses").text
    assert client.post("/courses/new", data={"title": "", "unit_id": ""}).status_code == 422
    reply = client.post("/courses/new", data={"title": "安全员培训", "kind": "joint", "unit_id": str(street.unit.id)})
    course = db.scalars(select(Course)).one()
    assert reply.headers["Location"] == f"/courses/{course.id}"
    assert "还没有开过" in client.get(f"/courses/{course.id}").text
    assert 'value="2026 年第 1 期"' in client.get(f"/courses/{course.id}/runs/new").text
    wrong = client.post(f"/courses/{course.id}/runs/new", data={"title": "第 1 期", "hours": "0"})
    assert (wrong.status_code, "之间的数" in wrong.text) == (422, True)
    client.post(f"/courses/{course.id}/runs/new", data={"title": "第 1 期", "hours": "16", "certificate_months": "36"})
    db.rollback()
    run = db.scalars(select(CourseRun)).one()
    assert (run.hours_needed_tenths, run.certificate_months) == (160, 36)
    page = client.get(f"/runs/{run.id}").text
    assert "学满 16 学时发证 · 证书 36 个月有效" in page
    assert "这一期还没有场次" in page
    street.open(run_id=run.id, title="第一课")
    db.commit()
    app.extensions["quizapp"].registry.fill("run_actions", lambda run: ("发证书", f"/certificates/{run.id}"))
    page = client.get(f"/runs/{run.id}").text
    assert "第一课" in page
    assert f'href="/certificates/{run.id}"' in page
    client.post(f"/runs/{run.id}/edit", data={"title": "春季班"})
    client.post(f"/runs/{run.id}/close")
    page = client.get(f"/runs/{run.id}").text
    assert "这一期已经结束" in page
    assert "春季班" in page
    client.post(f"/runs/{run.id}/reopen")
    assert "这一期已经结束" not in client.get(f"/runs/{run.id}").text
    client.post(f"/courses/{course.id}/edit", data={"title": "改了名", "kind": "sector"})
    client.post(f"/courses/{course.id}/close")
    assert "这门课程已经停用" in client.get(f"/courses/{course.id}").text
    assert "改了名" in client.get("/courses").text
    refused = client.post(f"/courses/{course.id}/runs/new", data={"title": "a"})
    assert "这门课程已经停用，不能再开新的一期" in refused.text
    client.post(f"/courses/{course.id}/reopen")
    assert "还没有场地" in client.get("/places").text
    place = {"name": "礼堂", "address": "紫兴路", "capacity": "50", "unit_id": str(street.unit.id)}
    assert client.post("/places/new", data=place).status_code == 303
    twice = client.post("/places/new", data=place)
    assert (twice.status_code, "已有同名的场地" in twice.text) == (422, True)
    db.rollback()
    kept = db.scalars(select(Place)).one()
    client.post(f"/places/{kept.id}/edit", data={"name": "大礼堂", "capacity": ""})
    client.post(f"/places/{kept.id}/close")
    page = client.get("/places").text
    assert "大礼堂" in page
    assert "已停用" in page
    client.post(f"/places/{kept.id}/reopen")
    assert "已停用" not in client.get("/places").text


def test_a_feature_above_puts_its_links_on_the_sessions_page(street: Street, app: Flask, db: Session) -> None:
    session = street.open()
    db.commit()
    registry = app.extensions["quizapp"].registry
    registry.fill("session_actions", lambda session: [("训前测", f"/q/{session.id}")])
    registry.fill("session_actions", lambda _: None)
    assert f'href="/q/{session.id}"' in client_for(app, street.actor).get(f"/sessions/{session.id}").text


def test_the_pages_read_a_fixed_number_of_times(
    database: Database, make_app: Callable[..., Flask], clock: FakeClock
) -> None:
    """Ten sessions on the trainer's page cost as many queries as two."""
    app = make_app(database)
    with database.session() as db, transaction(db):
        street = make_street(db)
        for hour in range(2):
            street.open(starts_at=START + hour * HOUR)
    client = client_for(app, street.actor)
    seen: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    client.get("/sessions")
    few = len(seen)
    with database.session() as db, transaction(db):
        again = Street(db, street.unit, street.community, street.foreign, street.account, street.actor)
        for hour in range(8):
            again.open(starts_at=START + hour * HOUR)
    seen.clear()
    client.get("/sessions")
    assert len(seen) == few


def test_moved_words_say_what_changed(street: Street, app: Flask, db: Session) -> None:
    session = street.open(starts_at=START + HOUR)
    plan = plan_of(db, session)
    db.commit()
    for changes, words in (
        ({"ends_at": plan.ends_at + HOUR}, "结束时间改了。"),
        ({"ends_at": plan.ends_at + HOUR, "place": "三楼"}, "原来在二楼。"),
    ):
        with transaction(db):
            edit_session(db, session=session, plan=replace(plan, **changes), actor=street.actor, now=START)
        assert words in client_for(app).get(f"/s/{session.code}").text
    with transaction(db):
        call_off(db, session=session, actor=street.actor, now=START)
    assert "原来" not in client_for(app).get(f"/s/{session.code}").text


def test_many_trainers_scroll_in_a_box_and_each_can_be_chosen(street: Street, app: Flask, db: Session) -> None:
    ids = [street.trainer(name=f"老师{number}").id for number in range(9)]
    db.commit()
    page = client_for(app, street.actor).get("/sessions/new").text
    assert 'class="tick-box"' in page
    assert all(f'name="trainers" value="{account_id}"' in page for account_id in ids)
