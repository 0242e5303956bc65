"""The lines and sessions behind a number of the table of sessions, for a page of records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from quizapp.core.scope import Permission, Scope, below
from quizapp.core.spreadsheet import Value
from quizapp.organisation.models import OrgUnit, Person
from quizapp.reports.attempt_rows import PIECE
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figures import reachable_unit
from quizapp.reports.figures.sessions import (
    SESSION_PATH,
    Holder,
    SessionFilters,
    held,
    joined_lines,
    line_path,
    line_rules,
    line_scope,
    line_without_unit,
    lines,
)
from quizapp.reports.figures.unit_table import RowKind
from quizapp.trainings.models import TrainingSession

_PATH = re.compile(r"(/[0-9]{1,18}){1,20}/")
#: The figures whose lines can be listed.
WITH_LINES = frozenset(
    {
        FigureCode.EXPECTED,
        FigureCode.EXPECTED_CAME,
        FigureCode.REGISTERED,
        FigureCode.ATTENDED,
        FigureCode.ATTENDED_PERSONS,
        FigureCode.WALK_INS,
        FigureCode.CHECKED_ROTATING,
        FigureCode.CHECKED_POSTER,
        FigureCode.CHECKED_PERSONAL,
        FigureCode.CHECKED_BY_HAND,
        FigureCode.CHECKED_BACK_FILLED,
    }
)


@dataclass(frozen=True)
class Line:
    """One person at one session."""

    session: TrainingSession
    person: Person
    #: The unit of that day, where it is known.
    unit: OrgUnit | None
    rostered: bool
    registered: bool
    #: When they came, ms UTC, and `CheckInMethod`; None where they did not.
    came_at: int | None
    method: str | None


@dataclass(frozen=True)
class Lines:
    """A page of lines, the latest session first, and how many there are in all."""

    total: int
    #: 人: different people among them.
    persons: int
    rows: Sequence[Line]


def find_lines(
    db: Session,
    scope: Scope,
    filters: SessionFilters,
    figure: FigureCode,
    place: Mapping[str, str],
    now: datetime,
    *,
    first: int,
    size: int,
    permission: Permission = Permission.EXPORT_FIGURES,
) -> Lines:
    """The lines that a figure counts. `place` says of which row: `at` a path, or `part` of the unit itself.

    Raises NotFound for a unit out of reach.
    """
    line = lines(filters, now)
    rule = line_rules(line)[FigureCode.ATTENDED if figure is FigureCode.ATTENDED_PERSONS else figure]
    path = line_path(line, filters.by)
    found = [rule, line_scope(scope, permission), *_of_row(db, scope, filters, place, permission, path)]
    if place.get("part") in (RowKind.OWN, RowKind.NO_UNIT):
        without = line_without_unit(line, filters.by)
        found.append(without if place["part"] == RowKind.NO_UNIT else ~without)
    numbers = select(func.count(), func.count(func.distinct(line.c.person_id)))
    total, persons = db.execute(joined_lines(numbers, line, filters.by, people=True).where(*found)).one()
    page = (
        joined_lines(select(TrainingSession, Person, line), line, filters.by, people=True)
        .join(TrainingSession, TrainingSession.id == line.c.session_id)
        .where(*found)
        .order_by(TrainingSession.starts_at.desc(), TrainingSession.id.desc(), Person.name_key, Person.id)
    )
    rows = db.execute(page.offset(first).limit(size)).all()
    units = {unit.id: unit for unit in db.scalars(select(OrgUnit).where(OrgUnit.id.in_({r.unit_id for r in rows})))}
    return Lines(
        total,
        persons,
        [
            Line(
                session=row[0],
                person=row[1],
                unit=units.get(row.unit_id),
                rostered=bool(row.rostered),
                registered=bool(row.registered),
                came_at=row.at_ms,
                method=row.method,
            )
            for row in rows
        ],
    )


#: The columns of `line_rows` by name, in their order.
LINE_COLUMNS = (
    "name", "unit", "unit_code", "session", "holder", "kind", "starts_at", "rostered", "registered", "came_at", "method",
)  # fmt: skip


def count_lines(db: Session, scope: Scope, filters: SessionFilters, now: datetime) -> int:
    """How many lines stand behind a whole table."""
    line, found = _of_table(db, scope, filters, now)
    return db.scalar(joined_lines(select(func.count()), line, filters.by, people=True).where(*found)) or 0


def line_rows(
    db: Session, scope: Scope, filters: SessionFilters, now: datetime, *, english: bool = False
) -> Iterator[Sequence[Value]]:
    """The lines behind a whole table as rows of a file, fetched in pieces. Codes come as codes, yes and no as "1" and "0"."""
    line, found = _of_table(db, scope, filters, now)
    unit = aliased(OrgUnit, name="unit_of_day")

    def name_of(table: Any) -> Any:
        return func.coalesce(table.name_en, table.name) if english else table.name

    columns = (
        Person.name, name_of(unit), unit.code, TrainingSession.title, name_of(Holder), TrainingSession.kind,
        TrainingSession.starts_at, line.c.rostered, line.c.registered, line.c.at_ms, line.c.method,
    )  # fmt: skip
    statement = (
        joined_lines(select(*columns), line, filters.by, people=True)
        .join(TrainingSession, TrainingSession.id == line.c.session_id)
        .outerjoin(unit, unit.id == line.c.unit_id)
        .where(*found)
        .order_by(TrainingSession.starts_at, TrainingSession.id, Person.name_key, Person.id)
    )
    for *row, rostered, registered, came_at, method in db.execute(statement.execution_options(yield_per=PIECE)):
        yield [*row, str(rostered), str(registered), came_at, method]


def _of_table(
    db: Session, scope: Scope, filters: SessionFilters, now: datetime
) -> tuple[Subquery, list[ColumnElement[bool]]]:
    permission, line = Permission.EXPORT_FIGURES, lines(filters, now)
    of_row = _of_row(db, scope, filters, {}, permission, line_path(line, filters.by))
    return line, [line_scope(scope, permission), *of_row]


def find_sessions(
    db: Session,
    scope: Scope,
    filters: SessionFilters,
    place: Mapping[str, str],
    now: datetime,
    *,
    first: int,
    size: int,
    permission: Permission = Permission.EXPORT_FIGURES,
) -> tuple[int, Sequence[TrainingSession]]:
    """How many sessions a number counts, and a page of them, the latest first. Raises NotFound for a unit out of reach."""
    found = [scope.condition(permission, OrgUnit.path), *held(filters, now)]
    found += _of_row(db, scope, filters, place, permission, SESSION_PATH)
    total = db.scalar(
        select(func.count())
        .select_from(TrainingSession)
        .join(OrgUnit, OrgUnit.id == TrainingSession.unit_id)
        .where(*found)
    )
    rows = db.scalars(
        select(TrainingSession)
        .join(OrgUnit, OrgUnit.id == TrainingSession.unit_id)
        .options(joinedload(TrainingSession.unit))
        .where(*found)
        .order_by(TrainingSession.starts_at.desc(), TrainingSession.id.desc())
        .offset(first)
        .limit(size)
    )
    return total or 0, rows.all()


def _of_row(
    db: Session,
    scope: Scope,
    filters: SessionFilters,
    place: Mapping[str, str],
    permission: Permission,
    path: Any,
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    unit = reachable_unit(db, scope, filters.unit_id, permission)
    if unit is not None:
        found.append(below(path, unit.path))
    elif all(grant.path is not None for grant in scope.with_permission(permission)):
        # What stood elsewhere on its day is that place's, as in the table.
        found.append(or_(*(below(path, grant.path or "") for grant in scope.with_permission(permission))))
    if _PATH.fullmatch(at := place.get("at", "")):
        found.append(below(path, at))
    if unit is not None and place.get("part") in (RowKind.OWN, RowKind.NO_UNIT):
        found.append(path == unit.path)
    return found
