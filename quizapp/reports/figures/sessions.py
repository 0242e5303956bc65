"""The table of sessions by unit: held, expected, registered, came, walked in, and how they were checked in.

Behind it stand lines: one for each person who was expected at a session or came to it. A line belongs to a unit in one of two ways: to
the unit that holds the session, or to the unit of the person on that day (roster, else registration, else attendance) and to the holding
unit where nobody knew theirs: by its path of that day. Whom a reader sees follows from where that unit stands today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from quizapp.core.clock import day_after, day_start, to_ms
from quizapp.core.errors import Forbidden
from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit, Person
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figures.people import inside, step_of
from quizapp.reports.figures.reach import (
    aggregates_only,
    ancestors_of,
    last_step,
    reachable_unit,
    top_paths,
    units_below,
)
from quizapp.reports.figures.sums import count
from quizapp.reports.figures.unit_table import RowKind
from quizapp.trainings.models import (
    Attendance,
    CheckInMethod,
    Registration,
    RegistrationState,
    RosterEntry,
    SessionKind,
    TrainingSession,
)
from quizapp.trainings.queries.attendance import counts


class UnitBy(StrEnum):
    """To which unit a line belongs."""

    HOLDER = "holder"
    PEOPLE = "people"


@dataclass(frozen=True)
class SessionFilters:
    """What narrows the table. Days are local days of the session's begin, both included."""

    first_day: date
    last_day: date
    unit_id: int | None = None
    #: Joint, sector, lecture, crew; None: all.
    kind: SessionKind | None = None
    by: UnitBy = UnitBy.HOLDER

    def as_query(self) -> dict[str, str]:
        """As it stands in an address."""
        values = {
            "unit": self.unit_id,
            "kind": self.kind.value if self.kind else None,
            "by": self.by.value if self.by is not UnitBy.HOLDER else None,
            "from": self.first_day,
            "to": self.last_day,
        }
        return {name: str(value) for name, value in values.items() if value is not None}


@dataclass(slots=True)
class SessionCounts:
    """What is counted of lines (人次), beside the sessions (场). The methods add up to `attended`."""

    sessions: int = 0
    expected: int = 0
    expected_came: int = 0
    registered: int = 0
    attended: int = 0
    walk_ins: int = 0
    rotating: int = 0
    poster: int = 0
    personal: int = 0
    by_hand: int = 0
    back_filled: int = 0

    def __add__(self, other: SessionCounts) -> SessionCounts:
        return SessionCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def rate(self) -> float | None:
        """Came of those expected; None where nobody was."""
        return self.expected_came / self.expected if self.expected else None


@dataclass(frozen=True)
class SessionRow:
    """One row: the total, a unit with all below it, or what belongs to the unit itself."""

    kind: RowKind
    #: The path under which it counts; that of the table's unit for `own` and `no_unit`.
    path: str
    unit: OrgUnit | None
    #: The unit stands elsewhere today.
    moved: bool
    #: There are units below it, so that its name leads on.
    opens: bool
    counts: SessionCounts
    #: 人: different people who came.
    persons: int


@dataclass(frozen=True)
class SessionTable:
    """The table, its total first."""

    #: None: all units of several grants together.
    unit: OrgUnit | None
    filters: SessionFilters
    #: From the top of what the reader may see down to `unit`.
    ancestors: tuple[OrgUnit, ...]
    rows: tuple[SessionRow, ...]

    @property
    def total(self) -> SessionRow:
        """The first row."""
        return self.rows[0]


Holder = aliased(OrgUnit, name="holder")
#: The path under which a session counts, that of its day; `OrgUnit` is the unit that holds it.
SESSION_PATH: Any = func.coalesce(TrainingSession.unit_path, OrgUnit.path)
_ROSTER, _OTHERS = aliased(RosterEntry), aliased(Registration)


def line_rules(line: Subquery) -> dict[FigureCode, ColumnElement[bool]]:
    """Which lines a figure counts, in the order of `SessionCounts`."""
    came, expected = line.c.came == 1, or_(line.c.rostered == 1, line.c.registered == 1)
    of_somebody = or_(
        exists().where(_ROSTER.session_id == line.c.session_id),
        exists().where(_OTHERS.session_id == line.c.session_id, _OTHERS.state == RegistrationState.REGISTERED),
    )
    return {
        FigureCode.EXPECTED: expected,
        FigureCode.EXPECTED_CAME: and_(expected, came),
        FigureCode.REGISTERED: line.c.registered == 1,
        FigureCode.ATTENDED: came,
        FigureCode.WALK_INS: and_(came, ~expected, of_somebody),
        FigureCode.CHECKED_ROTATING: line.c.method == CheckInMethod.ROTATING,
        FigureCode.CHECKED_POSTER: line.c.method == CheckInMethod.POSTER,
        FigureCode.CHECKED_PERSONAL: line.c.method == CheckInMethod.PERSONAL,
        FigureCode.CHECKED_BY_HAND: line.c.method == CheckInMethod.BY_HAND,
        FigureCode.CHECKED_BACK_FILLED: line.c.method == CheckInMethod.BACK_FILLED,
    }


