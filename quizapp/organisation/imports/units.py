"""Rows of units: read and checked, put in order below their parents, and written.

A parent stands in the file, in any order, or is there already. What is there already (the same code, or the same name below the same
parent) is left as it is.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from quizapp.core.tables import Row
from quizapp.organisation.imports import fields
from quizapp.organisation.imports.fields import MOST_CODE, MOST_UNIT_NAME, Bad, code_key, word_key
from quizapp.organisation.imports.reach import MOST_CODES, IndustryIndex, Reach, UnitIndex, UnitRef
from quizapp.organisation.imports.rows import Faults, in_chunks
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.services import initials_of

#: Rows of a circle that a fault names.
_MOST_NAMED = 8


@dataclass
class UnitRow:
    """One row that can be read. `above` is its parent: another row, a unit that is there, or None for the top."""

    number: int
    name: str
    code: str
    kind: str
    industry_id: int | None
    residence: str | None
    parent: str
    parent_code: str
    above: UnitRow | UnitRef | None = None
    #: The unit that is there already.
    known: UnitRef | None = None


@dataclass
class UnitReader:
    """Reads the rows of a file of units. `base` is the unit below which a row without a parent comes."""

    index: UnitIndex
    industries: IndustryIndex
    #: Codes of all units, within reach or not.
    codes: frozenset[str]
    base: UnitRef | None
    reach: Reach
    columns: Mapping[str, int]
    faults: Faults = field(default_factory=Faults)
    rows: int = 0
    _by_code: dict[str, UnitRow] = field(default_factory=dict)
    _by_name: dict[str, list[UnitRow]] = field(default_factory=lambda: defaultdict(list))

    def ordered(self, rows: Iterable[Row]) -> list[UnitRow]:
        """The rows, parents first. What is wrong is in `faults`; then the order is worth nothing."""
        units = [unit for row in rows if not row.empty and (unit := self._read(row)) is not None]
        for unit in units:
            self._find_above(unit)
        order = self._sorted(units)
        self._find_known(order)
        return order

    def _read(self, row: Row) -> UnitRow | None:
        self.rows += 1
        number, before = row.number, len(self.faults.found)
        cell = {name: row.cell(column) for name, column in self.columns.items()}
        tried = self.faults.tried
        name = tried(number, lambda: fields.read_name(cell.get("name", ""), MOST_UNIT_NAME))
        kind = tried(number, lambda: fields.read_kind(cell.get("kind", "")))
        industry_id = tried(number, lambda: self.industries.find(cell.get("industry", "")))
        residence = tried(number, lambda: fields.read_residence(cell.get("residence", "")))
        code = "".join(cell.get("code", "").split())
        key = code_key(code)
        if len(code) > MOST_CODE:
            self.faults.add(number, Bad("code", "code_long", most=MOST_CODE))
        elif key in self._by_code:
            self.faults.add(number, Bad("code", "code_repeated", row=self._by_code[key].number))
        if len(self.faults.found) > before:
            return None
        unit = UnitRow(
            number=number,
            name=name or "",
            code=code,
            kind=kind or "",
            industry_id=industry_id,
            residence=residence,
            parent=cell.get("parent", ""),
            parent_code=cell.get("parent_code", ""),
        )
        if key:
            unit.known = self.index.by_code.get(key)
            self._by_code[key] = unit
            if unit.known is None and key in self.codes:
                self.faults.add(number, Bad("code", "code_taken"))
            elif unit.known is not None and word_key(unit.known.name) != word_key(unit.name):
                self.faults.add(number, Bad("code", "code_of_another", name=unit.known.name))
        self._by_name[word_key(unit.name)].append(unit)
        return unit

    def _find_above(self, unit: UnitRow) -> None:
        try:
            unit.above = self._above(unit)
        except Bad as bad:
            self.faults.add(unit.number, bad)

    def _above(self, unit: UnitRow) -> UnitRow | UnitRef | None:
        code, name = code_key(unit.parent_code), word_key(unit.parent)
        found: list[UnitRow | UnitRef]
        if code:
            one = self._by_code.get(code) or self.index.by_code.get(code)
            if one is None:
                raise Bad("parent_code", "parent_unknown")
            found = [one]
        elif name:
            # the file's own units come first: one that is there already under the same name is mostly the same
            found = [*self._by_name.get(name, ())] or [*self.index.by_name.get(name, ())]
            if not found:
                raise Bad("parent", "parent_unknown")
        else:
            if self.base is None and self.reach is not None:
                raise Bad("parent", "parent_needed")
            return self.base
        if len(found) > 1:
            codes = [one.code for one in found[:MOST_CODES] if one.code]
            raise Bad("parent", "parent_ambiguous", count=len(found), codes=codes)
        one = found[0]
        if isinstance(one, UnitRef) and one.closed:
            raise Bad("parent", "parent_closed")
        return one

    def _sorted(self, units: Sequence[UnitRow]) -> list[UnitRow]:
        """Parents first. Rows that go round in a circle are faults."""
        order: list[UnitRow] = []
        state: dict[int, int] = {}
        for unit in units:
            way: list[UnitRow] = []
            one: UnitRow | UnitRef | None = unit
            while isinstance(one, UnitRow) and one.number not in state:
                state[one.number] = 1
                way.append(one)
                one = one.above
            if isinstance(one, UnitRow) and state[one.number] == 1:
                circle = way[way.index(one) :]
                numbers = sorted(row.number for row in circle)[:_MOST_NAMED]
                for row in circle:
                    self.faults.add(row.number, Bad("parent", "parent_circle", rows=numbers))
            for row in reversed(way):
                state[row.number] = 2
                order.append(row)
        return order

    def _find_known(self, order: Sequence[UnitRow]) -> None:
        """Without a code: the same name below the same parent is there already, or stands in the file twice."""
        seen: dict[tuple[object, str], UnitRow] = {}
        for unit in order:
            above = unit.above.known or unit.above if isinstance(unit.above, UnitRow) else unit.above
            place = above.path if isinstance(above, UnitRef) else ("row", above.number) if above else "/"
            key = (place, word_key(unit.name))
            if unit.known is None and not unit.code and isinstance(place, str):
                unit.known = next(
                    (
                        ref
                        for ref in self.index.by_name.get(key[1], [])
                        if ref.path == f"{place}{ref.id}/" and not ref.closed
                    ),
                    None,
                )
            if key in seen and not (unit.code and seen[key].code):
                self.faults.add(unit.number, Bad("name", "unit_repeated", row=seen[key].number))
            seen.setdefault(key, unit)


def make_reader(db: Session, *, reach: Reach, base_id: int | None, columns: Mapping[str, int]) -> UnitReader:
    """A reader with all that is known now."""
    index = UnitIndex(db, reach)
    codes = frozenset(code_key(code) for code in db.scalars(select(OrgUnit.code)))
    base = index.by_id.get(base_id) if base_id is not None else None
    return UnitReader(index, IndustryIndex(db), codes, base, reach, columns)


def write_units(
    db: Session, order: Sequence[UnitRow], *, codes: frozenset[str], initials: Mapping[int, str], now: datetime
) -> int:
    """Make the units that are not there, level by level; gives their number.

    `codes` are those that stand already; `initials`: row number → initials of its name.
    """
    taken = codes | {code_key(unit.code) for unit in order}
    placed: dict[int, tuple[int, str]] = {unit.number: unit.known[:2] for unit in order if unit.known is not None}
    waiting = [unit for unit in order if unit.known is None]
    made = len(waiting)
    while waiting:
        level = [u for u in waiting if not isinstance(u.above, UnitRow) or u.above.number in placed]
        level_numbers = {unit.number for unit in level}
        for piece in in_chunks(level):
            _write_level(db, piece, placed, taken, initials, now)
        waiting = [unit for unit in waiting if unit.number not in level_numbers]
    return made


def _write_level(
    db: Session,
    units: Sequence[UnitRow],
    placed: dict[int, tuple[int, str]],
    taken: frozenset[str],
    initials: Mapping[int, str],
    now: datetime,
) -> None:
    above: list[tuple[int | None, str]] = [
        placed[unit.above.number]
        if isinstance(unit.above, UnitRow)
        else (unit.above.id, unit.above.path) if unit.above else (None, "/")
        for unit in units
    ]  # fmt: skip
    mark = secrets.token_hex(8)
    values = [
        {
            "parent_id": parent_id,
            "path": f"new-{mark}-{unit.number}",
            "name": unit.name,
            "code": unit.code or f"new-{mark}-{unit.number}",
            "initials": initials[unit.number],
            "kind": unit.kind,
            "industry_id": unit.industry_id,
            "residence": unit.residence,
            "created_at": now,
        }
        for unit, (parent_id, _) in zip(units, above, strict=True)
    ]
    ids = db.execute(insert(OrgUnit).returning(OrgUnit.id, sort_by_parameter_order=True), values).scalars().all()
    changes = []
    for unit, unit_id, (_, path) in zip(units, ids, above, strict=True):
        placed[unit.number] = (unit_id, f"{path}{unit_id}/")
        code = unit.code or f"U{unit_id}"
        while not unit.code and code_key(code) in taken:
            code += "A"
        changes.append({"id": unit_id, "path": f"{path}{unit_id}/", "code": code})
    db.execute(update(OrgUnit), changes)


def initials_for(order: Sequence[UnitRow]) -> dict[int, str]:
    """Row number → pinyin initials of the name, for the units that are not there: the slow part, before anything is locked."""
    return {unit.number: initials_of(unit.name) for unit in order if unit.known is None}
