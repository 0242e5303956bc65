"""Items in a spreadsheet: written by somebody who never saw the files, judged by the same rules."""

from __future__ import annotations

import inspect
import io
import re
from collections import Counter
from dataclasses import replace
from difflib import ndiff
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import CliRunner
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quizapp.banks.checks import coverage, stale, texts
from quizapp.banks.checks import items as items_checked
from quizapp.banks.checks.sheets import check_sheet
from quizapp.banks.cli import banks as commands
from quizapp.banks.formats.editing import edited
from quizapp.banks.formats.sheet import HEADINGS, read_sheet, template
from quizapp.banks.formats.sheet.template import EXAMPLE
from quizapp.banks.formats.writing import item_lines, topic_yaml
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.services import load_banks
from quizapp.banks.views.fault_words import WORDS
from quizapp.core.db import Database, transaction
from quizapp.core.paths import data_folder
from quizapp.core.scope import SYSTEM, Actor, Grant, Role, Scope
from quizapp.core.tables import open_table
from tests.banks.files import SOUND, write
from tests.banks.test_writing import PICTURE, SVG, items, topics
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


def workbook(*rows: dict[str, str], english: bool = False, formulas: bool = False) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    for column, heading in enumerate(HEADINGS):
        sheet.write_string(0, column, heading.en if english else f"{heading.zh}\n{heading.en}")
        for number, row in enumerate(rows, start=1):
            text = row.get(heading.name, "")
            if formulas and text.startswith("="):
                sheet.write_formula(number, column, text, value="")
            else:
                sheet.write_string(number, column, text)
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
    assert list(first.citation) == ["document", "article", "year"], "in the order of the files"
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


@pytest.mark.parametrize(
    "written",
    [
        "safety_officer hospitality_staff",
        "Safety officers, Hotel and entertainment staff",
        "安全管理员、宾馆、娱乐场所员工",
    ],
)
def test_groups_are_written_by_code_or_by_name(folder: Path, written: str):
    row = ROW | {
        "audience": written,
        "bank": "安全",
        "topic": "消防安全",
        "use": "Practice",
        "dimension": "application",
    }
    (item,) = read_sheet(workbook(row), read_folder(folder).banks).items
    assert item.audience == ("safety_officer", "hospitality_staff")
    assert (item.bank, item.topic, item.use, item.dimension) == ("safety", "fire", "practice", "application")


def test_every_bad_row_is_told_by_its_number(folder: Path):
    bad = [ROW, ROW | {"topic": "water"}, ROW | {"difficulty": "9", "citation.article.en": ""}, ROW | {"key": "对"}]
    faults = read_sheet(workbook(*bad), read_folder(folder).banks).faults
    assert {(fault.line, fault.code) for fault in faults} == {
        (3, "sheet_topic"),
        (4, "out_of_range"),
        (4, "cell_missing"),
        (5, "cell_choice"),
    }


def test_the_template_lists_topics_and_points_and_its_example_is_no_item(folder: Path):
    content = template(
        [("safety", "fire", {"zh": "消防安全", "en": "Fire safety"})], {7: {"zh": "点七", "en": "Point seven"}}
    )
    texts = [" ".join(row.cells) for sheet in open_table(content, 1_000) for row in sheet.rows()]
    assert "safety fire 安全 / Safety 消防安全 Fire safety" in texts
    assert "7 点七 Point seven" in texts
    reading = read_sheet(content, read_folder(folder).banks)
    assert reading.items == []
    assert [(f.line, f.code, str(f.level)) for f in reading.faults] == [(3, "sheet_example", "warn")]


