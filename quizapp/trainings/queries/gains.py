"""What the people of a session gained between its two tests: first attempts of the same people, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import CLOSED_STATES, Attempt, AttemptState, Delivery, DeliveryState
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
    #: Took both, but the one before too late or the one after too early: not in the pairs. See `gain_data`.
    out_of_order: int
    came: int

    @property
    def neither(self) -> int:
        """How many of those who came took none of the two."""
        return self.came - len(self.pairs) - self.before_only - self.after_only - self.out_of_order


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


@dataclass(frozen=True)
class _Taken:
    """One person's test."""

    score: int
    passed: bool
    #: When it was begun, and when it was handed in; one whose time ran out was answered after its begin, nobody knows until when.
    begun: int
    done: int


def gain_data(db: Session, session: TrainingSession, tests: SessionTests) -> GainData:
    """Closed first attempts of those whose attendance counts; a void attempt is none.

    A test before counts as that where it was handed in by the end of the session and by the begin of the test after; a test after where it
    was begun after the session had begun. So tests may be given at the begin and at the end of the session itself, and what was answered
    on the wrong side of it stands in no pair.
    """
    rows = db.execute(
        select(Attendance.person_id, Attendance.unit_id).where(
            Attendance.session_id == session.id, Attendance.state == AttendanceState.COUNTED
        )
    )
    came: dict[int, int | None] = dict(rows.all())

    def taken(delivery_id: int) -> dict[int, _Taken]:
        rows = db.execute(
            select(
                Attempt.person_id, Attempt.score, Attempt.passed, Attempt.started_at, Attempt.closed_at, Attempt.state
            ).where(
                Attempt.delivery_id == delivery_id,
                Attempt.is_first.is_(True),
                Attempt.state.in_(CLOSED_STATES),
                Attempt.person_id.is_not(None),
            )
        )
        return {
            person: _Taken(
                score or 0,
                bool(passed),
                begun,
                done if done is not None and state == AttemptState.SUBMITTED else begun,
            )
            for person, score, passed, begun, done, state in rows
            if person in came
        }

    before, after = taken(tests.before_id), taken(tests.after_id)
    took_both = before.keys() & after.keys()
    both = sorted(
        person
        for person in took_both
        if before[person].done <= min(session.ends_at, after[person].begun) and after[person].begun >= session.starts_at
    )
    return GainData(
        pairs=tuple((before[p].score, after[p].score) for p in both),
        passed=tuple((before[p].passed, after[p].passed) for p in both),
        units=tuple(came[p] for p in both),
        before_only=len(before.keys() - after.keys()),
        after_only=len(after.keys() - before.keys()),
        out_of_order=len(took_both) - len(both),
        came=len(came),
    )
