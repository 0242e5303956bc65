"""The people of a month of a delivery as columns: written by the job, read whole."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
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

    people: array[int] = field(default_factory=lambda: array("I"))
    #: Numbers of `places`.
    numbers: array[int] = field(default_factory=lambda: array("I"))
    days: array[int] = field(default_factory=lambda: array("B"))
    places: dict[Place, int] = field(default_factory=dict)


def people_of_month(db: Session, delivery_id: int, month: date, end: date) -> PeopleOfMonth:
    """Who closed an attempt on the days of a month before `end`. Columns are filled row by row: memory holds nothing else."""
    columns = (Attempt.person_id, Attempt.unit_id, Attempt.unit_path, Attempt.local_date)
    rows: Iterable[Any] = db.execute(
        select(*columns)
        .where(
            Attempt.delivery_id == delivery_id,
            Attempt.local_date >= month,
            Attempt.local_date < end,
            Attempt.state.in_(CLOSED_STATES),
            Attempt.person_id.is_not(None),
        )
        .distinct()
        .order_by(*columns)
        .execution_options(yield_per=10_000)
    )
    found = PeopleOfMonth()
    for person_id, unit_id, path, day in rows:
        found.people.append(person_id)
        found.numbers.append(found.places.setdefault((unit_id, path), len(found.places)))
        found.days.append(day.day)
    return found


def keep_people(db: Session, delivery_id: int, month: date, found: PeopleOfMonth) -> None:
    """Write them in place of what stands. Nobody else writes: the caller holds the sums' one row of state."""
    db.execute(delete(RollupPeople).where(RollupPeople.delivery_id == delivery_id, RollupPeople.day == month))
    if not found.people:
        return
    keys = _keys_of(db, list(found.places))
    columns = {
        "people": _packed(found.people),
        "places": _packed(array("I", (keys[number] for number in found.numbers))),
        "days": _packed(found.days),
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


def _packed(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
