"""Responses from a file: CSV (UTF-8, with or without a byte-order mark) or xlsx, wide or long.

Wide: first column `respondent`, one column per item. Long: columns `respondent`, `item`, `score` or `option`, perhaps `seconds`. Empty =
the person was not given the item; `-` = given, not answered. What cannot be read is refused with the row as a spreadsheet counts it and
what to do.

A wide CSV without quotes goes a fast way: its bytes are looked at as one array. 200,000 × 50 takes well under a second.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.analyse.refusals import Refused
from quizapp.measurement.classical import ABSENT

#: Given, not answered.
BLANK: Final = "-"
#: Different cells of one table beyond which it is surely something else than responses.
MOST_LABELS: Final = 2000
#: The longest cell that the fast way takes.
_FAST_CELL: Final = 8
_COMMA, _NEWLINE, _QUOTE = 44, 10, b'"'
#: Bytes that are looked at together: so many that arrays of them stay near the processor.
_BLOCK: Final = 1 << 20
#: What holds a cell of so many bytes.
_PACKED: Final = (np.uint8, np.uint8, np.uint16, *(np.uint64,) * 6)


@dataclass(frozen=True)
class Responses:
    """A table of responses."""

    respondents: Sequence[str]
    items: Sequence[str]
    #: (respondents, items): 0 = not given, else the number of the label, from 1.
    answers: NDArray[Any]
    #: What a number stands for: `labels[number - 1]`, as it was written.
    labels: Sequence[str]
    #: The row of each respondent as a spreadsheet counts it (a wide table), or of each answer (a long one).
    rows: NDArray[np.int64]
    #: (respondents, items) seconds, NaN where unknown; None where the table has none.
    seconds: NDArray[np.float64] | None = None

    @property
    def blank(self) -> int | None:
        """The number of "given, not answered"; None where it does not occur."""
        return list(self.labels).index(BLANK) + 1 if BLANK in self.labels else None

    @property
    def order(self) -> NDArray[np.int64]:
        """In which order each person met the items: (respondents, items), or (items,) where it is that of the columns."""
        return self.rows if self.rows.ndim == 2 else np.arange(len(self.items))

    def row_of(self, respondent: int, item: int) -> int:
        """The row where an answer stands."""
        return int(self.rows[respondent] if self.rows.ndim == 1 else self.rows[respondent, item])


def read_responses(path: Path) -> Responses:
    """Read a table. Raises Refused."""
    content = read_bytes(path)
    if content.startswith(b"PK\x03\x04"):
        return _from_rows(_sheet_rows(content))
    content = _plain(content)
    return _fast_wide(content) or _from_rows(_csv_rows(content))


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of any such table with their numbers, from 1, as text; empty rows are left out. Raises Refused."""
    content = read_bytes(path)
    return _sheet_rows(content) if content.startswith(b"PK\x03\x04") else _csv_rows(_plain(content))


