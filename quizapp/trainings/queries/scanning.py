"""What a scanning phone takes along, and what the server knows about phones and their entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session, aliased

from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.models import (
    Attendance,
    AttendanceEntry,
    AttendanceState,
    AudienceRule,
    Expected,
    HelperPass,
    Registration,
    RegistrationState,
    RosterEntry,
    ScanDevice,
    SessionKind,
    TrainingSession,
)
from quizapp.trainings.queries.attendance import counts


@dataclass(frozen=True)
class ExpectedPerson:
    """Somebody who should come or said so."""

    person: Person
    unit: OrgUnit | None


def expected_people(db: Session, session: TrainingSession) -> list[ExpectedPerson]:
    """The roster and the registered, each once, by name; of those who were merged the person who was kept."""
    wanted = union(
        select(RosterEntry.person_id, RosterEntry.unit_id).where(RosterEntry.session_id == session.id),
        select(Registration.person_id, Registration.unit_id).where(
            Registration.session_id == session.id, Registration.state == RegistrationState.REGISTERED
        ),
    ).subquery()
    kept = aliased(Person)
    rows = db.execute(
        select(Person, kept, OrgUnit)
        .join(wanted, wanted.c.person_id == Person.id)
        .outerjoin(kept, kept.id == Person.merged_into_id)
        .outerjoin(OrgUnit, OrgUnit.id == wanted.c.unit_id)
        .order_by(Person.name, Person.id)
    )
    found: dict[int, ExpectedPerson] = {}
    for person, merged_into, unit in rows:
        who = person if person.merged_into_id is None else merged_into
        if who.id not in found or found[who.id].unit is None:
            found[who.id] = ExpectedPerson(who, unit)
    return list(found.values())


def has_roster(db: Session, session: TrainingSession) -> bool:
    """Whether the session says who should come: then somebody else is a walk-in whom the trainer confirms."""
    if not SessionKind(session.kind).has_roster:
        return False
    return db.scalar(select(RosterEntry.id).where(RosterEntry.session_id == session.id).limit(1)) is not None


def expectation(db: Session, session: TrainingSession, person_id: int) -> Expected | None:
    """Whether a person was expected; None where the session expects nobody in particular."""
    if db.scalar(
        select(RosterEntry.id).where(RosterEntry.session_id == session.id, RosterEntry.person_id == person_id)
    ):
        return Expected.ROSTER
    if db.scalar(
        select(Registration.id).where(
            Registration.session_id == session.id,
            Registration.person_id == person_id,
            Registration.state == RegistrationState.REGISTERED,
        )
    ):
        return Expected.REGISTERED
    for model in (RosterEntry, Registration, AudienceRule):
        if db.scalar(select(model.id).where(model.session_id == session.id).limit(1)) is not None:
            return Expected.WALK_IN
    return None


def present_people(db: Session, session_id: int) -> list[tuple[int, int]]:
    """(person, earliest check-in) of everybody who is in."""
    rows = db.execute(
        select(Attendance.person_id, Attendance.at_ms).where(Attendance.session_id == session_id, counts())
    )
    return [(person_id, at_ms) for person_id, at_ms in rows]


def struck_people(db: Session, session_id: int) -> list[int]:
    """Whom the trainer struck off."""
    return list(
        db.scalars(
            select(Attendance.person_id).where(
                Attendance.session_id == session_id, Attendance.state == AttendanceState.STRUCK
            )
        )
    )


def find_device(db: Session, session_id: int, public_id: str, *, lock: bool = False) -> ScanDevice | None:
    """A phone of a session; locked, its deliveries come one after another."""
    statement = select(ScanDevice).where(ScanDevice.session_id == session_id, ScanDevice.public_id == public_id)
    return db.scalar(statement.with_for_update() if lock else statement)


def find_pass(db: Session, secret_hash: bytes) -> HelperPass | None:
    """A helper's pass by the hash of its link."""
    return db.scalar(select(HelperPass).where(HelperPass.secret_hash == secret_hash))


@dataclass(frozen=True)
class Phone:
    """A scanning phone as the trainer sees it."""

    device: ScanDevice
    #: The helper's pass, where it is a helper's.
    helper: HelperPass | None
    entries: int


def phones(db: Session, session_id: int) -> list[Phone]:
    """The phones of a session, the newest first."""
    entries = (
        select(func.count()).where(AttendanceEntry.device_id == ScanDevice.id).correlate(ScanDevice).scalar_subquery()
    )
    rows = db.execute(
        select(ScanDevice, HelperPass, entries)
        .outerjoin(HelperPass, HelperPass.id == ScanDevice.helper_pass_id)
        .where(ScanDevice.session_id == session_id)
        .order_by(ScanDevice.id.desc())
    )
    return [Phone(device, helper, count) for device, helper, count in rows]


def helper_passes(db: Session, session_id: int) -> Sequence[HelperPass]:
    """The passes of a session, the newest first."""
    return db.scalars(
        select(HelperPass).where(HelperPass.session_id == session_id).order_by(HelperPass.id.desc())
    ).all()


def find_helper_pass(db: Session, session_id: int, pass_id: int) -> HelperPass | None:
    """One of them."""
    return db.scalar(select(HelperPass).where(HelperPass.session_id == session_id, HelperPass.id == pass_id))


def find_phone(db: Session, session_id: int, device_id: int) -> ScanDevice | None:
    """One phone by its key."""
    return db.scalar(select(ScanDevice).where(ScanDevice.session_id == session_id, ScanDevice.id == device_id))
