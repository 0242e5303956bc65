"""The readings of items before they are used: who read what without its key, and what they answered.

`question_banks/reviews/*.csv` is the record: one row for each item that a reader solved, with the columns of `COLUMNS`. A file is one
round of one kind of reader, named `<day>_round<n>_<role>….csv`. `version` is the item's `shown_hash` when it was read, so that a reading
of an older wording counts for its rates but does not vouch for the present one. `reviews/versions.csv` keeps the type, the number of
options and the key of every version that was read.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from quizapp.banks.faults import Fault, Level
from quizapp.banks.parsed import ParsedItem

COLUMNS = ("item", "version", "reader_role", "answer", "verdict", "note")
#: The file of the versions that were read, and its columns.
VERSIONS, VERSION_COLUMNS = "versions.csv", ("item", "version", "type", "options", "key")
_FILE = re.compile(r"(\d{4}-\d{2}-\d{2})_round(\d+)_\w+\.csv")
#: Options of a version; a statement has none.
_VERSION_OPTIONS = re.compile(r"[0345]")
_ANSWER = re.compile(r"[tf]|[a-e](,[a-e])*|\?")


class ReaderRole(StrEnum):
    """How a reader read."""

    #: Solves with care, from knowledge of the subject.
    EXPERT = "expert"
    #: Knows nothing and looks for cues, seeing stem and options.
    GUESSER = "guesser"
    #: Looks for a second answer that could be defended.
    SCEPTIC = "sceptic"
    #: Sees the options alone, without the stem.
    OPTIONS_ONLY = "options_only"


#: The readers who must have read the present wording.
SOLVERS = (ReaderRole.EXPERT, ReaderRole.GUESSER, ReaderRole.SCEPTIC)


class Verdict(StrEnum):
    """What a reader says of an item."""

    FINE = "fine"
    #: Another answer could be defended.
    SECOND_ANSWER = "second_answer"
    #: The answer shows without knowledge.
    CUE = "cue"
    #: A fact is out of date, or wrong.
    OUTDATED = "outdated"
    #: It cannot be understood, or has no answer.
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Reading:
    """One reader's answer to one item."""

    item: str
    version: str
    role: ReaderRole
    #: Option ids as the key names them: "b", "a,c", "t"; "?" where the reader found none.
    answer: str
    verdict: Verdict
    note: str
    day: str
    round: int
    #: The key that the item had when it was read, written as the answer.
    key: str
    #: The chance that blind choice gives it.
    chance: float

    @property
    def agrees(self) -> bool:
        """Whether the answer is the key."""
        return self.answer == self.key


def read_reviews(folder: Path, items: Iterable[ParsedItem]) -> tuple[list[Reading], list[Fault]]:
    """All readings below `folder`/reviews, oldest round first, and what is wrong with the files. `items`: those that exist."""
    read: dict[tuple[str, str], tuple[str, float]] = {
        (item.code, item.shown_hash()): (key_of(item), chance_of(item.type, len(item.options))) for item in items
    }
    readings: list[Reading] = []
    faults: list[Fault] = []
    paths = sorted(folder.glob("reviews/*.csv"), key=lambda path: (path.name != VERSIONS, path.name))
    for path in paths:
        file = path.relative_to(folder).as_posix()
        name = _FILE.fullmatch(path.name)
        if name is None and path.name != VERSIONS:
            faults.append(Fault("review_file", Level.REFUSE, file, 1))
            continue
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            columns = COLUMNS if name else VERSION_COLUMNS
            if tuple(rows.fieldnames or ()) != columns:
                faults.append(Fault("review_columns", Level.REFUSE, file, 1, {"wanted": ",".join(columns)}))
                continue
            for row in rows:
                if name is None and _VERSION_OPTIONS.fullmatch(row["options"] or ""):
                    chance = chance_of(row["type"], int(row["options"]))
                    read.setdefault((row["item"], row["version"]), (row["key"], chance))
                    continue
                given = _reading(row, name[1], int(name[2]), read) if name else None
                if given is None:
                    faults.append(Fault("review_row", Level.REFUSE, file, rows.line_num, {"item": row["item"]}))
                else:
                    readings.append(given)
    return sorted(readings, key=lambda r: (r.round, r.role, r.item)), faults


