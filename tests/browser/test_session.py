"""A trainer opens a session, the hall scans, the list is handed over; a coordinator reads the pass rates."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.trainings.models import TrainingSession
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.factories import PASSWORD, make_account, make_unit
from tests.reports.test_figures import add, make_district

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def sign_in(page: Page, username: str) -> None:
    page.goto("/sign-in")
    page.fill("[name=login]", username)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def check_in(page: Page, address: str, name: str, phone: str) -> None:
    page.goto(address)
    page.fill("[name=name]", name)
    page.fill("[name=phone]", phone)
    page.click("button[form=check-in]")
    page.wait_for_url("**/in")


def no_sideways(page: Page) -> None:
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("lang", "elder", "scripts"),
    [
        ("zh-CN", False, True),
        ("en-GB", False, False),
        pytest.param("zh-CN", True, False, marks=pytest.mark.pages),
        pytest.param("en-GB", True, True, marks=pytest.mark.pages),
    ],
)
def test_a_session_from_its_form_to_the_list(
    live: Live, visit: Visit, database: Database, lang: str, elder: bool, scripts: bool
) -> None:
    with database.session() as db, transaction(db):
        unit = make_unit(db, name="紫兴社区")
        make_account(db, (Role.TRAINER, unit), username="trainer")
    trainer = visit(lang=lang, elder=elder, scripts=scripts)
    sign_in(trainer, "trainer")
    trainer.goto("/sessions")
    trainer.click("main a[href='/sessions/new']")
    trainer.fill("[name=title]", "消防疏散演练")
    trainer.fill("[name=place]", "二楼")
    trainer.click("details.fold > summary")
    trainer.check("[name=code_mode][value=poster]", force=True)
    now = datetime.now(UTC).astimezone()
    trainer.fill("[name=begins]", "00:01" if now.hour < 2 else trainer.input_value("[name=begins]"))
    no_sideways(trainer)
    trainer.click("button[form=session-form]")
    trainer.wait_for_selector("[data-session][data-state=open]")

    hall = visit(size=DESKTOP, lang=lang, scripts=scripts)
    hall.context.add_cookies(trainer.context.cookies())
    hall.goto(f"{trainer.url}/projector")
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(hall.screenshot())))
    with database.session() as db:
        session = db.scalars(select(TrainingSession)).one()
    assert code.text == f"{live.url}/s/{session.code}"

    attendee = visit(lang=lang, elder=elder, scripts=scripts)
    check_in(attendee, code.text, "周敏", "138 0000 1234")
    attendee.wait_for_selector("[data-state=in]")
    no_sideways(attendee)
    confirmation = attendee.url
    check_in(attendee, code.text, "周敏", "13800001234")
    attendee.wait_for_selector("[data-state=again]")
    stranger = visit(lang=lang, scripts=scripts)
    stranger.goto(confirmation)
    assert stranger.url == code.text
    if scripts:
        check_accessible(attendee)
        hall.wait_for_selector("[data-hall-count]:has-text('1')", timeout=30_000)  # it asks every five seconds

    trainer.reload()
    assert trainer.inner_text("[data-arrival-list]").startswith("周敏")
    if scripts:
        check_accessible(trainer)
    no_sideways(trainer)
    with trainer.expect_download() as download:
        trainer.click("[href$='attendance.xlsx'] >> nth=0")
    book = CalamineWorkbook.from_path(str(download.value.path()))
    rows = book.get_sheet_by_index(1).to_python()
    assert [row[1:3] for row in rows[1:]] == [["周敏", "138****1234"]]


@pytest.mark.parametrize("size", [pytest.param(PHONE, marks=pytest.mark.pages), DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
def test_a_coordinator_drills_down_and_downloads(
    live: Live, visit: Visit, database: Database, size: dict[str, int], lang: str
) -> None:
    with database.session() as db, transaction(db):
        d = make_district(db)
        for unit, passed in ((d.left, 30), (d.right, 20), (d.other, 25)):
            add(db, d.delivery, unit, passed, 10, now=datetime.now(UTC))
        make_account(db, (Role.COORDINATOR, d.top), username="coordinator")
        street = d.street.id
    page = visit(size=size, lang=lang)
    sign_in(page, "coordinator")
    page.goto("/reports/pass-rates")
    check_accessible(page)
    no_sideways(page)
    page.click("a.drill")
    page.wait_for_url(f"**unit={street}")
    assert page.locator("tr[data-row]").count() == 3
    no_sideways(page)
    with page.expect_download() as download:
        page.click("[href*='/pass_rates/xlsx']")
    rows = CalamineWorkbook.from_path(str(download.value.path())).get_sheet_by_index(1).to_python()
    assert [row[3:5] for row in rows[1:]] == [[70, 50], [40, 30], [30, 20]]
