"""Where features meet without knowing each other.

Slots: a lower feature's page has a named place, a feature above puts something there. Parts: what must happen across features in one
transaction (merge of persons, erasure, re-score) is made of parts that each feature brings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, MetaData, Select
from sqlalchemy.orm import Session

from quizapp.core.errors import DomainError
from quizapp.core.scope import Actor, Permission
from quizapp.core.tokens import Keys


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the staff navigation."""

    endpoint: str
    label: Any
    icon: str
    group: str
    permission: Permission
    order: int = 100
    #: How much waits behind it; shown beside its label where it is more than 0. One quick statement: every staff page asks.
    waiting: Callable[[Session], int] | None = None


@dataclass
class Registry:
    """The slots, navigation and task names of one application."""

    navigation: list[NavigationEntry] = field(default_factory=list)
    slots: dict[str, list[Callable[..., Any]]] = field(default_factory=lambda: defaultdict(list))

    def add_navigation(self, entry: NavigationEntry) -> None:
        """Add an entry to the staff navigation."""
        self.navigation.append(entry)
        self.navigation.sort(key=lambda e: e.order)

    def fill(self, slot: str, provider: Callable[..., Any]) -> None:
        """Put a provider into a named slot."""
        self.slots[slot].append(provider)

    def collect(self, slot: str, *args: Any, **kwargs: Any) -> list[Any]:
        """What the providers of a slot give, in order, without the empty ones."""
        return [value for provider in self.slots[slot] if (value := provider(*args, **kwargs))]


#: Background tasks by name: `task(context, arguments)`; filled by the features' `tasks.py`.
TASKS: dict[str, Callable[..., Any]] = {}