def session_table(
    db: Session,
    scope: Scope,
    filters: SessionFilters,
    now: datetime,
    permission: Permission = Permission.EXPORT_FIGURES,
) -> SessionTable:
    """The sessions of a unit and of each unit directly below it, as far as the scope reaches.

    Raises NotFound for a unit out of reach, Forbidden for whoever sees aggregates only: these are exact counts of few people.
    """
    if aggregates_only(scope, permission):
        raise Forbidden
    found = _line_counts(db, scope, permission, filters, now)
    if filters.by is UnitBy.HOLDER:
        found += _session_counts(db, scope, permission, filters, now)
    tops = top_paths(db, scope, [path for path, _, _ in found], permission)
    unit = reachable_unit(db, scope, filters.unit_id, permission)
    if unit is None and len(tops) == 1:
        unit = db.get(OrgUnit, last_step(tops[0]))
    above = unit.path if unit else None
    parts: dict[str, SessionCounts] = {}
    for path, no_unit, of_path in found:
        key = _part(path, no_unit, above, tops)
        if key is not None:
            parts[key] = parts.get(key, SessionCounts()) + of_path
    people = _persons(db, scope, permission, filters, now, above, tops)
    return SessionTable(
        unit=unit,
        filters=filters,
        ancestors=ancestors_of(db, unit, tops),
        rows=_rows(db, unit, tops, parts, people),
    )


