"""A trainer plans a course: a place, a run, a session that conflicts, its audience, a move, and calling it off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_unit

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def look(page: Page) -> None:
    no_sideways(page)
    check_accessible(page)


@pytest.mark.parametrize(
    ("size", "lang", "elder"),
    [
        (PHONE, "zh-CN", False),
        pytest.param(PHONE, "en-GB", True, marks=pytest.mark.pages),
        pytest.param(DESKTOP, "zh-CN", False, marks=pytest.mark.pages),
        pytest.param(DESKTOP, "en-GB", False, marks=pytest.mark.pages),
    ],
    ids=["phone", "phone-en-elder", "desktop", "desktop-en"],
)
def test_a_run_is_planned_moved_and_one_session_called_off(
    live: Live, visit: Visit, database: Database, size: dict[str, int], lang: str, elder: bool
) -> None:
    with database.session() as db, transaction(db):
        unit = make_unit(db, name="紫兴社区")
        make_account(db, (Role.TRAINER, unit), username="trainer", name="陈立新")
        make_account(db, (Role.TRAINER, unit), name="王海燕")
    day = (datetime.now(UTC).astimezone(LOCAL_ZONE) + timedelta(days=2)).date()
    page = visit(size=size, lang=lang, elder=elder)
    sign_in(page, "trainer")
    for address, title in (("/courses/new", "企业安全员培训"), ("/places/new", "党群服务中心")):
        page.goto(address)
        page.fill("[name=title], [name=name]", title)
        look(page)
        page.click(".bottom-bar button")
        page.wait_for_url(lambda url: "/new" not in url)
    page.goto("/courses/1")
    look(page)
    page.click("a[href='/courses/1/runs/new']")
    page.click("button[form=run-form]")
    page.wait_for_url("**/runs/1")
    look(page)

    def plan(title: str) -> None:
        page.goto("/sessions/new?run=1")
        page.fill("[name=title]", title)
        page.select_option("[name=place_id]", "1")
        page.fill("[name=day]", day.isoformat())
        page.fill("[name=begins]", "14:00")
        page.fill("[name=ends]", "15:30")
        page.click("button[form=session-form]")

    plan("第一课")
    page.wait_for_selector("[data-session][data-state=early]")
    look(page)
    plan("第二课")
    page.wait_for_selector("[data-clashes]")
    assert "“第一课”" in page.inner_text("[data-clashes]")
    assert page.is_visible("[name=capacity]")  # what is folded away stands open where it may have to change
    look(page)
    page.click("button[form=session-form]")
    page.wait_for_selector("[data-session] [data-clashes]")
    page.click("a[href$='/edit'] >> nth=0")
    page.fill("[name=begins]", "16:00")
    page.fill("[name=ends]", "17:00")
    look(page)
    page.click("button[form=session-form]")
    page.wait_for_selector("[data-session]")
    assert page.locator("[data-clashes]").count() == 0
    page.click("a[href$='/audience'] >> nth=0")
    page.select_option("[name=job_role]", "safety_officer")
    page.click("button[form=audience-form]")
    page.wait_for_selector("[data-rules]")
    look(page)
    page.goto("/sessions")
    assert page.locator(f"[data-day='{day}'] .list-row").count() == 2
    look(page)
    page.goto("/sessions/1/call-off")
    look(page)
    page.click("button[form=call-off]")
    page.wait_for_selector("[data-session][data-state=called_off]")
    look(page)
    page.goto("/runs/1")
    assert page.locator("main .list-row").count() == 3  # two sessions, and the way to the certificates
