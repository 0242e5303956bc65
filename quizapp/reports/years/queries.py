"""Which deliveries can be compared, what they have in common, and their answers as a table for the model.

Counted are closed first attempts of the reader's people, as for the pass rate. Where a side is the deliveries of a quiz in one year,
somebody who took several of them counts once, with the earliest.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import Item, ItemVersion
from quizapp.banks.wording import wording_hash
from quizapp.core.clock import from_ms, local_date, to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import CLOSED_STATES, Attempt, Delivery, Paper, PaperItem, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.scoring import PositionKey, is_right
from quizapp.reports.figures.reach import deliveries_in_reach
from quizapp.reports.rollups.services import pieces

#: The most attempts of a side that go into the model, drawn by a hash; more would make it slow and the interval hardly narrower.
MOST_PEOPLE = 5000
PERMISSION = Permission.EXPORT_FIGURES


class SideKind(StrEnum):
    """What one side of the comparison is."""

    DELIVERY = "d"
    QUIZ = "q"


@dataclass(frozen=True)
class Side:
    """One delivery, or all deliveries of a quiz that opened in a year."""

    kind: SideKind
    id: int
    year: int | None = None

    def as_text(self) -> str:
        """As it stands in an address: "d12", "q3-2026"."""
        return f"{self.kind.value}{self.id}" + (f"-{self.year}" if self.year is not None else "")


@dataclass(frozen=True)
class Choice:
    """A side with its deliveries, the earliest first."""

    side: Side
    deliveries: tuple[Delivery, ...]

    @property
    def length(self) -> int:
        """Questions of the longest paper."""
        return max(delivery.item_count for delivery in self.deliveries)


@dataclass(frozen=True)
class Taken:
    """One counted attempt."""

    id: int
    paper_id: int
    delivery_id: int
    public_id: str
    passed: bool
    #: The unit that the person gave or is rostered in; None: nobody knows.
    unit_id: int | None
    #: The unit that offers the delivery.
    offered_by: int

    @property
    def cluster(self) -> tuple[int, bool]:
        """What it is counted with as alike in a rate, as in the table by unit: who gave no unit, for the unit that offers the delivery."""
        return (self.offered_by, True) if self.unit_id is None else (self.unit_id, False)


@dataclass(frozen=True)
class Answers:
    """What was answered on one side. `rows`: for each attempt its answers as (column, right); not named: not given."""

    #: Names the question: its wording and what counts as right.
    columns: tuple[str, ...]
    #: A version of each column.
    versions: tuple[int, ...]
    rows: tuple[tuple[tuple[int, bool], ...], ...]
    #: Of each paper that somebody took: columns and points by position, and the points from which it passes.
    papers: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]


def choices(db: Session, scope: Scope, now: datetime) -> list[Choice]:
    """The deliveries in reach that have begun, the newest first, and the years of a quiz with several of them."""
    begun = [row for row in deliveries_in_reach(db, scope, PERMISSION) if row.opens_at <= to_ms(now)]
    by_year: dict[tuple[int, int], list[Delivery]] = defaultdict(list)
    for delivery in reversed(begun):
        by_year[delivery.blueprint_id, _year(delivery)].append(delivery)
    several = [
        Choice(Side(SideKind.QUIZ, quiz, year), tuple(rows)) for (quiz, year), rows in by_year.items() if len(rows) > 1
    ]
    single = [Choice(Side(SideKind.DELIVERY, delivery.id), (delivery,)) for delivery in begun]
    return single + sorted(several, key=lambda c: (-(c.side.year or 0), c.side.id))


def _year(delivery: Delivery) -> int:
    return local_date(from_ms(delivery.opens_at)).year


def get_choice(found: Sequence[Choice], side: Side) -> Choice:
    """The choice of a side. Raises NotFound for one that is not in reach."""
    choice = next((one for one in found if one.side == side), None)
    if choice is None:
        raise NotFound
    return choice


def count_taken(db: Session, scope: Scope, choice: Choice) -> int:
    """How many attempts count, at most: people of several deliveries are counted once later."""
    ids = [delivery.id for delivery in choice.deliveries]
    return db.scalar(_of_people(select(func.count()), scope, ids)) or 0


def common_questions(db: Session, first: Choice, second: Choice) -> int:
    """How many questions have the same wording in papers of both."""
    return len(_wordings(db, first) & _wordings(db, second))


def _wordings(db: Session, choice: Choice) -> set[str]:
    ids = [delivery.id for delivery in choice.deliveries]
    held = (
        select(PaperItem.item_version_id).join(Paper, Paper.id == PaperItem.paper_id).where(Paper.delivery_id.in_(ids))
    )
    return {wording_hash(version) for version in db.scalars(select(ItemVersion).where(ItemVersion.id.in_(held)))}


def _of_people(statement: Any, scope: Scope, delivery_ids: Sequence[int]) -> Any:
    """Closed first attempts of the scope's people; who gave no unit counts for the unit that offers the delivery."""
    unit = OrgUnit.id == func.coalesce(Attempt.unit_id, Delivery.unit_id)
    return (
        statement.select_from(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(OrgUnit, unit)
        .where(
            Attempt.delivery_id.in_(delivery_ids),
            Attempt.is_first.is_(True),
            Attempt.state.in_(CLOSED_STATES),
            scope.condition(PERMISSION, OrgUnit.path, Attempt.industry_id),
        )
    )


def taken(db: Session, scope: Scope, choice: Choice) -> list[tuple[Taken, int | None]]:
    """The attempts that count, each with its person where known."""
    statement = select(
        Attempt.id,
        Attempt.paper_id,
        Attempt.delivery_id,
        Attempt.public_id,
        Attempt.passed,
        Attempt.unit_id,
        Delivery.unit_id,
        Attempt.person_id,
    )
    ids = [delivery.id for delivery in choice.deliveries]
    rows = db.execute(_of_people(statement, scope, ids).order_by(Attempt.started_at, Attempt.id))
    seen: set[int] = set()
    found = []
    for attempt_id, paper_id, delivery_id, public_id, passed, unit_id, offered_by, person_id in rows:
        if person_id is not None:
            if person_id in seen:
                continue
            seen.add(person_id)
        one = Taken(attempt_id, paper_id, delivery_id, public_id, bool(passed), unit_id, offered_by)
        found.append((one, person_id))
    return found


def drawn(attempts: Sequence[Taken]) -> list[Taken]:
    """At most `MOST_PEOPLE` of them: those with the least SHA-256 of their public id, so the same whenever they are the same."""
    if len(attempts) <= MOST_PEOPLE:
        return list(attempts)
    return sorted(attempts, key=lambda one: hashlib.sha256(one.public_id.encode()).digest())[:MOST_PEOPLE]


def answers_of(db: Session, attempts: Sequence[Taken], on_read: Callable[[int], None] = lambda _done: None) -> Answers:
    """The answers of these attempts; `on_read` is told how many are read."""
    papers = sorted({one.paper_id for one in attempts})
    keys = _keys(db, papers)
    wordings = _wording_of(db, papers)
    numbers: dict[str, int] = {}
    versions: list[int] = []
    places: dict[int, dict[int, int]] = defaultdict(dict)
    for paper_id in papers:
        for position, (version_id, wording) in sorted(wordings[paper_id].items()):
            name = _column(wording, keys[paper_id][position])
            if name not in numbers:
                numbers[name] = len(versions)
                versions.append(version_id)
            places[paper_id][position] = numbers[name]
    by_attempt: dict[int, dict[int, str]] = defaultdict(dict)
    read = 0
    for piece in pieces([one.id for one in attempts]):
        rows = select(Response.attempt_id, Response.position, Response.answer).where(Response.attempt_id.in_(piece))
        for attempt_id, position, answer in db.execute(rows):
            by_attempt[attempt_id][position] = answer
        read += len(piece)
        on_read(read)
    table = []
    for one in attempts:
        given, key = by_attempt[one.id], keys[one.paper_id]
        row = [(at, is_right(given.get(p, ""), key[p].key, key[p].more)) for p, at in places[one.paper_id].items()]
        table.append(tuple(row))
    return Answers(tuple(numbers), tuple(versions), tuple(table), _papers(db, papers, places, keys))


def _papers(
    db: Session, papers: Sequence[int], places: dict[int, dict[int, int]], keys: dict[int, dict[int, PositionKey]]
) -> tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]:
    least = dict(
        db.execute(
            select(Paper.id, Delivery.pass_score)
            .join(Delivery, Delivery.id == Paper.delivery_id)
            .where(Paper.id.in_(papers))
        ).all()
    )
    return tuple(
        (tuple(places[paper].values()), tuple(keys[paper][position].points for position in places[paper]), least[paper])
        for paper in papers
    )


