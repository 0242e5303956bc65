"""Reads a sample: CSV (UTF-8, with or without a byte-order mark) or xlsx, one row for each respondent, a heading above each column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quizapp.analyse.refusals import Refused
from quizapp.core.tables import cell_text

#: Bytes of a file that is read.
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """Columns of text; `lines` are the rows' numbers in the file."""

    columns: dict[str, list[str]]
    lines: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Respondents."""
        return len(self.lines)

    def column(self, name: str, what: str) -> list[str]:
        """A column by its heading; `what` says which word of the design names it."""
        if name not in self.columns:
            raise Refused("no_column", f"{what} names the column {name!r}; the file has {', '.join(self.columns)}")
        return self.columns[name]

    def numbers(self, name: str, what: str, *, empty: bool = False) -> list[float]:
        """A column as numbers; `empty` cells are NaN where they are allowed."""
        found = []
        for line, cell in zip(self.lines, self.column(name, what), strict=True):
            try:
                number = float(cell) if cell or not empty else math.nan
            except ValueError:
                number = math.inf
            if math.isinf(number) or (math.isnan(number) and cell):
                raise Refused("bad_number", f"line {line}, column {name}: {cell!r} is no number")
            if math.isnan(number) and not empty:
                raise Refused("bad_number", f"line {line}, column {name}: empty")
            found.append(number)
        return found


def read_sample(path: Path) -> Sample:
    """The sample of a file. Raises Refused: too_large, not_utf8, unreadable, bad_heading, bad_row, empty."""
    if path.stat().st_size > MOST_BYTES:
        raise Refused("too_large", f"{path.name} is larger than {MOST_BYTES // 2**20} MB")
    content = path.read_bytes()
    rows = _workbook(content) if content[:2] == b"PK" else _text(content)
    heading: list[str] = []
    lines: list[int] = []
    kept: list[list[str]] = []
    for line, cells in rows:
        if not any(cells):
            continue
        if not heading:
            heading = cells
            _check_heading(heading)
            continue
        if len(cells) != len(heading):
            raise Refused("bad_row", f"line {line} has {len(cells)} cells under {len(heading)} headings")
        lines.append(line)
        kept.append(cells)
    if not kept:
        raise Refused("empty", "the file has no row below its headings")
    columns = {name: [cells[number] for cells in kept] for number, name in enumerate(heading)}
    return Sample(columns, tuple(lines))


def _check_heading(heading: list[str]) -> None:
    doubled = sorted({name for name in heading if heading.count(name) > 1})
    if doubled or not all(heading):
        raise Refused("bad_heading", f"two columns are called {doubled[0]!r}" if doubled else "a column has no heading")


def _text(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", f"byte {error.start} is not UTF-8: save the file as CSV UTF-8") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise Refused("unreadable", f"line {reader.line_num} is no CSV: {error}") from error


def _workbook(content: bytes) -> Iterator[tuple[int, list[str]]]:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_object(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except Exception as error:
        raise Refused("unreadable", "the workbook cannot be read: it is damaged, or locked by a password") from error
    for number, cells in enumerate(rows, start=1):
        yield number, [cell_text(cell) for cell in cells]
