"""Who closed attempts, kept by month and delivery: different people of any units and days are counted without reading the attempts.

A person counts once however many attempts, units and days they have, so that numbers of people cannot be added up. What can be kept is
who they are: a month of a delivery is one row of columns, nine bytes a person and day, and a million of them are counted in a blink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.models import RollupPeople, RollupPlace
from quizapp.reports.rollups.months import month_after, month_of
from quizapp.reports.rollups.queries import TRIES, noted_days, state_of

if TYPE_CHECKING:
    from quizapp.reports.figures.filters import FigureFilters

#: The row of a table under which a path counts, given also whether it is the delivery's for want of a unit; None for one outside.
Step = Callable[[str, bool], str | None]
#: Reads (person, path, whether it is the delivery's) of closed attempts of the days from the first to the last, by one more condition.
PeopleRecords = Callable[[ColumnElement[bool], date, date], Iterable[tuple[int, str, bool]]]

#: Bits for the number of a row, below the key of the person.
_ROW_BITS = 20
#: Every so many people of a month one is marked, and people are counted from every so many marks to the next: memory stays small.
_AT_ONCE = 8192
_MARKS = 8
#: Months of deliveries that are read at a time.
_PIECE = 1
_DAY = timedelta(days=1)


def count_people(
    db: Session, scope: Scope, permission: Permission, filters: FigureFilters, step: Step, records: PeopleRecords
) -> tuple[int, dict[str, int]] | None:
    """Different people with a closed attempt, in all and by row of the table; None where this is not kept, but the records have it."""
    if filters.by_group or any(grant.industry_id is not None for grant in scope.with_permission(permission)):
        return None
    for _ in range(TRIES):
        state = state_of(db)
        before_day = state[1]
        stale = noted_days(db, filters, before_day)
        if stale is None:
            return None
        counting = _Counting(step, _places(db, scope, permission))
        for month in _kept(db, scope, permission, filters):
            counting.add_month(month, stale.get(month.delivery_id, ()), filters)
        for condition, first, last in _left_to_records(filters, stale, before_day):
            counting.add_records(records(condition, first, last))
        if state_of(db) == state:
            return counting.result()
    return None


def _places(db: Session, scope: Scope, permission: Permission) -> list[Any]:
    """The places of units that the reader sees today, and those without a unit: key, path, whether there is a unit."""
    return list(
        db.execute(
            select(
                RollupPlace.id,
                func.coalesce(RollupPlace.unit_path, OrgUnit.path),
                RollupPlace.unit_id.is_not(None),
            )
            .outerjoin(OrgUnit, OrgUnit.id == RollupPlace.unit_id)
            .where(or_(RollupPlace.unit_id.is_(None), scope.condition(permission, OrgUnit.path)))
        )
    )


def _kept(db: Session, scope: Scope, permission: Permission, filters: FigureFilters) -> Iterator[Any]:
    """The kept months in question, each with the path of the unit that offers the delivery where the reader sees it today."""
    statement = (
        select(
            RollupPeople.delivery_id,
            RollupPeople.day,
            RollupPeople.people,
            RollupPeople.places,
            RollupPeople.days,
            case((scope.condition(permission, OrgUnit.path), OrgUnit.path)).label("path"),
        )
        .join(Delivery, Delivery.id == RollupPeople.delivery_id)
        .join(OrgUnit, OrgUnit.id == Delivery.unit_id)
    )
    if filters.delivery_id is not None:
        statement = statement.where(RollupPeople.delivery_id == filters.delivery_id)
    if filters.blueprint_id is not None:
        statement = statement.where(Delivery.blueprint_id == filters.blueprint_id)
    if filters.first_day is not None:
        statement = statement.where(RollupPeople.day >= month_of(filters.first_day))
    if filters.last_day is not None:
        statement = statement.where(RollupPeople.day <= filters.last_day)
    return iter(db.execute(statement.execution_options(yield_per=_PIECE)))


def _left_to_records(
    filters: FigureFilters, stale: dict[int, list[date]], before_day: date
) -> Iterator[tuple[ColumnElement[bool], date, date]]:
    """What is not kept: the days from `before_day` on, and the noted ones."""
    first, last = filters.first_day or date.min, filters.last_day or date.max
    if last >= before_day:
        yield true(), max(first, before_day), last
    for delivery_id, days in stale.items():
        condition = and_(Attempt.delivery_id == delivery_id, Attempt.local_date.in_(days))
        yield condition, max(first, min(days)), min(last, max(days))


class _Counting:
    """Different people by row of the table."""

    def __init__(self, step: Step, places: Iterable[tuple[int, str | None, bool]]) -> None:
        import numpy as np

        self._step = step
        self._rows: dict[str, int] = {}
        self._row_of: dict[tuple[str, bool], int] = {}
        #: Persons in order, and the row of each.
        self._pieces: list[tuple[Any, Any]] = []
        places = list(places)
        #: Places without a unit: they are the delivery's.
        self._nowhere = {key: path for key, path, has_unit in places if not has_unit}
        #: Key of a place → number of its row; negative for one outside, and at the end for all keys beyond it.
        self._place_rows = np.full(max((key for key, _, _ in places), default=0) + 2, -1, np.int32)
        for key, path, has_unit in places:
            if has_unit and path is not None:
                self._place_rows[key] = self._row(path, no_unit=False)

    def _row(self, path: str, *, no_unit: bool) -> int:
        """The number of a path's row; negative for a path outside."""
        number = self._row_of.get((path, no_unit))
        if number is None:
            found = self._step(path, no_unit)
            number = -1 if found is None else self._rows.setdefault(found, len(self._rows))
            self._row_of[path, no_unit] = number
        return number

    def add_month(self, month: Any, stale: Iterable[date], filters: FigureFilters) -> None:
        """The entries of a month that are seen, lie in the period and are not noted as changed."""
        import numpy as np

        for key, path in self._nowhere.items():
            self._place_rows[key] = self._row(path or month.path, no_unit=True) if month.path is not None else -1
        row = self._place_rows.take(np.frombuffer(month.places, "<u4"), mode="clip")
        people = np.frombuffer(month.people, "<u4")
        wanted = row >= 0
        first, last = filters.first_day or date.min, filters.last_day or date.max
        days = [day for day in _days_of(month.day) if not first <= day <= last or day in stale]
        if days:
            wanted &= ~np.isin(np.frombuffer(month.days, np.uint8), np.array([day.day for day in days], np.uint8))
        self._pieces.append((people, row) if wanted.all() else (people[wanted], row[wanted]))

    def add_records(self, records: Iterable[tuple[int, str, bool]]) -> None:
        """The same from attempts."""
        import numpy as np

        found = sorted((person, self._row(path, no_unit=no_unit)) for person, path, no_unit in records)
        inside = [(person, row) for person, row in found if row >= 0]
        people, rows = np.array(inside, np.int64).reshape(-1, 2).T
        self._pieces.append((people.astype(np.uint32), rows.astype(np.int32)))

    def result(self) -> tuple[int, dict[str, int]]:
        """Different people in all, and by row: pairs of person and row as numbers, each once, some thousand people at a time."""
        import numpy as np

        marks = np.concatenate([np.empty(0, np.uint32), *(people[_AT_ONCE::_AT_ONCE] for people, _ in self._pieces)])
        ends = np.unique(np.sort(marks)[_MARKS::_MARKS])
        cuts = [[0, *np.searchsorted(people, ends), len(people)] for people, _ in self._pieces]
        total, by_row = 0, np.zeros(len(self._rows), np.int64)
        for number in range(len(ends) + 1):
            pairs = np.concatenate(
                [
                    np.empty(0, np.int64),
                    *(
                        people[cut[number] : cut[number + 1]].astype(np.int64) << _ROW_BITS
                        | row[cut[number] : cut[number + 1]]
                        for (people, row), cut in zip(self._pieces, cuts, strict=True)
                    ),
                ]
            )
            pairs.sort(kind="stable")  # ordered pieces one after another
            pairs = pairs[np.diff(pairs, prepend=-1) != 0]
            by_row += np.bincount(pairs & ((1 << _ROW_BITS) - 1), minlength=len(by_row))
            total += int(np.count_nonzero(np.diff(pairs >> _ROW_BITS, prepend=-1)))
        return total, {row: int(by_row[number]) for row, number in self._rows.items()}


def _days_of(month: date) -> list[date]:
    return [month + _DAY * number for number in range((month_after(month) - month).days)]
