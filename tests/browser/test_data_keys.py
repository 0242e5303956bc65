"""An administrator reads what is kept and what is due; the key of telephone numbers changes while people are in; all goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.core.tokens import Keys
from quizapp.operations.installation import Installation
from quizapp.operations.key_rotation import rotate_phone_key
from quizapp.operations.retention import apply_retention
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_privacy import come_in
from tests.browser.test_session import no_sideways
from tests.factories import make_account, make_person, make_unit

pytestmark = pytest.mark.browser
PHONE_NUMBER = "13800001234"


@pytest.mark.parametrize("size", [DESKTOP, pytest.param(PHONE, marks=pytest.mark.pages)], ids=["desktop", "phone"])
@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
def test_what_is_kept_is_read_what_is_due_goes_and_the_key_changes_under_way(
    live: Live, visit: Callable[..., Page], database: Database, size: dict[str, int], lang: str
) -> None:
    runtime = live.app.extensions["quizapp"]
    settings, now = runtime.settings, datetime.now(UTC)
    with database.session() as db, transaction(db):
        unit = make_unit(db)
        make_account(db, (Role.ADMINISTRATOR, None), username="boss")
        resident = make_account(db, phone=PHONE_NUMBER, keys=runtime.keys.current(), name="欧阳明月", unit=unit)
        account_id = resident.id
        for _ in range(3):
            make_person(db, created_at=now - timedelta(days=500), phone_hash=b"h", phone_encrypted=b"e")
    boss, at_home = visit(size=size, lang=lang), visit(size=PHONE, lang=lang)
    come_in(boss, "boss")
    come_in(at_home, PHONE_NUMBER)

    boss.goto("/admin/data")
    check_accessible(boss)
    no_sideways(boss)
    assert boss.locator("main table").first.locator("tbody tr").count() > 10
    due = boss.locator("main table").nth(1).locator("tbody tr", has_text="CONTACT_DAYS").first
    expect(due.locator("td").last).to_have_text("3")
    with database.session() as db:
        assert apply_retention(db, settings.terms, now) == {"people": 3}
    boss.reload()
    check_accessible(boss)
    expect(due.locator("td").last).to_have_text("0")
    expect(boss.locator("[data-turns] tbody tr")).to_have_count(1)
    boss.click("main a[href='/privacy/kept']")
    check_accessible(boss)
    no_sideways(boss)

    boss.goto(f"/admin/accounts/{account_id}")
    masked = boss.locator("main", has_text="138****1234")
    expect(masked).to_be_visible()
    before = runtime.keys.current().phone_hash(PHONE_NUMBER)
    done = rotate_phone_key(
        Installation(settings, database, Keys.load(settings.keys_folder)), say=lambda _: None, settle=0
    )
    assert (done.rows["people"], done.waiting, done.unreadable) == (1, 0, 0)
    assert runtime.keys.current().phone_hash(PHONE_NUMBER) != before

    boss.reload()
    expect(masked).to_be_visible()
    at_home.goto("/me/data")
    assert at_home.locator("main form").count() == 1  # still signed in
    again = visit(size=PHONE, lang=lang)
    come_in(again, PHONE_NUMBER)  # and found by the number
    boss.goto("/admin/audit?action=phone_key_changed")
    check_accessible(boss)
    no_sideways(boss)
    row = boss.locator("main tbody tr")
    expect(row).to_have_count(1)
    assert "phone_key_changed" not in row.inner_text()
    assert PHONE_NUMBER not in boss.content()
