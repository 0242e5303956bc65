"""Finding units and industries."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.attributes import InstrumentedAttribute

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope, below
from quizapp.organisation.models import Industry, OrgUnit

#: From how many characters a search answers, and with how many units at most.
LEAST_CHARACTERS = 2
MOST_FOUND = 8


@dataclass(frozen=True)
class UnitHit:
    """One found unit with the name of the unit above it. `matched` says by what: "name", "initials" or "code"."""

    unit: OrgUnit
    parent: str | None
    matched: str


@dataclass(frozen=True)
class UnitRow:
    """A unit with the number of open units directly below it."""

    unit: OrgUnit
    children: int


def search_units(
    db: Session,
    text: str,
    within_path: str | None = None,
    limit: int = MOST_FOUND,
    *,
    within: ColumnElement[bool] | None = None,
) -> list[UnitHit]:
    """Open units by a part of the name, the beginning of the pinyin initials or of the code, best first.

    Nothing for fewer than two characters. `within_path` keeps to one unit and all below it, `within` to the units of a condition. Every
    visitor may search: unit names are public.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    if len(typed) < LEAST_CHARACTERS:
        return []
    lower = typed.lower()
    in_name = OrgUnit.name.contains(typed, autoescape=True)
    in_initials = OrgUnit.initials.startswith("".join(lower.split()), autoescape=True)
    in_code = func.lower(OrgUnit.code).startswith("".join(lower.split()), autoescape=True)
    rank = case(
        (func.lower(OrgUnit.code) == lower, 0),
        (OrgUnit.name.startswith(typed, autoescape=True), 1),
        (in_name, 2),
        (in_initials, 3),
        else_=4,
    )
    above = aliased(OrgUnit)
    query = (
        select(OrgUnit, above.name, rank)
        .outerjoin(above, above.id == OrgUnit.parent_id)
        .where(OrgUnit.closed_at.is_(None), or_(in_name, in_initials, in_code))
        .order_by(rank, OrgUnit.path)
        .limit(limit)
    )
    if within_path is not None:
        query = query.where(below(OrgUnit.path, within_path))
    if within is not None:
        query = query.where(within)
    words = {0: "code", 1: "name", 2: "name", 3: "initials", 4: "code"}
    return [UnitHit(unit, parent, words[place]) for unit, parent, place in db.execute(query)]


def children_of(db: Session, parent_id: int | None) -> list[UnitRow]:
    """The open units directly below one (None: the top ones), in the order in which they were made; for step-by-step choice."""
    return _rows(db, OrgUnit.parent_id.is_(None) if parent_id is None else OrgUnit.parent_id == parent_id)


def find_open_unit(db: Session, unit_id: int, within_path: str | None = None) -> OrgUnit | None:
    """A unit that takes people, for anybody; None when it is closed, unknown or outside `within_path`."""
    unit = db.get(OrgUnit, unit_id)
    if unit is None or unit.closed_at is not None:
        return None
    if within_path is not None and not unit.path.startswith(within_path):
        return None
    return unit


def find_unit_by_code(db: Session, code: str) -> OrgUnit | None:
    """The unit of a code, whatever its case."""
    return db.scalar(select(OrgUnit).where(func.lower(OrgUnit.code) == code.strip().lower()))


def ancestors_of(db: Session, unit: OrgUnit) -> list[OrgUnit]:
    """The units above one, from the top down, without itself."""
    ids = [int(part) for part in unit.path.strip("/").split("/")[:-1]]
    found = {u.id: u for u in db.scalars(select(OrgUnit).where(OrgUnit.id.in_(ids)))} if ids else {}
    return [found[unit_id] for unit_id in ids if unit_id in found]


def residences_of(db: Session, unit_ids: Iterable[int]) -> dict[int, str]:
    """Unit → its `Residence`: its own, else that of the nearest unit above that has one; units without any are left out."""
    wanted = set(unit_ids)
    paths = db.execute(select(OrgUnit.id, OrgUnit.path).where(OrgUnit.id.in_(wanted))).all()
    ways = {unit_id: [int(part) for part in path.split("/") if part] for unit_id, path in paths}
    above = {one for way in ways.values() for one in way}
    rows = db.execute(
        select(OrgUnit.id, OrgUnit.residence).where(OrgUnit.id.in_(above), OrgUnit.residence.is_not(None))
    )
    said = {unit_id: residence for unit_id, residence in rows if residence is not None}
    nearest = {
        unit_id: next((said[one] for one in reversed(way) if one in said), None) for unit_id, way in ways.items()
    }
    return {unit_id: residence for unit_id, residence in nearest.items() if residence is not None}


