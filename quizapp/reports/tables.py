"""A table of figures as page, chart, export and (later) report show it: one value of this type, computed once, drawn in many ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from quizapp.reports.definitions import FigureCode


class Hidden(StrEnum):
    """Why a figure is not shown."""

    #: Nothing to divide by: nobody answered yet.
    EMPTY = "empty"
    #: A rate of fewer than ten answers.
    FEW = "few"
    #: A cell of 1 to 4, or one from which such a one follows, for roles that see aggregates only. Which of the two is not said.
    SMALL = "small"
    #: It, or a small row beside it, could be computed from it.
    PROTECTS = "protects"
    #: Of three groups at once: what could be computed from such tables cannot be looked through.
    NARROW = "narrow"


@dataclass(frozen=True)
class Cell:
    """One figure. `value` is None where it is hidden or does not exist."""

    value: int | float | None
    #: 95 % interval, fractions; None without one (nothing sampled, hidden, a roster that is complete).
    low: float | None = None
    high: float | None = None
    hidden: Hidden | None = None
    #: The address of the records behind it, relative; None where they may not be seen.
    records: str | None = None


@dataclass(frozen=True)
class TableRow:
    """One row: what it is of, and a cell for each column of the table that has one."""

    #: Stable within the table: "total", a unit's code, a group's code, "2026-04".
    key: str
    #: Its name, in the page's language.
    label: str
    cells: Mapping[FigureCode, Cell]
    #: How deep below the first row.
    level: int = 0
    #: The sum, drawn bold.
    total: bool = False
    #: Said beside the name: "moved away, counted by the day's unit".
    notes: tuple[str, ...] = ()
    #: The unit's code, where the row is a unit.
    unit_code: str | None = None
    #: The same table one level down, an address; None: it does not open.
    opens: str | None = None
    #: The second dimension's value, where the table has two.
    second: str | None = None


@dataclass(frozen=True)
class FigureTable:
    """Title, what it is of, and the rows."""

    #: Code of the table: "pass_rates", "sessions", "trend" …; part of a file's name.
    name: str
    title: str
    #: Heading of the first column; of the second, where there are two.
    row_heading: str
    columns: tuple[FigureCode, ...]
    rows: tuple[TableRow, ...]
    #: "Of those who took part (n of N on the roster)": the first line of the table.
    first_line: str
    #: Filters as (name, value), in words.
    filters: tuple[tuple[str, str], ...]
    #: Further facts: how the interval was made, what is hidden.
    remarks: tuple[str, ...] = ()
    #: Figures of the whole that are no column, as (name, value), in words: for files; pages draw them.
    facts: tuple[tuple[str, str], ...] = ()
    second_heading: str | None = None
    #: What the chart draws with its interval; None: no chart.
    chart: FigureCode | None = FigureCode.PASS_RATE
    #: Whether the rows follow one another in time, so that the chart is a line.
    over_time: bool = False
    #: Where figures count people because the table is of one delivery (FIRST and PASSED are 人 then).
    persons_of_one: bool = False
    #: Whether it counts attempts: rates of a part of the people, with intervals, and hidden where they are of few.
    of_attempts: bool = True
    #: The filters as an address, for export and for the log; codes only.
    query: Mapping[str, str] = field(default_factory=dict)