def read_bytes(path: Path) -> bytes:
    """The content of a file that must have something in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused("unreadable", f"{path.name} cannot be read: {error.strerror}") from error
    if not content.strip():
        raise Refused("empty", f"{path.name} is empty: it needs a heading and one row per respondent")
    return content


def _plain(content: bytes) -> bytes:
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
        raise Refused("not_a_table", "this is neither CSV nor xlsx. Save the table as «CSV UTF-8» or as xlsx")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content


def _csv_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            row = [cell.strip() for cell in cells]
            if any(row):
                yield number, row
    except csv.Error as error:
        raise Refused("not_a_table", f"row {number + 1}: {error}. Check the quotation marks") from error


def _sheet_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    from quizapp.core.tables import cell_text

    try:
        import python_calamine

        book = python_calamine.CalamineWorkbook.from_object(io.BytesIO(content))
        sheet = next((s for s in map(book.get_sheet_by_name, book.sheet_names) if s.height), None)
        rows = [] if sheet is None else sheet.to_python(skip_empty_area=False)
    except Exception as error:
        raise Refused(
            "not_a_table", "the workbook cannot be opened: it is damaged or locked. Save it anew as xlsx"
        ) from error
    if sheet is None:
        raise Refused("empty", "the workbook is empty: it needs a heading and one row per respondent")
    for number, cells in enumerate(rows, start=1):
        row = [cell_text(cell) for cell in cells]
        if any(row):
            yield number, row


def _heading(row: Sequence[str]) -> list[str]:
    if len(row) == 1 and (";" in row[0] or "\t" in row[0]):
        raise Refused("not_a_table", "row 1: columns are not separated by commas. Save as «CSV UTF-8», or as xlsx")
    if not row or row[0].strip().lower() != "respondent":
        found = row[0] if row else ""
        raise Refused("no_respondent", f"row 1: the first column is «{found}»; it must be «respondent»")
    names = [name.strip() for name in row]
    while not names[-1]:
        names.pop()
    for place, name in enumerate(names, start=1):
        if not name:
            raise Refused("no_item_name", f"row 1: column {place} has no name. Give each item its name")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise Refused("item_twice", f"row 1: «{twice}» stands there twice. Each column has a name of its own")
    return names


def _from_rows(rows: Iterator[tuple[int, list[str]]]) -> Responses:
    first = next(rows, None)
    if first is None:
        raise Refused("empty", "the file is empty: it needs a heading and one row per respondent")
    names = _heading(first[1])
    lower = [name.lower() for name in names]
    if "item" in lower and ("score" in lower or "option" in lower):
        return _long(lower, rows)
    if len(names) < 2:
        raise Refused("no_items", "row 1: there is no item. One column per item stands behind «respondent»")
    return _wide(names[1:], rows)


class _Labels:
    """Numbers for what stands in cells; "1.0" is "1", as programs write whole numbers beside empty cells."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": ABSENT}
        self.names: list[str] = []

    def number(self, cell: str, row: int) -> int:
        found = self.numbers.get(cell)
        if found is None:
            name = cell[:-2] if cell.endswith(".0") and cell[:-2].isdigit() else cell
            found = self.numbers.get(name)
            if found is None:
                if len(self.names) == MOST_LABELS:
                    raise Refused(
                        "too_many_answers",
                        f"row {row}: more than {MOST_LABELS} different answers. Cells hold 0, 1 or the chosen option",
                    )
                self.names.append(name)
                found = self.numbers[name] = len(self.names)
            self.numbers[cell] = found
        return found


