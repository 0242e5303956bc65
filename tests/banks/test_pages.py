"""What editors see of the banks, and the pictures that takers see."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quizapp.banks.models import ItemBank, ItemFigure, ItemUse
from quizapp.banks.parsed import ParsedBanks, ParsedBenchmark, ParsedTopic, Picture
from quizapp.banks.queries import loaded_banks, published_versions
from quizapp.banks.services import load_banks
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from quizapp.ui.citations import cited
from tests.banks.files import make_item, make_true_false
from tests.conftest import START

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><text data-en="Group A">甲组</text></svg>'
PICTURE = Picture("literacy/images/lit-b01-1.svg", {"zh": "甲组和乙组的人数", "en": "People in groups A and B"}, SVG)


def both(zh: str) -> dict[str, str]:
    return {"zh": zh, "en": "Text"}


def banks(picture: Picture = PICTURE) -> ParsedBanks:
    pictured = make_item("LIT-B01-1", bank="literacy", topic="b01", point=1, image=picture, use="test")
    plain = make_true_false("LIT-B01-2", true=True, bank="literacy", topic="b01", point=2, use="practice")
    draft = make_item("LIT-B01-3", bank="literacy", topic="b01", point=2, state="draft")
    topic = ParsedTopic("literacy", "b01", both("认识世界"), (pictured, plain, draft), "literacy/b01.yaml")
    standard = ParsedBenchmark(1, both("认识世界"), both("认识世界"), {1: both("可以认识"), 2: both("尊重规律")})
    return ParsedBanks((topic,), (standard,))


@pytest.fixture
def editor(app: Flask, database: Database) -> FlaskClient:
    with database.session() as db, transaction(db):
        load_banks(db, banks(), actor=SYSTEM, now=START)
    actor = Actor(account_id=5, name="何静", scope=Scope((Grant(Role.EDITOR, None),)))
    app.extensions["quizapp"].load_actor = lambda: actor
    return app.test_client()


def test_the_map_counts_approved_items_at_each_point(editor: FlaskClient) -> None:
    page = editor.get("/banks/literacy").text
    assert re.findall(r'data-step="(\d)" href="[^"]*point=(\d)', page) == [("1", "1"), ("1", "2")]
    assert "1 个点没有题" not in page
    test_alone = editor.get("/banks/literacy?use=test").text
    assert re.findall(r'data-step="(\d)" href="[^"]*point=(\d)', test_alone) == [("1", "1"), ("0", "2")]
    assert "1 个点没有题" in test_alone


def test_a_bank_says_who_read_it(editor: FlaskClient, database: Database) -> None:
    assert "还没有审题记录" in editor.get("/banks/literacy").text
    with database.session() as db, transaction(db):
        db.query(ItemBank).one().reviews = {
            "items": 31,
            "read": 30,
            "last": "2026-11-27",
            "roles": [{"role": "expert", "read": 30, "agreed": 27}],
        }
    page = editor.get("/banks/literacy").text
    assert "31 道题中，30 道现在的文字" in page
    assert "做了 30 题，与答案一致 90.0%" in page


def test_a_place_on_the_map_opens_to_its_items(editor: FlaskClient) -> None:
    def found(query: str) -> list[str]:
        return re.findall(r'data-item="([^"]+)"', editor.get(f"/banks/literacy/items?{query}").text)

    assert found("point=2&state=approved") == ["LIT-B01-2"]
    assert found("point=2") == ["LIT-B01-2", "LIT-B01-3"]
    assert found("use=test&state=approved") == ["LIT-B01-1"]
    assert found("due=2026-12") == []


def test_an_item_is_shown_with_key_reason_source_and_picture(editor: FlaskClient) -> None:
    page = editor.get("/items/LIT-B01-1").text
    assert "消防安全手册" in page
    assert page.count("正确答案") == 1
    assert f'alt="{PICTURE.alt["zh"]}" width="40" height="20"' in page
    assert editor.get("/items/LIT-B09-9").status_code == 404
    assert editor.get("/banks/nothing").status_code == 404


def test_a_source_is_shown_to_its_reader_and_kept_by_its_original_title(
    editor: FlaskClient, database: Database
) -> None:
    english = "Fire safety handbook (2021), Article 6"
    original = '<span class="citation-other" lang="zh">消防安全手册 第六条</span>'
    chinese = editor.get("/items/LIT-B01-1").text
    assert "<span>消防安全手册，第六条（2021）</span>" in chinese
    assert f'<span class="citation-other" lang="en">{english}</span>' in chinese
    editor.set_cookie("lang", "en")
    page = editor.get("/items/LIT-B01-1").text
    assert f"<span>{english}</span>{original}" in page
    with database.session() as db, transaction(db):  # a version from before sources had two languages
        for version in published_versions(db):
            version.citation = {"document": "消防安全手册", "article": "第六条", "year": 2021}
    page = editor.get("/items/LIT-B01-1").text
    assert '<span lang="zh">消防安全手册，第六条（2021）</span>' in page
    assert "citation-other" not in page


@pytest.mark.parametrize(
    ("zh", "en", "year", "shown", "original"),
    [
        ("安全色和安全标志（GB 2894-2025）", "Safety signs (GB 2894-2025)", 2025, "Safety signs (GB 2894-2025), Article 6", True),
        ("Cepeda等《Distributed practice》", "Cepeda et al., Distributed practice", 2006, "(2006), Article 6", False),
    ],
)  # fmt: skip
def test_a_source_names_its_year_once_and_an_english_document_no_chinese_title(
    app: Flask, zh: str, en: str, year: int, shown: str, original: bool
) -> None:
    citation = {"document": {"zh": zh, "en": en}, "article": {"zh": "第六条", "en": "Article 6"}, "year": year}
    with app.test_request_context(headers={"Cookie": "lang=en"}):
        found = cited(citation)
    assert found.text.endswith(shown)
    assert bool(found.other) == original


def test_what_is_left_when_guesses_are_taken_off_stands_beside_the_share_right(
    editor: FlaskClient, database: Database
) -> None:
    figures = {"right": 70, "difficulty": 0.7, "low": 0.604, "high": 0.781, "rest": 0.3, "upper_lower": 0.4}
    with database.session() as db, transaction(db):
        for version in published_versions(db):
            kept = {**figures, "omitted": 0, "unreached": 0, "options": []}
            db.add(ItemFigure(item_version_id=version.id, asked=100, figures=kept, flags=[], harm=0, counted_at=START))
    of_four = editor.get("/items/LIT-B01-1").text  # (0.7 − 0.25)/0.75, and its ends
    assert re.search(r"70\.0%.*60\.0% \(47\.2–70\.8\)", of_four, re.DOTALL)
    of_two = editor.get("/items/LIT-B01-2").text  # (0.7 − 0.5)/0.5
    assert re.search(r"70\.0%.*40\.0% \(20\.8–56\.2\)", of_two, re.DOTALL)


def test_a_picture_speaks_the_language_of_its_page_and_stays_for_versions_that_were_used(
    editor: FlaskClient, database: Database
) -> None:
    address = f"/pictures/{PICTURE.sha256}"
    chinese, english = editor.get(f"{address}.zh.svg"), editor.get(f"{address}.en.svg")
    assert "甲组" in chinese.text
    assert "Group A" in english.text
    assert "甲组" not in english.text
    assert "immutable" in chinese.headers["Cache-Control"]
    redrawn = replace(PICTURE, svg=SVG.replace("甲组", "乙组"))
    with database.session() as db, transaction(db):
        loaded = load_banks(db, banks(redrawn), actor=SYSTEM, now=START)
        assert (loaded.changed, loaded.unchanged) == (1, 2)
    assert "甲组" in editor.get(f"{address}.zh.svg").text
    assert "乙组" in editor.get(f"/pictures/{redrawn.sha256}.zh.svg").text
    assert editor.get(f"/pictures/{'0' * 64}.zh.svg").status_code == 404


def test_only_what_is_approved_is_served(editor: FlaskClient, database: Database) -> None:
    with database.session() as db:
        assert [v.item.code for v in published_versions(db)] == ["LIT-B01-1", "LIT-B01-2"]
        assert [v.item.code for v in published_versions(db, use=ItemUse.PRACTICE)] == ["LIT-B01-2"]
        assert loaded_banks(db).items == banks().items[:2]
