"""Files that an analysis reads: CSV (UTF-8, with or without a byte-order mark) or xlsx, as rows of text with their numbers."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

from quizapp.analyse.refusals import Refused
from quizapp.core.tables import cell_text

#: Bytes of a table: 200,000 people with 50 long answers each take a quarter of it.
MOST_BYTES = 1024 * 1024 * 1024
_PIECE = 1 << 20


def read_rows(path: Path, *, delimiters: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The rows of any such table with their numbers, from 1, as text; empty rows are left out. Raises Refused.

    Columns of a CSV are separated by that one of `delimiters` which its first line has most of.
    """
    content = read_bytes(path)
    if is_workbook(content):
        return sheet_rows(content)
    text = plain_text(content)
    first = text.split(b"\n", 1)[0].decode("utf-8")
    return csv_rows(text, max(delimiters, key=first.count))


def is_workbook(content: bytes) -> bool:
    """Whether this is xlsx; what else it may be, reading it shows."""
    return content.startswith(b"PK\x03\x04")


def read_bytes(path: Path) -> bytes:
    """The content of a table that must have something in it."""
    content = content_of(path, MOST_BYTES)
    if not content.strip():
        raise Refused("empty", f"{path.name} is empty: it needs a heading and rows below it")
    return content


def content_of(path: Path, most: int) -> bytes:
    """The content of a file of at most so many bytes."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # a pipe has no size: it is read piece by piece, and no further than it may go
            pieces = [file.read(size + 1)] if size <= most else []
            whole = sum(map(len, pieces)) if pieces else size
            while pieces and pieces[-1] and whole <= most:
                pieces.append(file.read(_PIECE))
                whole += len(pieces[-1])
    except OSError as error:
        raise Refused("unreadable", f"{path.name} cannot be read: {error.strerror}") from error
    if whole > most:
        raise Refused("too_large", f"{path.name} is larger than {most // 2**20} MB")
    return pieces[0] if whole == len(pieces[0]) else b"".join(pieces)


def plain_text(content: bytes) -> bytes:
    """UTF-8 without its mark and with plain line ends. Refuses other encodings with the row."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            row = content.count(b"\n", 0, error.start) + 1
            raise Refused(
                "not_utf8", f"row {row}: the file is not in UTF-8. Save it as «CSV UTF-8», or as xlsx"
            ) from error
    if b"\x00" in content:
        raise Refused("unreadable", "this is neither CSV nor xlsx. Save the table as «CSV UTF-8» or as xlsx")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content


def csv_rows(text: bytes, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Rows of what `plain_text` gave. Raises Refused for quotes that do not end."""
    reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            row = [cell.strip() for cell in cells]
            if any(row):
                yield number, row
    except csv.Error as error:
        raise Refused("unreadable", f"row {number + 1} or after it: {error}. Check the quotation marks") from error


def sheet_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Rows of the first sheet that has any. Raises Refused for a workbook that is damaged, locked or empty."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_object(io.BytesIO(content))
        sheet = next((s for s in map(book.get_sheet_by_name, book.sheet_names) if s.height), None)
        rows = [] if sheet is None else sheet.to_python(skip_empty_area=False)
    except BaseException as error:
        # Where the library's own code breaks off it raises no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise Refused(
            "unreadable", "the workbook cannot be opened: it is damaged or locked. Save it anew as xlsx"
        ) from error
    if sheet is None:
        raise Refused("empty", "the workbook is empty: it needs a heading and one row per respondent")
    for number, cells in enumerate(rows, start=1):
        row = [cell_text(cell) for cell in cells]
        if any(row):
            yield number, row
