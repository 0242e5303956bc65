"""The overview: what needs attention, and the year so far, compared with counting by hand."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.scope import Role
from quizapp.reports.overview import needs_of, year_so_far
from tests.conftest import START
from tests.factories import make_attempt, make_attendance, make_delivery, make_person, make_session, make_unit
from tests.reports.test_figures import add, make_district, scope_of
from tests.reports.test_pages import client_for


def days(count: float) -> int:
    return to_ms(START + timedelta(days=count))


def test_a_delivery_that_ends_without_takers_a_session_without_list_and_an_idle_unit_are_named(
    either_db: Session,
) -> None:
    db = either_db
    d = make_district(db)
    add(db, d.delivery, d.left, 3)
    make_person(db, unit_id=d.other.id)
    ending = make_delivery(db, d.top, closes_at=days(3))
    make_delivery(db, d.top, closes_at=days(20))  # there is time yet
    make_delivery(db, d.top, closes_at=days(-1))  # too late to push
    taken = make_delivery(db, d.top, closes_at=days(2))
    make_attempt(db, taken, d.left)
    over = {"starts_at": days(-3), "ends_at": days(-2.9)}
    listed = make_session(db, d.street, **over)
    make_attendance(db, listed.id, make_person(db).id)
    struck = make_session(db, d.street, **over)
    make_attendance(db, struck.id, make_person(db).id, state="struck")
    make_session(db, d.street, **over, cancelled_at=days(-4))
    make_session(db, d.street, starts_at=days(1), ends_at=days(1.1))
    needs = needs_of(db, scope_of(d.top), START)
    assert [one.id for one in needs.deliveries] == [ending.id]
    assert [one.id for one in needs.sessions] == [struck.id]
    assert [one.name for one in needs.units] == ["桥东街道"]
    assert not needs_of(db, scope_of(make_unit(db, kind="district")), START)


def test_the_year_counts_people_once_and_times_each_time(either_db: Session) -> None:
    db = either_db
    d = make_district(db)
    one, other = make_person(db), make_person(db)
    for person in (one, one, other, None):
        make_attempt(db, d.delivery, d.left, person_id=person.id if person else None, is_first=False)
    add(db, d.delivery, d.right, 9, 3)
    add(db, d.delivery, d.left, 1, now=START - timedelta(days=400))
    make_attempt(db, d.delivery, d.left, state="void", is_first=False, person_id=one.id)
    held = [make_session(db, d.street, starts_at=days(-n), ends_at=days(0.1 - n)) for n in (1, 2)]
    for session, person in ((held[0], one), (held[1], one), (held[1], other)):
        make_attendance(db, session.id, person.id)
    elsewhere = make_session(db, make_unit(db), starts_at=days(-1), ends_at=days(-0.9))
    make_attendance(db, elsewhere.id, one.id)
    so_far = year_so_far(db, scope_of(d.top), START)
    assert (so_far.sessions, so_far.attended, so_far.attended_persons) == (2, 3, 2)
    assert (so_far.closed, so_far.persons) == (16, 14)


def test_the_page_says_what_to_do_when_nothing_is_there_and_leaders_see_no_figure_of_today(
    db: Session, app: Flask
) -> None:
    d = make_district(db)
    db.commit()
    assert "今年还没有记录" in client_for(app, d.top).get("/overview").text
    add(db, d.delivery, d.left, 12, 3)
    add(db, d.delivery, d.right, 10, 10, now=START - timedelta(days=70))
    db.commit()
    page = client_for(app, d.top).get("/overview").text
    assert "62.9%" in page  # 22 of 35
    assert re.findall(r'data-month="([0-9-]+)"', page) == [
        "2026-09",
        "2026-10",
        "2026-11",
    ]  # the month without attempts too
    by_month = client_for(app, d.top).get("/reports/groups?by=month").text
    intervals = re.findall(r"\d+\.\d–\d+\.\d", by_month)
    assert len(intervals) >= 3
    assert all(one in page for one in intervals)  # the same figures on both pages
    leader = client_for(app, d.top, Role.LEADER).get("/overview").text
    assert "62.9%" not in leader
    assert "今年还没有结束的测验" in leader