def held(filters: SessionFilters, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The sessions in question: begun, not called off, of the period and kind."""
    found = [
        TrainingSession.starts_at >= to_ms(day_start(filters.first_day)),
        TrainingSession.starts_at < to_ms(day_start(day_after(filters.last_day))),
        TrainingSession.starts_at <= to_ms(now),
        TrainingSession.cancelled_at.is_(None),
    ]
    if filters.kind is not None:
        found.append(TrainingSession.kind == filters.kind)
    return tuple(found)


def lines(filters: SessionFilters, now: datetime, *, came: bool = False) -> Subquery:
    """Everybody who was expected at a session in question or came to it, once a session; with `came` those who came only.

    Three parts that have nobody in common: who came; of the roster who did not; who registered, is on no roster and did not come.
    """
    registered = Registration.state == RegistrationState.REGISTERED
    statement = select(
        TrainingSession.id.label("session_id"),
        TrainingSession.unit_id.label("holder_id"),
        TrainingSession.unit_path.label("holder_path"),
        TrainingSession.starts_at.label("starts_at"),
        func.coalesce(Attendance.person_id, RosterEntry.person_id, Registration.person_id).label("person_id"),
        case((RosterEntry.id.is_not(None), 1), else_=0).label("rostered"),
        case((Registration.id.is_not(None), 1), else_=0).label("registered"),
        case((Attendance.id.is_not(None), 1), else_=0).label("came"),
        Attendance.method.label("method"),
        Attendance.at_ms.label("at_ms"),
        # The unit of that day; None where nobody knew it.
        func.coalesce(RosterEntry.unit_id, Registration.unit_id, Attendance.unit_id).label("unit_id"),
        func.coalesce(RosterEntry.unit_path, Registration.unit_path, Attendance.unit_path).label("unit_path"),
    ).select_from(TrainingSession)

    def same(one: Any, other: Any) -> ColumnElement[bool]:
        return and_(one.session_id == other.session_id, one.person_id == other.person_id)

    of_session = {table: table.session_id == TrainingSession.id for table in (Attendance, RosterEntry, Registration)}
    who_came = (
        statement.join(Attendance, of_session[Attendance])
        .outerjoin(RosterEntry, same(RosterEntry, Attendance))
        .outerjoin(Registration, and_(same(Registration, Attendance), registered))
        .where(counts(), *held(filters, now))
    )
    if came:
        return who_came.subquery("line")
    of_roster = (
        statement.join(RosterEntry, of_session[RosterEntry])
        .outerjoin(Registration, and_(same(Registration, RosterEntry), registered))
        .outerjoin(Attendance, and_(same(Attendance, RosterEntry), counts()))
        .where(Attendance.id.is_(None), *held(filters, now))
    )
    others = (
        statement.join(Registration, and_(of_session[Registration], registered))
        .outerjoin(RosterEntry, same(RosterEntry, Registration))
        .outerjoin(Attendance, and_(same(Attendance, Registration), counts()))
        .where(Attendance.id.is_(None), RosterEntry.id.is_(None), *held(filters, now))
    )
    return union_all(who_came, of_roster, others).subquery("line")


def joined_lines(statement: Any, line: Subquery, by: UnitBy, *, people: bool) -> Any:
    """From the lines to the holding unit and, as `OrgUnit`, to the unit by whose place today they may be seen; with `people` to them."""
    seen_at = line.c.holder_id if by is UnitBy.HOLDER else func.coalesce(line.c.unit_id, line.c.holder_id)
    found = statement.select_from(line).join(Holder, Holder.id == line.c.holder_id)
    found = found.join(OrgUnit, OrgUnit.id == seen_at)
    return found.join(Person, Person.id == line.c.person_id) if people else found


def line_path(line: Subquery, by: UnitBy) -> Any:
    """The path under which a line counts."""
    of_holder = (line.c.holder_path, Holder.path)
    return func.coalesce(line.c.unit_path, *of_holder) if by is UnitBy.PEOPLE else func.coalesce(*of_holder)


def line_without_unit(line: Subquery, by: UnitBy) -> ColumnElement[bool]:
    """Whether a line counts for the holding unit for want of another."""
    return line.c.unit_id.is_(None) if by is UnitBy.PEOPLE else false()


def line_scope(scope: Scope, permission: Permission) -> ColumnElement[bool]:
    """Which lines a reader sees; an industry is the person's."""
    return scope.condition(permission, OrgUnit.path, Person.industry_id)


def by_industry(scope: Scope, permission: Permission) -> bool:
    """Whether a reader sees the people of some industries only, so that their rows are needed."""
    return any(grant.industry_id is not None for grant in scope.with_permission(permission))


def _line_counts(
    db: Session, scope: Scope, permission: Permission, filters: SessionFilters, now: datetime
) -> list[tuple[str, bool, SessionCounts]]:
    line = lines(filters, now)
    path = line_path(line, filters.by)
    no_unit = case((line_without_unit(line, filters.by), 1), else_=0)
    figures = (count(rule) for rule in line_rules(line).values())
    statement = joined_lines(select(path, no_unit, *figures), line, filters.by, people=by_industry(scope, permission))
    rows = db.execute(statement.where(line_scope(scope, permission)).group_by(path, no_unit))
    return [(one, bool(none), SessionCounts(0, *numbers)) for one, none, *numbers in rows]


def _session_counts(
    db: Session, scope: Scope, permission: Permission, filters: SessionFilters, now: datetime
) -> list[tuple[str, bool, SessionCounts]]:
    statement = (
        select(SESSION_PATH, func.count())
        .select_from(TrainingSession)
        .join(OrgUnit, OrgUnit.id == TrainingSession.unit_id)
        .where(scope.condition(permission, OrgUnit.path), *held(filters, now))
    )
    return [(path, False, SessionCounts(number)) for path, number in db.execute(statement.group_by(SESSION_PATH))]


def _part(path: str, no_unit: bool, above: str | None, tops: Sequence[str]) -> str | None:
    """The row under which a path counts; None outside. `_persons` says the same in SQL."""
    if above is None:
        return next((top for top in tops if path.startswith(top)), None)
    if not path.startswith(above):
        return None
    if path == above:
        return f"{above}{RowKind.NO_UNIT if no_unit else RowKind.OWN}"
    return f"{above}{path[len(above) :].partition('/')[0]}/"


def _persons(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: SessionFilters,
    now: datetime,
    above: str | None,
    tops: Sequence[str],
) -> dict[str, int]:
    """Different people who came, by row; all of them under ""."""
    line, by = lines(filters, now, came=True), filters.by
    path = line_path(line, by)
    row: Any = step_of(db, path, above, tops)
    if above is not None:
        own = case(
            (line_without_unit(line, by), literal(f"{above}{RowKind.NO_UNIT}")),
            else_=literal(f"{above}{RowKind.OWN}"),
        )
        row = case((path == above, own), else_=row)
    # Each with the rows that they count under: a person of two rows is one in the total.
    found = joined_lines(select(row, line.c.person_id), line, by, people=by_industry(scope, permission))
    pairs = found.where(line_scope(scope, permission), inside(path, above, tops)).distinct().subquery("pair")
    key, person = pairs.c
    rows = db.execute(select(key, func.count()).group_by(key)).all()
    total = db.scalar(select(func.count(func.distinct(person)))) or 0
    return {**dict(rows), "": total}


def _rows(
    db: Session,
    unit: OrgUnit | None,
    tops: Sequence[str],
    parts: Mapping[str, SessionCounts],
    people: Mapping[str, int],
) -> tuple[SessionRow, ...]:
    key = unit.path if unit else "/"
    total = sum(parts.values(), SessionCounts())
    rows = [SessionRow(RowKind.TOTAL, key, unit, False, False, total, people[""])]
    units = units_below(db, unit, tops, [path for path in parts if path.endswith("/")])
    for one in units:
        of_unit, of_people = parts.get(one.path, SessionCounts()), people.get(one.path, 0)
        rows.append(SessionRow(RowKind.UNIT, one.path, one.unit, one.moved, one.opens, of_unit, of_people))
    for kind in (RowKind.OWN, RowKind.NO_UNIT):
        found = parts.get(f"{key}{kind}")
        if found is not None and (units or kind is RowKind.NO_UNIT):
            rows.append(SessionRow(kind, key, None, False, False, found, people.get(f"{key}{kind}", 0)))
    return tuple(rows)
