"""A run, its sessions, and where everybody stands who came to one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

from quizapp.certificates.earning import HeldSession, Presence, Standing, judge
from quizapp.certificates.models import Certificate
from quizapp.core.clock import local_date
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope
from quizapp.organisation.models import OrgUnit, Person
from quizapp.trainings.hours import hours_earned
from quizapp.trainings.models import Attendance, CourseRun, TrainingSession
from quizapp.trainings.queries import counts


@dataclass(frozen=True)
class Candidate:
    """Somebody who came to a session of the run."""

    person_id: int
    name: str
    #: Unit of the day, of the latest attendance that names one.
    unit_id: int | None
    unit_path: str | None
    unit_name: str | None
    standing: Standing
    #: Holds one that is not revoked.
    holds: bool
    #: Held one that was revoked; another is issued only by hand.
    revoked: bool

    @property
    def due(self) -> bool:
        """Whether issuing for the whole run issues one."""
        return self.standing.earned and not self.holds and not self.revoked


@dataclass(frozen=True)
class RunDays:
    """First and last local day of a run's sessions that were held and closed."""

    first: date
    last: date


def get_run(db: Session, scope: Scope, run_id: int, permission: Permission) -> CourseRun:
    """A run with its course and unit, where the reader has the permission. Raises NotFound, also for one of a foreign unit."""
    found = db.scalar(
        select(CourseRun)
        .join(CourseRun.unit)
        .options(contains_eager(CourseRun.unit), joinedload(CourseRun.course))
        .where(CourseRun.id == run_id, scope.condition(permission, OrgUnit.path))
    )
    if found is None:
        raise NotFound
    return found


def run_sessions(db: Session, run_id: int) -> Sequence[TrainingSession]:
    """The sessions of a run that were not called off, in their order."""
    return db.scalars(
        select(TrainingSession)
        .where(TrainingSession.run_id == run_id, TrainingSession.cancelled_at.is_(None))
        .order_by(TrainingSession.starts_at, TrainingSession.id)
    ).all()


def run_days(sessions: Sequence[TrainingSession]) -> RunDays | None:
    """The days of those that were closed; None where none was. A session that ends at midnight ends on its own day."""
    held = [session for session in sessions if session.closed_at is not None]
    if not held:
        return None
    return RunDays(
        min(local_date(session.starts_at) for session in held), max(local_date(session.ends_at - 1) for session in held)
    )


def candidates(
    db: Session, run: CourseRun, sessions: Sequence[TrainingSession], *, person_id: int | None = None
) -> list[Candidate]:
    """Everybody with a counted attendance, or one of them, by unit and name."""
    by_key = {session.id: session for session in sessions}
    held = {
        session.id: HeldSession(session.closed_at is not None, session.check_out, session.hours_tenths)
        for session in sessions
    }
    statement = (
        select(
            Person.id,
            Person.name,
            Attendance.session_id,
            Attendance.at_ms,
            Attendance.checked_out_at,
            Attendance.unit_id,
            Attendance.unit_path,
            OrgUnit.name,
        )
        .join(Person, Person.id == Attendance.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attendance.unit_id)
        .where(Attendance.session_id.in_(held), counts(), Person.merged_into_id.is_(None))
        .order_by(Attendance.at_ms, Attendance.id)
    )
    issued = select(Certificate.person_id, Certificate.revoked_at).where(Certificate.run_id == run.id)
    if person_id is not None:
        statement = statement.where(Person.id == person_id)
        issued = issued.where(Certificate.person_id == person_id)
    names: dict[int, str] = {}
    present: dict[int, dict[int, Presence]] = defaultdict(dict)
    units: dict[int, tuple[int | None, str | None, str | None]] = {}
    for key, name, session_id, at_ms, out_at, unit_id, unit_path, unit_name in db.execute(statement):
        names[key] = name
        session = by_key[session_id]
        hours = hours_earned(
            session.hours_tenths,
            check_out=session.check_out,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            in_at=at_ms,
            out_at=out_at,
        )
        present[key][session_id] = Presence(hours, out_at is not None)
        if unit_id is not None:
            units[key] = (unit_id, unit_path, unit_name)
    holders: set[int] = set()
    withdrawn: set[int] = set()
    for key, revoked_at in db.execute(issued):
        (holders if revoked_at is None else withdrawn).add(key)
    found = []
    for key, name in names.items():
        unit = units.get(key, (None, None, None))
        standing = judge(held, present[key], needed_tenths=run.hours_needed_tenths, named=bool(name.strip()))
        revoked = key in withdrawn and key not in holders
        found.append(Candidate(key, name, *unit, standing, key in holders, revoked))
    return sorted(found, key=lambda one: (one.unit_path or "~", one.name, one.person_id))
