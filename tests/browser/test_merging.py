"""A coordinator finds somebody who stands in the records twice, looks at both, merges them, and takes it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.organisation.models import PersonMerge
from quizapp.trainings.models import Attendance
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import (
    make_account,
    make_attempt,
    make_attendance,
    make_delivery,
    make_person,
    make_session,
    make_unit,
)

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def pair(live: Live, database: Database) -> tuple[int, int]:
    """Somebody on a roster, and the same person as they typed their name at a session."""
    keys = live.app.extensions["quizapp"].keys
    phone = {"phone_hash": keys.phone_hash("13800001234"), "phone_encrypted": keys.encrypt_phone("13800001234")}
    with database.session() as db, transaction(db):
        unit = make_unit(db, name="紫兴社区")
        make_account(db, (Role.COORDINATOR, unit), username="coordinator", unit=unit)
        kept = make_person(db, name="欧阳建国", source="roster", unit_id=unit.id, **phone).id
        merged = make_person(db, name="欧阳 建国", unit_id=unit.id, **phone).id
        make_person(db, name="欧阳明", unit_id=unit.id)
        both, alone, delivery = make_session(db, unit), make_session(db, unit), make_delivery(db, unit)
        for person in (kept, merged):
            make_attendance(db, both.id, person)
            make_attempt(db, delivery, unit, person_id=person)
        make_attendance(db, alone.id, merged)
        return kept, merged


@pytest.mark.parametrize(
    ("size", "lang", "elder", "scripts"),
    [
        (PHONE, "zh-CN", False, True),
        (PHONE, "en-GB", True, False),
        pytest.param(DESKTOP, "en-GB", False, True, marks=pytest.mark.pages),
        pytest.param(DESKTOP, "zh-CN", True, False, marks=pytest.mark.pages),
    ],
    ids=["phone", "phone-elder-en-plain", "desktop-en", "desktop-elder-plain"],
)
def test_two_records_become_one_and_two_again(
    visit: Visit,
    database: Database,
    pair: tuple[int, int],
    size: dict[str, int],
    lang: str,
    elder: bool,
    scripts: bool,
) -> None:
    kept, merged = pair

    def look(page: Page) -> None:
        no_sideways(page)
        if scripts:  # axe waits for timers, which stand still without them
            check_accessible(page)

    page = visit(size=size, lang=lang, elder=elder, scripts=scripts)
    sign_in(page, "coordinator")
    page.goto("/people")
    look(page)
    assert page.locator("[data-suspects] > li").count() == 1
    page.fill("[name=q]", "欧阳")
    page.click("main form.filters button")
    page.wait_for_url("**q=*")
    look(page)
    assert page.locator("[name=person]").count() == 3
    page.check(f"[name=person][value='{kept}']")
    page.click("main form:not(.filters) button")
    page.wait_for_url("**/people?*")  # one is not enough
    look(page)
    for person in pair:
        page.check(f"[name=person][value='{person}']")
    page.click("main form:not(.filters) button")
    page.wait_for_url("**/people/merge?*")
    look(page)
    page.click("main a[href*='keep=']")
    page.wait_for_url("**keep=*")
    assert page.input_value("[name=keep]") == str(merged)
    page.click("main a[href*='keep=']")
    page.wait_for_selector(f"[name=keep][value='{kept}']", state="attached")
    page.click("main form button")
    page.wait_for_url("**/people/merges/*")
    look(page)
    with database.session() as db:
        done = db.scalars(select(PersonMerge)).one()
        assert (done.kept_id, done.merged_id) == pair
        assert set(db.scalars(select(Attendance.person_id).where(Attendance.duplicate_of_id.is_(None)))) == {kept}
    page.goto("/people/merges")
    look(page)
    page.click("main .list-row a")
    page.click("main form button")
    page.wait_for_load_state()
    page.wait_for_selector("main form", state="detached")
    look(page)
    with database.session() as db:
        assert db.scalars(select(PersonMerge.undone_at)).one() is not None
