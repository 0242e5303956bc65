"""An administrator rearranges units, lets somebody in and out, and finds all of it in the log."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import OrgUnit, Person
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import PASSWORD, make_account, make_delivery, make_person, make_session, make_unit

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def units(live: Live, database: Database) -> dict[str, int]:
    """A district with two streets; three communities, with people, a quiz and a session."""
    with database.session() as db, transaction(db):
        district = make_unit(db, name="临江区", kind="district")
        east = make_unit(db, district, name="滨江街道", kind="street", initials="bjjd")
        west = make_unit(db, district, name="城西街道", kind="street", initials="cxjd")
        first = make_unit(db, east, name="滨江社区", initials="bjsq")
        second = make_unit(db, east, name="紫兴社区", initials="zxsq")
        make_unit(db, first, name="江边饭店", kind="enterprise")
        make_account(db, (Role.ADMINISTRATOR, None), username="boss", name="王主任")
        make_account(db, (Role.COORDINATOR, second), username="linxiao", name="林晓", unit=second)
        for _ in range(3):
            make_person(db, unit_id=second.id)
        make_delivery(db, second)
        make_session(db, second)
        return {"east": east.id, "west": west.id, "first": first.id, "second": second.id}


def look(page: Page, scripts: bool) -> None:
    no_sideways(page)
    if scripts:  # axe waits for timers, which stand still without them
        check_accessible(page)


def pick(page: Page, text: str, name: str, scripts: bool) -> None:
    """Choose a unit in a picker."""
    page.fill("[name=unit_id_query]", text)
    if not scripts:
        page.click("[name=unit_id_search] >> visible=true")
    page.locator("[data-unit-results] .choice", has_text=name).first.click()


def code_after(secret: str, used: set[str]) -> str:
    """A code of the app that was not used yet: the next one is good half a minute early."""
    now = datetime.now(UTC).timestamp()
    return next(code for step in (0, 30) if (code := pyotp.TOTP(secret).at(int(now + step))) not in used)


@pytest.mark.parametrize(
    ("size", "lang", "elder", "scripts"),
    [
        (DESKTOP, "zh-CN", False, True),
        pytest.param(PHONE, "en-GB", False, True, marks=pytest.mark.pages),
        pytest.param(PHONE, "zh-CN", True, False, marks=pytest.mark.pages),
    ],
    ids=["desktop", "phone-en", "phone-elder-plain"],
)
def test_units_change_and_people_come_and_go(
    visit: Visit,
    database: Database,
    units: dict[str, int],
    size: dict[str, int],
    lang: str,
    elder: bool,
    scripts: bool,
) -> None:
    options = {"size": size, "lang": lang, "elder": elder, "scripts": scripts}
    boss = visit(**options)
    sign_in(boss, "boss")

    # move a street's community to the other street
    boss.goto(f"/admin/units/{units['first']}")
    look(boss, scripts)
    boss.click("main a[href$='/move']")
    look(boss, scripts)
    pick(boss, "cxjd", "城西街道", scripts)
    boss.click("main form .actions button")
    boss.wait_for_url("**/move?to=*")
    look(boss, scripts)
    expect(boss.locator("main tbody tr").first).to_contain_text("2")
    boss.click("main form .actions button")
    boss.wait_for_url(f"**/admin/units/{units['first']}")
    with database.session() as db:
        assert db.get_one(OrgUnit, units["first"]).parent_id == units["west"]

    # merge the other community into it
    boss.goto(f"/admin/units/{units['second']}/merge")
    pick(boss, "bjsq", "滨江社区", scripts)
    boss.click("main form .actions button")
    boss.wait_for_url("**/merge?into=*")
    look(boss, scripts)
    expect(boss.locator("main")).to_contain_text("林晓")
    boss.check("[name=carry_grants]")
    boss.click("main form .actions button")
    boss.wait_for_url("**/admin/unit-merges/*")
    look(boss, scripts)
    with database.session() as db:
        merged = db.get_one(OrgUnit, units["second"])
        assert (merged.parent_id, merged.closed_at is not None) == (units["first"], True)
        assert set(db.scalars(select(Person.unit_id).where(Person.name.startswith("张")))) == {units["first"]}

    # grant: the coordinator gets the street as well
    boss.goto("/admin/accounts?q=linxiao")
    boss.click("main tbody a")
    look(boss, scripts)
    boss.select_option("[name=role]", "trainer")
    pick(boss, "cxjd", "城西街道", scripts)
    boss.click("main form[action$='/grants'] .actions button")
    boss.wait_for_load_state()
    account = boss.url
    expect(boss.locator("main tbody tr")).to_have_count(2)

    # the coordinator sets up two steps and comes in with them, at a second browser
    used: set[str] = set()
    desk = visit(**options)
    sign_in(desk, "linxiao")
    desk.goto("/me/account")
    look(desk, scripts)
    desk.click("main a[href$='/second-factor']")
    look(desk, scripts)
    secret = desk.inner_text("[data-totp-secret]").replace(" ", "")
    used.add(code := code_after(secret, used))
    desk.fill("[name=code]", code)
    desk.click("main form button[type=submit]")
    expect(desk.locator("[data-recovery-codes] li")).to_have_count(10)
    look(desk, scripts)
    phone = visit(**options)
    phone.goto("/sign-in")
    phone.fill("[name=login]", "linxiao")
    phone.fill("[name=password]", PASSWORD)
    phone.click("main button[type=submit]")
    phone.wait_for_url("**/sign-in/code")
    look(phone, scripts)
    phone.fill("[name=code]", code_after(secret, used))
    phone.click("main form button[type=submit]")
    phone.wait_for_url(lambda url: "/sign-in" not in url)

    # the phone is lost: its sign-in ends from the desk, then the administrator ends the rest
    desk.goto("/me/account")
    expect(desk.locator("[data-sign-ins] > li")).to_have_count(2)
    look(desk, scripts)
    desk.click("form[action*='/sign-ins/'][action$='/end'] button")
    expect(desk.locator("[data-sign-ins] > li")).to_have_count(1)
    phone.goto("/sessions")
    expect(phone.locator("[data-error]")).to_be_visible()
    boss.goto(account)
    boss.click("form[action$='/sign-ins/end'] button")
    expect(boss.locator("main [data-sign-ins]")).to_have_count(0)
    desk.goto("/sessions")
    expect(desk.locator("[data-error]")).to_be_visible()

    # all of it stands in the log
    boss.goto("/admin/audit")
    look(boss, scripts)
    for action in ("unit_moved", "unit_merged", "grant_created", "second_factor_set_up", "sign_ins_ended"):
        boss.goto(f"/admin/audit?action={action}")
        expect(boss.locator("main tbody tr").first).to_be_visible()
    boss.goto("/admin/audit?account=林晓")
    assert not re.search(r"[a-z]+_[a-z]+", boss.inner_text("main tbody"))
    with boss.expect_download() as download:
        boss.click("main a[href*='audit.xlsx']")
    assert download.value.suggested_filename.startswith("audit-")
