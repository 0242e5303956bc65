"""A resident reads what is kept of them, deletes it, and is signed out; the coordinator's pass rates stay as they were."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways
from tests.factories import PASSWORD, make_account, make_attempt
from tests.reports.test_figures import add, make_district

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
PHONE_NUMBER = "13800001234"


def come_in(page: Page, login: str) -> None:
    page.goto("/sign-in")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def pass_rates(page: Page) -> list[str]:
    page.goto("/reports/pass-rates")
    return page.locator("table td, table th").all_inner_texts()


@pytest.mark.parametrize(("size", "lang"), [(PHONE, "zh-CN"), pytest.param(DESKTOP, "en-GB", marks=pytest.mark.pages)])
def test_a_resident_takes_a_copy_and_goes_and_no_figure_moves(
    live: Live, visit: Visit, database: Database, tmp_path: Path, size: dict[str, int], lang: str
) -> None:
    keys = live.app.extensions["quizapp"].keys
    with database.session() as db, transaction(db):
        d = make_district(db)
        add(db, d.delivery, d.left, 20, 5, now=datetime.now(UTC))
        make_account(db, (Role.COORDINATOR, d.top), username="coordinator")
        account = make_account(db, phone=PHONE_NUMBER, keys=keys, name="欧阳明月", unit=d.left)
        mine = {"person_id": account.person_id, "account_id": account.id, "score": 80}
        make_attempt(db, d.delivery, d.left, now=datetime.now(UTC), **mine)
    office = visit(size=DESKTOP)
    come_in(office, "coordinator")
    before = pass_rates(office)
    assert "26" in " ".join(before)

    page = visit(size=size, lang=lang, accept_downloads=True)
    come_in(page, PHONE_NUMBER)
    page.goto("/me")
    page.click("a[href='/me/data']")
    check_accessible(page)
    no_sideways(page)
    page.fill("input[name=password]", "not the password")
    page.click("main form button[type=submit]")
    page.wait_for_selector("[data-error-summary]")
    check_accessible(page)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_download() as download:
        page.click("main form button[type=submit]")
    download.value.save_as(tmp_path / "data.zip")
    with zipfile.ZipFile(tmp_path / "data.zip") as archive:
        assert json.loads(archive.read("my-data.json"))["person"][0]["phone"] == PHONE_NUMBER
        archive.extract("my-data.html", tmp_path)
    reader = visit(size=size, lang=lang)
    reader.goto((tmp_path / "my-data.html").as_uri())
    assert "欧阳明月" in reader.inner_text("body")
    check_accessible(reader)
    no_sideways(reader)

    page.click("a[href='/me/erase']")
    check_accessible(page)
    no_sideways(page)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_url(lambda url: url.endswith("/"))
    assert page.locator(".banner-success").count() == 1
    answer = page.goto("/me")
    assert answer is not None
    assert answer.status == 401
    assert pass_rates(office) == before
