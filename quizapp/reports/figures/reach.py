"""How far a reader sees: deliveries, units, the tops of their trees, and whether aggregates only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.core.scope import Grant, Permission, Scope, below
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery


def deliveries_in_reach(db: Session, scope: Scope, permission: Permission = Permission.SEE_FIGURES) -> list[Delivery]:
    """The deliveries that the reader's people can have taken: of their units, and of those above; the newest first."""
    statement = select(Delivery).join(OrgUnit, OrgUnit.id == Delivery.unit_id)
    statement = statement.where(_delivery_condition(scope.with_permission(permission)))
    return list(db.scalars(statement.order_by(Delivery.opens_at.desc(), Delivery.id.desc()).limit(200)))


def reachable_delivery(
    db: Session, scope: Scope, delivery_id: int | None, permission: Permission = Permission.SEE_FIGURES
) -> Delivery | None:
    """A delivery that the reader's people can have taken; None for none. Raises NotFound for any other."""
    if delivery_id is None:
        return None
    statement = select(Delivery).join(OrgUnit, OrgUnit.id == Delivery.unit_id)
    grants = scope.with_permission(permission)
    delivery = db.scalar(statement.where(Delivery.id == delivery_id, _delivery_condition(grants)))
    if delivery is None:
        raise NotFound
    return delivery


def reachable_unit(
    db: Session, scope: Scope, unit_id: int | None, permission: Permission = Permission.SEE_FIGURES
) -> OrgUnit | None:
    """A unit that the reader sees today; None for none. Raises NotFound for any other."""
    if unit_id is None:
        return None
    unit = db.get(OrgUnit, unit_id)
    grants = scope.with_permission(permission)
    if unit is None or not any(grant.path is None or unit.path.startswith(grant.path) for grant in grants):
        raise NotFound
    return unit


def units_in_reach(
    db: Session, scope: Scope, unit_id: int | None, permission: Permission = Permission.SEE_FIGURES
) -> list[OrgUnit]:
    """The units that a filter offers: one with those above it that the reader sees, and those directly below; the highest first."""
    unit = reachable_unit(db, scope, unit_id, permission)
    tops = top_paths(db, scope, (), permission)
    if unit is None:
        found = select(OrgUnit).where(OrgUnit.path.in_(tops))
        unit = db.scalar(found) if len(tops) == 1 else None
        if unit is None:
            return list(db.scalars(found.order_by(OrgUnit.path)))
    above = [path for path in prefixes(unit.path) if any(path.startswith(top) for top in tops)]
    below_it = and_(OrgUnit.parent_id == unit.id, OrgUnit.closed_at.is_(None))
    rows = db.scalars(select(OrgUnit).where(or_(OrgUnit.path.in_(above), below_it)))
    return sorted(rows, key=lambda row: steps(row.path))


def aggregates_only(scope: Scope, permission: Permission = Permission.SEE_FIGURES) -> bool:
    """Whether some of what is seen is seen by a role that may not export: such roles see aggregates only."""
    full = scope.with_permission(Permission.EXPORT_FIGURES)
    grants = scope.with_permission(permission)
    return not all(any(wide.covers(grant.path, grant.industry_id) for wide in full) for grant in grants)


def top_paths(db: Session, scope: Scope, seen: Iterable[str], permission: Permission) -> list[str]:
    """The highest paths that the reader sees, none below another.

    Whoever sees everything sees the top of the tree, and what stood at the top on its day.
    """
    grants = scope.with_permission(permission)
    if any(grant.path is None for grant in grants):
        paths = set(db.scalars(select(OrgUnit.path).where(OrgUnit.parent_id.is_(None))))
        paths |= {prefixes(path)[0] for path in seen}
    else:
        paths = {grant.path for grant in grants if grant.path is not None}
    return sorted(
        (path for path in paths if not any(path != other and path.startswith(other) for other in paths)), key=steps
    )


@dataclass(frozen=True)
class UnitBelow:
    """A unit of a table, under the path by which it counts."""

    path: str
    unit: OrgUnit
    #: It stands elsewhere today.
    moved: bool
    #: There are units below it, so that its name leads on.
    opens: bool


def units_below(db: Session, unit: OrgUnit | None, tops: Iterable[str], counted: Iterable[str]) -> list[UnitBelow]:
    """The units directly below one (the tops where there is none): those of today, and those of the paths that are `counted`.

    In the order in which they were entered, those that stand elsewhere today last.
    """
    paths = {path: last_step(path) for path in (*counted, *(tops if unit is None else ()))}
    if unit is not None:
        today = select(OrgUnit.path, OrgUnit.id).where(OrgUnit.parent_id == unit.id, OrgUnit.closed_at.is_(None))
        paths |= dict(db.execute(today).all())
    ids = set(paths.values())
    found = {row.id: row for row in db.scalars(select(OrgUnit).where(OrgUnit.id.in_(ids)))}
    parents = set(db.scalars(select(OrgUnit.parent_id).where(OrgUnit.parent_id.in_(ids)).distinct()))
    rows = [
        UnitBelow(path, child, moved, not moved and child.id in parents)
        for path, number in paths.items()
        if (child := found.get(number)) is not None
        for moved in (path != child.path,)
    ]
    return sorted(rows, key=lambda row: (row.moved, steps(row.path)))


def ancestors_of(db: Session, unit: OrgUnit | None, tops: Sequence[str]) -> tuple[OrgUnit, ...]:
    """The units above one, from the top of what the reader sees."""
    if unit is None:
        return ()
    paths = [path for path in prefixes(unit.path)[:-1] if any(path.startswith(top) for top in tops)]
    return tuple(db.scalars(select(OrgUnit).where(OrgUnit.path.in_(paths)).order_by(OrgUnit.path)))


def prefixes(path: str) -> list[str]:
    """A path and those of the units above it, the highest first: "/1/7/" → "/1/", "/1/7/"."""
    parts = path.strip("/").split("/")
    return [f"/{'/'.join(parts[:length])}/" for length in range(1, len(parts) + 1)]


def last_step(path: str) -> int:
    """The id of the unit at the end of a path."""
    return int(path.rstrip("/").rpartition("/")[2])


def steps(path: str) -> tuple[int, ...]:
    """A path as numbers: units in the order in which they were entered."""
    return tuple(int(step) for step in path.strip("/").split("/"))


def _delivery_condition(grants: Sequence[Grant]) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    for grant in grants:
        if grant.path is None:
            return true()
        parts += [below(OrgUnit.path, grant.path), OrgUnit.path.in_(prefixes(grant.path))]
    return or_(*parts) if parts else false()
