"""The one read behind all tables of attempts: counts by the unit's path of the day, and by groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, null, select, true
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

_GROUPS: dict[GroupDimension, Any] = {
    GroupDimension.INDUSTRY: Attempt.industry_id,
    GroupDimension.AGE_BAND: Attempt.age_band,
    GroupDimension.SEX: Attempt.sex,
    GroupDimension.EDUCATION: Attempt.education,
    GroupDimension.KEY_GROUP: Attempt.key_group,
    GroupDimension.IDENTITY: Attempt.identity_level,
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


def sums(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    by: GroupDimension | None = None,
) -> list[SumRow]:
    """The counts of the attempts within a scope and filters. The unit filter is the caller's: what is hidden depends on the neighbours.

    `by` a group dimension other than the unit gives a row for each path and group. Days that are summed are read from their sums.
    """

    def from_records(condition: ColumnElement[bool]) -> list[Line]:
        rows = db.execute(sums_statement(scope, permission, filters, by).where(condition)).all()
        return [(row[0], row[1], None if row[2] is None else str(row[2]), tuple(row[3:])) for row in rows]

    lines = read_sums(db, scope, permission, filters, by.value if by else None, from_records)
    if lines is None:
        lines = from_records(true())
    return [_sum_row(line) for line in lines]


def sums_from_records(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    by: GroupDimension | None = None,
) -> list[SumRow]:
    """The same from the attempts alone: what `sums` must give."""
    rows = db.execute(sums_statement(scope, permission, filters, by)).all()
    return [_sum_row((row[0], row[1], None if row[2] is None else str(row[2]), tuple(row[3:]))) for row in rows]


def _sum_row(line: Line) -> SumRow:
    path, no_unit, group, numbers = line
    started, closed, first, passed, void, unidentified = map(int, numbers[:6])
    score, squares = map(float, numbers[6:])
    counts = Counts(started, closed, first, passed, void, unidentified, score, squares)
    return SumRow(path, bool(no_unit), group, counts)


def sums_statement(
    scope: Scope, permission: Permission, filters: FigureFilters, by: GroupDimension | None = None
) -> Any:
    """The statement behind `sums`: path of the day, whether it is the delivery's for want of a unit, group, then `Counts` in order.

    It groups by the whole path and not by one step of it, because what is hidden must agree between the tables of all levels.
    """
    no_unit = Attempt.unit_id.is_(None)
    group = _GROUPS[by] if by is not None else None
    share = case((FIRST, cast(Attempt.score, Float) * 100.0 / Delivery.max_score))
    statement = select(
        DAY_PATH,
        no_unit,
        *([group] if group is not None else [null()]),
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
    return statement.group_by(DAY_PATH, no_unit, *([group] if group is not None else []))


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
