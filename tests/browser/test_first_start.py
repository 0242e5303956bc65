"""An empty installation starts for the first time: link, password, first unit, first account, and what the log says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from quizapp.core.clock import system_clock
from quizapp.core.db import Database
from quizapp.core.tokens import Keys
from quizapp.operations.installation import Installation
from quizapp.operations.services import first_link, prepare
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

PASSWORD = "a river in early autumn"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """No table yet: the start makes them."""
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    yield database
    database.dispose()


def start(live: Live) -> tuple[Installation, list[str]]:
    """What `quizapp serve` does before it answers, and what it prints."""
    runtime = live.app.extensions["quizapp"]
    installation = Installation(
        runtime.settings, live.database, Keys.load(runtime.settings.keys_folder), clock=system_clock
    )
    said: list[str] = []
    prepare(installation, said.append)
    return installation, said


def look(page: Page) -> None:
    """One heading, no scrolling sideways, nothing that axe finds."""
    page.wait_for_load_state()
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    check_accessible(page)


def choose_unit(page: Page, text: str) -> None:
    """Find a unit in the picker as one types, and take the first."""
    page.fill("[name=unit_id_query]", text)
    page.click("[data-unit-results] .choice >> nth=0")
    page.wait_for_selector("[data-unit-chosen] input[name=unit_id]", state="attached")


@pytest.mark.parametrize(
    ("size", "lang", "elder"),
    [
        (DESKTOP, "zh-CN", False),
        pytest.param(DESKTOP, "en-GB", False, marks=pytest.mark.pages),
        pytest.param(PHONE, "zh-CN", True, marks=pytest.mark.pages),
    ],
    ids=["desktop", "english", "phone-elder"],
)
def test_the_first_start_ends_with_a_unit_an_account_and_their_lines_in_the_log(
    live: Live, visit: Visit, size: dict[str, int], lang: str, elder: bool
) -> None:
    installation, said = start(live)
    assert any("Database: making the tables" in line for line in said)
    assert any("Question banks:" in line for line in said)
    link = first_link(installation)
    assert link is not None
    assert link.startswith(f"{live.url}/set-up/")

    page = visit(size=size, lang=lang, elder=elder)
    page.goto(urlsplit(link).path)
    look(page)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=repeated]", "another one")
    page.click("main button[type=submit]")
    page.wait_for_selector("#repeated[aria-invalid=true]")
    look(page)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=repeated]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{live.url}/")
    look(page)
    assert first_link(installation) is None

    page.goto("/admin/units")
    look(page)
    page.click("main a[href='/admin/units/new']")
    look(page)
    page.fill("[name=name]", "临江区科学技术协会")
    page.select_option("[name=kind]", "district")
    page.click("main form button[type=submit] >> nth=0")
    page.wait_for_selector("th:has-text('临江区科学技术协会')")
    look(page)

    page.goto("/admin/accounts")
    look(page)
    page.click("main a[href='/admin/accounts/new']")
    look(page)
    page.fill("[name=name]", "林晓")
    page.fill("[name=username]", "linxiao")
    page.select_option("[name=role]", "coordinator")
    choose_unit(page, "lj")
    look(page)
    page.click("main form > .actions button")
    own_link = page.inner_text("[data-set-up-link]")
    look(page)
    page.goto("/admin/accounts")
    row = page.locator("tbody tr", has=page.locator("th:has-text('林晓')"))
    assert "临江区科学技术协会" in row.inner_text()
    page.click("th a:has-text('林晓')")
    look(page)

    page.goto("/admin/audit")
    look(page)
    assert "_" not in page.inner_text("[name=action]"), "an action of the first start has no word"
    page.select_option("[name=action]", "account_created")
    page.click("main form:has([name=action]) button[type=submit]")
    page.wait_for_url("**action=account_created**")
    assert page.locator("tbody tr:has-text('临江区科学技术协会')").count() == 1
    page.goto("/admin/audit?action=unit_created")
    assert page.locator("tbody tr:has-text('临江区科学技术协会')").count() == 1
    page.goto("/admin/audit?action=grant_created")
    assert page.locator("tbody tr").count() == 2  # the first administrator's own, and this one

    newcomer = visit(size=size, lang=lang, elder=elder)
    newcomer.goto(urlsplit(own_link).path)
    newcomer.fill("[name=password]", PASSWORD)
    newcomer.fill("[name=repeated]", PASSWORD)
    newcomer.click("main button[type=submit]")
    newcomer.wait_for_url(f"{live.url}/")
    newcomer.goto("/deliveries")
    look(newcomer)
    newcomer.goto("/admin/units")
    assert newcomer.locator("h1").count() == 1
    assert "临江区科学技术协会" not in newcomer.inner_text("main")


def test_the_link_opens_once_and_another_start_changes_nothing(live: Live, visit: Visit) -> None:
    installation, _ = start(live)
    first = first_link(installation)
    link = first_link(installation)
    assert first is not None
    assert link is not None
    page = visit()
    page.goto(urlsplit(first).path)
    assert page.locator("[name=password]").count() == 0  # a later start has made a new one
    look(page)
    page.goto(urlsplit(link).path)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=repeated]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{live.url}/")
    page.goto(urlsplit(link).path)
    assert page.locator("[name=password]").count() == 0
    again: list[str] = []
    prepare(installation, again.append)
    assert again == []
    assert first_link(installation) is None
