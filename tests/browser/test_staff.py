"""A coordinator publishes a test, two residents scan its poster, and the pass rates of both units go out as a table."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, Route
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from quizapp.banks.models import ItemVersion
from quizapp.core.clock import system_clock
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.core.tokens import Keys
from quizapp.jobs.worker import run_pending
from quizapp.operations.installation import Installation
from quizapp.operations.services import prepare
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery, PaperItem
from tests.browser.conftest import DESKTOP, PHONE, Live, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.factories import make_account, make_unit
from tests.reports.test_figures import add

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

TITLE_EN = "Safety month quiz"
UNITS = ("紫兴社区", "东湖社区")


@pytest.fixture
def installation(live: Live) -> Installation:
    """An installation with its question banks, two communities in a street, and the street's coordinator."""
    runtime = live.app.extensions["quizapp"]
    installation = Installation(
        runtime.settings, live.database, Keys.load(runtime.settings.keys_folder), clock=system_clock
    )
    prepare(installation, lambda _: None)
    with live.database.session() as db, transaction(db):
        street = make_unit(db, name="滨河街道", kind="street", code="BH")
        for number, name in enumerate(UNITS, start=1):
            make_unit(db, street, name=name, code=f"BH-{number}")
        make_account(db, (Role.COORDINATOR, street), username="coordinator")
    return installation


def publish(page: Page, title: str) -> None:
    """Fill the page for a new delivery and publish it; what is amber is asked about once."""
    page.goto("/deliveries")
    check_accessible(page)
    page.click("main a[href='/deliveries/new'] >> nth=0")
    page.select_option("[name=blueprint]", "safety_20")
    page.click("[name=action][value=check]")
    page.wait_for_selector("[name=blueprint_shown][value=safety_20]", state="attached")
    check_accessible(page)
    no_sideways(page)
    page.fill("[name=title]", title)
    page.click("details:has([name=title_en]) summary")
    page.fill("[name=title_en]", TITLE_EN)
    page.fill("[name=contact]", "")
    page.click("[name=action][value=publish]")
    page.wait_for_selector("[name=contact][aria-invalid=true]")
    assert page.input_value("[name=title]") == title
    check_accessible(page)
    page.fill("[name=contact]", "0571-0000")
    page.fill("[name=paper_count]", "2")
    page.check("[name=reveal][value=at_once]", force=True)
    page.click("[name=action][value=publish]")
    page.wait_for_selector("[name=confirmed], [data-state=preparing]", state="attached")
    if page.locator("[name=confirmed]").count():
        check_accessible(page)
        page.click("[name=action][value=publish]")
    page.wait_for_selector("[data-state=preparing]")


def answers_of(database: Database, public_id: str, *, right: bool) -> dict[int, list[str]]:
    """Position → the options of an answer that is right, or wrong."""
    with database.session() as db:
        rows = db.execute(
            select(PaperItem.position, ItemVersion)
            .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
            .join(Attempt, Attempt.paper_id == PaperItem.paper_id)
            .where(Attempt.public_id == public_id)
        )
        return {
            position: version.key
            if right
            else [next(option["id"] for option in version.options if option["id"] not in version.key)]
            for position, version in rows
        }


def take(page: Page, database: Database, address: str, *, name: str, unit: str, right: bool) -> None:
    """Scan, say who one is, answer every question one way, hand in, and see the result."""
    page.goto(address)
    page.click("a[href$='/start']")
    page.fill("[name=unit_id_query]", unit)
    page.click("[data-unit-results] .choice >> nth=0")
    page.check("[name=under_14][value=no]", force=True)
    page.fill("[name=name]", name)
    check_accessible(page)
    page.check("[name=consent]")
    page.click("button[form=start]")
    page.wait_for_selector("form[data-ready]")
    public_id = page.get_attribute("form[data-attempt]", "data-attempt") or ""
    answers = answers_of(database, public_id, right=right)
    for position, options in sorted(answers.items()):
        page.wait_for_selector(f"form[data-ready][data-position='{position}']")
        for option in options:
            page.click(f"[data-holder] .choice:has(input[value='{option}'])")
        page.click("[data-go='1']")
    page.wait_for_url("**/submit")
    page.click("[data-submit-button]")
    page.wait_for_url("**/result")
    check_accessible(page)
    with database.session() as db:
        attempt = db.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
        assert (attempt.passed, attempt.answered_count) == (right, len(answers))


FIGURES = ("started", "closed", "void", "unidentified", "first", "passed", "pass_rate")
#: Where the same stand in the workbook, behind name, code and people.
COLUMNS = (9, 10, 11, 12, 3, 4)


def shown_rows(page: Page) -> dict[str, list[str]]:
    """Unit code → the six counts of its row and its rate."""
    return {
        row.get_attribute("data-row") or "": [
            row.locator(f"[data-figure={code}]").inner_text().strip() for code in FIGURES
        ]
        for row in page.locator("tr[data-row]").all()
    }


