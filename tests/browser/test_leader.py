"""A leader comes in, sees the year, goes down to a street, and takes the table along: the same stored numbers each time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.reports.leaders.services import make_grid
from tests.browser.conftest import DESKTOP, PHONE, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account
from tests.reports.test_figures import add, make_district

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [pytest.param(PHONE, marks=pytest.mark.pages), DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
def test_from_the_overview_to_the_table_and_into_a_workbook(
    visit: Callable[..., Page], database: Database, size: dict[str, int], lang: str
) -> None:
    now = datetime.now(UTC)
    with database.session() as db:
        with transaction(db):
            d = make_district(db)
            make_account(db, (Role.LEADER, d.top), username="leader")
            d.delivery.opens_at, d.delivery.closes_at = to_ms(now - timedelta(days=9)), to_ms(now)
            for unit, passed, failed in ((d.left, 30, 10), (d.right, 12, 8), (d.other, 24, 6)):
                add(db, d.delivery, unit, passed, failed, now=now - timedelta(days=2))
            street_id, code, delivery_id = d.street.id, d.street.code, d.delivery.id
        # the grid is of closed tests, and comes the night after
        make_grid(db, local_date(now) + timedelta(days=1))
    page = visit(size=size, lang=lang, accept_downloads=True)
    sign_in(page, "leader")
    page.goto("/overview")
    check_accessible(page)
    no_sideways(page)
    expect(page.locator(".figure-card-value b").nth(1)).to_have_text("90")
    expect(page.locator(f"tr[data-row='{code}']")).to_contain_text("70.0%")
    page.click(f"main .list a[href*='delivery={delivery_id}']")
    page.wait_for_url(f"**delivery={delivery_id}**")
    page.click(f"tr[data-row='{code}'] a.drill")
    page.wait_for_url(f"**unit={street_id}**")
    check_accessible(page)
    no_sideways(page)
    shown = {
        str(row.get_attribute("data-row")): (
            row.locator("[data-figure=first]").inner_text(),
            row.locator("[data-figure=passed]").inner_text(),
            row.locator("[data-figure=pass_rate]").inner_text(),
        )
        for row in page.locator("tr[data-row]").all()
    }
    assert shown[code] == ("60", "42", "70.0%")
    with page.expect_download() as download:
        page.click("main a[href*='/reports/grid/xlsx'], header a[href*='/reports/grid/xlsx']")
    book = CalamineWorkbook.from_path(str(download.value.path()))
    rows = book.get_sheet_by_index(1).to_python()[1:]
    written = {row[1]: (f"{row[2]:.0f}", f"{row[3]:.0f}", f"{row[4]:.1%}") for row in rows}
    assert written == shown
    # what is not theirs says what is
    page.goto("/reports/sessions")
    check_accessible(page)
    page.click("main a[href='/overview']")
    page.wait_for_url("**/overview")