def _wide(items: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Responses:
    labels, respondents, seen = _Labels(), [], dict[str, int]()
    answers: list[NDArray[np.uint16]] = []
    width = len(items) + 1
    for number, row in rows:
        row = _fitted(row, width, number)
        _new_respondent(row[0], number, seen)
        respondents.append(row[0])
        known = labels.numbers
        numbers = [known[cell] if cell in known else labels.number(cell, number) for cell in row[1:]]
        answers.append(np.array(numbers, dtype=np.uint16))
    if not respondents:
        raise Refused("no_respondents", "there is no row below the heading: one row per respondent is needed")
    return Responses(respondents, items, np.stack(answers), labels.names, np.array(list(seen.values())))


def _fitted(row: list[str], width: int, number: int) -> list[str]:
    """A row without the empty cells beyond the heading; one that is not as wide as the heading is refused."""
    if len(row) > width and not any(row[width:]):
        return row[:width]
    if len(row) != width:
        raise Refused(
            "wrong_width",
            f"row {number} has {len(row)} columns, the heading has {width}. Check its commas and line end",
        )
    return row


def _new_respondent(name: str, number: int, seen: dict[str, int]) -> None:
    if not name:
        raise Refused("no_respondent", f"row {number}: the respondent is missing. Give each person a name or number")
    if name in seen:
        raise Refused(
            "respondent_twice",
            f"row {number}: respondent «{name}» stands in row {seen[name]} already. Keep the first attempt of each person",
        )
    seen[name] = number


def _long(names: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Responses:
    place = {name: names.index(name) for name in ("respondent", "item", "seconds") if name in names}
    answer_at = names.index("option") if "option" in names else names.index("score")
    seconds_at = place.get("seconds")
    labels = _Labels()
    respondents: dict[str, int] = {}
    items: dict[str, int] = {}
    cells: dict[tuple[int, int], int] = {}
    times: list[float] = []
    at: list[int] = []
    for number, row in rows:
        row = _fitted(row, len(names), number)
        who, what = row[place["respondent"]], row[place["item"]]
        if not who or not what:
            raise Refused("no_respondent", f"row {number}: the respondent or the item is missing")
        cell = (respondents.setdefault(who, len(respondents)), items.setdefault(what, len(items)))
        before = len(cells)
        cells[cell] = labels.number(row[answer_at], number)
        if len(cells) == before:
            raise Refused(
                "answer_twice",
                f"row {number}: respondent «{who}» answers item «{what}» a second time. Keep the first attempt of each person",
            )
        at.append(number)
        if seconds_at is not None:
            times.append(_seconds(row[seconds_at], number))
    if not cells:
        raise Refused("no_respondents", "there is no row below the heading: one row per answer is needed")
    where = np.array(list(cells), dtype=np.int64)
    shape = (len(respondents), len(items))
    answers = np.zeros(shape, dtype=np.uint16)
    answers[where[:, 0], where[:, 1]] = list(cells.values())
    order = np.zeros(shape, dtype=np.int64)
    order[where[:, 0], where[:, 1]] = at
    seconds = None
    if seconds_at is not None:
        seconds = np.full(shape, np.nan)
        seconds[where[:, 0], where[:, 1]] = times
    return Responses(list(respondents), list(items), answers, labels.names, order, seconds)


def _seconds(cell: str, number: int) -> float:
    if not cell:
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise Refused("not_seconds", f"row {number}: «{cell}» is not a number of seconds. Leave unknown times empty")
    return value


def _fast_wide(content: bytes) -> Responses | None:
    """The table of a plain wide CSV, or None for what needs the careful way (also to be refused there, with its row)."""
    end = content.find(b"\n")
    if end < 0 or _QUOTE in content or b"\n\n" in content:
        return None
    names = _heading(content[:end].decode("utf-8").split(","))
    lower = [name.lower() for name in names]
    if len(names) < 2 or ("item" in lower and ("score" in lower or "option" in lower)):
        return None
    labels, respondents = _Labels(), list[str]()
    answers: list[NDArray[np.uint16]] = []
    start = end + 1
    while start < len(content):
        stop = content.rfind(b"\n", start, start + _BLOCK) + 1 or content.find(b"\n", start) + 1 or len(content)
        block = content[start:stop]
        part = _block(block if block.endswith(b"\n") else block + b"\n", len(names), labels)
        if part is None:
            return None
        respondents += part[0]
        answers.append(part[1])
        start = stop
    # Whoever is missing or there twice is refused on the careful way, which knows the row.
    if not respondents or len(set(respondents)) != len(respondents) or "" in respondents:
        return None
    small = np.uint8 if len(labels.names) < 256 else np.uint16
    table = np.empty((len(respondents), len(names) - 1), dtype=small)
    np.concatenate(answers, out=table, casting="same_kind")
    return Responses(respondents, names[1:], table, labels.names, rows=np.arange(2, len(respondents) + 2))


def _block(block: bytes, width: int, labels: _Labels) -> tuple[list[str], NDArray[np.uint16]] | None:
    """Respondents and numbered answers of some whole lines; None where a line is not `width` cells, or a cell is long."""
    data = np.frombuffer(block, dtype=np.uint8)
    newlines = data == _NEWLINE
    marks = np.flatnonzero(newlines | (data == _COMMA))
    if len(marks) % width:
        return None
    ends = marks.reshape(-1, width)
    if not newlines[ends[:, -1]].all() or np.count_nonzero(newlines) != len(ends):
        return None
    starts = [0, *(ends[:-1, -1] + 1).tolist()]
    respondents = [block[a:b].decode("utf-8").strip() for a, b in zip(starts, ends[:, 0].tolist(), strict=True)]
    before = ends[:, :-1]
    lengths = ends[:, 1:] - before - 1
    longest = int(lengths.max())
    if longest > _FAST_CELL:
        return None
    packed: NDArray[Any] = np.zeros(lengths.shape, dtype=_PACKED[longest])
    for place in range(longest):
        # Cells that are shorter read the separator behind them, and drop it; the last byte of all is a line end.
        byte = data[np.minimum(before + (place + 1), len(data) - 1)]
        packed |= np.where(lengths > place, byte, 0).astype(packed.dtype) << packed.dtype.type(8 * place)
    found = np.unique(packed) if longest > 2 else np.flatnonzero(np.bincount(packed.ravel()))
    if len(found) + len(labels.names) > MOST_LABELS:
        return None
    cells = (int(value).to_bytes(_FAST_CELL, "little").rstrip(b"\x00").decode("utf-8") for value in found)
    numbers = np.array([labels.number(cell.strip(), 0) for cell in cells], dtype=np.uint16)
    if longest > 2:
        return respondents, numbers[np.searchsorted(found, packed)]
    table = np.zeros(int(found[-1]) + 1, dtype=np.uint16)
    table[found] = numbers
    return respondents, table[packed]
