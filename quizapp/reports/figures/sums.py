"""The one read behind all tables of attempts: counts by the unit's path of the day, and by groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, and_, case, cast, extract, func, null, select
from sqlalchemy.orm import Session

from quizapp.core.clock import day_after
from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import CLOSED_STATES, Attempt, AttemptState, Delivery
from quizapp.reports.figures.filters import FigureFilters, GroupDimension
from quizapp.reports.rollups.queries import Line, read_sums
from quizapp.reports.suppression import Counts

#: A closed attempt has a score.
CLOSED = Attempt.state.in_(CLOSED_STATES)
#: Closed, and the first of its person.
FIRST = and_(CLOSED, Attempt.is_first.is_(True))
#: The path under which an attempt counts: the unit's on its day, else that of the delivery's unit.
DAY_PATH: Any = func.coalesce(Attempt.unit_path, OrgUnit.path)

#: The columns of the group dimensions but for the unit, which is a path.
GROUP_COLUMNS: dict[GroupDimension, Any] = {
    GroupDimension.INDUSTRY: Attempt.industry_id,
    GroupDimension.AGE_BAND: Attempt.age_band,
    GroupDimension.SEX: Attempt.sex,
    GroupDimension.EDUCATION: Attempt.education,
    GroupDimension.KEY_GROUP: Attempt.key_group,
    GroupDimension.IDENTITY: Attempt.identity_level,
    GroupDimension.MONTH: cast(extract("year", Attempt.local_date), Integer) * 100
    + cast(extract("month", Attempt.local_date), Integer),
}


@dataclass(frozen=True)
class SumRow:
    """The counts of one path of the day, and of one group where groups were asked for."""

    path: str
    #: People who gave no unit: the path is that of the delivery's unit.
    no_unit: bool
    #: The group's value as it is stored, as text; None where nobody knows. Only with `by`.
    group: str | None
    counts: Counts
    #: The same of a second dimension.
    second: str | None = None


def sums(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    by: GroupDimension | None = None,
    second: GroupDimension | None = None,
) -> list[SumRow]:
    """The counts of the attempts within a scope and filters. The unit filter is the caller's: what is hidden depends on the neighbours.

    `by` a group dimension other than the unit gives a row for each path and group, `second` one for each of its groups too. Days that are
    summed are read from their sums.
    """

    def from_records(condition: ColumnElement[bool], first_day: date, last_day: date) -> list[Line]:
        if last_day < first_day:
            return []
        narrowed = replace(filters, first_day=first_day, last_day=last_day if last_day != date.max else None)
        return _lines(db, sums_statement(scope, permission, narrowed, by, second).where(condition))

    names = [one.value if one is not None else None for one in (by, second)]
    lines = read_sums(db, scope, permission, filters, names, from_records)
    if lines is None:
        return sums_from_records(db, scope, permission, filters, by, second)
    return [_sum_row(line, by, second) for line in lines]


def sums_from_records(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    by: GroupDimension | None = None,
    second: GroupDimension | None = None,
) -> list[SumRow]:
    """The same from the attempts alone: what `sums` must give."""
    lines = _lines(db, sums_statement(scope, permission, filters, by, second))
    return [_sum_row(line, by, second) for line in lines]


def _lines(db: Session, statement: Any) -> list[Line]:
    return [
        (path, bool(no_unit), _plain(group), _plain(other), tuple(counts))
        for path, no_unit, group, other, *counts in db.execute(statement)
    ]


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


def _sum_row(line: Line, by: GroupDimension | None, second: GroupDimension | None) -> SumRow:
    path, no_unit, group, other, numbers = line
    started, closed, first, passed, void, unidentified = map(int, numbers[:6])
    score, squares = map(float, numbers[6:])
    counts = Counts(started, closed, first, passed, void, unidentified, score, squares)
    return SumRow(path, no_unit, _text(group, by), counts, _text(other, second))


def _text(value: str | None, dimension: GroupDimension | None) -> str | None:
    """A group's value; a month, which comes as 202604, as "2026-04"."""
    if value is not None and dimension is GroupDimension.MONTH:
        return f"{value[:-2]}-{value[-2:]}"
    return value


def sums_statement(
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    by: GroupDimension | None = None,
    second: GroupDimension | None = None,
) -> Any:
    """The statement behind `sums`: path of the day, whether it is the delivery's for want of a unit, both groups, `Counts` in order.

    It groups by the whole path and not by one step of it, because what is hidden must agree between the tables of all levels.
    """
    no_unit = Attempt.unit_id.is_(None)
    groups = [GROUP_COLUMNS[one] if one is not None else None for one in (by, second)]
    share = case((FIRST, cast(Attempt.score, Float) * 100.0 / Delivery.max_score))
    statement = select(
        DAY_PATH,
        no_unit,
        *(null() if group is None else group for group in groups),
        func.count(),
        count(CLOSED),
        count(FIRST),
        count(and_(FIRST, Attempt.passed.is_(True))),
        count(Attempt.state == AttemptState.VOID),
        count(and_(CLOSED, Attempt.person_id.is_(None))),
        func.coalesce(func.sum(share), 0.0),
        func.coalesce(func.sum(share * share), 0.0),
    )
    statement = joined(statement).where(*conditions(scope, permission, filters))
    return statement.group_by(DAY_PATH, no_unit, *(group for group in groups if group is not None))


def joined(statement: Any) -> Any:
    """From the attempts to their deliveries and to the unit by whose place today they may be seen."""
    return (
        statement.select_from(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(OrgUnit, OrgUnit.id == func.coalesce(Attempt.unit_id, Delivery.unit_id))
    )


def conditions(scope: Scope, permission: Permission, filters: FigureFilters) -> Sequence[ColumnElement[bool]]:
    """What an attempt must be to be counted, but for the unit."""
    found = [scope.condition(permission, OrgUnit.path, Attempt.industry_id)]
    equal = {
        Attempt.delivery_id: filters.delivery_id,
        Delivery.blueprint_id: filters.blueprint_id,
        Attempt.industry_id: filters.industry_id,
        Attempt.age_band: filters.age_band,
        Attempt.sex: filters.sex,
        Attempt.education: filters.education,
        Attempt.key_group: filters.key_group,
        Attempt.identity_level: filters.identity,
    }
    found += [column == value for column, value in equal.items() if value is not None]
    if filters.first_day is not None:
        found.append(Attempt.local_date >= filters.first_day)
    if filters.last_day is not None:
        found.append(Attempt.local_date < day_after(filters.last_day))
    return found


def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows fulfil a condition."""
    return func.sum(case((condition, 1), else_=0))
