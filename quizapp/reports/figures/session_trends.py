"""Sessions by month, and of two periods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, distinct, func, select
from sqlalchemy.orm import Session

from quizapp.core.clock import day_start, local_date, to_ms
from quizapp.core.errors import Forbidden
from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.reports.figures.people import inside
from quizapp.reports.figures.reach import aggregates_only, last_step, reachable_unit, top_paths
from quizapp.reports.figures.sessions import (
    SESSION_PATH,
    SessionCounts,
    SessionFilters,
    SessionRow,
    SessionTable,
    UnitBy,
    by_industry,
    held,
    joined_lines,
    line_path,
    line_rules,
    line_scope,
    lines,
    session_table,
)
from quizapp.reports.figures.sums import count
from quizapp.reports.rollups.months import month_after, month_of
from quizapp.trainings.models import TrainingSession


@dataclass(frozen=True)
class MonthRow:
    """The sessions that begin in one month, or all of them."""

    #: The first day of the month; None in the total.
    month: date | None
    counts: SessionCounts
    #: 人: different people who came.
    persons: int


@dataclass(frozen=True)
class SessionMonths:
    """The table, its total first, then every month from the first with a session to the last."""

    unit: OrgUnit | None
    filters: SessionFilters
    rows: tuple[MonthRow, ...]

    @property
    def total(self) -> MonthRow:
        """The first row."""
        return self.rows[0]


@dataclass(frozen=True)
class SessionChange:
    """One unit in both periods; `before` is None where it has no row in the earlier one."""

    before: SessionRow | None
    after: SessionRow

    @property
    def rate_change(self) -> float | None:
        """The attendance rate now less the one before; None where one of them has nobody expected."""
        if self.before is None or self.before.counts.rate is None or self.after.counts.rate is None:
            return None
        return self.after.counts.rate - self.before.counts.rate


@dataclass(frozen=True)
class SessionComparison:
    """The tables of both periods and their rows side by side."""

    before: SessionTable
    after: SessionTable
    changes: Sequence[SessionChange]


def compare_sessions(
    db: Session,
    scope: Scope,
    filters: SessionFilters,
    days_before: tuple[date, date],
    now: datetime,
    permission: Permission = Permission.EXPORT_FIGURES,
) -> SessionComparison:
    """The units of a table now, each with its figures of an earlier period. Raises what `session_table` raises."""
    after = session_table(db, scope, filters, now, permission)
    earlier = replace(filters, first_day=days_before[0], last_day=days_before[1])
    before = session_table(db, scope, earlier, now, permission)
    known = {(row.kind, row.path): row for row in before.rows}
    return SessionComparison(before, after, [SessionChange(known.get((row.kind, row.path)), row) for row in after.rows])


def session_months(
    db: Session,
    scope: Scope,
    filters: SessionFilters,
    now: datetime,
    permission: Permission = Permission.EXPORT_FIGURES,
) -> SessionMonths:
    """The sessions of a unit and all below it, by the month in which they begin. Raises what `session_table` raises."""
    if aggregates_only(scope, permission):
        raise Forbidden
    unit = reachable_unit(db, scope, filters.unit_id, permission)
    tops = top_paths(db, scope, (), permission)
    if unit is None and len(tops) == 1:
        unit = db.get(OrgUnit, last_step(tops[0]))
    # whoever sees everything sees it wherever it stood
    everything = filters.unit_id is None and any(grant.path is None for grant in scope.with_permission(permission))

    def within(path: Any) -> list[Any]:
        return [] if everything else [inside(path, unit.path if unit else None, tops)]

    months = _months_of(db, filters, now)
    found = {month: SessionCounts() for month in months}
    line, by = lines(filters, now), filters.by
    of_lines = [line_scope(scope, permission), *within(line_path(line, by))]
    people = by_industry(scope, permission)
    month = _month(line.c.starts_at, months)
    figures = (count(rule) for rule in line_rules(line).values())
    rows = joined_lines(select(month, *figures), line, by, people=people).where(*of_lines).group_by(month)
    for number, *counts in db.execute(rows):
        found[months[number]] += SessionCounts(0, *counts)
    if by is UnitBy.HOLDER:
        month = _month(TrainingSession.starts_at, months)
        sessions = (
            select(month, func.count())
            .select_from(TrainingSession)
            .join(OrgUnit, OrgUnit.id == TrainingSession.unit_id)
            .where(scope.condition(permission, OrgUnit.path), *held(filters, now), *within(SESSION_PATH))
        )
        for number, one in db.execute(sessions.group_by(month)):
            found[months[number]] += SessionCounts(one)
    persons, all_persons = _persons(db, scope, permission, filters, now, months, within)
    total = sum(found.values(), SessionCounts())
    filled = [one for one in months if found[one] != SessionCounts()]
    return SessionMonths(
        unit,
        filters,
        (
            MonthRow(None, total, all_persons),
            *(
                MonthRow(one, found[one], persons.get(one, 0))
                for one in months
                if filled and filled[0] <= one <= filled[-1]
            ),
        ),
    )


def _persons(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: SessionFilters,
    now: datetime,
    months: Sequence[date],
    within: Any,
) -> tuple[dict[date, int], int]:
    """Different people who came, by month and in all: somebody of two months is one in the total."""
    line, by = lines(filters, now, came=True), filters.by
    of_lines = [line_scope(scope, permission), *within(line_path(line, by))]
    people = by_industry(scope, permission)
    different = func.count(distinct(line.c.person_id))
    month = _month(line.c.starts_at, months)
    rows = joined_lines(select(month, different), line, by, people=people).where(*of_lines).group_by(month)
    total = db.scalar(joined_lines(select(different), line, by, people=people).where(*of_lines))
    return {months[number]: one for number, one in db.execute(rows)}, total or 0


def _months_of(db: Session, filters: SessionFilters, now: datetime) -> list[date]:
    """Every month from that of the first session in question to that of the last."""
    begins = select(func.min(TrainingSession.starts_at), func.max(TrainingSession.starts_at)).where(*held(filters, now))
    row: Any = db.execute(begins).one()
    first, last = row
    months = [month_of(local_date(first))] if first is not None else []
    while months and (following := month_after(months[-1])) <= local_date(last):
        months.append(following)
    return months


def _month(starts_at: Any, months: Sequence[date]) -> Any:
    """The number of a session's month: months are of local days, and begin with their first instant."""
    if len(months) < 2:
        return 0 * starts_at
    ends = [(starts_at < to_ms(day_start(after)), number) for number, after in enumerate(months[1:])]
    return case(*ends, else_=len(months) - 1)
