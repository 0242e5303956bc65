"""The people of a month of a delivery as columns: written by the job, read whole."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from quizapp.quizzes.models import CLOSED_STATES, Attempt
from quizapp.reports.models import RollupPeople, RollupPlace

#: Key of the unit of the day, its path.
Place = tuple[int | None, str | None]


@dataclass
class PeopleOfMonth:
    """Who closed an attempt, where and on which day of the month; in the order of people."""

    #: (person, number of the place in `places`, day of the month)
    entries: list[tuple[int, int, int]]
    places: list[Place]


def people_of_month(db: Session, delivery_id: int, month: date, end: date) -> PeopleOfMonth:
    """Who closed an attempt on the days of a month before `end`."""
    rows: Iterable[Any] = db.execute(
        select(Attempt.person_id, Attempt.unit_id, Attempt.unit_path, Attempt.local_date)
        .where(
            Attempt.delivery_id == delivery_id,
            Attempt.local_date >= month,
            Attempt.local_date < end,
            Attempt.state.in_(CLOSED_STATES),
            Attempt.person_id.is_not(None),
        )
        .distinct()
        .execution_options(yield_per=10_000)
    )
    numbers: dict[Place, int] = {}
    entries = sorted(
        (person_id, numbers.setdefault((unit_id, path), len(numbers)), day.day)
        for person_id, unit_id, path, day in rows
    )
    return PeopleOfMonth(entries, list(numbers))


def keep_people(db: Session, delivery_id: int, month: date, found: PeopleOfMonth) -> None:
    """Write them in place of what stands. Nobody else writes: the caller holds the sums' one row of state."""
    db.execute(delete(RollupPeople).where(RollupPeople.delivery_id == delivery_id, RollupPeople.day == month))
    if not found.entries:
        return
    keys = _keys_of(db, found.places)
    columns = {
        "people": _packed("q", (person for person, _, _ in found.entries)),
        "places": _packed("I", (keys[place] for _, place, _ in found.entries)),
        "days": _packed("B", (day for _, _, day in found.entries)),
    }
    db.execute(insert(RollupPeople).values(delivery_id=delivery_id, day=month, **columns))


def _keys_of(db: Session, places: list[Place]) -> list[int]:
    """The keys of places; new ones get theirs."""

    def known() -> dict[Place, int]:
        rows = db.execute(select(RollupPlace.unit_id, RollupPlace.unit_path, RollupPlace.id))
        return {(unit_id, path): key for unit_id, path, key in rows}

    found = known()
    if new := [place for place in places if place not in found]:
        db.execute(insert(RollupPlace), [{"unit_id": unit_id, "unit_path": path} for unit_id, path in new])
        found = known()
    return [found[place] for place in places]


def _packed(kind: str, values: Iterable[int]) -> bytes:
    column = array(kind, values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
