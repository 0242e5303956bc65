"""Reads a sample: CSV (UTF-8, with or without a byte-order mark) or xlsx, one row for each respondent, a heading above each column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from quizapp.analyse.files import read_rows
from quizapp.analyse.refusals import Refused, shortened

#: Numbers of a sample: scores, weights, people, ages.
SMALLEST, LARGEST = 1e-15, 1e15
#: Lines that a refusal names.
MOST_TOLD = 10


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

    def labels(self, name: str, what: str, *, missing: Callable[[str], bool]) -> list[str]:
        """A column of labels, each of which must be there. Raises Refused (label_missing) with the lines of those that are not."""
        cells = self.column(name, what)
        empty = [line for line, cell in zip(self.lines, cells, strict=True) if missing(cell)]
        if empty:
            more = f" and {len(empty) - MOST_TOLD} more" if len(empty) > MOST_TOLD else ""
            raise Refused(
                "label_missing",
                f"{what}, column {name}: nothing in line {', '.join(map(str, empty[:MOST_TOLD]))}{more}; "
                "all rows without a label would count as one unit. Write which one each was drawn from",
            )
        return cells

    def only(self, kept: Iterable[bool]) -> Sample:
        """Some of the rows."""
        places = [number for number, one in enumerate(kept) if one]
        columns = {name: [cells[number] for number in places] for name, cells in self.columns.items()}
        return Sample(columns, tuple(self.lines[number] for number in places))

    def numbers(self, name: str, what: str, *, missing: Callable[[str], bool] | None = None) -> list[float]:
        """A column as numbers; cells that are `missing` are NaN, where that is allowed."""
        found = []
        for line, cell in zip(self.lines, self.column(name, what), strict=True):
            if missing is not None and missing(cell):
                found.append(math.nan)
                continue
            if not cell:
                raise Refused("bad_number", f"line {line}, column {name}: empty")
            try:
                number = math.nan if "_" in cell else float(cell)
            except ValueError:
                number = math.nan
            # squares of what lies within can be added up; NaN lies nowhere
            if not (number == 0 or SMALLEST <= abs(number) <= LARGEST):
                raise Refused(
                    "bad_number",
                    f"line {line}, column {name}: {shortened(cell)} is no number, or none up to {LARGEST:g}",
                )
            found.append(number)
        return found


def read_sample(path: Path) -> Sample:
    """The sample of a file. Raises Refused: too_large, not_utf8, unreadable, bad_heading, bad_row, empty."""
    heading: list[str] = []
    lines: list[int] = []
    kept: list[list[str]] = []
    for line, cells in read_rows(path, delimiters=",;\t"):
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