def _column(wording: str, key: PositionKey) -> str:
    """A corrected key makes another question of it: what counts as right is part of the name."""
    right = sorted({key.key, *key.more})
    return hashlib.sha256(repr((wording, right)).encode()).hexdigest()


def _wording_of(db: Session, papers: Sequence[int]) -> dict[int, dict[int, tuple[int, str]]]:
    """Paper → position → (version, wording)."""
    rows = list(
        db.execute(
            select(PaperItem.paper_id, PaperItem.position, PaperItem.item_version_id).where(
                PaperItem.paper_id.in_(papers)
            )
        )
    )
    versions = db.scalars(select(ItemVersion).where(ItemVersion.id.in_({version for *_, version in rows})))
    wordings = {version.id: wording_hash(version) for version in versions}
    found: dict[int, dict[int, tuple[int, str]]] = defaultdict(dict)
    for paper_id, position, version_id in rows:
        found[paper_id][position] = (version_id, wordings[version_id])
    return found


def _keys(db: Session, papers: Sequence[int]) -> dict[int, dict[int, PositionKey]]:
    cache = PaperCache()
    revisions = db.execute(select(Paper.id, Paper.scoring_revision).where(Paper.id.in_(papers)))
    return {paper_id: cache.keys(db, paper_id, revision) for paper_id, revision in revisions}


def questions(db: Session, version_ids: Sequence[int]) -> dict[int, tuple[str, dict[str, str]]]:
    """Version → code of the item and stem."""
    rows = db.execute(
        select(ItemVersion.id, Item.code, ItemVersion.stem)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(ItemVersion.id.in_(version_ids))
    )
    return {version_id: (code, stem) for version_id, code, stem in rows}