def get_unit(db: Session, scope: Scope, unit_id: int, permission: Permission = Permission.MANAGE_UNITS) -> OrgUnit:
    """A unit in the scope. Raises NotFound."""
    unit = db.scalar(select(OrgUnit).where(OrgUnit.id == unit_id, scope.condition(permission, OrgUnit.path)))
    if unit is None:
        raise NotFound
    return unit


def list_units(
    db: Session,
    scope: Scope,
    *,
    opened: Iterable[int] = (),
    permission: Permission = Permission.MANAGE_UNITS,
) -> list[UnitRow]:
    """The tree as it is unfolded: the topmost units in the scope and what lies directly below each opened one, closed ones included.

    In the order of a walk from the top; never more than what was opened.
    """
    tops = _rows(db, _tops(scope, permission), closed_too=True)
    wanted = set(opened)
    below_opened: dict[int, list[UnitRow]] = {}
    if wanted:
        condition = and_(OrgUnit.parent_id.in_(wanted), scope.condition(permission, OrgUnit.path))
        for row in _rows(db, condition, closed_too=True):
            below_opened.setdefault(row.unit.parent_id or 0, []).append(row)
    result: list[UnitRow] = []

    def walk(rows: list[UnitRow]) -> None:
        for row in rows:
            result.append(row)
            walk(below_opened.get(row.unit.id, []))

    walk(tops)
    return result


def units_to_choose(db: Session, scope: Scope, permission: Permission) -> list[OrgUnit]:
    """The topmost open units in a scope: where a choice of one's own units begins."""
    return [row.unit for row in _rows(db, _tops(scope, permission))]


def search_own_units(
    db: Session, scope: Scope, text: str, permission: Permission = Permission.MANAGE_UNITS, limit: int = 50
) -> list[UnitRow]:
    """Units of the scope, closed ones too, by name part, initials or code."""
    typed = unicodedata.normalize("NFKC", text).strip()
    lower = typed.lower()
    condition = and_(
        scope.condition(permission, OrgUnit.path),
        or_(
            OrgUnit.name.contains(typed, autoescape=True),
            OrgUnit.initials.startswith(lower, autoescape=True),
            func.lower(OrgUnit.code).startswith(lower, autoescape=True),
        ),
    )
    return _rows(db, condition, closed_too=True, limit=limit)


def unit_ids_in(scope: Scope, permission: Permission, column: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """The condition that a column of unit ids lies in the scope of today's tree."""
    return column.in_(select(OrgUnit.id).where(scope.condition(permission, OrgUnit.path)))


def list_industries(db: Session, *, closed_too: bool = False) -> Sequence[Industry]:
    """The industries, which everybody may know, by code."""
    query = select(Industry).order_by(Industry.code)
    if not closed_too:
        query = query.where(Industry.closed_at.is_(None))
    return db.scalars(query).all()


def get_industry(db: Session, industry_id: int) -> Industry:
    """An industry. Raises NotFound."""
    industry = db.get(Industry, industry_id)
    if industry is None:
        raise NotFound
    return industry


def _tops(scope: Scope, permission: Permission) -> ColumnElement[bool]:
    """The roots of the scope: the tree's own tops for a grant over all, else the granted units without those below another."""
    paths = {g.path for g in scope.with_permission(permission) if g.industry_id is None}
    if None in paths:
        return OrgUnit.parent_id.is_(None)
    known = [p for p in paths if p is not None]
    roots = [p for p in known if not any(p != other and p.startswith(other) for other in known)]
    return OrgUnit.path.in_(roots)


def _rows(
    db: Session, condition: ColumnElement[bool], *, closed_too: bool = False, limit: int | None = None
) -> list[UnitRow]:
    child = aliased(OrgUnit)
    count = (
        select(func.count())
        .select_from(child)
        .where(child.parent_id == OrgUnit.id)
        .where(child.closed_at.is_(None) if not closed_too else child.id.is_not(None))
        .correlate(OrgUnit)
        .scalar_subquery()
    )
    query = select(OrgUnit, count).where(condition).order_by(OrgUnit.id)
    if not closed_too:
        query = query.where(OrgUnit.closed_at.is_(None))
    if limit is not None:
        query = query.limit(limit)
    return [UnitRow(unit, children) for unit, children in db.execute(query)]
