"""Practice in a browser with scripts: no page load, nothing before the answer, within the budget; home and its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response

from quizapp.core.db import Database, transaction
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.factories import make_items

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def bank(database: Database) -> str:
    with database.session() as db, transaction(db):
        make_items(db, 12, bank_code="safety")
    return "safety"


def answer(page: Page) -> None:
    page.click(".choice >> nth=0")
    page.click("button[form=answer]")
    page.wait_for_selector("[data-state=answered]")


@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
@pytest.mark.parametrize("elder", [False, pytest.param(True, marks=pytest.mark.pages)], ids=["normal", "elder"])
def test_a_round_goes_on_without_a_page_load(live: Live, visit: Visit, bank: str, lang: str, elder: bool) -> None:
    page = visit(lang=lang, elder=elder)
    bodies: list[Response] = []
    page.on("response", lambda response: bodies.append(response))
    page.goto(f"/practice/{bank}?n=5", wait_until="networkidle")
    assert sum(len(r.body()) for r in bodies if r.status == 200) < 60_000, "before compression by the server in front"
    assert len([r for r in bodies if r.status == 200]) <= 6
    assert all("解析密钥" not in r.text() and "Secret rationale" not in r.text() for r in bodies if r.status == 200)
    page.evaluate("window.same = true")
    for position in range(1, 6):
        page.wait_for_selector(f"[data-state=asking][data-position='{position}']")
        answer(page)
        assert page.evaluate("document.activeElement.hasAttribute('data-feedback')"), "the feedback takes the focus"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if position == 1:
            check_accessible(page)
        page.click("[data-next]")
    page.wait_for_selector("[data-state=asking], [data-state=done]")
    assert page.evaluate("window.same"), "the page was loaded anew"


def test_without_network_the_choice_stays_and_is_sent_later(live: Live, visit: Visit, bank: str) -> None:
    page = visit()
    page.goto(f"/practice/{bank}?n=5", wait_until="networkidle")
    page.context.set_offline(True)
    page.click(".choice >> nth=1")
    page.click("button[form=answer]")
    page.wait_for_selector("[data-offline]")
    assert page.is_checked(".choice-input >> nth=1")
    page.context.set_offline(False)
    page.wait_for_timeout(1100)  # a second press within a second counts as the first
    page.click("button[form=answer]")
    page.wait_for_selector("[data-state=answered]")


def test_back_and_reload_show_what_stood_there(live: Live, visit: Visit, bank: str) -> None:
    page = visit()
    page.goto(f"/practice/{bank}?n=5", wait_until="networkidle")
    answer(page)
    page.reload()
    page.wait_for_selector("[data-state=answered][data-position='1']")
    page.click("[data-next]")
    page.wait_for_selector("[data-state=asking][data-position='2']")
    page.go_back()
    page.wait_for_selector("[data-state=answered][data-position='1']")


@pytest.mark.parametrize("size", [{"width": 320, "height": 568}, pytest.param(PHONE, marks=pytest.mark.pages), DESKTOP])
@pytest.mark.parametrize("elder", [False, pytest.param(True, marks=pytest.mark.pages)], ids=["normal", "elder"])
def test_the_gathering_pages_fit_and_are_accessible(
    live: Live, visit: Visit, bank: str, size: dict[str, int], elder: bool
) -> None:
    page = visit(size=size, elder=elder)
    for path in ("/", "/practice", "/code", "/coming", "/quizzes", "/help", "/privacy", "/daily"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.locator("h1").count() == 1
        check_accessible(page)