def test_an_example_that_was_partly_written_over_is_refused(folder: Path):
    (fault,) = read_sheet(workbook(EXAMPLE | {"stem.zh": ROW["stem.zh"]}), read_folder(folder).banks).faults
    assert (fault.line, fault.code, str(fault.level)) == (2, "sheet_example_left", "refuse")
    assert "Stem (English)" in fault.message


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ({"id": "HEA-NUTR-001"}, "sheet_id_unknown", "topic fire of the bank safety has no item HEA-NUTR-001"),
        ({"id": "SAF-FIRE-004"}, "sheet_id_unknown", "has no item SAF-FIRE-004"),
        ({"id": "SAF-FIRE-010"}, "sheet_id_unknown", "has no item SAF-FIRE-010"),
        (
            {"id": "SAF-FIRE-001", "topic": "home"},
            "sheet_id_elsewhere",
            "topic fire of the bank safety, the row says home",
        ),
        ({"id": "SAF-FIRE-001", "type": "多选"}, "sheet_id_type", "type Single choice, which it keeps"),
        ({"id": "SAF-FIRE-001", "point": "3"}, "sheet_id_point", "which it keeps"),
        ({"image": "fire.png"}, "sheet_picture", "pictures do not come in the sheet"),
    ],
)
def test_an_id_is_that_of_an_item_of_its_topic_or_the_next(folder: Path, row, code, words):
    reading = read_sheet(workbook(ROW | row), read_folder(folder).banks, {"SAF-FIRE-004", "SAF-FIRE-008"})
    assert [(f.line, f.code) for f in reading.faults] == [(2, code)]
    assert words in reading.faults[0].message
    assert reading.items == []


def test_a_new_item_may_write_the_next_id_and_no_id_comes_twice(folder: Path):
    banks = read_folder(folder).banks
    reading = read_sheet(workbook(ROW, ROW | {"id": "saf-fire-003 "}, ROW | {"id": "SAF-FIRE-003"}), banks)
    assert [item.code for item in reading.items] == ["SAF-FIRE-004", "SAF-FIRE-003"]
    assert [(f.line, f.code) for f in reading.faults] == [(4, "sheet_id_twice")]


def test_form_and_content_are_told_in_one_round(folder: Path):
    banks = read_folder(folder).banks
    row = ROW | {"rationale.en": "", "stem.zh": "长" * 61, "a.zh": "以上都是", "citation.year": "去年", "key": ""}
    told = [
        (f.line, f.code, f.data.get("what")) for f in check_sheet(read_sheet(workbook(row), banks), banks, START.date())
    ]
    assert told == [
        (2, "all_of_above", "Option A (Chinese)"),
        (2, "cell_form", "Year"),
        (2, "cell_missing", "Key"),
        (2, "cell_missing", "Rationale (English)"),
        (2, "stem_too_long", "Stem (Chinese)"),
    ]


def test_a_formula_is_told_by_its_column(folder: Path):
    row = ROW | {"stem.zh": '=HYPERLINK("https://example.org")', "b.en": "=A1"}
    banks = read_folder(folder).banks
    told = check_sheet(read_sheet(workbook(row, formulas=True), banks), banks, START.date())
    assert [str(fault).partition(":2: ")[2] for fault in told] == [
        "Option B (English) holds a formula. Write the text itself.",
        "Stem (Chinese) holds a formula. Write the text itself.",
    ]


def added(folder: Path, *rows: dict[str, str]) -> tuple[int, str, str]:
    file = folder.parent / "items.xlsx"
    file.write_bytes(workbook(*rows))
    result = CliRunner().invoke(commands, ["add", str(file), "--to", str(folder)])
    return result.exit_code, result.stdout, result.stderr