def percent(value: object) -> str:
    """A rate of the table as the page writes it; nothing where none is told."""
    return f"{float(str(value)):.1%}" if value != "" else "–"


@pytest.mark.parametrize(("lang", "elder"), [("zh-CN", False), ("en-GB", True)], ids=["chinese", "english-elder"])
def test_from_the_form_to_the_poster_to_two_phones_to_the_table(
    installation: Installation, live: Live, visit: Visit, lang: str, elder: bool
) -> None:
    page = visit(size=DESKTOP, lang=lang)
    sign_in(page, "coordinator")
    publish(page, "安全生产月测试")
    assert run_pending(installation) == 1
    page.wait_for_selector("[data-state]:not([data-state=preparing])")
    check_accessible(page)
    no_sideways(page)

    with live.database.session() as db:
        delivery = db.scalars(select(Delivery)).one()
    address = f"{live.url}/q/{delivery.poster_code}"
    assert address in page.inner_text("main")
    page.locator(".qr").scroll_into_view_if_needed()
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.locator(".qr").screenshot())))
    assert code.text == address
    with page.expect_download() as download:
        page.click(f"a[href='/deliveries/{delivery.id}/poster.pdf']")
    sheets = PdfReader(Path(download.value.path())).pages
    assert len(sheets) == 1
    assert "安全生产月测试" in sheets[0].extract_text()

    for (name, right), unit in zip((("周敏", True), ("王强", False)), UNITS, strict=True):
        phone = visit(size=PHONE, lang=lang, elder=elder)
        take(phone, live.database, code.text, name=name, unit=unit, right=right)

    page.goto(f"/deliveries/{delivery.id}")
    page.click(f"main a[href*='/reports/pass-rates'][href*='delivery={delivery.id}']")
    check_accessible(page)
    no_sideways(page)
    rows = shown_rows(page)
    assert {code: row[0] for code, row in rows.items()} == {"BH": "2", "BH-1": "1", "BH-2": "1"}
    assert {row[6] for row in rows.values()} == {"–"}  # of fewer than ten nobody's rate is told

    with live.database.session() as db, transaction(db):
        for community in db.scalars(select(OrgUnit).where(OrgUnit.name.in_(UNITS))):
            add(db, db.get_one(Delivery, delivery.id), community, 6, 3, now=datetime.now(UTC))
    page.reload()
    rows = shown_rows(page)
    assert rows == {
        "BH": ["20", "20", "0", "0", "20", "13", "65.0%"],
        "BH-1": ["10", "10", "0", "0", "10", "7", "70.0%"],
        "BH-2": ["10", "10", "0", "0", "10", "6", "60.0%"],
    }
    with page.expect_download() as download:
        page.click("a[href*='/pass_rates/xlsx']")
    book = CalamineWorkbook.from_path(str(download.value.path()))
    table = book.get_sheet_by_index(1).to_python()[1:]
    assert {line[1]: [*(f"{line[place]:.0f}" for place in COLUMNS), percent(line[5])] for line in table} == rows
    facts = {line[0]: line[1] for line in book.get_sheet_by_index(0).to_python() if len(line) > 1}
    assert (TITLE_EN if lang == "en-GB" else "安全生产月测试") in facts.values()
    assert "滨河街道" in facts.values()


def test_a_coordinator_of_another_street_sees_none_of_it(installation: Installation, live: Live, visit: Visit) -> None:
    with live.database.session() as db, transaction(db):
        make_account(db, (Role.COORDINATOR, make_unit(db, name="山前街道", kind="street")), username="other")
    page = visit(size=DESKTOP)
    sign_in(page, "coordinator")
    publish(page, "安全生产月测试")
    run_pending(installation)
    address = page.url
    other = visit(size=DESKTOP)
    sign_in(other, "other")
    for path in ("/deliveries", "/reports/pass-rates"):
        other.goto(path)
        assert "安全生产月测试" not in other.content()
    reply = other.goto(address)
    assert reply is not None
    assert reply.status == 404
    check_accessible(other)


def test_what_was_typed_before_the_picker_came_is_searched(live: Live, visit: Visit) -> None:
    with live.database.session() as db, transaction(db):
        make_account(db, (Role.ADMINISTRATOR, None), username="boss")
        make_unit(db, name="滨河街道")
    page = visit(size=DESKTOP)
    sign_in(page, "boss")
    held: list[Route] = []
    page.route("**/unit-picker.*", lambda route: held.append(route))  # a function of its own, to be marked
    page.goto("/admin/accounts/new", wait_until="commit")
    page.fill("[name=unit_id_query]", "滨河")
    for _ in range(100):  # until the page asks for the script
        if held:
            break
        page.wait_for_timeout(100)
    assert page.locator("[data-unit-results] .choice").count() == 0
    (script,) = held
    script.continue_()
    page.click("[data-unit-results] .choice:has-text('滨河街道')")
    page.wait_for_selector("[data-unit-chosen]")
