"""Forty names from a paper sheet, by keyboard: counted in keystrokes and seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.trainings.models import Attendance, RosterEntry
from quizapp.trainings.queries.people import name_initials
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_person, make_session, make_unit

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡"
GIVEN = ("建国", "秀兰", "丽华", "志强", "海燕", "小明", "玉梅", "文斌", "晓东", "桂英", "国庆")
#: Nobody needs more: four for a name on the roster (three initials, Enter), a few more where two share theirs, and for new people a
#: name as an input method gives it, with its Enter.
MOST_KEYS = 220


def make_hall(database: Database, people: int = 120) -> tuple[int, list[str]]:
    """A session that has ended, with a roster of two units; gives its key and the names."""
    with database.session() as db, transaction(db):
        street = make_unit(db, name="临江街道", kind="street")
        units = [make_unit(db, street, name=name) for name in ("紫兴社区", "东门社区")]
        make_account(db, (Role.TRAINER, street), username="trainer")
        begin = to_ms(datetime.now(UTC) - timedelta(hours=3))
        session = make_session(db, street, title="消防疏散演练", kind="joint", starts_at=begin)
        names = []
        for number in range(people):
            name = SURNAMES[number % len(SURNAMES)] + GIVEN[number * 7 % len(GIVEN)]
            names.append(name)
            unit = units[number % 2]
            person = make_person(db, name=name, source="roster", unit_id=unit.id)
            entry = RosterEntry(
                session_id=session.id,
                person_id=person.id,
                unit_id=unit.id,
                unit_path=unit.path,
                source="import",
                added_at=0,
            )
            db.add(entry)
        return session.id, names


def attendances(database: Database, session_id: int) -> list[Attendance]:
    with database.session() as db:
        rows = db.scalars(select(Attendance).where(Attendance.session_id == session_id).order_by(Attendance.id)).all()
        for row in rows:
            assert row.person.name
        return list(rows)


def test_forty_names_of_a_sheet_are_filled_in_by_keyboard(
    live: Live, visit: Visit, database: Database, record_property: Callable[[str, object], None]
) -> None:
    session_id, names = make_hall(database)
    sheet = names[3:37]
    strangers = ["欧阳春", "司马玉", "诸葛明", "夏侯安", "上官云", "令狐冲"]
    page = visit(size=DESKTOP)
    sign_in(page, "trainer")
    page.goto(f"/sessions/{session_id}/back-fill")
    page.wait_for_selector(f"[data-ready='{len(names)}']")
    keys = 0

    def press(key: str) -> None:
        nonlocal keys
        page.keyboard.press(key)
        keys += 1

    begun = time.monotonic()
    for number, name in enumerate(sheet):
        for letter in name_initials(name).split()[0]:
            press(letter)
        hits = page.locator("#hits [role=option]").evaluate_all("rows => rows.map((row) => row.firstChild.data)")
        for _ in range(hits.index(name)):
            press("ArrowDown")
        press("Enter")
        if number % 6 == 5:  # somebody whom nobody expected, after every sixth
            stranger = strangers[number // 6]
            page.keyboard.insert_text(stranger)  # as an input method does
            keys += 2 * len(stranger)
            press("Enter")
    page.keyboard.insert_text(strangers[-1])
    keys += 2 * len(strangers[-1])
    press("Enter")
    page.wait_for_selector("[data-total]:has-text('40')")
    seconds = time.monotonic() - begun
    record_property("keystrokes", keys)
    record_property("seconds", round(seconds, 1))
    print(f"\n40 names: {keys} keystrokes, {seconds:.1f} s on this machine")
    assert keys <= MOST_KEYS

    rows = attendances(database, session_id)
    order = [row.person.name for row in rows]
    assert [name for name in order if name in sheet] == sheet
    assert [name for name in order if name in strangers] == strangers
    assert {row.method for row in rows} == {"back_filled"}
    before = {row.person.name: rows[place - 1] for place, row in enumerate(rows) if row.person.name in strangers}
    new = [row for row in rows if row.person.name in strangers]
    assert [row.unit_id for row in new] == [before[row.person.name].unit_id for row in new]
    assert [row.expected for row in new] == ["walk_in"] * 6

    press("Control+z")
    page.wait_for_selector("[data-total]:has-text('39')")
    assert [row.person.name for row in attendances(database, session_id) if row.state == "undone"] == ["令狐冲"]
    check_accessible(page)


@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
@pytest.mark.parametrize("size", [PHONE, pytest.param(DESKTOP, marks=pytest.mark.pages)], ids=["phone", "desktop"])
def test_the_pages_of_a_list_are_usable_everywhere(
    live: Live, visit: Visit, database: Database, size: dict[str, int], lang: str
) -> None:
    session_id, names = make_hall(database, people=12)
    page = visit(size=size, lang=lang)
    sign_in(page, "trainer")
    page.goto(f"/sessions/{session_id}/back-fill")
    page.wait_for_selector("[data-ready]")
    page.fill("#name", names[0])
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-lines] tr[data-attendance]")
    page.fill("#name", names[0][0])
    check_accessible(page)
    row = attendances(database, session_id)[0]
    for path in ("list", f"list/{row.id}", "evidence", "summary", "walk-in"):
        page.goto(f"/sessions/{session_id}/{path}")
        no_sideways(page)
        check_accessible(page)
    page.goto(f"/sessions/{session_id}/summary")
    page.click("[action$='/submit'] button")
    page.wait_for_selector("[data-closed=yes]")
    check_accessible(page)


def test_what_has_no_network_waits_and_is_stored_in_order(live: Live, visit: Visit, database: Database) -> None:
    session_id, names = make_hall(database, people=12)
    page = visit(size=DESKTOP)
    sign_in(page, "trainer")
    page.goto(f"/sessions/{session_id}/back-fill")
    page.wait_for_selector("[data-ready]")
    page.context.set_offline(True)
    for name in names[:3]:
        page.fill("#name", name)
        page.keyboard.press("Enter")
    page.wait_for_selector("[data-back-fill-status]:has-text('3')")
    page.context.set_offline(False)
    page.wait_for_selector("[data-total]:has-text('3')")
    assert [row.person.name for row in attendances(database, session_id)] == names[:3]


def test_the_page_finds_whom_the_server_finds(live: Live, visit: Visit, database: Database) -> None:
    session_id, names = make_hall(database)
    page = visit(size=DESKTOP)
    sign_in(page, "trainer")
    page.goto(f"/sessions/{session_id}/back-fill")
    page.wait_for_selector("[data-ready]")
    for typed in (names[5], names[5][:1], names[5][1:], "z", "zj", "lxl", "国庆", "wjg", "x", "12", "·李", "ＬＸＬ"):
        page.fill("#name", typed)
        shown = page.locator("#hits [role=option]").evaluate_all("rows => rows.map((row) => row.firstChild.data)")[:-1]
        asked = page.request.get(f"/sessions/{session_id}/back-fill/people", params={"q": typed}).json()["people"]
        assert shown == [row[1] for row in asked], typed
