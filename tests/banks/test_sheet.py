"""Items in a spreadsheet: written by somebody who never saw the files, judged by the same rules."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import CliRunner
from flask import Flask

from quizapp.banks.cli import banks as commands
from quizapp.banks.formats.sheet import HEADINGS, read_sheet, template
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.services import load_banks
from quizapp.core.db import Database, transaction
from quizapp.core.paths import data_folder
from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from tests.banks.files import write
from tests.conftest import START

#: A sound row that is not in the sound file.
ROW = {
    "bank": "safety",
    "topic": "fire",
    "type": "单选",
    "use": "练习",
    "dimension": "应用",
    "difficulty": "2",
    "tags": "evacuation, smoke",
    "audience": "resident，pupil",
    "stem.zh": "高楼着火时浓烟已经进了走廊，从哪里下楼？",
    "stem.en": "Smoke fills the corridor of a tower on fire. Which way down?",
    "a.zh": "乘客梯直达一层",
    "a.en": "Take the passenger lift",
    "b.zh": "走封闭的楼梯间",
    "b.en": "Take the closed stairwell",
    "c.zh": "从外墙水管滑下",
    "c.en": "Slide down the drainpipe",
    "key": "B",
    "rationale.zh": "封闭楼梯间的门能挡住烟，是逃生的路；客梯会断电停住，烟也会灌进井道，水管承不住人的重量。",
    "rationale.en": "The doors of a closed stairwell keep the smoke out. A lift stops and fills with smoke.",
    "citation.document.zh": "中华人民共和国消防法",
    "citation.document.en": "Fire Protection Law of the People’s Republic of China",
    "citation.article.zh": "第二十八条",
    "citation.article.en": "Article 28",
    "citation.year": "2021",
    "review_by": "2028-12",
    "fact": "tower_way_down",
    "objective.zh": "知道高楼火灾的逃生路",
    "objective.en": "Knows the way out of a tower on fire",
}


def workbook(*rows: dict[str, str], english: bool = False) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    for column, heading in enumerate(HEADINGS):
        sheet.write_string(0, column, heading.en if english else f"{heading.zh}\n{heading.en}")
        for number, row in enumerate(rows, start=1):
            sheet.write_string(number, column, row.get(heading.name, ""))
    book.close()
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "banks")


@pytest.mark.parametrize("english", [False, True])
def test_a_row_becomes_an_item_with_the_next_id_that_waits_for_a_review(folder: Path, english: bool):
    reading = read_sheet(workbook(ROW, ROW | {"fact": "other"}, english=english), read_folder(folder).banks)
    assert reading.faults == []
    first, second = reading.items
    assert (first.code, second.code) == ("SAF-FIRE-003", "SAF-FIRE-004")
    assert (first.state, first.type, first.use, first.key) == ("in_review", "single_choice", "practice", ("b",))
    assert first.citation == {
        "document": {"zh": "中华人民共和国消防法", "en": "Fire Protection Law of the People’s Republic of China"},
        "article": {"zh": "第二十八条", "en": "Article 28"},
        "year": 2021,
    }
    assert (first.tags, first.audience, first.line) == (("evacuation", "smoke"), ("resident", "pupil"), 2)


@pytest.mark.parametrize(
    ("bank", "topic", "pattern"),
    [
        ("energy_environment", "water_air", r"ENV-WAIR-\d{3}"),
        ("health", "first_aid_mind", r"HEA-AIDM-\d{3}"),
        ("literacy", "b07", r"LIT-B07-\d{2}"),
    ],
)
def test_a_new_id_has_the_pattern_of_its_topic(bank: str, topic: str, pattern: str):
    existing = read_folder(data_folder("question_banks")).banks
    point = {"point": "28"} if bank == "literacy" else {}
    (item,) = read_sheet(workbook(ROW | {"bank": bank, "topic": topic} | point), existing).items
    assert re.fullmatch(pattern, item.code)
    assert item.code not in {other.code for other in existing.items}


@pytest.mark.parametrize(
    ("kind", "key", "wanted"),
    [
        ("判断", "对", ("t",)),
        ("判断题", "×", ("f",)),
        ("多选", "a、C", ("a", "c")),
        ("multiple_choice", "b,c", ("b", "c")),
    ],
)
def test_keys_are_written_as_people_write_them(folder: Path, kind: str, key: str, wanted: tuple[str, ...]):
    options = {f"{letter}.{lang}": "" for letter in "abc" for lang in ("zh", "en")} if kind.startswith("判断") else {}
    four = {} if options else {"d.zh": "在窗口招手求救", "d.en": "Wave from the window"}
    (item,) = read_sheet(workbook(ROW | options | four | {"type": kind, "key": key}), read_folder(folder).banks).items
    assert item.key == wanted


def test_every_bad_row_is_told_by_its_number(folder: Path):
    bad = [ROW, ROW | {"topic": "water"}, ROW | {"difficulty": "9", "citation.article.en": ""}, ROW | {"key": "对"}]
    faults = read_sheet(workbook(*bad), read_folder(folder).banks).faults
    assert {(fault.line, fault.code) for fault in faults} == {
        (3, "sheet_topic"),
        (4, "out_of_range"),
        (4, "missing_field"),
        (5, "not_one_of"),
    }


def test_the_template_is_read_back_with_its_example_alone(folder: Path):
    reading = read_sheet(template(), read_folder(folder).banks)
    assert [(item.line, item.key) for item in reading.items] == [(3, ("b",))]


def test_a_sheet_is_added_all_or_nothing(folder: Path, tmp_path: Path):
    def run(*rows: dict[str, str]) -> tuple[int, str, str]:
        file = tmp_path / "items.xlsx"
        file.write_bytes(workbook(*rows))
        result = CliRunner().invoke(commands, ["add", str(file), "--to", str(folder)])
        return result.exit_code, result.stdout, result.stderr

    before = (folder / "safety/fire.yaml").read_text(encoding="utf-8")
    code, _out, told = run(ROW, ROW | {"fact": "again"})
    assert code == 1
    assert ":3: the stem is the same as that of SAF-FIRE-003" in told
    assert (folder / "safety/fire.yaml").read_text(encoding="utf-8") == before
    code, out, told = run(ROW)
    assert (code, told) == (0, "")
    assert "1 items: 0 faults, 0 warnings" in out
    assert [(i.code, i.state) for i in read_folder(folder).banks.items][-1] == ("SAF-FIRE-003", "in_review")
    code, _out, told = run(ROW)
    assert code == 1, "the same item again is a duplicate"
    assert "SAF-FIRE-003" in told


def test_a_file_that_is_no_table_is_refused(folder: Path, tmp_path: Path):
    file = tmp_path / "items.xlsx"
    file.write_bytes(b"PK\x03\x04 broken")
    result = CliRunner().invoke(commands, ["add", str(file), "--to", str(folder)])
    assert result.exit_code == 1
    assert "table_unreadable" in result.stderr


def test_the_page_tells_each_fault_in_the_readers_language(app: Flask, database: Database, folder: Path):
    with database.session() as db, transaction(db):
        load_banks(db, read_folder(folder).banks, actor=SYSTEM, now=START)
    actor = Actor(account_id=5, name="何静", scope=Scope((Grant(Role.EDITOR, None),)))
    app.extensions["quizapp"].load_actor = lambda: actor
    client = app.test_client()
    assert client.get("/banks/template.xlsx").data[:2] == b"PK"

    def sent(*rows: dict[str, str]) -> str:
        token = client.get("/banks/check-sheet").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        form = {"csrf_token": token, "file": (io.BytesIO(workbook(*rows)), "items.xlsx")}
        return client.post("/banks/check-sheet", data=form, content_type="multipart/form-data").text

    assert "1 道题都符合要求" in sent(ROW)
    page = sent(ROW | {"stem.zh": "长" * 61}, ROW | {"fact": ""})
    assert "要改的地方：2 处" in page
    assert "题干有 61 个字，最多 60 个，请缩短。" in page
    assert "缺少：考的事实。请填上。" in page
