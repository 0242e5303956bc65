"""What the readers of people and of units share: faults, and an account of what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from quizapp.organisation.imports.fields import Bad

One = TypeVar("One")
Value = TypeVar("Value")
#: Rows that are looked up, written and counted at a time.
CHUNK = 1000
#: Row numbers of a kind that are listed.
MOST_LISTED = 200


class Fault(NamedTuple):
    """What is wrong with one cell: its row as a spreadsheet numbers it, the field, why, and what the words need. No typed text."""

    row: int
    field: str
    code: str
    data: dict[str, Any]


@dataclass
class Faults:
    """The faults of a file, in the order of its rows."""

    found: list[Fault] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, row: int, bad: Bad) -> None:
        """Note what is wrong with a row."""
        self.found.append(Fault(row, bad.field, bad.code, dict(bad.data)))

    def tried(self, row: int, read: Callable[[], Value]) -> Value | None:
        """What is read, or None with the fault noted."""
        try:
            return read()
        except Bad as bad:
            self.add(row, bad)
            return None

    def as_lists(self) -> list[list[Any]]:
        """As they are stored."""
        return [list(fault) for fault in sorted(self.found, key=lambda fault: fault.row)]

    @property
    def rows(self) -> int:
        """How many rows are at fault."""
        return len({fault.row for fault in self.found})


@dataclass
class Listed:
    """Row numbers of a kind: all are counted, the first are listed, each with the row that it repeats."""

    count: int = 0
    rows: list[list[int]] = field(default_factory=list)

    def add(self, *numbers: int) -> None:
        """Count a row, and list it while there is room."""
        self.count += 1
        if len(self.rows) < MOST_LISTED:
            self.rows.append(list(numbers))


def in_chunks(items: Iterable[One], size: int = CHUNK) -> Iterator[list[One]]:
    """Lists of so many, the last one shorter."""
    iterator = iter(items)
    while piece := list(islice(iterator, size)):
        yield piece
