"""Tables as files: xlsx for people who calculate on, CSV for programs.

A cell never becomes a formula: xlsx text is written as text, and a CSV text that a spreadsheet would take for a formula gets an
apostrophe before it. Numbers stay numbers, days stay days, so that the reader can sort and add.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from quizapp.core.clock import LOCAL_ZONE, from_ms

#: What a cell can hold: text, whole or broken number, fraction from 0 to 1, local day, instant (aware, or ms UTC); None is empty.
Value = str | int | float | date | datetime | None

#: The first characters by which spreadsheets take a text for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
#: The most characters that a cell of an xlsx file may hold.
CELL_CHARACTERS = 32_767


class Kind(StrEnum):
    """How a column is written."""

    TEXT = "text"
    WHOLE = "whole"
    DECIMAL = "decimal"
    PERCENT = "percent"
    DAY = "day"
    MOMENT = "moment"


@dataclass(frozen=True)
class Column:
    """One column: its heading with the unit of measure, how it is written, its width in characters."""

    heading: str
    kind: Kind = Kind.TEXT
    width: int = 14


@dataclass(frozen=True)
class Sheet:
    """A further table of a workbook."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Value]]


@dataclass(frozen=True)
class Point:
    """One dot of a chart: a fraction with its interval, where it has one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Chart:
    """Dots with intervals, as a drawing that the spreadsheet makes itself from the numbers beside it."""

    title: str
    #: Headings of the numbers: of what, value, lower end, upper end, distance down, distance up.
    headings: tuple[str, str, str, str, str, str]
    points: Sequence[Point]
    #: The points follow one another in time and are joined by a line.
    over_time: bool = False


#: Rows between two reports of progress.
STEP = 1000


_FORMATS: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {},
    Kind.WHOLE: {"num_format": "#,##0"},
    Kind.DECIMAL: {"num_format": "#,##0.00"},
    Kind.PERCENT: {"num_format": "0.0%"},
    Kind.DAY: {"num_format": "yyyy-mm-dd"},
    Kind.MOMENT: {"num_format": "yyyy-mm-dd hh:mm"},
}


def _local(value: date | datetime | int, zone: ZoneInfo) -> datetime:
    """The wall clock of an instant, without a zone: spreadsheets know none."""
    moment = from_ms(value) if isinstance(value, int) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("a moment column takes aware datetimes or milliseconds")
    return moment.astimezone(zone).replace(tzinfo=None)


def _text(value: Value) -> str:
    """Text with plain line ends and without what XML cannot hold."""
    lines = str(value).replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", "", lines)[:CELL_CHARACTERS]


def _sheet_name(title: str) -> str:
    """A title as the name of a sheet: at most 31 characters, without those that are forbidden there."""
    return re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", title).strip(" '")[:31].strip(" '") or "1"


def write_xlsx(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Value]],
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    facts_title: str,
    chart: Chart | None = None,
    more: Sequence[Sheet] = (),
    zone: ZoneInfo = LOCAL_ZONE,
    on_rows: Callable[[int], None] | None = None,
) -> bytes:
    """A workbook: `facts_title` with filters, definitions, time and who, then `title` with the table, its chart, and what more there is.

    Rows are streamed: memory does not grow with them. `on_rows` hears of the rows written so far, every thousand.
    """
    import xlsxwriter  # only where a file is really written

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    styles = _styles(book)
    titles = [facts_title, title, *([chart.title] if chart else []), *(sheet.title for sheet in more)]
    names = iter(_sheet_names(titles))
    _write_facts(book.add_worksheet(next(names)), title, facts, styles)
    written = _Written(on_rows)
    sheet = book.add_worksheet(next(names))
    sheet.activate()
    _write_table(sheet, Sheet(title, columns, rows), styles, zone, written)
    if chart:
        _write_chart(book, next(names), chart, styles)
    for table in more:
        _write_table(book.add_worksheet(next(names)), table, styles, zone, written)
    book.close()
    return buffer.getvalue()


class _Written:
    """Counts rows and says so now and then."""

    def __init__(self, on_rows: Callable[[int], None] | None) -> None:
        self.rows = 0
        self.on_rows = on_rows

    def one(self) -> None:
        self.rows += 1
        if self.on_rows and self.rows % STEP == 0:
            self.on_rows(self.rows)


def _styles(book: Any) -> dict[str, Any]:
    styles = {kind.value: book.add_format(options) for kind, options in _FORMATS.items()}
    styles["term"] = book.add_format({"bold": True, "valign": "top"})
    styles["fact"] = book.add_format({"text_wrap": True, "valign": "top"})
    styles["head"] = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    return styles


def _sheet_names(titles: Iterable[str]) -> list[str]:
    names: list[str] = []
    for one in titles:
        name = _sheet_name(one)
        if name.casefold() in [other.casefold() for other in names]:
            name = f"{name[:29]} {len(names) + 1}"
        names.append(name)
    return names


def _write_facts(sheet: Any, title: str, facts: Sequence[tuple[str, str]], styles: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, _text(title), styles["term"])
    for number, (term, text) in enumerate(facts, start=1):
        sheet.write_string(number, 0, _text(term), styles["term"])
        sheet.write_string(number, 1, _text(text), styles["fact"])


def _write_head(sheet: Any, columns: Sequence[Column], styles: dict[str, Any]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    for index, column in enumerate(columns):
        sheet.set_column(index, index, column.width)
        sheet.write_string(0, index, _text(column.heading), styles["head"])


def _write_table(sheet: Any, table: Sheet, styles: dict[str, Any], zone: ZoneInfo, written: _Written) -> None:
    _write_head(sheet, table.columns, styles)
    writers = [_cell_writer(sheet, index, column.kind, styles, zone) for index, column in enumerate(table.columns)]
    for number, row in enumerate(table.rows, start=1):
        for write, value in zip(writers, row, strict=True):
            if value is not None:
                write(number, value)
        written.one()


def _cell_writer(
    sheet: Any, index: int, kind: Kind, styles: dict[str, Any], zone: ZoneInfo
) -> Callable[[int, Any], None]:
    """How a cell of a column is written. Made once a column: a hundred thousand rows ask no questions that a column has answered."""
    style, write_string = styles[kind.value], sheet.write_string

    def write_text(row: int, value: Any) -> None:
        plain = type(value) is str and value.isprintable() and len(value) <= CELL_CHARACTERS
        write_string(row, index, value if plain else _text(value), style)

    def write_number(row: int, value: Any) -> None:
        if isinstance(value, (int, float)):
            sheet.write_number(row, index, value, style)
        else:
            write_text(row, value)

    def write_day(row: int, value: Any) -> None:
        if isinstance(value, date) and not isinstance(value, datetime):
            sheet.write_datetime(row, index, value, style)
        else:
            write_text(row, value)

    def write_moment(row: int, value: Any) -> None:
        if isinstance(value, (str, float)):
            write_text(row, value)
        else:
            sheet.write_datetime(row, index, _local(value, zone), style)

    if kind is Kind.TEXT:
        return write_text
    if kind is Kind.DAY:
        return write_day
    return write_moment if kind is Kind.MOMENT else write_number


def _write_chart(book: Any, name: str, chart: Chart, styles: dict[str, Any]) -> None:
    """A sheet with the numbers and the drawing. The ends of an interval are drawn as distances from its dot."""
    sheet = book.add_worksheet(name)
    kinds = (Kind.TEXT, *([Kind.PERCENT] * 5))
    columns = [
        Column(head, kind, 24 if kind is Kind.TEXT else 12) for head, kind in zip(chart.headings, kinds, strict=True)
    ]
    _write_head(sheet, columns, styles)
    for number, point in enumerate(chart.points, start=1):
        sheet.write_string(number, 0, _text(point.label), styles["text"])
        sheet.write_number(number, 1, point.value, styles["percent"])
        if point.low is not None and point.high is not None:
            ends = (point.low, point.high, point.value - point.low, point.high - point.value)
            for index, value in enumerate(ends, start=2):
                sheet.write_number(number, index, value, styles["percent"])
    last = len(chart.points)
    if not last:
        return
    drawing = book.add_chart({"type": "line"})
    quoted = "'" + name.replace("'", "''") + "'"
    drawing.add_series(
        {
            "name": [name, 0, 1],
            "categories": [name, 1, 0, last, 0],
            "values": [name, 1, 1, last, 1],
            "line": {"color": "#005EB8", "width": 1.5} if chart.over_time else {"none": True},
            "marker": {"type": "circle", "size": 8, "fill": {"color": "#005EB8"}, "border": {"color": "#FFFFFF"}},
            "y_error_bars": {
                "type": "custom",
                "plus_values": f"={quoted}!$F$2:$F${last + 1}",
                "minus_values": f"={quoted}!$E$2:$E${last + 1}",
                "line": {"color": "#6A9BCB", "width": 2},
            },
        }
    )
    drawing.set_title({"name": _text(chart.title), "name_font": {"size": 13}})
    drawing.set_legend({"none": True})
    drawing.set_y_axis(
        {"num_format": "0%", "max": 1, "major_gridlines": {"visible": True, "line": {"color": "#D5DAE0"}}}
    )
    drawing.set_x_axis({"num_font": {"rotation": -45 if last > 8 else 0}})
    drawing.set_size({"width": max(640, min(1800, 60 + 44 * last)), "height": 420})
    sheet.insert_chart(1, len(columns) + 1, drawing)


def write_csv(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Value]],
    *,
    zone: ZoneInfo = LOCAL_ZONE,
    on_rows: Callable[[int], None] | None = None,
) -> bytes:
    """The same table as CSV: UTF-8 with a byte-order mark (so that Excel reads Chinese), commas, CRLF, percent as 77.9%."""
    content = io.BytesIO()
    with io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([plain_text(column.heading) for column in columns])
        for number, row in enumerate(rows, start=1):
            writer.writerow([_csv_cell(value, column.kind, zone) for column, value in zip(columns, row, strict=True)])
            if on_rows and number % STEP == 0:
                on_rows(number)
        out.flush()
        return content.getvalue()


def plain_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> plain_text("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv_cell(value: Value, kind: Kind, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if kind is Kind.MOMENT and not isinstance(value, (str, float)):
        return f"{_local(value, zone):%Y-%m-%d %H:%M}"
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return f"{value * 100:.1f}%" if kind is Kind.PERCENT else str(value)
    return plain_text(str(value))