#: The sound file as a person keeps it, with a picture and what a source took the place of.
IMAGE = f"    image: {{file: {PICTURE}, alt: {{zh: 灶上一口锅正冒着高高的火苗, en: A pan on a stove with high flames}}}}  # ours\n"
REPLACES = "      replaces: {zh: 消防法（2008）, en: Fire Protection Law (2008)}\n"
KEPT = "# kept by hand\n" + SOUND.replace("      year: 2021\n", f"      year: 2021\n{REPLACES}", 1).replace(
    "    options:\n", f"{IMAGE}    options:\n", 1
)
KEPT += "# the end\n"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_correction_keeps_what_the_sheet_has_no_column_for_and_every_other_line(tmp_path: Path, line_end: str):
    folder = write(write(tmp_path / "banks", SVG, PICTURE))
    path = folder / "safety/fire.yaml"
    path.write_bytes(KEPT.replace("\n", line_end).encode())
    old = read_folder(folder).banks.items
    row = {
        "id": "SAF-FIRE-001",
        "rationale.en": "A lid cuts off the air and the fire goes out: it is not blown about by water.",
    }
    code, out, told = added(folder, row, ROW)
    assert (code, told) == (0, "")
    assert (
        "SAF-FIRE-001 is corrected: Rationale (English). Its picture stays. It was approved and goes back to review"
        in out
    )
    new = read_folder(folder).banks.items
    assert new[0] == replace(old[0], state="in_review", rationale=old[0].rationale | {"en": row["rationale.en"]})
    assert (new[1], new[0].image, new[2].code) == (old[1], old[0].image, "SAF-FIRE-003")
    lines = path.read_bytes().decode().split(line_end)
    changes = [line for line in ndiff(KEPT.split("\n"), lines) if line[0] in "+-"]
    wanted = {"-": 2, "+": 2 + len([*item_lines(new[2])])}  # state and rationale, and the lines of the new item
    assert Counter(line[0] for line in changes) == wanted
    code, out, told = added(folder, {"id": "SAF-FIRE-001", "image": "无"})
    assert (code, told) == (0, "")
    assert "Its picture goes" in out
    assert read_folder(folder).banks.items[0] == replace(new[0], image=None)
    code, out, told = added(folder, {"id": "SAF-FIRE-001", "image": "无"})
    assert (code, "the row says what SAF-FIRE-001 says already" in told) == (0, True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(topics(), items(9), items(1), st.sampled_from(["", "  ", "      "]))
def test_a_file_that_is_edited_says_the_new_and_keeps_the_old(tmp_path: Path, topic, extra, other, indent: str):
    text = topic_yaml(topic)
    head, body = text.split("items:\n")
    content = f"{head}items:\n# first\n{''.join(f'{indent}{line}' for line in body.splitlines(True))}".encode()
    first = replace(other, code=topic.items[0].code)
    after = replace(topic, items=(first, *topic.items[1:], extra))
    made = edited(content, topic, after)
    write(tmp_path, SVG, PICTURE)
    assert read_folder(write(tmp_path, made.decode())).banks.topics == (after,)
    assert made.startswith(f"{head}items:\n# first\n".encode())
    assert edited(made, after, after) == made


def test_a_sheet_is_added_all_or_nothing(folder: Path):
    def run(*rows: dict[str, str]) -> tuple[int, str, str]:
        return added(folder, *rows)

    before = (folder / "safety/fire.yaml").read_text(encoding="utf-8")
    code, _out, told = run(ROW, ROW | {"fact": "again"})
    assert code == 1
    assert ":3: SAF-FIRE-004: the stem is the same as that of SAF-FIRE-003" in told
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
    page = sent(
        {"id": "SAF-FIRE-001", "difficulty": "2"},
        {"id": "SAF-FIRE-002", "rationale.en": "写成了汉字"},
        ROW | {"type": "单项"},
    )
    assert "改了：难度。这道题原来已审定，改后回到待审，重新审定以前不使用。" in page
    assert "解析（英文）里有汉字，请译成英文。" in page
    assert "题型写成了“单项”。只能写其中之一：判断、单选、多选" in page
    client.set_cookie("lang", "en")
    page = sent({"id": "SAF-FIRE-001", "difficulty": "x"}, ROW | {"citation.article.zh": ""})
    assert "Difficulty says “x”, which does not have the right form. Write it like this: 3" in page
    assert "Missing: Article or page (Chinese). Fill it in." in page


def test_every_fault_that_an_item_can_have_has_words_for_the_page():
    source = "".join(inspect.getsource(part) for part in (coverage.point_faults, items_checked, stale, texts))
    codes = set(re.findall(r'\(\w+, "\w+", "(\w+)"', source)) | {"duplicate_stem", "near_duplicate"}
    assert len(codes) > 20
    assert codes - {"citation_one_language"} <= set(WORDS), (
        "that one is of approved items, and a sheet's wait for a review"
    )


def test_the_command_says_what_is_short_while_a_correction_waits(tmp_path: Path):
    shipped = read_folder(data_folder("question_banks")).banks
    counts = Counter(item.point for item in shipped.items if item.use == "test")
    item = next(item for item in shipped.items if item.use == "test" and counts[item.point] == 2)
    file = tmp_path / "items.xlsx"
    file.write_bytes(workbook({"id": item.code, "difficulty": str(item.difficulty % 5 + 1)}))
    result = CliRunner().invoke(commands, ["add", str(file)])
    assert result.exit_code == 0
    assert (
        f"Until these items are approved, 1 points have fewer than 2 items for the test: {item.point}" in result.stdout
    )