def _reading(
    row: Mapping[str, str | None], day: str, number: int, read: Mapping[tuple[str, str], tuple[str, float]]
) -> Reading | None:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    known = read.get((values["item"], values["version"]))
    if not _ANSWER.fullmatch(values["answer"]) or known is None:
        return None
    try:
        role, verdict = ReaderRole(values["reader_role"]), Verdict(values["verdict"])
    except ValueError:
        return None
    answer = ",".join(sorted(values["answer"].split(",")))
    return Reading(values["item"], values["version"], role, answer, verdict, values["note"], day, number, *known)


@dataclass(frozen=True)
class RoleFigures:
    """What the readers of one kind found in one round."""

    role: ReaderRole
    round: int
    day: str
    read: int
    agreed: int
    #: Right answers that blind choice among the options would give.
    by_chance: float
    objections: int

    @property
    def agreement(self) -> float:
        """Answers that are the key ÷ items read."""
        return self.agreed / self.read

    @property
    def above_chance(self) -> float:
        """Share of right answers less the share by blind choice, as a fraction."""
        return (self.agreed - self.by_chance) / self.read


def role_figures(readings: Iterable[Reading]) -> list[RoleFigures]:
    """Agreement of each kind of reader in each round with the keys that the items had then."""
    groups: dict[tuple[int, ReaderRole], list[Reading]] = defaultdict(list)
    for reading in readings:
        groups[reading.round, reading.role].append(reading)
    return [
        RoleFigures(
            role=role,
            round=number,
            day=max(r.day for r in group),
            read=len(group),
            agreed=sum(r.agrees for r in group),
            by_chance=sum(r.chance for r in group),
            objections=sum(r.verdict != Verdict.FINE for r in group),
        )
        for (number, role), group in sorted(groups.items())
    ]


def key_of(item: ParsedItem) -> str:
    """The key as an answer is written: "b", "a,c", "t"."""
    return ",".join(item.key)


def chance_of(kind: str, options: int) -> float:
    """The chance that blind choice gives the key: 1/2, 1/options, or one of all sets of two or more options."""
    if kind == "true_false":
        return 0.5
    if kind == "single_choice":
        return 1 / options
    sets: int = 2**options - 1 - options
    return 1 / sets


def last_readings(readings: Iterable[Reading], items: Iterable[ParsedItem]) -> list[Reading]:
    """The newest reading of each item's present wording by each kind of reader."""
    versions = {item.code: item.shown_hash() for item in items}
    last: dict[tuple[str, ReaderRole], Reading] = {}
    for reading in readings:  # oldest round first
        if versions.get(reading.item) == reading.version:
            last[reading.item, reading.role] = reading
    return list(last.values())


def bank_summary(readings: Iterable[Reading], items: Iterable[ParsedItem]) -> dict[str, Any] | None:
    """What a bank's page tells of its reviews, as JSON; None where nobody reviewed it.

    {"items", "read": items whose present wording each of the three solvers read, "last": day of the newest reading,
    "roles": [{"role", "read", "agreed"}] of the present wordings}
    """
    items = list(items)
    last = last_readings(readings, items)
    if not last:
        return None
    solvers = Counter(reading.item for reading in last if reading.role in SOLVERS)
    by_role: dict[ReaderRole, list[Reading]] = defaultdict(list)
    for reading in last:
        by_role[reading.role].append(reading)
    roles = [
        {"role": str(role), "read": len(given), "agreed": sum(r.agrees for r in given)}
        for role, given in sorted(by_role.items())
    ]
    read = sum(count == len(SOLVERS) for count in solvers.values())
    return {"items": len(items), "read": read, "last": max(reading.day for reading in last), "roles": roles}
