"""The units that an importer may name: as paths, so that a job can be told them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from quizapp.core.scope import Permission, Scope, below
from quizapp.organisation.imports.fields import Bad, code_key, word_key
from quizapp.organisation.models import Industry, OrgUnit

#: Paths of units that stand, with all below, for what somebody may name; None: everything.
Reach = Sequence[str] | None
#: Codes that a fault names at most.
MOST_CODES = 5


def reach_of(scope: Scope, permission: Permission) -> list[str] | None:
    """Where a permission reaches. A grant limited to an industry reaches no unit, as everywhere."""
    paths = {grant.path for grant in scope.with_permission(permission) if grant.industry_id is None}
    return None if None in paths else sorted(path for path in paths if path is not None)


def reaches(reach: Reach, path: str | None) -> bool:
    """Whether a unit's path lies within."""
    return reach is None or (path is not None and any(path.startswith(top) for top in reach))


def reach_condition(reach: Reach, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The same as SQL."""
    if reach is None:
        return true()
    return or_(*(below(column, path) for path in reach)) if reach else false()


class UnitRef(NamedTuple):
    """What an import needs to know of a unit."""

    id: int
    path: str
    name: str
    code: str
    closed: bool


class UnitIndex:
    """The units within reach, by code and by exact name."""

    def __init__(self, db: Session, reach: Reach) -> None:
        self.by_id: dict[int, UnitRef] = {}
        self.by_code: dict[str, UnitRef] = {}
        self.by_name: dict[str, list[UnitRef]] = defaultdict(list)
        rows = db.execute(
            select(OrgUnit.id, OrgUnit.path, OrgUnit.name, OrgUnit.code, OrgUnit.closed_at)
            .where(reach_condition(reach, OrgUnit.path))
            .order_by(OrgUnit.id)
        )
        for unit_id, path, name, code, closed_at in rows:
            unit = UnitRef(unit_id, path, name, code, closed_at is not None)
            self.by_id[unit.id] = unit
            self.by_code[code_key(code)] = unit
            self.by_name[word_key(name)].append(unit)

    def find(self, name: str, code: str) -> UnitRef | None:
        """The open unit of a code, or else of an exact name; None where neither stands. Bad: unknown, closed, or not the only one."""
        unit: UnitRef | None = None
        if code_key(code):
            unit = self.by_code.get(code_key(code))
            if unit is None:
                raise Bad("unit_code", "unit_code_unknown")
            if name and word_key(name) != word_key(unit.name):
                raise Bad("unit", "unit_other_name", name=unit.name)
            if unit.closed:
                raise Bad("unit_code", "unit_closed")
        elif word_key(name):
            found = self.by_name.get(word_key(name), [])
            opened = [one for one in found if not one.closed]
            if not opened:
                raise Bad("unit", "unit_closed" if found else "unit_unknown")
            if len(opened) > 1:
                codes = "、".join(one.code for one in opened[:MOST_CODES])
                raise Bad("unit", "unit_ambiguous", count=len(opened), codes=codes)
            unit = opened[0]
        return unit


class IndustryIndex:
    """The industries, by code and by name in both languages; everybody may know them."""

    def __init__(self, db: Session) -> None:
        self._ids: dict[str, tuple[int, bool]] = {}
        for row in db.scalars(select(Industry)):
            for text in (row.name_en, row.name, row.code):
                self._ids[word_key(text)] = (row.id, row.closed_at is not None)

    def find(self, text: str) -> int | None:
        """The open industry of a code or name; None where nothing stands. Bad: unknown or closed."""
        if not word_key(text):
            return None
        industry_id, closed = self._ids.get(word_key(text), (0, False))
        if not industry_id:
            raise Bad("industry", "industry_unknown")
        if closed:
            raise Bad("industry", "industry_closed")
        return industry_id
