"""The list of a session as a trainer works with it and hands it over: every attendance, also those that do not count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import (
    Attendance,
    AttendanceState,
    Registration,
    RegistrationState,
    RosterEntry,
    SessionEvidence,
)
from quizapp.trainings.queries.attendance import Arrival, find_attendance


@dataclass
class UnitFigures:
    """People (人) of one unit of the day; `unit` None gathers those whose unit is not known."""

    unit: OrgUnit | None
    #: On the roster or registered.
    expected: int = 0
    #: Of those, who came.
    came_expected: int = 0
    #: All who came.
    came: int = 0

    @property
    def no_shows(self) -> int:
        """Expected people who did not come."""
        return self.expected - self.came_expected

    @property
    def coverage(self) -> float | None:
        """Came of those expected, from 0 to 1; None where nobody was expected."""
        return self.came_expected / self.expected if self.expected else None


@dataclass(frozen=True)
class ExpectedPerson:
    """Somebody on the roster or registered, with the unit of that day and the attendance that counts, if any."""

    person: Person
    unit: OrgUnit | None
    rostered: bool
    attendance: Attendance | None


def full_list(db: Session, session_id: int) -> list[Arrival]:
    """Every attendance in the order of arrival: those that count, that wait, that were struck or undone."""
    rows = db.execute(
        select(Attendance, Person, OrgUnit)
        .join(Person, Person.id == Attendance.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attendance.unit_id)
        .where(Attendance.session_id == session_id, Attendance.duplicate_of_id.is_(None))
        .order_by(Attendance.at_ms, Attendance.id)
    )
    return [Arrival(attendance, person, unit) for attendance, person, unit in rows]


def get_attendance(db: Session, session_id: int, attendance_id: int) -> Attendance:
    """One attendance of a session. Raises NotFound."""
    found = find_attendance(db, session_id, attendance_id)
    if found is None or found.duplicate_of_id is not None:
        raise NotFound
    return found


def expected_people(db: Session, session_id: int) -> list[ExpectedPerson]:
    """Who is on the roster or registered, by unit (in the order of the tree) and name; people whose unit is not known come last."""
    counted = {
        row.person_id: row
        for row in db.scalars(
            select(Attendance).where(
                Attendance.session_id == session_id,
                Attendance.state == AttendanceState.COUNTED,
                Attendance.duplicate_of_id.is_(None),
            )
        )
    }
    found: dict[int, ExpectedPerson] = {}
    rostered = db.execute(
        select(Person, OrgUnit)
        .join(RosterEntry, RosterEntry.person_id == Person.id)
        .outerjoin(OrgUnit, OrgUnit.id == RosterEntry.unit_id)
        .where(RosterEntry.session_id == session_id)
    )
    for person, unit in rostered:
        found[person.id] = ExpectedPerson(person, unit, True, counted.get(person.id))
    registered = db.execute(
        select(Person, OrgUnit)
        .join(Registration, Registration.person_id == Person.id)
        .outerjoin(OrgUnit, OrgUnit.id == Registration.unit_id)
        .where(Registration.session_id == session_id, Registration.state == RegistrationState.REGISTERED)
    )
    for person, unit in registered:
        found.setdefault(person.id, ExpectedPerson(person, unit, False, counted.get(person.id)))
    return sorted(
        found.values(), key=lambda one: (one.unit is None, one.unit.path if one.unit else "", one.person.name_key)
    )


def unit_figures(expected: Sequence[ExpectedPerson], arrivals: Sequence[Arrival]) -> list[UnitFigures]:
    """Who was expected and who came, by unit of the day, in the order of the tree. Whoever was expected counts with that unit."""
    rows: dict[int | None, UnitFigures] = {}

    def row(unit: OrgUnit | None) -> UnitFigures:
        return rows.setdefault(unit.id if unit else None, UnitFigures(unit))

    own_unit = {one.person.id: one.unit for one in expected}
    for one in expected:
        row(one.unit).expected += 1
        if one.attendance is not None:
            row(one.unit).came_expected += 1
    for arrival in arrivals:
        if arrival.attendance.state == AttendanceState.COUNTED:
            row(own_unit.get(arrival.person.id, arrival.unit)).came += 1
    return sorted(rows.values(), key=lambda one: (one.unit is None, one.unit.path if one.unit else ""))


def evidence_of(db: Session, session_id: int) -> Sequence[SessionEvidence]:
    """The photos of a session that were not taken out, the newest first; those whose term is over have no file any more."""
    return db.scalars(
        select(SessionEvidence)
        .where(SessionEvidence.session_id == session_id, SessionEvidence.removed_at.is_(None))
        .order_by(SessionEvidence.id.desc())
    ).all()


def get_evidence(db: Session, session_id: int, evidence_id: int) -> SessionEvidence:
    """A photo of a session that was not taken out. Raises NotFound."""
    found = db.scalar(
        select(SessionEvidence).where(
            SessionEvidence.id == evidence_id,
            SessionEvidence.session_id == session_id,
            SessionEvidence.removed_at.is_(None),
        )
    )
    if found is None:
        raise NotFound
    return found
