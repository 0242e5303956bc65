"""How many different people: counted over the rows, never summed; and the roster with what it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, literal_column, or_, select
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope, below
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.figures.filters import FigureFilters
from quizapp.reports.figures.sums import CLOSED, DAY_PATH, FIRST, conditions, joined

#: From this share of the roster on, and of those who were counted, a figure is of everybody: it has no interval.
COMPLETE = 0.95


@dataclass(frozen=True)
class People:
    """Different people with a closed attempt: in all, and by the row under which they count."""

    total: int
    #: Path of the unit directly below → people; "<path>own" and "<path>no_unit" for what stands under the unit itself.
    steps: Mapping[str, int]


def is_complete(roster: int | None, covered: int | None, first: int | None) -> bool:
    """Whether `first` attempts are those of everybody on the roster: nearly all of it is covered, and nearly all who count are on it.

    Of several deliveries the first attempts are more than the people covered as soon as somebody took two of them: who took which was
    then left to chance, and the answer is no.
    """
    if not roster or covered is None or first is None:
        return False
    return covered >= COMPLETE * roster and covered >= COMPLETE * first


def people_by_step(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    above: str | None,
    tops: Sequence[str],
) -> People:
    """The people of a unit (`above`, else all of `tops`) and of each unit directly below it, by the path of the day."""
    found = (*conditions(scope, permission, filters), CLOSED, inside(DAY_PATH, above, tops))
    total = db.scalar(joined(select(func.count(func.distinct(Attempt.person_id)))).where(*found)) or 0
    step: Any = step_of(db, DAY_PATH, above, tops)
    if above is not None:
        own = case((Attempt.unit_id.is_(None), literal(f"{above}no_unit")), else_=literal(f"{above}own"))
        step = case((above == DAY_PATH, own), else_=step)
    rows = db.execute(
        joined(select(step, func.count(func.distinct(Attempt.person_id)))).where(*found).group_by(step)
    ).all()
    return People(total, dict(rows))


def roster_by_step(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    above: str | None,
    tops: Sequence[str],
    delivery: Delivery | None,
) -> dict[str, tuple[int, int]]:
    """The people on the roster and those of them with a closed first attempt within the filters, by the unit where they stand today.

    By the path of each unit directly below, the unit's own people under its own path, all under "". Of one delivery: the people of its
    unit and of all below, or of its audience where it has one.
    """
    # the flag as it stands in the index of first attempts: one look for each person, not one walk through the delivery
    flagged: ColumnElement[bool] = literal_column("attempt.is_first")
    covered = exists().where(Attempt.person_id == Person.id, flagged, FIRST, *_of_attempt(filters))
    step = step_of(db, OrgUnit.path, above, tops)
    wanted = [
        Person.rostered_on.is_not(None),
        # hardly anybody is merged: not the index for it, but that of units
        func.coalesce(Person.merged_into_id, 0) == 0,
        scope.condition(permission, OrgUnit.path, Person.industry_id),
        inside(OrgUnit.path, above, tops),
    ]
    if delivery is not None:
        wanted.append(_for_whom(delivery))
    rows: Sequence[Any] = db.execute(
        select(step, func.count(), func.sum(case((covered, 1), else_=0)))
        .select_from(Person)
        .join(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(*wanted)
        .group_by(step)
    ).all()
    found = {path: (number, tried) for path, number, tried in rows}
    found[""] = (sum(number for number, _ in found.values()), sum(tried for _, tried in found.values()))
    return found


def _for_whom(delivery: Delivery) -> ColumnElement[bool]:
    """The people whom a delivery is for: those of its audience, else all of its unit."""
    if not delivery.limited:
        return below(OrgUnit.path, delivery.unit.path)
    lines = [
        and_(
            below(OrgUnit.path, line.unit.path), *([Person.industry_id == line.industry_id] if line.industry_id else [])
        )
        for line in delivery.audience
    ]
    return or_(*lines, literal(False))


def _of_attempt(filters: FigureFilters) -> list[ColumnElement[bool]]:
    """The filters on the attempt of somebody on the roster."""
    found: list[ColumnElement[bool]] = []
    if filters.delivery_id is not None:
        found.append(Attempt.delivery_id == filters.delivery_id)
    if filters.blueprint_id is not None:
        found.append(Attempt.delivery_id.in_(select(Delivery.id).where(Delivery.blueprint_id == filters.blueprint_id)))
    if filters.first_day is not None:
        found.append(Attempt.local_date >= filters.first_day)
    if filters.last_day is not None:
        found.append(Attempt.local_date <= filters.last_day)
    return found


def inside(path: Any, above: str | None, tops: Sequence[str]) -> ColumnElement[bool]:
    """Whether a path lies in a unit, or in any of the tops."""
    return below(path, above) if above is not None else or_(*(below(path, top) for top in tops), literal(False))


def step_of(db: Session, path: Any, above: str | None, tops: Sequence[str]) -> Any:
    """The path of the row under which a path counts: one step below `above`, or the top that it lies in."""
    if above is None:
        return case(*((below(path, top), literal(top)) for top in tops), else_=literal("")) if tops else literal("")
    rest = func.substr(path, len(above) + 1)
    slash = func.instr(rest, "/") if db.get_bind().dialect.name == "sqlite" else func.strpos(rest, "/")
    return func.substr(path, 1, len(above) + slash)
