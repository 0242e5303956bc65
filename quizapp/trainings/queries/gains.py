"""What the people of a session gained between its two tests: first attempts of the same people, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import CLOSED_STATES, Attempt, Delivery, DeliveryState
from quizapp.trainings.models import Attendance, AttendanceState, SessionTests, TrainingSession

#: Deliveries that can be chosen, the newest first.
CHOICES = 100


@dataclass(frozen=True)
class GainData:
    """Scores of the people who came: of those who took both tests in pairs, and how many took one alone."""

    #: (points before, points after).
    pairs: tuple[tuple[int, int], ...]
    #: (passed before, passed after), in the same order.
    passed: tuple[tuple[bool, bool], ...]
    #: Their units on the day, in the same order; None: nobody knows.
    units: tuple[int | None, ...]
    before_only: int
    after_only: int
    came: int

    @property
    def neither(self) -> int:
        """How many of those who came took none of the two."""
        return self.came - len(self.pairs) - self.before_only - self.after_only


def find_tests(db: Session, session_id: int) -> SessionTests | None:
    """The tests of a session; None where it has none."""
    return db.get(SessionTests, session_id)


def choosable_tests(db: Session, session: TrainingSession) -> list[Delivery]:
    """Deliveries of the session's unit, of those above it and of those below it."""
    path = session.unit.path
    above = [path[: n + 1] for n, character in enumerate(path) if character == "/"]
    return list(
        db.scalars(
            select(Delivery)
            .join(OrgUnit, OrgUnit.id == Delivery.unit_id)
            .where(
                Delivery.state == DeliveryState.READY,
                or_(OrgUnit.path.in_(above), OrgUnit.path.startswith(path, autoescape=True)),
            )
            .order_by(Delivery.opens_at.desc(), Delivery.id.desc())
            .limit(CHOICES)
        )
    )


def gain_data(db: Session, session: TrainingSession, tests: SessionTests) -> GainData:
    """Closed first attempts of those whose attendance counts; a void attempt is none."""
    rows = db.execute(
        select(Attendance.person_id, Attendance.unit_id).where(
            Attendance.session_id == session.id, Attendance.state == AttendanceState.COUNTED
        )
    )
    came: dict[int, int | None] = dict(rows.all())

    def scores(delivery_id: int) -> dict[int, tuple[int, bool]]:
        rows = db.execute(
            select(Attempt.person_id, Attempt.score, Attempt.passed).where(
                Attempt.delivery_id == delivery_id,
                Attempt.is_first.is_(True),
                Attempt.state.in_(CLOSED_STATES),
                Attempt.person_id.is_not(None),
            )
        )
        return {person: (score or 0, bool(passed)) for person, score, passed in rows if person in came}

    before, after = scores(tests.before_id), scores(tests.after_id)
    both = sorted(before.keys() & after.keys())
    return GainData(
        pairs=tuple((before[p][0], after[p][0]) for p in both),
        passed=tuple((before[p][1], after[p][1]) for p in both),
        units=tuple(came[p] for p in both),
        before_only=len(before.keys() - after.keys()),
        after_only=len(after.keys() - before.keys()),
        came=len(came),
    )