def task(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a background task under the name by which services enqueue it."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        TASKS[name] = function
        return function

    return register


@dataclass(frozen=True)
class PersonMerging:
    """One merge of two persons, as its parts see it: ids, who does it, and when."""

    kept_id: int
    merged_id: int
    actor: Actor
    now: datetime


@dataclass(frozen=True)
class MergeFact:
    """What two persons have of one kind, before a merge. The kind is a code; whoever shows it has the words."""

    kind: str
    #: How many the one who stays has.
    kept: int = 0
    #: How many the one who is merged has.
    merged: int = 0
    #: How many of these the other has as well, where one may have one alone.
    both: int = 0
    #: Why the two cannot be merged at all.
    refusal: DomainError | None = None


@dataclass(frozen=True)
class MergePersonPart:
    """What one feature does when two persons turn out to be one."""

    name: str
    #: The columns that name a person and change, "attendance.person_id".
    moves: tuple[str, ...]
    #: What would happen.
    preview: Callable[[Session, int, int], list[MergeFact]]
    #: Move the rows; gives what `undo` needs, ids and codes as JSON. Raises a refusal where the two cannot be merged.
    do: Callable[[Session, PersonMerging], dict[str, Any]]
    #: Move back what `do` has moved and nobody has changed since.
    undo: Callable[[Session, PersonMerging, dict[str, Any]], None]
    #: The columns that name a person and never change, each with its reason.
    stays: Mapping[str, str] = field(default_factory=dict)


#: The parts of a merge of persons by name, in the order in which they are done; filled by the features' `merging.py`, which
#: `quizapp.parts` imports.
MERGE_PERSON: dict[str, MergePersonPart] = {}


def add_merge_person(part: MergePersonPart) -> MergePersonPart:
    """Bring a feature's part of a merge of persons."""
    MERGE_PERSON[part.name] = part
    return part


@dataclass(frozen=True)
class UnitFact:
    """How much of one kind stands at some units today. The kind is a code; whoever shows it has the words."""

    kind: str
    count: int


@dataclass(frozen=True)
class UnitMerging:
    """One merge of two units, as its parts see it."""

    kept_id: int
    merged_id: int
    #: Whether the grants at the merged unit go to the one that stays.
    carry_grants: bool
    actor: Actor
    now: datetime


@dataclass(frozen=True)
class MergeUnitPart:
    """What one feature has at a unit, and what it does when the unit is merged into another.

    What is of today moves (people, running deliveries, coming sessions). What was recorded of a day never does: the merged unit stays
    as a closed child of the other, so that its records are found below it.
    """

    name: str
    #: The columns that name a unit and change, "person.unit_id".
    moves: tuple[str, ...]
    #: What stands today at the units whose keys the statement selects.
    preview: Callable[[Session, Select[int], datetime], list[UnitFact]]
    #: Move the rows; gives the keys of those that were moved, by table. It is asked twice, and the second time moves what came in between.
    do: Callable[[Session, UnitMerging], dict[str, list[int]]]
    #: Move back what `do` has moved and nobody has moved since.
    undo: Callable[[Session, UnitMerging, dict[str, list[int]]], None]
    #: The columns that name a unit and never change, each with its reason.
    stays: Mapping[str, str] = field(default_factory=dict)


#: The parts of a merge of units by name; filled like `MERGE_PERSON`.
MERGE_UNIT: dict[str, MergeUnitPart] = {}


def add_merge_unit(part: MergeUnitPart) -> MergeUnitPart:
    """Bring a feature's part of a merge of units."""
    MERGE_UNIT[part.name] = part
    return part


#: What features write before a unit, with all below it, gets another place: by name, each given the path that it leaves and the time.
#: What was recorded of a day without its path takes the path of that day now.
BEFORE_MOVE: dict[str, Callable[[Session, str, datetime], None]] = {}


def before_move(
    name: str,
) -> Callable[[Callable[[Session, str, datetime], None]], Callable[[Session, str, datetime], None]]:
    """Bring what a feature writes before units get another place."""

    def register(function: Callable[[Session, str, datetime], None]) -> Callable[[Session, str, datetime], None]:
        BEFORE_MOVE[name] = function
        return function

    return register


class PartMissing(RuntimeError):
    """A column that names a person or a unit is answered for by no part: merging would leave its rows behind."""


def unanswered_person_columns(metadata: MetaData, parts: Iterable[MergePersonPart]) -> list[str]:
    """The columns that name a person and that no part answers for: they refer to `person`, or are called so.

    One rule for the policy test, which sees every table, and for the merge itself, which refuses to run with half of its parts.
    """
    return _unanswered(metadata, parts, "person", ("person_id",))


def unanswered_unit_columns(metadata: MetaData, parts: Iterable[MergeUnitPart]) -> list[str]:
    """The columns that name a unit, or its path of a day, and that no part answers for."""
    return _unanswered(metadata, parts, "org_unit", ("unit_id", "unit_path"))


def _unanswered(
    metadata: MetaData, parts: Iterable[MergePersonPart | MergeUnitPart], table_name: str, names: tuple[str, ...]
) -> list[str]:
    answered = {column for part in parts for column in (*part.moves, *part.stays)}

    def refers(column: Column[Any]) -> bool:
        return any(column.name == name or column.name.endswith(f"_{name}") for name in names) or any(
            key.target_fullname == f"{table_name}.id" for key in column.foreign_keys
        )

    return sorted(
        name
        for table in metadata.tables.values()
        for column in table.columns
        if (name := f"{table.name}.{column.name}") not in answered and refers(column)
    )


@dataclass(frozen=True)
class Restoring:
    """A database that was filled from a backup and that nobody serves yet, as the steps before serving see it."""

    #: The instant of the backup: what happened later is not in it.
    begun_at: datetime
    #: Where the keys stand, and what is kept beside them, outside the backup.
    keys_folder: Path
    keys: Keys
    now: datetime


#: What must be done to a restored database before it is served, by name, in order: each gives how much there was to do. A feature's
#: module registers its step; whoever restores runs all in the transaction of the restore, so that none is left out.
AFTER_RESTORE: dict[str, Callable[[Session, Restoring], int]] = {}


def after_restore(
    name: str,
) -> Callable[[Callable[[Session, Restoring], int]], Callable[[Session, Restoring], int]]:
    """Register a step, such as erasing again who was erased after the backup."""

    def register(function: Callable[[Session, Restoring], int]) -> Callable[[Session, Restoring], int]:
        AFTER_RESTORE[name] = function
        return function

    return register
