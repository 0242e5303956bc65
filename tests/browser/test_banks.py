"""An editor reads the map of a bank, opens an item and has a spreadsheet checked; a resident sees the picture of a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page

from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.parsed import Option, ParsedBanks, ParsedTopic, Picture
from quizapp.banks.services import load_banks
from quizapp.core.db import Database, transaction
from quizapp.core.paths import data_folder
from quizapp.core.scope import SYSTEM, Role
from tests.banks.files import make_item
from tests.banks.test_sheet import ROW, workbook
from tests.browser.conftest import DESKTOP, PHONE, check_accessible
from tests.browser.test_session import no_sideways, sign_in
from tests.conftest import START
from tests.factories import make_account

pytestmark = pytest.mark.browser

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 160"><rect width="320" height="160" fill="#FFFFFF"/>'
    '<text x="20" y="60" font-size="20" data-en="Group A: 31">甲组：31</text></svg>'
)


@pytest.mark.parametrize("size", [pytest.param(PHONE, marks=pytest.mark.pages), DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
def test_from_the_map_to_an_item_and_a_spreadsheet(
    visit: Callable[..., Page], database: Database, tmp_path: Path, size: dict[str, int], lang: str
) -> None:
    with database.session() as db, transaction(db):
        reading = read_folder(data_folder("question_banks"))
        load_banks(db, reading.banks, actor=SYSTEM, now=START, reviews=reading.reviews)
        make_account(db, (Role.EDITOR, None), username="editor")
    page = visit(size=size, lang=lang)
    sign_in(page, "editor")
    page.goto("/banks")
    assert page.locator("tr[data-bank]").count() == 4
    page.click("tr[data-bank=literacy] a >> nth=0")
    page.wait_for_url("**/banks/literacy")
    check_accessible(page)
    no_sideways(page)
    assert page.locator("[data-benchmark]").count() == 26
    assert page.locator(".bank-map .map-cell").count() == 132
    assert page.locator(".bank-map .map-cell[data-step='0']").count() == 0
    page.select_option("[name=use]", "test")
    page.click("[data-filters] button")
    page.wait_for_url("**use=test**")
    counted = int(page.inner_text("[data-benchmark='7'] .map-cell >> nth=0").split()[-1])
    page.click("[data-benchmark='7'] .map-cell >> nth=0")
    page.wait_for_url("**point=28**")
    assert page.locator("tr[data-item]").count() == counted
    check_accessible(page)
    page.click("tr[data-item] a >> nth=0")
    page.wait_for_url("**/items/LIT-B07-*")
    assert page.locator(".item-options .right").count() == 1
    check_accessible(page)
    no_sideways(page)
    file = tmp_path / "items.xlsx"
    page.goto("/banks/check-sheet")
    file.write_bytes(workbook(ROW | {"difficulty": "9"}))
    page.set_input_files("[name=file]", file)
    page.click("main form button")
    assert page.inner_text(".table-card tbody th") == "2"
    check_accessible(page)
    file.write_bytes(workbook(ROW))
    page.set_input_files("[name=file]", file)
    page.click("main form button")
    page.wait_for_selector(".banner-success")
    no_sideways(page)


@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.pages)])
def test_the_picture_of_a_question_is_there_with_its_words(
    visit: Callable[..., Page], database: Database, lang: str
) -> None:
    picture = Picture("safety/images/a.svg", {"zh": "图：甲组31人", "en": "Chart: 31 in group A"}, SVG)
    options = tuple(Option(o, f"选项{o}", f"Option {o}") for o in "abcd")
    items = tuple(replace(make_item(f"SAF-FIRE-{n}", image=picture), options=options) for n in range(5))
    topic = ParsedTopic("safety", "fire", {"zh": "消防", "en": "Fire"}, items)
    with database.session() as db, transaction(db):
        load_banks(db, ParsedBanks((topic,)), actor=SYSTEM, now=START)
    page = visit(lang=lang)
    page.goto("/practice/safety?n=5", wait_until="networkidle")
    image = page.locator(".stem-picture img")
    assert image.get_attribute("alt") == picture.alt["en" if lang == "en-GB" else "zh"]
    assert image.evaluate("(e) => e.complete && e.naturalWidth") > 0
    assert image.evaluate("(e) => e.getBoundingClientRect().width") <= PHONE["width"]
    check_accessible(page)
    no_sideways(page)
    page.click(".choice >> nth=0")
    page.click("button[form=answer]")
    page.wait_for_selector("[data-state=answered]")
    assert image.count() == 1, "the picture stays while the answer is explained"
