"""The hall: a code that rotates on the wall, attendees who scan it from there, and what happens when the network goes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.core.web import Runtime
from quizapp.trainings import queries
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.rotating import token_of
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_session, make_unit

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def new_session(database: Database, **values: object) -> TrainingSession:
    """A session that began ten minutes ago, and a trainer who may show it."""
    begin = datetime.now(UTC) - timedelta(minutes=10)
    with database.session() as db, transaction(db):
        unit = make_unit(db, name="紫兴社区")
        make_account(db, (Role.TRAINER, unit), username="trainer")
        return make_session(
            db,
            unit,
            **{"title": "老旧小区消防疏散演练", "code_mode": "rotating", "starts_at": to_ms(begin), **values},
        )


def open_hall(visit: Visit, session: TrainingSession, **options: object) -> Page:
    hall = visit(size=DESKTOP, **options)
    sign_in(hall, "trainer")
    hall.goto(f"/sessions/{session.id}/projector")
    return hall


def read_wall(hall: Page) -> str:
    """What a phone reads from the wall."""
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(hall.screenshot())))
    return str(code.text)


def fill_in(page: Page, name: str, phone: str) -> None:
    page.fill("[name=name]", name)
    page.fill("[name=phone]", phone)
    page.click("button[form=check-in]")


@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_three_attendees_scan_the_wall_and_a_copied_address_opens_nothing(
    live: Live, visit: Visit, database: Database, lang: str, elder: bool
) -> None:
    session = new_session(database)
    hall = open_hall(visit, session, lang=lang)
    hall.wait_for_selector("[data-shown]")
    people = (("周敏", "138 0000 1234", True), ("李建国", "13900001111", True), ("王秀兰", "13700002222", False))
    for name, phone, scripts in people:
        phone_page = visit(lang=lang, elder=elder, scripts=scripts)
        phone_page.goto(read_wall(hall))
        assert phone_page.url == f"{live.url}/s/{session.code}"  # the code is gone from the address
        no_sideways(phone_page)
        if scripts:
            check_accessible(phone_page)
        fill_in(phone_page, name, phone)
        phone_page.wait_for_selector("[data-state=in]")
        no_sideways(phone_page)
        if scripts:
            check_accessible(phone_page)
    stranger = visit(lang=lang, elder=elder)
    stranger.goto(f"{live.url}/s/{session.code}")
    assert stranger.locator("main form").count() == 0
    check_accessible(stranger)
    no_sideways(stranger)
    hall.wait_for_selector("[data-hall-count]:has-text('3')", timeout=30_000)
    assert "王*兰" in hall.inner_text("[data-hall-last]")
    check_accessible(hall)
    no_sideways(hall)
    # the code that somebody photographed three slots ago
    runtime: Runtime = live.app.extensions["quizapp"]
    shown = int(hall.get_attribute("[data-shown]", "data-shown") or 0)
    stranger.goto(f"/s/{session.code}/{token_of(runtime.keys, session.code, shown - 4)}")
    stranger.wait_for_selector("[data-state=rotating_code_outdated]")
    check_accessible(stranger)
    no_sideways(stranger)
    with database.session() as db:
        assert queries.count_arrivals(db, session.id) == 3


def test_the_wall_goes_on_without_a_network_until_its_codes_are_used_up(
    live: Live, visit: Visit, database: Database
) -> None:
    session = new_session(database)
    hall = visit(size=DESKTOP)
    sign_in(hall, "trainer")
    hall.clock.install()
    hall.goto(f"/sessions/{session.id}/projector")
    while int(hall.get_attribute("[data-hall]", "data-loaded") or 0) < 60:
        hall.clock.run_for(1500)
        hall.wait_for_timeout(30)
    hall.context.set_offline(True)
    hall.clock.run_for(6000)
    hall.wait_for_selector("[data-hall-offline]:not([hidden])")
    assert re.search(r"没有网络，码照常有效。人数停在 \d\d:\d\d。", hall.inner_text("[data-hall-offline]"))
    runtime: Runtime = live.app.extensions["quizapp"]
    seen = set()
    for _ in range(3):
        shown = int(hall.get_attribute("[data-shown]", "data-shown") or 0)
        assert read_wall(hall) == f"{live.url}/s/{session.code}/{token_of(runtime.keys, session.code, shown)}"
        assert re.sub(r"\W", "", hall.inner_text("[data-hall-typed]")) == token_of(runtime.keys, session.code, shown)
        number, ticks = hall.evaluate(
            "[document.querySelector('[data-hall-left]').textContent, document.querySelectorAll('.hall-tick-on').length]"
        )
        assert int(number) == ticks
        seen.add(shown)
        hall.clock.run_for(20_000)
    assert len(seen) == 3
    check_accessible(hall)
    hall.clock.fast_forward(25 * 60_000)
    hall.wait_for_selector("[data-hall-out]:not([hidden])")
    assert hall.inner_text("[data-hall-out]") == "码用完了，请用名单签到"
    assert not hall.is_visible("[data-hall-qr]")
    check_accessible(hall)
    no_sideways(hall)


def test_a_computer_with_a_wrong_date_shows_the_right_code(live: Live, visit: Visit, database: Database) -> None:
    session = new_session(database)
    hall = visit(size=DESKTOP)
    sign_in(hall, "trainer")
    hall.add_init_script("const now = Date.now; Date.now = () => now() - 86400000;")
    hall.goto(f"/sessions/{session.id}/projector")
    hall.wait_for_selector("[data-shown]")
    phone = visit(size=PHONE)
    phone.goto(read_wall(hall))
    assert phone.locator("form#check-in").count() == 1


@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
def test_what_was_typed_without_a_network_is_sent_later(
    live: Live, visit: Visit, database: Database, lang: str
) -> None:
    session = new_session(database)
    phone = visit(lang=lang)
    phone.goto(read_wall(open_hall(visit, session, lang=lang)))
    phone.wait_for_load_state("networkidle")
    phone.context.set_offline(True)
    fill_in(phone, "周敏", "13800001234")
    phone.wait_for_selector("[data-check-in-offline]:not([hidden])")
    assert phone.locator("[data-state=in]").count() == 0  # nothing is green before the server has it
    check_accessible(phone)
    no_sideways(phone)
    phone.context.set_offline(False)
    phone.wait_for_selector("[data-state=in]")
    with database.session() as db:
        assert queries.count_arrivals(db, session.id) == 1
    assert phone.evaluate("localStorage.length") == 0


def test_without_scripts_the_wall_shows_a_code_that_opens(live: Live, visit: Visit, database: Database) -> None:
    session = new_session(database)
    hall = open_hall(visit, session, scripts=False)
    phone = visit(scripts=False)
    phone.goto(read_wall(hall))
    assert phone.url == f"{live.url}/s/{session.code}"
    fill_in(phone, "周敏", "12")
    phone.wait_for_selector("[data-error-summary]")
    fill_in(phone, "周敏", "13800001234")
    phone.wait_for_selector("[data-state=in]")
