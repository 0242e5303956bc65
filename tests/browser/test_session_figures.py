"""A coordinator reads who came to the sessions, goes down to a street, opens a number, and takes the table along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from tests.browser.conftest import DESKTOP, PHONE, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_attendance, make_person, make_session
from tests.reports.test_figures import make_district
from tests.reports.test_sessions import INDEPENDENT, on_day, roster

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [pytest.param(PHONE, marks=pytest.mark.pages), DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
def test_from_the_table_to_the_people_and_into_a_workbook(
    visit: Callable[..., Page], database: Database, size: dict[str, int], lang: str
) -> None:
    now = datetime.now(UTC)
    with database.session() as db, transaction(db):
        d = make_district(db)
        make_account(db, (Role.COORDINATOR, d.top), username="coordinator")
        for unit, kind in ((d.street, "joint"), (d.street, "sector"), (d.other, "sector")):
            session = make_session(db, unit, kind=kind, starts_at=to_ms(now - timedelta(minutes=5)))
            for number in range(12):
                person = make_person(db, name="李建国")
                if number < 10:
                    roster(db, session, person.id, d.left)
                if number % 3:
                    method = "rotating" if number < 8 else "by_hand"
                    make_attendance(db, session.id, person.id, method=method, **on_day(d.left))
        top, street, code = d.top.id, d.street.id, d.street.code
        values = {"first": 0, "last": to_ms(now), "top": top}
        expected = {key: tuple(row) for key, *row in db.execute(text(INDEPENDENT), values)}
    page = visit(size=size, lang=lang)
    sign_in(page, "coordinator")
    page.goto("/reports/sessions")
    check_accessible(page)
    no_sideways(page)
    assert page.inner_text(f"tr[data-row='{code}'] td[data-figure=sessions]") == "2"
    assert page.inner_text(f"tr[data-row='{code}'] td[data-figure=walk_ins]") == "4"
    page.select_option("[name=kind]", "joint")
    page.click("[data-filters] button")
    page.wait_for_url("**kind=joint**")
    page.click(f"tr[data-row='{code}'] a.drill")
    page.wait_for_url(f"**unit={street}**")
    assert page.inner_text("tr[data-row=own] td[data-figure=attended]") == "8"
    page.click(".tabs a[href*='by=people']")
    page.wait_for_url("**by=people**")
    assert page.inner_text("tr.total span[data-figure=expected_came]").replace("\xa0", " ") == "6 / 10"
    page.click("tr.total td[data-figure=walk_ins] a")
    page.wait_for_url("**figure=walk_ins**")
    check_accessible(page)
    no_sideways(page)
    assert page.locator("tr[data-line]").count() == 2
    assert "李*国" in page.inner_text("table")
    page.goto("/reports/sessions")
    with page.expect_download() as download:
        page.click("a[href*='/export/sessions/xlsx']")
    book = CalamineWorkbook.from_path(str(download.value.path()))
    rows = book.get_sheet_by_index(1).to_python()[1:]
    got = {row[1]: (row[2], row[7], row[8]) for row in rows if row[1]}
    assert got == expected
