"""Tables that people bring: workbooks (xlsx, xls, ods) and CSV, as rows of text with their numbers.

What a file is, its content says, not its name. Cells come as text: a phone number that a spreadsheet keeps as a number keeps its
digits, a text that looks like a formula stays that text. Rows are given one by one, with the number that a spreadsheet shows beside
them.

TableTooLarge    422  more bytes, rows or cells than are read; data["most"]
TableUnreadable  422  not a table, or damaged
TableLocked      422  protected by a password
TableEmpty       422  no row with anything in it
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from html import unescape
from itertools import islice
from typing import Any

from quizapp.core.errors import Invalid

#: Bytes of a file, bytes of what is packed in it, rows, and cells between its first and its last.
MOST_BYTES = 8 * 1024 * 1024
MOST_UNPACKED = 160 * 1024 * 1024
MOST_ROWS = 50_000
MOST_CELLS = 4_000_000
#: Columns that are looked at.
MOST_COLUMNS = 60
#: Characters of a cell that are kept, where the reader asks for no more.
MOST_CHARACTERS = 200
#: Columns are separated by one of these.
DELIMITERS = ",\t;|"
#: Lines by which a delimiter is found.
_SAMPLE_LINES = 30
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_FORMULA = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>\s*<(?:\w+:)?f\b')


class TableTooLarge(Invalid):
    """More than is read: `what` is "bytes", "rows" or "cells", `most` the limit."""

    code = "table_too_large"


class TableUnreadable(Invalid):
    """Not a table, or a damaged one."""

    code = "table_unreadable"


class TableLocked(Invalid):
    """A workbook behind a password."""

    code = "table_locked"


class TableEmpty(Invalid):
    """There is nothing in it."""

    code = "table_empty"


class TableKind(StrEnum):
    """What a file is."""

    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """Its media type."""
        return {
            TableKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            TableKind.XLS: "application/vnd.ms-excel",
            TableKind.ODS: "application/vnd.oasis.opendocument.spreadsheet",
            TableKind.CSV: "text/csv",
        }[self]


@dataclass(frozen=True)
class Row:
    """One row: its number as a spreadsheet shows it (from 1), and its cells as text."""

    number: int
    cells: Sequence[str]

    @property
    def empty(self) -> bool:
        """Whether nothing stands in it."""
        return not any(self.cells)

    def cell(self, column: int | None) -> str:
        """The text of a column (from 0); empty beyond the row's end and where there is no such column."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True)
class Sheet:
    """One table of a file. `height` is how many rows there are, about."""

    name: str
    height: int
    _book: Any

    def rows(self) -> Iterator[Row]:
        """All rows, from the first one; empty ones too. May be asked for again."""
        for number, cells in enumerate(self._book.cells_of(self.name), start=1):
            if number > MOST_ROWS:
                raise TableTooLarge(what="rows", most=MOST_ROWS)
            yield Row(number, cells)


