"""Tables that people bring, however they saved them."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from quizapp.core.columns import Field, find_head, find_sheet, heading_key, recognise
from quizapp.core.tables import (
    MOST_ROWS,
    Row,
    TableEmpty,
    TableKind,
    TableLocked,
    TableTooLarge,
    TableUnreadable,
    cell_text,
    formula_cells,
    kind_of,
    open_table,
)
from quizapp.organisation.imports.fields import PEOPLE_FIELDS, UNIT_FIELDS
from tests.sheets import make_csv, make_xlsx

ROWS = [["姓名", "手机"], ["李建国", "13800001234"], ["", ""], ["王秀兰", "13900005678"]]
#: What a cell can hold and a spreadsheet gives back: no control characters, no outer spaces.
TEXTS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cn", "Co", "Zs", "Zl", "Zp"), blacklist_characters="\ufeff"), max_size=30
)  # fmt: skip


def read(content: bytes) -> list[tuple[int, list[str]]]:
    (sheet,) = open_table(content)
    return [(row.number, list(row.cells)) for row in sheet.rows() if not row.empty]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_a_csv_is_read_in_any_encoding_and_with_any_delimiter(encoding: str, delimiter: str) -> None:
    content = make_csv(ROWS, encoding=encoding, delimiter=delimiter)
    assert kind_of(content) is TableKind.CSV
    assert read(content) == [(1, ROWS[0]), (2, ROWS[1]), (4, ROWS[3])]


def test_a_csv_that_names_its_delimiter_and_quotes_lines_is_read() -> None:
    assert read('sep=;\r\n姓名;备注\r\n李建国;"两行\r\n一格;"\r\n'.encode()) == [
        (2, ["姓名", "备注"]),
        (3, ["李建国", "两行\r\n一格;"]),
    ]


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    content = make_xlsx([[], ["某某街道名册"], [], ["姓名", "手机"], ["李建国", 13800001234]])
    assert read(content) == [
        (2, ["某某街道名册", ""]),
        (4, ["姓名", "手机"]),
        (5, ["李建国", "13800001234"]),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13800001234.0, "13800001234"),
        (13800001234, "13800001234"),
        (1980.5, "1980.5"),
        ("=1+1", "=1+1"),
        ("  李 国 ", "李 国"),
        (datetime(1980, 5, 6), "1980-05-06"),  # noqa: DTZ001 # spreadsheets know no zone
        (date(1980, 5, 6), "1980-05-06"),
        (True, "1"),
        (None, ""),
    ],
)
def test_cells_are_text(value: object, text: str) -> None:
    assert cell_text(value) == text


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_is_written_is_read_back_as_it_was(rows: list[list[str]]) -> None:
    """Texts that look like formulas, numbers or codes too."""
    marked = [["x", *row, "y"] for row in rows]
    assert read(make_xlsx(marked)) == [(number, row) for number, row in enumerate(marked, start=1)]
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        assert read(make_csv([["甲", *row[1:]] for row in marked], encoding=encoding)) == [
            (number, ["甲", *row[1:]]) for number, row in enumerate(marked, start=1)
        ]


def test_hidden_and_empty_sheets_are_not_looked_at() -> None:
    names = [sheet.name for sheet in open_table(make_xlsx(ROWS, ROWS, [], hidden=1))]
    assert names == ["表1"]


@pytest.mark.parametrize("content", [b"", b"  \n ", make_xlsx([]), make_csv([["", ""]])])
def test_nothing_is_said_to_be_nothing(content: bytes) -> None:
    with pytest.raises(TableEmpty):
        open_table(content)


def test_other_files_are_refused_whatever_their_name() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        folder.writestr("readme.txt", "x")
    whole = make_xlsx(ROWS)
    for content in (
        b"%PDF-1.7\n\x00\x01",
        b"\x89PNG\r\n\x1a\n\x00",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        packed.getvalue(),
        whole[: len(whole) // 2],
        b"PK\x03\x04 and nothing more",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600,
    ):
        with pytest.raises(TableUnreadable):
            open_table(content)


def test_a_workbook_behind_a_password_is_told_apart() -> None:
    with pytest.raises(TableLocked):
        kind_of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le"))


def test_what_is_too_large_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(TableTooLarge):
        kind_of(b"x" * (8 * 1024 * 1024 + 1))
    far = io.BytesIO()
    import xlsxwriter

    book = xlsxwriter.Workbook(far)
    sheet = book.add_worksheet()
    sheet.write(0, 0, "姓名")
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(TableTooLarge) as refused:
        open_table(far.getvalue())
    assert refused.value.data["what"] == "cells"
    (sheet,) = open_table(make_csv([["李", "1"]] * (MOST_ROWS + 1)))
    with pytest.raises(TableTooLarge):
        list(sheet.rows())


def test_a_packed_bomb_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("xl/workbook.xml", "<x/>")
        folder.writestr("xl/worksheets/sheet1.xml", b" " * (170 * 1024 * 1024))
    with pytest.raises(TableTooLarge):
        kind_of(out.getvalue())


# --- headings ---


def test_headings_are_recognised_as_people_write_them() -> None:
    headings = ["序号", "姓　名*", "手机号码（必填）", "工作单位", "单位代码", "职务", "出生年份", "性别", "重点人群"]
    assert recognise(headings, PEOPLE_FIELDS) == {
        "name": 1, "phone": 2, "unit": 3, "unit_code": 4, "job_role": 5, "birth_year": 6, "sex": 7, "key_group": 8,
    }  # fmt: skip
    assert recognise(["No.", "Full Name", "MOBILE", "Employer", "Sector"], PEOPLE_FIELDS) == {
        "name": 1, "phone": 2, "unit": 3, "industry": 4,
    }  # fmt: skip
    assert recognise(["员工姓名", "本人联系电话"], PEOPLE_FIELDS) == {"name": 0, "phone": 1}
    assert recognise(["单位名称", "上级单位", "单位类型", "单位码"], UNIT_FIELDS) == {
        "name": 0, "parent": 1, "kind": 2, "code": 3,
    }  # fmt: skip


ALL_HEADINGS = [(field.key, heading) for field in PEOPLE_FIELDS for heading in field.headings]


@given(st.permutations(ALL_HEADINGS), st.sampled_from(["", " ", "（必填）", "*", "：", "(optional)"]), st.booleans())
def test_every_heading_is_known_in_any_order_and_dress(
    headings: list[tuple[str, str]], dress: str, upper: bool
) -> None:
    chosen: dict[str, str] = {}
    for key, heading in headings:
        chosen.setdefault(key, heading)
    cells = [f"{heading.upper() if upper else heading}{dress}" for heading in chosen.values()]
    assert recognise(cells, PEOPLE_FIELDS) == {key: index for index, key in enumerate(chosen)}


@given(st.lists(st.text(max_size=12), max_size=10))
def test_a_column_is_one_field_and_a_field_one_column(cells: list[str]) -> None:
    found = recognise(cells, PEOPLE_FIELDS)
    assert len(set(found.values())) == len(found)
    assert all(0 <= column < len(cells) for column in found.values())


@given(st.text(max_size=20))
def test_a_heading_key_is_its_own_key(text: str) -> None:
    once = heading_key(text)
    assert heading_key(once) == once or any(c in text for c in "([【〔<（［")


def test_no_two_fields_share_a_heading() -> None:
    for fields in (PEOPLE_FIELDS, UNIT_FIELDS):
        keys = [heading_key(heading) for field in fields for heading in field.headings]
        assert len(keys) == len(set(keys))


def test_the_heading_may_stand_below_titles_and_an_unknown_one_is_the_first_row() -> None:
    fields = (Field("name", ("姓名",)), Field("phone", ("手机",)))
    rows = [Row(1, ["某街道名册", ""]), Row(2, ["", ""]), Row(3, ["姓名", "手机"]), Row(4, ["姓名", ""])]
    head = find_head(rows, fields)
    assert head is not None
    assert (head.row, dict(head.columns)) == (3, {"name": 0, "phone": 1})
    unknown = find_head(rows[:2], fields)
    assert unknown is not None
    assert (unknown.row, dict(unknown.columns)) == (1, {})
    assert find_head([Row(1, [""])], fields) is None


def test_of_several_sheets_the_one_with_the_headings_is_taken() -> None:
    sheets = open_table(make_xlsx([["说明"], ["姓名要写全"]], ROWS))
    sheet, head = find_sheet(sheets, PEOPLE_FIELDS)
    assert (sheet.name, head.row, dict(head.columns)) == ("表2", 1, {"name": 0, "phone": 1})


def test_an_open_document_is_read() -> None:
    content = io.BytesIO()
    cells = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in (ROWS[0], ROWS[1])
    )  # fmt: skip
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(content, "w") as folder:
        folder.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        folder.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        folder.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
            f'<table:table table:name="名单">{cells}</table:table></office:spreadsheet></office:body></office:document-content>',
        )
    assert kind_of(content.getvalue()) is TableKind.ODS
    assert read(content.getvalue()) == [(1, ROWS[0]), (2, ROWS[1])]


def test_formulas_are_found_in_their_table():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet("一").write_formula("A1", "=1+1")
    second = book.add_worksheet("B & C")
    second.write_string("A1", "=1+1")
    second.write_formula("AB7", "=A1", value="x")
    book.close()
    assert formula_cells(out.getvalue(), "B & C") == {(7, 27)}
    assert formula_cells(out.getvalue(), "一") == {(1, 0)}
    assert formula_cells(b"a,b", "") == frozenset()
