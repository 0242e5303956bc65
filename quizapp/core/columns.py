"""Which column of a table is what: headings in Chinese and English, as people write them.

>>> fields = (Field("name", ("姓名", "Name")), Field("phone", ("手机", "Phone")))
>>> recognise(["序号", "员工姓名", "手 机（必填）"], fields)
{'phone': 2, 'name': 1}
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quizapp.core.tables import Row, Sheet

#: The heading stands in one of the first rows; above it are titles and notes.
HEAD_ROWS = 20
_ASIDE = re.compile(r"[(\[【〔<].*?[)\]】〕>]")
_NOISE = re.compile(r"[\s*:：_\-—/\\.、,，;；'\"“”·#?？!！]+")


@dataclass(frozen=True)
class Field:
    """Something that a column can hold, with the headings by which it is known."""

    key: str
    headings: tuple[str, ...]


@dataclass(frozen=True)
class Head:
    """Where the heading of a table stands (0: nowhere, the table begins at once), its cells, and field → column."""

    row: int
    cells: Sequence[str]
    columns: Mapping[str, int]


def heading_key(text: str) -> str:
    """A heading as it is compared: without brackets and what stands in them, spaces, marks and case.

    >>> heading_key("＊手 机 号（必填）：")
    '手机号'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", _NOISE.sub("", _ASIDE.sub("", folded)))


def recognise(cells: Sequence[str], fields: Iterable[Field]) -> dict[str, int]:
    """Field → column (from 0). A heading that is one of a field's own comes first, then one that ends in it ("员工姓名").

    A column is one field, a field one column: the first of several.
    """
    heads = [heading_key(cell) for cell in cells]
    names = {heading_key(heading): field.key for field in fields for heading in field.headings}
    found: dict[str, int] = {}
    taken: set[int] = set()
    for column, head in enumerate(heads):
        key = names.get(head)
        if key is not None and key not in found:
            found[key] = column
            taken.add(column)
    for name, key in sorted(names.items(), key=lambda pair: -len(pair[0])):
        if key in found or len(name) < 2:
            continue
        for column, head in enumerate(heads):
            if column not in taken and head.endswith(name):
                found[key] = column
                taken.add(column)
                break
    return found


def find_head(rows: Iterable[Row], fields: Sequence[Field]) -> Head | None:
    """The heading among some first rows: the row in which most fields are recognised. None where all rows are empty.

    Where nothing is recognised it is the first row that is not empty, with no column known: a person says which is what.
    """
    best: Head | None = None
    first: Head | None = None
    for row in rows:
        if row.empty:
            continue
        first = first or Head(row.number, row.cells, {})
        columns = recognise(row.cells, fields)
        if columns and (best is None or len(columns) > len(best.columns)):
            best = Head(row.number, row.cells, columns)
    return best or first


def find_sheet(sheets: Sequence[Sheet], fields: Sequence[Field]) -> tuple[Sheet, Head]:
    """The sheet whose heading is recognised best (the first of equals), with it. There is at least one sheet, and none is empty."""
    found: list[tuple[Sheet, Head]] = []
    for sheet in sheets:
        head = find_head((row for row, _ in zip(sheet.rows(), range(HEAD_ROWS), strict=False)), fields)
        if head is not None:
            found.append((sheet, head))
    if not found:
        return sheets[0], Head(0, (), {})
    return max(found, key=lambda pair: len(pair[1].columns))
