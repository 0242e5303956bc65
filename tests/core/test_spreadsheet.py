"""Tables as files, read back by another program."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from quizapp.core.spreadsheet import (
    FORMULA_STARTS,
    Chart,
    Column,
    Kind,
    Point,
    Value,
    plain_text,
    write_csv,
    write_xlsx,
)

COLUMNS = (
    Column("单位"),
    Column("首次作答（人）", Kind.WHOLE),
    Column("平均分", Kind.DECIMAL),
    Column("合格率", Kind.PERCENT),
    Column("日期", Kind.DAY),
    Column("时间", Kind.MOMENT),
)
MOMENT = datetime(2026, 11, 27, 6, 2, tzinfo=UTC)  # 14:02 in Shanghai
ROW: tuple[Value, ...] = ("紫兴社区", 241, 63.25, 203 / 241, date(2026, 11, 27), MOMENT)


def sheets(content: bytes) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def make_xlsx(rows: list[tuple[Value, ...]], columns: tuple[Column, ...] = COLUMNS) -> bytes:
    return write_xlsx(columns, rows, title="合格率", facts=[("单位", "临江区"), ("时间", "4月")], facts_title="说明")


def test_numbers_are_numbers_and_days_are_days() -> None:
    table = sheets(make_xlsx([ROW]))["合格率"]
    assert table[0] == [column.heading for column in COLUMNS]
    assert table[1] == [
        "紫兴社区",
        241.0,
        63.25,
        pytest.approx(203 / 241),
        date(2026, 11, 27),
        datetime(2026, 11, 27, 14, 2),  # noqa: DTZ001 # a spreadsheet has no zones
    ]


def test_the_first_sheet_says_what_the_table_is() -> None:
    book = sheets(make_xlsx([ROW]))
    assert list(book) == ["说明", "合格率"]
    assert book["说明"] == [["合格率", ""], ["单位", "临江区"], ["时间", "4月"]]


def test_the_header_is_frozen_and_percents_have_their_format() -> None:
    with zipfile.ZipFile(io.BytesIO(make_xlsx([ROW]))) as archive:
        assert b'state="frozen"' in archive.read("xl/worksheets/sheet2.xml")
        assert b"0.0%" in archive.read("xl/styles.xml")


def test_an_empty_cell_stays_empty() -> None:
    table = sheets(make_xlsx([("a", None, None, None, None, None), ROW]))["合格率"]
    assert table[1] == ["a", "", "", "", "", ""]


def test_milliseconds_are_written_as_a_moment() -> None:
    columns = (Column("时间", Kind.MOMENT),)
    assert sheets(make_xlsx([(round(MOMENT.timestamp() * 1000),)], columns))["合格率"][1] == [
        datetime(2026, 11, 27, 14, 2)  # noqa: DTZ001 # a spreadsheet has no zones
    ]
    assert b"2026-11-27 14:02" in write_csv(columns, [(MOMENT,)])


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        write_csv((Column("时间", Kind.MOMENT),), [(datetime(2026, 11, 27),)])  # noqa: DTZ001 # the point of the test


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        write_csv(COLUMNS, [("a",)])


@pytest.mark.parametrize("title", ["", "''", "a/b[c]:d*e?f\\g", "很" * 40, "说明"])
def test_any_title_becomes_a_sheet(title: str) -> None:
    content = write_xlsx((Column("a"),), [("b",)], title=title, facts=[], facts_title="说明")
    assert len(sheets(content)) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.integers(-(10**9), 10**9)), max_size=6))
def test_text_of_any_kind_is_read_back_as_text(rows: list[tuple[str, int]]) -> None:
    content = make_xlsx(list(rows), (Column("文字"), Column("数", Kind.WHOLE)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet2.xml")
    table = sheets(content)["合格率"][1:]
    for (text, number), cells in zip(rows, table, strict=False):
        kept = "".join(c for c in text.replace("\r\n", "\n").replace("\r", "\n") if c in "\t\n" or c >= " ")
        kept = kept.replace("\ufffe", "").replace("\uffff", "")
        assert cells == [kept, float(number)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.text(alphabet=st.characters(codec="utf-8"), max_size=20), st.integers()), max_size=6))
def test_no_text_of_a_csv_begins_like_a_formula(rows: list[tuple[str, int]]) -> None:
    content = write_csv((Column("文字"), Column("数", Kind.WHOLE)), rows)
    assert content.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:]
    assert [int(cells[1]) for cells in table] == [number for _, number in rows]
    for (text, _), cells in zip(rows, table, strict=True):
        assert not cells[0].startswith(FORMULA_STARTS)
        assert cells[0] in (text, f"'{text}")
        assert cells[0] == plain_text(text)


def test_a_csv_has_percents_and_days_as_people_write_them() -> None:
    lines = write_csv(COLUMNS, [ROW]).decode("utf-8-sig").splitlines()
    assert lines[1] == "紫兴社区,241,63.25,84.2%,2026-11-27,2026-11-27 14:02"


HEADINGS = ("单位", "合格率", "下限", "上限", "到下限", "到上限")


def make_charted(*points: Point, over_time: bool = False) -> bytes:
    return write_xlsx(
        COLUMNS,
        [ROW],
        title="合格率",
        facts=[],
        facts_title="说明",
        chart=Chart("区间图", HEADINGS, points, over_time=over_time),
    )


def test_the_chart_is_drawn_from_the_numbers_beside_it() -> None:
    content = make_charted(Point("东门's 街", 0.7, 0.6, 0.78), Point("名册齐全", 0.8))
    table = sheets(content)["区间图"]
    assert table[0][:6] == list(HEADINGS)
    assert table[1][:6] == ["东门's 街", 0.7, 0.6, 0.78, pytest.approx(0.1), pytest.approx(0.08)]
    assert table[2][:3] == ["名册齐全", 0.8, ""]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        chart = archive.read("xl/charts/chart1.xml").decode()
    assert "<c:f>区间图!$B$2:$B$3</c:f>" in chart.replace("'", "")
    assert "<c:f>区间图!$F$2:$F$3</c:f>" in chart.replace("'", "")  # the upper ends
    assert "<c:f>区间图!$E$2:$E$3</c:f>" in chart.replace("'", "")


def test_a_chart_without_points_is_a_table_without_rows() -> None:
    content = make_charted()
    assert sheets(content)["区间图"] == [list(HEADINGS)]


def test_progress_is_told_every_thousand_rows() -> None:
    heard: list[int] = []
    rows = [(number,) for number in range(2500)]
    write_xlsx((Column("n", Kind.WHOLE),), rows, title="t", facts=[], facts_title="f", on_rows=heard.append)
    write_csv((Column("n", Kind.WHOLE),), rows, on_rows=heard.append)
    assert heard == [1000, 2000, 1000, 2000]
