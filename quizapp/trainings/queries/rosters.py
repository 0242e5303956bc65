"""Who should come to a session, and who of them came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope, below
from quizapp.organisation.models import OrgUnit, Person, PersonSource, name_key
from quizapp.trainings.models import Attendance, AudienceRule, RosterEntry, RosterRemoval
from quizapp.trainings.queries.attendance import counts


@dataclass(frozen=True)
class RosterRow:
    """One person on a roster, and when they came."""

    entry: RosterEntry
    person: Person
    #: The unit of that day, where it is known.
    unit: OrgUnit | None
    #: Earliest check-in, ms UTC; None for whoever has not come.
    came_at: int | None


@dataclass(frozen=True)
class Coverage:
    """How many are on a roster, and how many of them came (人)."""

    rostered: int
    came: int

    @property
    def share(self) -> float | None:
        """Came of rostered; None for an empty roster."""
        return self.came / self.rostered if self.rostered else None


@dataclass(frozen=True)
class UnitCoverage(Coverage):
    """The same of one unit; None: those of no known unit."""

    unit: OrgUnit | None


@dataclass(frozen=True)
class RosterFilter:
    """What of a roster is shown."""

    #: A part of the name.
    text: str = ""
    #: The keyed hash of a phone number that was typed in place of a name.
    phone_hash: bytes | None = None
    #: A unit's key; 0: those of no known unit.
    unit_id: int | None = None
    #: Only those who came, or only those who did not.
    came: bool | None = None


EVERYBODY = RosterFilter()


def list_roster(
    db: Session, session_id: int, wanted: RosterFilter, *, limit: int | None = None, offset: int = 0
) -> list[RosterRow]:
    """The people of a roster, by unit and name. The session's own access was checked when it was loaded."""
    statement = _filtered(select(RosterEntry, Person, OrgUnit, Attendance.at_ms), session_id, wanted)
    rows = db.execute(
        statement.order_by(RosterEntry.unit_path, Person.name_key, RosterEntry.id).limit(limit).offset(offset)
    )
    return [RosterRow(entry, person, unit, at_ms) for entry, person, unit, at_ms in rows]


def count_roster(db: Session, session_id: int, wanted: RosterFilter = EVERYBODY) -> int:
    """How many people there are of them."""
    return db.scalar(_filtered(select(func.count(RosterEntry.id)), session_id, wanted)) or 0


def get_entry(db: Session, session_id: int, entry_id: int) -> RosterRow:
    """One person of a session's roster. Raises NotFound."""
    statement = _filtered(select(RosterEntry, Person, OrgUnit, Attendance.at_ms), session_id)
    found = db.execute(statement.where(RosterEntry.id == entry_id)).first()
    if found is None:
        raise NotFound
    return RosterRow(*found)


def coverage(db: Session, session_id: int) -> Coverage:
    """The roster's coverage as a whole."""
    row = db.execute(_filtered(select(func.count(RosterEntry.id), func.count(Attendance.id)), session_id)).one()
    return Coverage(row[0], row[1])


def coverage_by_unit(db: Session, session_id: int) -> list[UnitCoverage]:
    """The same for each unit of that day, in the order of the tree; those of no known unit last."""
    groups = db.execute(
        _filtered(
            select(RosterEntry.unit_id, func.count(RosterEntry.id), func.count(Attendance.id)), session_id
        ).group_by(RosterEntry.unit_id)
    ).all()
    ids = [unit_id for unit_id, _, _ in groups if unit_id is not None]
    units: dict[int, OrgUnit] = {}
    for start in range(0, len(ids), 1000):
        units |= {u.id: u for u in db.scalars(select(OrgUnit).where(OrgUnit.id.in_(ids[start : start + 1000])))}
    rows = [UnitCoverage(rostered, came, units.get(unit_id)) for unit_id, rostered, came in groups]
    return sorted(rows, key=lambda row: (row.unit is None, row.unit.path if row.unit else ""))


def rules_of(db: Session, session_id: int) -> Sequence[AudienceRule]:
    """The audience rules of a session."""
    return db.scalars(select(AudienceRule).where(AudienceRule.session_id == session_id).order_by(AudienceRule.id)).all()


def audience(db: Session, session_id: int, scope: Scope) -> Select[int, int | None, str, str | None]:
    """The people whom the rules of a session name: key, unit, its path, job role.

    Only within the reader's reach, and only people of rosters and accounts: a typed name proves nobody. `OrgUnit` and `Person` are
    joined.
    """
    rules = []
    for rule in rules_of(db, session_id):
        terms: list[ColumnElement[bool]] = []
        if rule.unit_id is not None:
            terms.append(below(OrgUnit.path, db.get_one(OrgUnit, rule.unit_id).path))
        if rule.industry_id is not None:
            terms.append(or_(Person.industry_id == rule.industry_id, OrgUnit.industry_id == rule.industry_id))
        if rule.job_role is not None:
            terms.append(Person.job_role == rule.job_role)
        rules.append(and_(Person.id.is_not(None), *terms))
    return (
        select(Person.id, Person.unit_id, OrgUnit.path, Person.job_role)
        .join(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(
            or_(*rules) if rules else false(),
            scope.condition(Permission.RUN_SESSIONS, OrgUnit.path),
            or_(Person.source.in_((PersonSource.ROSTER, PersonSource.ACCOUNT)), Person.rostered_on.is_not(None)),
            Person.merged_into_id.is_(None),
            Person.name_key != "",
        )
    )


def missing_audience(db: Session, session_id: int, scope: Scope) -> Select[int, int | None, str, str | None]:
    """Those of them who are not on the roster and were not taken off it by hand."""
    entry, removal = aliased(RosterEntry), aliased(RosterRemoval)
    return audience(db, session_id, scope).where(
        ~exists().where(entry.session_id == session_id, entry.person_id == Person.id),
        ~exists().where(removal.session_id == session_id, removal.person_id == Person.id),
    )


def count_audience(db: Session, session_id: int, scope: Scope) -> tuple[int, int]:
    """How many people the rules name, and how many of them a refresh would add."""
    whole = select(func.count()).select_from(audience(db, session_id, scope).subquery())
    missing = select(func.count()).select_from(missing_audience(db, session_id, scope).subquery())
    return db.scalar(whole) or 0, db.scalar(missing) or 0


def _filtered(statement: Any, session_id: int, wanted: RosterFilter = EVERYBODY) -> Any:
    """A statement over a session's entries with their people and units, and their attendances where these count."""
    arrived = and_(
        Attendance.session_id == RosterEntry.session_id, Attendance.person_id == RosterEntry.person_id, counts()
    )
    statement = (
        statement.select_from(RosterEntry)
        .join(Person, Person.id == RosterEntry.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == RosterEntry.unit_id)
        .outerjoin(Attendance, arrived)
        .where(RosterEntry.session_id == session_id)
    )
    if wanted.phone_hash is not None:
        statement = statement.where(Person.phone_hash == wanted.phone_hash)
    elif wanted.text:
        statement = statement.where(Person.name_key.contains(name_key(wanted.text), autoescape=True))
    if wanted.unit_id is not None:
        statement = statement.where(
            RosterEntry.unit_id == wanted.unit_id if wanted.unit_id else RosterEntry.unit_id.is_(None)
        )
    if wanted.came is not None:
        statement = statement.where(Attendance.id.is_not(None) if wanted.came else Attendance.id.is_(None))
    return statement
