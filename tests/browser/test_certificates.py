"""A coordinator issues the certificates of a run; a stranger checks one by the code on the paper; one is revoked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from playwright.sync_api import Page
from sqlalchemy import select

from quizapp import tasks  # noqa: F401 # fills the table of tasks
from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import typed_code
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.jobs.worker import run_pending
from quizapp.organisation.models import Person
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.certificates.support import add_session, attend, make_run
from tests.factories import make_account, make_person, make_unit
from tests.pdf import page_pictures

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.mark.parametrize(
    ("size", "lang", "elder"),
    [
        (PHONE, "zh-CN", False),
        pytest.param(PHONE, "en-GB", True, marks=pytest.mark.pages),
        pytest.param(DESKTOP, "zh-CN", True, marks=pytest.mark.pages),
        (DESKTOP, "en-GB", False),
    ],
)
def test_a_certificate_is_checked_by_a_stranger(
    live: Live, visit: Visit, database: Database, size: dict[str, int], lang: str, elder: bool
) -> None:
    with database.session() as db, transaction(db):
        unit = make_unit(db, name="临江区应急管理局")
        make_account(db, (Role.COORDINATOR, unit), username="coordinator", unit=unit)
        run = make_run(db, unit)
        first, last = add_session(db, run), add_session(db, run, 1)
        attend(db, make_person(db, name="李建国", unit_id=unit.id), first, last)
        attend(db, make_person(db, name="王秀兰"), first)
        address = f"/runs/{run.id}/certificates"

    staff = visit(size=size, lang=lang, elder=elder)
    sign_in(staff, "coordinator")
    staff.goto(address)
    staff.click("main a[href$='/issue']")
    check_accessible(staff)
    no_sideways(staff)
    staff.click("main form[method=post] button")
    staff.wait_for_selector("tr[data-number]")
    check_accessible(staff)
    no_sideways(staff)
    staff.select_option("[name=language]", "en" if lang.startswith("en") else "zh")
    staff.click("form[action$='/file'] button")
    staff.wait_for_url("**/jobs/*")
    run_pending(live.app.extensions["quizapp"])
    staff.wait_for_selector("[data-state=done]")
    with staff.expect_download() as download:
        staff.click("main a[href*='/file/']")
    (picture,) = page_pictures(Path(download.value.path()).read_bytes())
    (code,) = zxingcpp.read_barcodes(picture)
    with database.session() as db:
        one = db.scalars(select(Certificate)).one()
    assert code.text == f"{live.url}/c/{one.check_code}"

    stranger = visit(size=size, lang=lang, elder=elder)
    stranger.goto(code.text)
    stranger.wait_for_selector("[data-certificate=valid]")
    text = stranger.inner_text("main")
    assert one.number in text
    assert "李*国" in text
    assert "李建国" not in text
    check_accessible(stranger)
    no_sideways(stranger)

    stranger.goto("/c")
    stranger.fill("[name=number]", one.number.replace("-", ""))
    stranger.fill("[name=code]", "0000 0000")
    stranger.click("button[form=check-certificate]")
    stranger.wait_for_selector("#code-error")
    check_accessible(stranger)
    no_sideways(stranger)
    stranger.fill("[name=code]", typed_code(one.check_code).lower())
    stranger.click("button[form=check-certificate]")
    stranger.wait_for_selector("[data-certificate=valid]")

    staff.goto(address)
    staff.click("main a[href$='/revoke']")
    check_accessible(staff)
    no_sideways(staff)
    staff.fill("[name=reason]", "代签")
    staff.click("main form[method=post] button")
    staff.wait_for_selector("tr[data-number]")
    stranger.goto(code.text)
    stranger.wait_for_selector("[data-certificate=revoked]")
    assert "代签" not in stranger.inner_text("main")
    check_accessible(stranger)
    no_sideways(stranger)


@pytest.mark.parametrize("elder", [False, pytest.param(True, marks=pytest.mark.pages)], ids=["normal", "elder"])
@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
def test_the_holder_finds_and_downloads_it_without_scripts(
    live: Live, visit: Visit, database: Database, lang: str, elder: bool
) -> None:
    with database.session() as db, transaction(db):
        unit = make_unit(db, name="临江区应急管理局")
        make_account(db, (Role.COORDINATOR, unit), username="coordinator", unit=unit)
        holder = make_account(db, username="holder", name="李建国", unit=unit)
        run = make_run(db, unit)
        attend(db, db.get_one(Person, holder.person_id), add_session(db, run))
    staff = visit(lang=lang, scripts=False)
    sign_in(staff, "coordinator")
    staff.goto(f"/runs/{run.id}/certificates/issue")
    staff.click("main form[method=post] button")
    page = visit(lang=lang, elder=elder, scripts=False)
    sign_in(page, "holder")
    page.goto("/me")
    no_sideways(page)
    page.click("[data-certificates] a")
    page.wait_for_selector("[data-certificate=valid]")
    no_sideways(page)
    with page.expect_download() as download:
        page.click("main a[href*='.pdf'] >> nth=0")
    (picture,) = page_pictures(Path(download.value.path()).read_bytes())
    (code,) = zxingcpp.read_barcodes(picture)
    shown = visit(lang=lang, elder=elder)
    shown.context.add_cookies(page.context.cookies())
    shown.goto(page.url)
    check_accessible(shown)
    assert code.text.startswith(f"{live.url}/c/")
