"""What the rules of privacy need of every feature: the parts of erasure, of a person's own export and of the inventory.

Each feature brings a `privacy.py` beside its `merging.py`; `quizapp.parts` imports all of them. Nobody calls a part by itself: the owner
of a use case calls all of them in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, MetaData
from sqlalchemy.orm import Session

from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys


@dataclass(frozen=True)
class Erasing:
    """One erasure, as its parts see it."""

    #: Every row that is this person: who stays, and all who were merged into them.
    person_ids: tuple[int, ...]
    #: Their accounts.
    account_ids: tuple[int, ...]
    actor: Actor
    now: datetime


@dataclass(frozen=True)
class ErasePersonPart:
    """What one feature does when a person is erased. Rows that figures count stay, without what says whose they are."""

    name: str
    #: The columns that are emptied, or whose rows are deleted, "attempt.device_hash".
    empties: tuple[str, ...]
    do: Callable[[Session, Erasing], None]
    #: The columns of the same kind that stay, each with its reason.
    stays: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exporting:
    """The question what is known of a person."""

    person_ids: tuple[int, ...]
    account_ids: tuple[int, ...]
    keys: Keys


#: Field → value: text, number, truth, day, instant, None, or a list of rows. Whoever shows it has the words for fields and codes.
ExportRow = Mapping[str, Any]


@dataclass(frozen=True)
class ExportSection:
    """Rows of one kind; the kind is a code."""

    kind: str
    rows: tuple[ExportRow, ...]


@dataclass(frozen=True)
class ExportPersonPart:
    """What one feature knows of a person."""

    name: str
    #: The tables that it reads.
    reads: tuple[str, ...]
    do: Callable[[Session, Exporting], list[ExportSection]]
    #: The tables with a person that are left out, each with its reason.
    leaves: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InventoryEntry:
    """One kind of data, as the inventory page lists it. All are codes; the page has the words."""

    kind: str
    tables: tuple[str, ...]
    #: What for.
    purpose: str
    #: Whose term: "attempts", "contact", "photos", "audit", "day", "person" (until erasure), "lasting".
    term: str


@dataclass(frozen=True)
class InventoryPart:
    """What one feature keeps."""

    name: str
    entries: tuple[InventoryEntry, ...]


#: The parts by name; none depends on another having run. Filled by the features' `privacy.py`.
ERASE_PERSON: dict[str, ErasePersonPart] = {}
EXPORT_PERSON: dict[str, ExportPersonPart] = {}
INVENTORY: dict[str, InventoryPart] = {}


def add_erase_person(part: ErasePersonPart) -> ErasePersonPart:
    """Bring a feature's part of an erasure."""
    ERASE_PERSON[part.name] = part
    return part


def add_export_person(part: ExportPersonPart) -> ExportPersonPart:
    """Bring a feature's part of a person's own export."""
    EXPORT_PERSON[part.name] = part
    return part


def add_inventory(part: InventoryPart) -> InventoryPart:
    """Bring a feature's part of the inventory."""
    INVENTORY[part.name] = part
    return part


class ErasePartMissing(RuntimeError):
    """A column that can say who somebody is has no part that answers for it: an erasure would leave it behind."""


_MARKS = ("encrypted", "sealed", "hash", "secret", "address", "email", "phone")


def _names_a_person(column: Column[Any]) -> bool:
    return (
        column.name == "person_id"
        or column.name.endswith("_person_id")
        or any(key.target_fullname == "person.id" for key in column.foreign_keys)
    )


def _tells_of_somebody(column: Column[Any]) -> bool:
    return column.name.rpartition("_")[2] in _MARKS


def unanswered_erasure_columns(metadata: MetaData, parts: Iterable[ErasePersonPart]) -> list[str]:
    """The columns that name a person, or hold what somebody could be known by, and that no part answers for.

    One rule for the policy test, which sees every table, and for the erasure itself, which refuses to run with half of its parts.
    """
    answered = {column for part in parts for column in (*part.empties, *part.stays)}
    return sorted(
        name
        for table in metadata.tables.values()
        for column in table.columns
        if (name := f"{table.name}.{column.name}") not in answered
        and (_names_a_person(column) or _tells_of_somebody(column))
    )


def unanswered_export_tables(metadata: MetaData, parts: Iterable[ExportPersonPart]) -> list[str]:
    """The tables that name a person and that no part of the export reads, or leaves out with a reason."""
    answered = {table for part in parts for table in (*part.reads, *part.leaves)}
    return sorted(
        table.name
        for table in metadata.tables.values()
        if table.name not in answered and any(_names_a_person(column) for column in table.columns)
    )
