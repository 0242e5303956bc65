"""Somebody registers, another waits and moves up; a liaison registers twelve people at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_unit
from tests.trainings.registering import open_one, rostered, standing

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

VARIANTS = [
    pytest.param("zh-CN", False, PHONE, id="phone"),
    pytest.param("zh-CN", True, PHONE, id="phone-elder", marks=pytest.mark.pages),
    pytest.param("en-GB", False, PHONE, id="phone-english", marks=pytest.mark.pages),
    pytest.param("zh-CN", False, DESKTOP, id="desktop", marks=pytest.mark.pages),
    pytest.param("en-GB", True, DESKTOP, id="desktop-elder-english"),
]


def look(page: Page) -> None:
    no_sideways(page)
    check_accessible(page)


def register(page: Page, address: str, name: str, phone: str) -> None:
    page.goto(address)
    page.fill("[name=name]", name)
    page.fill("[name=phone]", phone)
    page.check("[name=consent]")
    page.click("button[form=register]")
    page.wait_for_selector("[data-registration]")


@pytest.mark.parametrize(("lang", "elder", "size"), VARIANTS)
def test_one_registers_another_waits_and_moves_up(
    live: Live, visit: Visit, database: Database, lang: str, elder: bool, size: dict[str, int]
) -> None:
    tomorrow = to_ms(datetime.now(UTC) + timedelta(days=1))
    with database.session() as db, transaction(db):
        session = open_one(db, capacity=1, starts_at=tomorrow, place="党群服务中心二楼")
        make_account(db, username="resident", name="周敏")
    first = visit(lang=lang, elder=elder, size=size)
    first.goto("/coming")
    first.click(f"a[href='/t/{session.page_code}']")
    look(first)
    register(first, first.url, "张伟", "138 0000 0001")
    first.wait_for_selector("[data-registration=registered]")
    link = first.inner_text("[data-registration-link]")
    look(first)

    second = visit(lang=lang, elder=elder, size=size)
    sign_in(second, "resident")
    second.goto(f"/t/{session.page_code}")
    look(second)
    second.click("button[form=register]")
    second.wait_for_selector("[data-registration=waiting]")
    look(second)
    with second.expect_download() as download:
        second.click("[href$='calendar.ics']")
    assert b"BEGIN:VEVENT" in download.value.path().read_bytes()

    # the first one gives the place up on another phone, with the link
    elsewhere = visit(lang=lang, elder=elder, size=size)
    elsewhere.goto(link)
    assert link not in elsewhere.url
    elsewhere.click("[href$='/cancel']")
    look(elsewhere)
    elsewhere.click("button[form=cancel]")
    elsewhere.wait_for_selector(".banner-success")

    second.goto("/")
    second.wait_for_selector("[data-notice=promoted]")
    look(second)
    second.click("[data-notice=promoted] button")
    second.wait_for_selector("[data-notice=soon]")
    assert second.locator("[data-notice=promoted]").count() == 0
    second.goto("/me")
    assert second.locator("[data-registrations] .list-row").count() == 1
    look(second)
    with database.session() as db:
        assert standing(db, session.id, "registered") == ["周敏"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
@pytest.mark.parametrize(
    ("lang", "size"),
    [pytest.param("zh-CN", DESKTOP, marks=pytest.mark.pages), ("en-GB", PHONE)],
    ids=["desktop", "phone"],
)
def test_a_liaison_registers_twelve_people(
    live: Live, visit: Visit, database: Database, lang: str, size: dict[str, int], scripts: bool
) -> None:
    with database.session() as db, transaction(db):
        top = make_unit(db, name="区应急管理局")
        unit = make_unit(db, top, name="东门农贸市场")
        for number in range(1, 15):
            rostered(db, unit, f"职工{number:02}")
        session = open_one(db, top, capacity=10, starts_at=to_ms(datetime.now(UTC) + timedelta(days=2)))
        make_account(db, (Role.UNIT_LIAISON, unit), username="liaison")
        make_account(db, (Role.TRAINER, top), username="trainer")
    liaison = visit(lang=lang, size=size, scripts=scripts)
    sign_in(liaison, "liaison")
    liaison.goto("/registrations")
    no_sideways(liaison)
    liaison.click(f"a[href='/registrations/{session.id}']")
    boxes = liaison.locator("[name=person]")
    for number in range(12):
        boxes.nth(number).check()
    liaison.click("button[value=register]")
    liaison.wait_for_selector(".messages")
    no_sideways(liaison)
    if scripts:
        check_accessible(liaison)
    with database.session() as db:
        assert len(standing(db, session.id, "registered")) == 10
        assert standing(db, session.id, "waiting") == ["职工11", "职工12"]
    assert "职工11" in liaison.inner_text(".messages")

    liaison.goto(f"/registrations/{session.id}/new")
    liaison.fill("[name=name]", "新来的")
    liaison.fill("[name=phone]", "13900001111")
    no_sideways(liaison)
    liaison.click("button[form=new-person]")
    liaison.wait_for_selector(".messages")

    trainer = visit(lang=lang, size=size, scripts=scripts)
    sign_in(trainer, "trainer")
    trainer.goto(f"/sessions/{session.id}/registrations")
    assert trainer.locator("[data-registrations] > tr").count() == 13
    no_sideways(trainer)
    if scripts:
        check_accessible(trainer)
    trainer.locator("[data-registrations] form button").first.click()
    trainer.wait_for_selector(".messages")
    with database.session() as db:
        assert "职工11" in standing(db, session.id, "registered")
