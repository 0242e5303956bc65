"""From a roster to a literacy estimate: planned and drawn at a desk, answered with a card on a phone, estimated with its warning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zxingcpp
from playwright.sync_api import Page
from sqlalchemy import select

import quizapp.tasks  # noqa: F401 # the background knows every task
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.core.web import Runtime
from quizapp.jobs.worker import run_pending
from quizapp.operations.installation import open_installation
from quizapp.surveys.models import Survey, SurveyInvitation
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.conftest import make_settings
from tests.factories import make_account
from tests.pdf import page_pictures
from tests.surveys.support import answer_within, make_district, make_test

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
@pytest.mark.parametrize("size", [DESKTOP, pytest.param(PHONE, marks=pytest.mark.pages)], ids=["desktop", "phone"])
@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.pages)], ids=["scripts", "plain"])
def test_from_the_roster_to_the_estimate(
    visit: Callable[..., Page],
    live: Live,
    database: Database,
    tmp_path: Path,
    lang: str,
    size: dict[str, int],
    scripts: bool,
) -> None:
    now = datetime.now(UTC)
    with database.session() as db, transaction(db):
        top, _streets = make_district(db)
        window = {"opens_at": to_ms(now - timedelta(hours=1)), "closes_at": to_ms(now + timedelta(days=9))}
        test = make_test(db, top, **window)
        make_account(db, (Role.COORDINATOR, top), username="coordinator")
        test_id = str(test.id)
    desk = visit(size=size, lang=lang, scripts=scripts)
    looks = check_accessible if scripts else (lambda _page: None)
    sign_in(desk, "coordinator")

    # what the test alone can say, and the way on from there
    desk.goto(f"/surveys/took-part/{test_id}")
    looks(desk)
    no_sideways(desk) if scripts else None
    desk.click("main .actions a[href*='/surveys/new']")
    desk.wait_for_url("**/surveys/new**")
    desk.fill("[name=title]", "抽样调查")
    desk.check("[name=design][value=open]", force=True)
    desk.fill("[name=margin]", "10")
    desk.fill("[name=response]", "80")
    desk.fill("[name=seed]", "双色球第 2026140 期")
    desk.click("[value=check]")
    assert "2401" in desk.inner_text("[data-error-summary]")  # refused: nobody's chance is known
    desk.check("[name=design][value=stratified]", force=True)
    desk.click("[value=check]")
    desk.wait_for_selector("[data-sizes] .figures")
    looks(desk)
    desk.click("[value=save]")
    desk.wait_for_url("**/surveys/*")
    desk.click("form[action$='/announce'] button")
    desk.wait_for_url("**/drawn")  # what everybody can read before the numbers are out
    looks(desk)
    desk.click("main a[href^='/surveys/'] >> text=/回到调查|Back to the survey/")
    looks(desk)
    desk.click("main a[href$='/withdraw']")  # asked first, and thought better of
    looks(desk)
    desk.click("main .actions a[href^='/surveys/']")
    desk.click(".desk-head a[href$='/draw']")
    looks(desk)
    desk.fill("[name=came_out]", "03 08 11")
    desk.click("main form button")
    desk.wait_for_selector("#strata")
    looks(desk)
    with database.session() as db:
        survey = db.scalars(select(Survey)).one()
        survey_id, drawn = survey.id, survey.counts["drawn"]
    with desk.expect_download() as download:
        desk.click("form[action$='/cards'] button")
    sheets = page_pictures(Path(download.value.path()).read_bytes(), ppi=150)
    cards = sorted(code.text for code in zxingcpp.read_barcodes(sheets[0]))
    assert len(cards) == 8
    assert cards[0].startswith(f"{live.url}/i/")

    # a phone scans a card, loses the page, and goes on
    phone = visit(size=PHONE, lang=lang, scripts=scripts)
    phone.goto(cards[0])
    looks(phone)
    assert phone.locator("[name=name], [name=phone], [name=unit_id]").count() == 0
    phone.fill("[name=birth_year]", "1970")
    phone.check("[name=consent]", force=True)
    phone.click("button[form=start]")
    phone.wait_for_url("**/a/**")
    answering = phone.url
    phone.goto(cards[0])
    assert phone.url == answering
    phone.goto(answering.rsplit("/", 1)[0] + "/submit")
    phone.click("main button[type=submit], .bottom-bar button[type=submit]")
    phone.wait_for_url("**/result")
    phone.goto(cards[0])
    phone.wait_for_url("**/result")

    # some others answer, one refuses
    runtime: Runtime = live.app.extensions["quizapp"]
    with database.session() as db, transaction(db):
        waiting = db.scalars(select(SurveyInvitation).where(SurveyInvitation.attempt_id.is_(None))).all()
        for number, one in enumerate(waiting[:40]):
            answer_within(db, one, runtime.keys, 20 * (number % 6), now=now, sex="female" if number % 2 else "male")
    desk.goto(f"/surveys/{survey_id}/people?state=invited")
    looks(desk)
    desk.select_option("tbody tr:first-child select", "refused")
    desk.click("tbody tr:first-child button")
    desk.wait_for_selector(".banner-success")
    desk.goto(f"/surveys/{survey_id}")
    row = [cell.inner_text() for cell in desk.locator("#strata tr.total .num").all()]
    assert row[:2] == [str(drawn), "41"]
    assert row[3] == "1"

    desk.goto(f"/surveys/{survey_id}/estimate")
    looks(desk)  # no score and no estimate before the survey is closed
    assert desk.locator(".desk-head form button").count() == 0
    desk.click("main .empty a")
    desk.click(f"form[action='/surveys/{survey_id}/close'] button")
    desk.goto(f"/surveys/{survey_id}/estimate")
    desk.click(".desk-head form button")
    desk.wait_for_url("**/jobs/**")
    installation = open_installation(make_settings(tmp_path, database))
    run_pending(installation)
    installation.database.dispose()
    desk.reload()
    desk.click("main .actions a")
    desk.wait_for_url("**/estimate")
    looks(desk)
    assert desk.locator("#estimate .figure-big").inner_text().endswith("%")
    assert desk.locator(".banner-attention").count() >= 1  # fewer than 400 answers
    assert desk.locator("#groups .interval-cell svg").count() > 4
    no_sideways(desk) if scripts else None