def kind_of(content: bytes) -> TableKind:
    """What a file is. Raises TableTooLarge, TableEmpty, TableLocked or TableUnreadable; reads no cell."""
    if len(content) > MOST_BYTES:
        raise TableTooLarge(what="bytes", most=MOST_BYTES // 1024 // 1024)
    if not content.strip():
        raise TableEmpty
    if content.startswith(b"PK\x03\x04"):
        return _packed_kind(content)
    if content.startswith(_OLE):
        # a workbook behind a password is an old container around an encrypted new one
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise TableLocked
        return TableKind.XLS
    encoding_of(content)
    return TableKind.CSV


def open_table(content: bytes, most_characters: int = MOST_CHARACTERS) -> list[Sheet]:
    """The visible tables of a file that have anything in them, in its order. Raises as `kind_of` does."""
    kind = kind_of(content)
    book = _Text(content, most_characters) if kind is TableKind.CSV else _Workbook(content, most_characters)
    sheets = book.sheets()
    if not sheets:
        raise TableEmpty
    return sheets


def formula_cells(content: bytes, name: str) -> frozenset[tuple[int, int]]:
    """The cells of a table of an xlsx file that hold a formula: row (from 1) and column (from 0). Empty for files of other kinds.

    A reader sees what the formula came to when the file was last computed, which is nothing where no program ever did.
    """
    if not content.startswith(b"PK\x03\x04"):
        return frozenset()
    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        names = set(folder.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return frozenset()
        sheets = {
            unescape(title): id for title, id in _attributes(folder.read("xl/workbook.xml"), "sheet", "name", "r:id")
        }
        files = dict(_attributes(folder.read("xl/_rels/workbook.xml.rels"), "Relationship", "Id", "Target"))
        target = files.get(sheets.get(name, ""), "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found = _FORMULA.findall(folder.read(path)) if path in names else []
    return frozenset((int(row), _column_number(letters) - 1) for letters, row in found)


def _attributes(xml: bytes, tag: str, name: str, other: str) -> Iterator[tuple[str, str]]:
    """Two attributes of each element of a name."""
    for element in re.findall(rf"<(?:\w+:)?{tag}\s[^>]*>", xml.decode("utf-8", "replace")):
        values = dict(re.findall(r'([\w:]+)="([^"]*)"', element))
        yield values.get(name, ""), values.get(other, "")


def _column_number(letters: bytes) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def cell_text(value: object, most: int = MOST_CHARACTERS) -> str:
    """A cell as text: whole numbers without a point, days as 2026-11-27, outer spaces gone.

    >>> cell_text(13800001234.0), cell_text(" 李 国 "), cell_text("=1+1")
    ('13800001234', '李 国', '=1+1')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()[:most]
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(" ")
    if isinstance(value, (date, time, timedelta, int)):
        return str(value)
    return str(value).strip()[:most]


def encoding_of(content: bytes) -> str:
    """The encoding of a text: by its mark, else UTF-8, else GB18030 as Chinese spreadsheets save it. Raises TableUnreadable."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            _check_text(content, name)
            return name
    if b"\x00" in content:
        raise TableUnreadable
    try:
        _check_text(content, "utf-8")
    except TableUnreadable:
        _check_text(content, "gb18030")
        return "gb18030"
    return "utf-8"


def delimiter_of(lines: Sequence[str]) -> str:
    """What separates the columns of some lines: what gives most of them the same number of columns, more than one."""
    best, most = ",", (0, 0)
    for delimiter in DELIMITERS:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if any(cells)]
        if not widths:
            continue
        width = max(set(widths), key=lambda w: (widths.count(w), w))
        score = (widths.count(width), width) if width > 1 else (0, 0)
        if score > most:
            best, most = delimiter, score
    return best


def _check_text(content: bytes, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), 65536):
            piece = decoder.decode(content[start : start + 65536])
            if re.search(r"[\x00-\x08\x0e-\x1f]", piece):
                raise TableUnreadable
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise TableUnreadable from error


def _packed_kind(content: bytes) -> TableKind:
    """A workbook is a packed folder: which one, how large unpacked, and how far its cells reach."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as folder:
            entries = folder.infolist()
            if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise TableTooLarge(what="cells", most=MOST_CELLS)
            names = {entry.filename for entry in entries}
            if "xl/workbook.xml" in names:
                for name in names:
                    if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                        _check_extent(folder, name)
                return TableKind.XLSX
            if "mimetype" in names and b"opendocument.spreadsheet" in folder.read("mimetype"):
                return TableKind.ODS
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise TableUnreadable from error
    raise TableUnreadable


def _check_extent(folder: zipfile.ZipFile, name: str) -> None:
    """A reader makes room for every cell between the first and the last: one cell far out would take all memory."""
    columns = rows = read = 0
    rest = b""
    with folder.open(name) as file:
        while piece := file.read(1 << 20):
            read += len(piece)
            if read > MOST_UNPACKED:
                raise TableTooLarge(what="cells", most=MOST_CELLS)
            text = rest + piece
            for letters, number in set(_CELL.findall(text)):
                columns, rows = max(columns, _column_number(letters)), max(rows, int(number))
            rest = text[-24:]
    if columns * rows > MOST_CELLS:
        raise TableTooLarge(what="cells", most=MOST_CELLS)


class _Workbook:
    """xlsx, xls and ods."""

    def __init__(self, content: bytes, most: int) -> None:
        self._most = most
        self._book = self._asked(lambda library: library.CalamineWorkbook.from_object(io.BytesIO(content)))

    @staticmethod
    def _asked(question: Any) -> Any:
        """What the library says; what it does not understand is a refusal, also where its own code breaks off."""
        import python_calamine  # only where a file is really read

        try:
            return question(python_calamine)
        except python_calamine.PasswordError as error:
            raise TableLocked from error
        except Exception as error:
            raise TableUnreadable from error
        except BaseException as error:
            if type(error).__name__ == "PanicException":
                raise TableUnreadable from error
            raise

    def sheets(self) -> list[Sheet]:
        found = self._asked(
            lambda library: [
                Sheet(sheet.name, min(sheet.total_height, MOST_ROWS), self)
                for meta in self._book.sheets_metadata
                if meta.visible == library.SheetVisibleEnum.Visible and meta.typ == library.SheetTypeEnum.WorkSheet
                for sheet in [self._book.get_sheet_by_name(meta.name)]
                if sheet.height
            ]
        )
        return list(found)

    def cells_of(self, name: str) -> Iterator[list[str]]:
        rows = self._asked(lambda _: self._book.get_sheet_by_name(name).iter_rows())
        while piece := self._asked(lambda _: list(islice(rows, 500))):
            for row in piece:
                yield [cell_text(value, self._most) for value in row[:MOST_COLUMNS]]


class _Text:
    """CSV."""

    def __init__(self, content: bytes, most: int) -> None:
        self._content = content
        self._most = most
        self._encoding = encoding_of(content)
        self._skipped = 0
        lines = list(islice(self._lines(), _SAMPLE_LINES))
        said = re.fullmatch(r"sep=(.)\s*", lines[0]) if lines else None
        if said:
            self._skipped, self._delimiter = 1, said[1]
        else:
            self._delimiter = delimiter_of(lines)

    def _lines(self) -> Iterator[str]:
        yield from io.TextIOWrapper(io.BytesIO(self._content), self._encoding, newline="")

    def sheets(self) -> list[Sheet]:
        if not any(any(cells) for cells in islice(self.cells_of(""), MOST_ROWS)):
            return []
        return [Sheet("", min(self._content.count(b"\n") + 1, MOST_ROWS), self)]

    def cells_of(self, _name: str) -> Iterator[list[str]]:
        lines = islice(self._lines(), self._skipped, None)
        for _ in range(self._skipped):
            yield []
        try:
            for row in csv.reader(lines, delimiter=self._delimiter):
                yield [cell_text(value, self._most) for value in row[:MOST_COLUMNS]]
        except csv.Error as error:
            raise TableUnreadable from error
