"""The figures of a session: who was expected, who came, how that is known. The one place that counts them.

People who came and people who registered are two counts; neither is ever written as a part of the other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from quizapp.trainings.models import (
    Attendance,
    AttendanceState,
    CheckInMethod,
    Registration,
    RegistrationState,
    RosterEntry,
    TrainingSession,
)
from quizapp.trainings.queries.attendance import counts


@dataclass
class SessionNumbers:
    """People (人) of one session, each counted once."""

    #: Registered, and waiting for a place.
    registered: int = 0
    waiting: int = 0
    #: Registered people who have not yet seen that time or place changed, or that it was called off.
    unaware: int = 0
    #: On the roster.
    rostered: int = 0
    #: On the roster and registered: they are expected once.
    expected_twice: int = 0
    #: Attendances that count.
    came: int = 0
    #: Of those: registered people, people of the roster, people who are neither.
    came_registered: int = 0
    came_rostered: int = 0
    unexpected: int = 0
    #: Attendances that wait for the trainer's word.
    pending: int = 0
    #: Attendances that were struck or undone.
    struck: int = 0
    #: How those who count came to be known; every way stands here, also with 0.
    by_method: dict[CheckInMethod, int] = field(default_factory=lambda: dict.fromkeys(CheckInMethod, 0))
    #: Back-filled ones with a photo of the sheet.
    back_filled_with_evidence: int = 0

    @property
    def expected(self) -> int:
        """People on the roster or registered."""
        return self.rostered + self.registered - self.expected_twice

    @property
    def walk_ins(self) -> int:
        """People who came unexpected (现场补登); nobody where nobody in particular was expected."""
        return self.unexpected if self.expected else 0

    @property
    def registered_missing(self) -> int:
        """Registered people who did not come (报名未到)."""
        return self.registered - self.came_registered

    @property
    def rostered_missing(self) -> int:
        """People of the roster who did not come."""
        return self.rostered - self.came_rostered

    @property
    def no_shows(self) -> int:
        """Expected people who did not come."""
        return self.expected - (self.came - self.unexpected)


def numbers_of(db: Session, session_id: int) -> SessionNumbers:
    """The figures of one session. Its access was checked when it was loaded."""
    return numbers_of_many(db, [session_id])[session_id]


def numbers_of_many(db: Session, session_ids: Collection[int]) -> dict[int, SessionNumbers]:
    """The figures of several sessions, in a fixed number of queries."""
    result = {session_id: SessionNumbers() for session_id in session_ids}
    if not result:
        return result
    _count_expected(db, result)
    _count_attendances(db, result)
    return result


def _count_expected(db: Session, result: dict[int, SessionNumbers]) -> None:
    on_roster = and_(RosterEntry.session_id == Registration.session_id, RosterEntry.person_id == Registration.person_id)
    registrations = db.execute(
        select(
            Registration.session_id,
            Registration.state,
            func.count(),
            func.count(RosterEntry.id),
            func.count().filter(Registration.known_revision < TrainingSession.revision),
        )
        .join(TrainingSession, TrainingSession.id == Registration.session_id)
        .outerjoin(RosterEntry, on_roster)
        .where(
            Registration.session_id.in_(result),
            Registration.state.in_((RegistrationState.REGISTERED, RegistrationState.WAITING)),
        )
        .group_by(Registration.session_id, Registration.state)
    )
    for session_id, state, count, both, unaware in registrations:
        numbers = result[session_id]
        numbers.unaware += unaware
        if state == RegistrationState.REGISTERED:
            numbers.registered, numbers.expected_twice = count, both
        else:
            numbers.waiting = count
    rosters = db.execute(
        select(RosterEntry.session_id, func.count())
        .where(RosterEntry.session_id.in_(result))
        .group_by(RosterEntry.session_id)
    )
    for session_id, count in rosters:
        result[session_id].rostered = count


def _count_attendances(db: Session, result: dict[int, SessionNumbers]) -> None:
    registered = and_(
        Registration.session_id == Attendance.session_id,
        Registration.person_id == Attendance.person_id,
        Registration.state == RegistrationState.REGISTERED,
    )
    on_roster = and_(RosterEntry.session_id == Attendance.session_id, RosterEntry.person_id == Attendance.person_id)
    arrivals = db.execute(
        select(
            Attendance.session_id,
            Attendance.method,
            func.count(),
            func.count(Registration.id),
            func.count(RosterEntry.id),
            func.count().filter(Registration.id.is_(None), RosterEntry.id.is_(None)),
            func.count(Attendance.evidence_id),
        )
        .outerjoin(Registration, registered)
        .outerjoin(RosterEntry, on_roster)
        .where(Attendance.session_id.in_(result), counts())
        .group_by(Attendance.session_id, Attendance.method)
    )
    for session_id, method, count, of_registered, of_roster, unexpected, evident in arrivals:
        numbers = result[session_id]
        numbers.came += count
        numbers.came_registered += of_registered
        numbers.came_rostered += of_roster
        numbers.unexpected += unexpected
        numbers.by_method[CheckInMethod(method)] = count
        if method == CheckInMethod.BACK_FILLED:
            numbers.back_filled_with_evidence = evident
    others = db.execute(
        select(Attendance.session_id, Attendance.state, func.count())
        .where(
            Attendance.session_id.in_(result),
            Attendance.state != AttendanceState.COUNTED,
            Attendance.duplicate_of_id.is_(None),
        )
        .group_by(Attendance.session_id, Attendance.state)
    )
    for session_id, state, count in others:
        if state == AttendanceState.PENDING:
            result[session_id].pending = count
        else:
            result[session_id].struck += count
