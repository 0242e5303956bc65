"""Tables as files: xlsx for people who calculate on, CSV for programs.

A cell never becomes a formula: xlsx text is written as text, and a CSV text that a spreadsheet would take for a formula gets an
apostrophe before it. Numbers stay numbers, days stay days, so that the reader can sort and add.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
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
    more: Sequence[Sheet] = (),
    zone: ZoneInfo = LOCAL_ZONE,
) -> bytes:
    """A workbook: `facts_title` with filters, definitions, time and who, then `title` with the table, then what more there is.

    Rows are streamed: memory does not grow with them.
    """
    import xlsxwriter  # only where a file is really written

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    names: list[str] = []
    for one in (facts_title, title, *(sheet.title for sheet in more)):
        name = _sheet_name(one)
        if name.casefold() in [other.casefold() for other in names]:
            name = f"{name[:29]} {len(names) + 1}"
        names.append(name)

    sheet = book.add_worksheet(names[0])
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, _text(title), bold)
    for number, (term, text) in enumerate(facts, start=1):
        sheet.write_string(number, 0, _text(term), bold)
        sheet.write_string(number, 1, _text(text), wrapped)

    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    formats = {kind: book.add_format(options) for kind, options in _FORMATS.items()}
    for place, table in enumerate((Sheet(title, columns, rows), *more), start=1):
        sheet = book.add_worksheet(names[place])
        if place == 1:
            sheet.activate()
        sheet.freeze_panes(1, 0)
        for index, column in enumerate(table.columns):
            sheet.set_column(index, index, column.width)
            sheet.write_string(0, index, _text(column.heading), head)
        for number, row in enumerate(table.rows, start=1):
            for index, (column, value) in enumerate(zip(table.columns, row, strict=True)):
                _write_cell(sheet, number, index, value, column.kind, formats[column.kind], zone)
    book.close()
    return buffer.getvalue()


def _write_cell(sheet: Any, row: int, index: int, value: Value, kind: Kind, style: Any, zone: ZoneInfo) -> None:
    if value is None:
        return
    if kind is Kind.MOMENT and not isinstance(value, (str, float)):
        sheet.write_datetime(row, index, _local(value, zone), style)
    elif kind is Kind.DAY and isinstance(value, date) and not isinstance(value, datetime):
        sheet.write_datetime(row, index, value, style)
    elif kind in (Kind.WHOLE, Kind.DECIMAL, Kind.PERCENT) and isinstance(value, (int, float)):
        sheet.write_number(row, index, value, style)
    else:
        sheet.write_string(row, index, _text(value), style)


def write_csv(columns: Sequence[Column], rows: Iterable[Sequence[Value]], *, zone: ZoneInfo = LOCAL_ZONE) -> bytes:
    """The same table as CSV: UTF-8 with a byte-order mark (so that Excel reads Chinese), commas, CRLF, percent as 77.9%."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([plain_text(column.heading) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(value, column.kind, zone) for column, value in zip(columns, row, strict=True)])
    return out.getvalue().encode("utf-8-sig")


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
