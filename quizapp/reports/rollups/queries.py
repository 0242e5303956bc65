"""Counts from the sums where they can be had from them, from the records where not: the same numbers either way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Integer, and_, cast, extract, func, not_, null, or_, select, true
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.models import RollupDay, RollupMonth, RollupStale, RollupState
from quizapp.reports.rollups.months import month_after, month_of
from quizapp.reports.rollups.services import COUNTED

if TYPE_CHECKING:
    from quizapp.reports.figures.filters import FigureFilters

#: (path, whether it is the delivery's for want of a unit, group, group of the second dimension, counts)
Line = tuple[str, bool, str | None, str | None, tuple[float, ...]]
#: The names of two group dimensions; None for none. "month": that of the day.
Groups = Sequence[str | None]
MONTH = "month"
#: Reads the records of the days from the first to the last that fulfil one more condition.
Records = Callable[[ColumnElement[bool], date, date], Iterable[Line]]

#: With more noted days than this the records are read: a statement must not grow without end.
MOST_NOTED = 300
#: As often the sums are read anew where a job has written them meanwhile.
TRIES = 3


@dataclass(frozen=True)
class _Plan:
    """Which days come from where. Every day of every delivery is in one place."""

    dimension: str
    before_day: date
    first_day: date
    last_day: date
    #: Whole months: from the first up to, not with, the last.
    months: tuple[date, date]
    #: Delivery → noted days.
    stale: dict[int, list[date]]

    @property
    def edges(self) -> bool:
        """Whether there are days before or after the whole months that could be summed."""
        return self.first_day < self.months[0] or self.months[1] <= min(self.last_day, self.before_day - _DAY)


_DAY = timedelta(days=1)


def read_sums(
    db: Session, scope: Scope, permission: Permission, filters: FigureFilters, groups: Groups, records: Records
) -> list[Line] | None:
    """The lines of a table; None where the sums cannot give them (groups combined, too much noted): the records can.

    The sums are read with the number of their version before and after; a day is taken from them only where no note of it stood.
    """
    dimension = _dimension(scope, permission, filters, groups)
    if dimension is None:
        return None
    for _ in range(TRIES):
        state = state_of(db)
        plan = _plan(db, filters, dimension, state[1])
        if plan is None:
            return None
        lines = [
            *_from_months(db, scope, permission, filters, groups, plan),
            *_from_days(db, scope, permission, filters, groups, plan),
            *(line for piece in _left_to_records(plan) for line in records(*piece)),
        ]
        if state_of(db) == state:
            return _merged(lines)
    return None


def state_of(db: Session) -> tuple[int, date]:
    """The version of what is kept, and the day before which it is kept."""
    version, before_day = db.execute(select(RollupState.version, RollupState.before_day)).one()
    return version, before_day


def _dimension(scope: Scope, permission: Permission, filters: FigureFilters, groups: Groups) -> str | None:
    """The one group dimension that everything asked can be answered from; "" for none, None where there are several."""
    wanted = {name for name, _ in _asked(filters)}
    wanted |= {name for name in groups if name is not None and name != MONTH}
    if any(grant.industry_id is not None for grant in scope.with_permission(permission)):
        wanted.add("industry")
    return None if len(wanted) > 1 else next(iter(wanted), "")


def _asked(filters: FigureFilters) -> list[tuple[str, str]]:
    values = {
        "industry": filters.industry_id,
        "age_band": filters.age_band,
        "sex": filters.sex,
        "education": filters.education,
        "key_group": filters.key_group,
        "identity": filters.identity,
    }
    return [(name, str(value)) for name, value in values.items() if value is not None]


def noted_days(db: Session, filters: FigureFilters, before_day: date) -> dict[int, list[date]] | None:
    """Delivery → its days that changed after they were summed; None where these are too many."""
    notes = select(RollupStale.delivery_id, RollupStale.local_date).where(RollupStale.local_date < before_day)
    if filters.delivery_id is not None:
        notes = notes.where(RollupStale.delivery_id == filters.delivery_id)
    stale: dict[int, list[date]] = defaultdict(list)
    rows = db.execute(notes.distinct().limit(MOST_NOTED + 1)).all()
    if len(rows) > MOST_NOTED:
        return None
    for delivery_id, day in rows:
        stale[delivery_id].append(day)
    return stale


def _plan(db: Session, filters: FigureFilters, dimension: str, before_day: date) -> _Plan | None:
    stale = noted_days(db, filters, before_day)
    if stale is None:
        return None
    first, last = filters.first_day or date.min, filters.last_day or date.max
    start, end = month_of(first), date.max
    if first > start and _summed_between(db, filters, start, first):
        start = month_after(first)
    # the month that is not over is whole as soon as everything summed of it is asked for
    if last < before_day - _DAY:
        end = month_after(last)
        if last + _DAY < end and _summed_between(db, filters, last + _DAY, end):
            end = month_of(last)
    if end <= start:
        start = end = date.max
    return _Plan(dimension, before_day, first, last, (start, end), stale)


def _summed_between(db: Session, filters: FigureFilters, first: date, end: date) -> bool:
    """Whether there are sums of days that a period cuts off its month. Where there are none the month is as good as whole."""
    found = select(RollupDay.id).where(RollupDay.day >= first, RollupDay.day < end)
    if filters.delivery_id is not None:
        found = found.where(RollupDay.delivery_id == filters.delivery_id)
    return db.scalar(found.limit(1)) is not None


def _from_months(
    db: Session, scope: Scope, permission: Permission, filters: FigureFilters, groups: Groups, plan: _Plan
) -> Iterable[Line]:
    start, end = plan.months
    if start >= min(end, plan.before_day):
        return ()
    found = [RollupMonth.dimension == plan.dimension, RollupMonth.day >= start]
    if end != date.max:
        found.append(RollupMonth.day < end)
    if plan.stale:
        found.append(not_(_in(RollupMonth, {d: {month_of(day) for day in days} for d, days in plan.stale.items()})))
    found += [RollupMonth.value == value for _, value in _asked(filters)]
    return _read(db, RollupMonth, scope, permission, filters, groups, found)


def _from_days(
    db: Session, scope: Scope, permission: Permission, filters: FigureFilters, groups: Groups, plan: _Plan
) -> Iterable[Line]:
    """The days at the edges, and the others of a month of which one is noted. Of groups there are none."""
    if plan.dimension or not (plan.edges or plan.stale):
        return ()
    start, end = plan.months
    which: list[ColumnElement[bool]] = [RollupDay.day < start] if plan.first_day < start else []
    if end != date.max:
        which.append(RollupDay.day >= end)
    which += [
        and_(RollupDay.delivery_id == delivery_id, RollupDay.day >= month, RollupDay.day < month_after(month))
        for delivery_id, days in plan.stale.items()
        for month in {month_of(day) for day in days}
    ]
    found = [or_(*which), RollupDay.day >= plan.first_day, RollupDay.day <= plan.last_day]
    if plan.stale:
        found.append(not_(_in(RollupDay, plan.stale)))
    return _read(db, RollupDay, scope, permission, filters, groups, found)


def _left_to_records(plan: _Plan) -> Iterable[tuple[ColumnElement[bool], date, date]]:
    """What is not summed: a condition on attempts with its first and last day. Each piece names few days, so that an index finds them."""
    if plan.last_day >= plan.before_day:
        yield true(), max(plan.first_day, plan.before_day), plan.last_day
    start, end = plan.months
    last_summed = plan.before_day - _DAY
    for delivery_id, days in plan.stale.items():
        mine = Attempt.delivery_id == delivery_id
        if not plan.dimension:
            yield (
                and_(mine, Attempt.local_date.in_(days)),
                max(min(days), plan.first_day),
                min(max(days), plan.last_day),
            )
            continue
        for month in {month_of(day) for day in days}:
            if start <= month < end:
                yield mine, max(month, plan.first_day), min(month_after(month) - _DAY, last_summed, plan.last_day)
    if plan.dimension:
        if plan.first_day < start:
            yield true(), plan.first_day, min(start - _DAY, last_summed, plan.last_day)
        if end < plan.before_day and start < end:
            yield true(), end, min(last_summed, plan.last_day)


def _in(model: type[RollupDay] | type[RollupMonth], days: dict[int, Any]) -> ColumnElement[bool]:
    return or_(*(and_(model.delivery_id == delivery_id, model.day.in_(which)) for delivery_id, which in days.items()))


def _read(
    db: Session,
    model: type[RollupDay] | type[RollupMonth],
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    groups: Groups,
    found: Sequence[ColumnElement[bool]],
) -> Iterable[Line]:
    """One grouped read of sums. Points become per cent of the delivery's highest score."""
    path = func.coalesce(model.unit_path, OrgUnit.path)
    no_unit = model.unit_id.is_(None)
    by_industry = model is RollupMonth and any(g.industry_id is not None for g in scope.with_permission(permission))
    industry: Any = cast(RollupMonth.value, BigInteger) if by_industry else None
    share = 100.0 / Delivery.max_score
    columns = [_group(model, name) for name in groups]
    plain = [func.sum(getattr(model, name)) for name in COUNTED[:6]]
    statement = (
        select(
            path,
            no_unit,
            *columns,
            *plain,
            func.sum(model.score * share),
            func.sum(model.squares * share * share),
        )
        .select_from(model)
        .join(Delivery, Delivery.id == model.delivery_id)
        .join(OrgUnit, OrgUnit.id == func.coalesce(model.unit_id, Delivery.unit_id))
        .where(*found, scope.condition(permission, OrgUnit.path, industry))
        .group_by(path, no_unit, *(column for column, name in zip(columns, groups, strict=True) if name is not None))
    )
    if filters.delivery_id is not None:
        statement = statement.where(model.delivery_id == filters.delivery_id)
    if filters.blueprint_id is not None:
        statement = statement.where(Delivery.blueprint_id == filters.blueprint_id)
    return [
        (path, bool(no_unit), None if one is None else str(one), None if other is None else str(other), tuple(counts))
        for path, no_unit, one, other, *counts in db.execute(statement)
    ]


def _group(model: type[RollupDay] | type[RollupMonth], name: str | None) -> Any:
    if name is None:
        return null()
    if name != MONTH:
        return RollupMonth.value
    return cast(extract("year", model.day), Integer) * 100 + cast(extract("month", model.day), Integer)


def _merged(lines: Iterable[Line]) -> list[Line]:
    """Lines of the same path and group added up."""
    found: dict[tuple[str, bool, str | None, str | None], tuple[float, ...]] = {}
    for path, no_unit, one, other, counts in lines:
        key = (path, no_unit, one, other)
        before = found.get(key)
        found[key] = counts if before is None else tuple(a + b for a, b in zip(before, counts, strict=True))
    return [(*key, counts) for key, counts in found.items()]
