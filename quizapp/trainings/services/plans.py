"""What is said of a session before it is held, and what no session can be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import from_ms, to_ms
from quizapp.trainings.errors import PeriodInvalid, PlanInvalid, RegistrationEndInvalid
from quizapp.trainings.models import (
    CodeMode,
    Place,
    RegistrationMode,
    SessionKind,
    SessionTrainer,
    TrainingSession,
)

#: Unless a session says otherwise, check-in begins this long before it and ends this long after it.
MARGIN = timedelta(hours=2)
#: The longest session, and the longest margin of its check-in.
LONGEST = timedelta(days=1)
#: Field → the least and the most of it.
LIMITS = {"capacity": (1, 100_000), "hours_tenths": (0, 240)}
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class SessionPlan:
    """All that a trainer decides about a session. Its audience has rules of its own."""

    title: str
    unit_id: int
    starts_at: datetime
    ends_at: datetime
    #: Where, in words; beside a kept place the room in it.
    place: str = ""
    #: The kept place.
    place_id: int | None = None
    subject: str = ""
    kind: SessionKind = SessionKind.JOINT
    run_id: int | None = None
    capacity: int | None = None
    #: How long before the begin check-in begins, and how long after the end it ends: the window moves with the session.
    opens_before: timedelta = MARGIN
    closes_after: timedelta = MARGIN
    code_mode: CodeMode = CodeMode.ROTATING
    check_out: bool = False
    hours_tenths: int = 0
    registration: RegistrationMode = RegistrationMode.CLOSED
    registration_until: datetime | None = None
    full_names: bool = False
    #: The trainers' accounts; None: whoever plans it.
    trainers: tuple[int, ...] | None = None

    def check(self) -> None:
        """Raise PeriodInvalid, PlanInvalid or RegistrationEndInvalid, with the field at fault."""
        if not timedelta(0) < self.ends_at - self.starts_at <= LONGEST:
            raise PeriodInvalid(field="ends")
        for name in ("opens_before", "closes_after"):
            if not timedelta(0) <= getattr(self, name) <= LONGEST:
                raise PlanInvalid(field=name, low=0, high=LONGEST // timedelta(minutes=1))
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                tenths = name == "hours_tenths"
                raise PlanInvalid(field="hours" if tenths else name, low=low, high=high // 10 if tenths else high)
        if self.registration_until is not None and self.registration_until > self.starts_at:
            raise RegistrationEndInvalid(field="registration_until")

    def next_week(self) -> SessionPlan:
        """The same a week later, in the same run."""
        until = self.registration_until
        return replace(
            self,
            starts_at=self.starts_at + WEEK,
            ends_at=self.ends_at + WEEK,
            registration_until=until + WEEK if until is not None else None,
        )


def plan_of(db: Session, session: TrainingSession) -> SessionPlan:
    """The plan behind a session as it stands."""
    kept = db.get(Place, session.place_id) if session.place_id is not None else None
    words = session.place
    if kept is not None and words.startswith(kept.name):
        words = words[len(kept.name) :].strip()
    until = session.registration_until
    return SessionPlan(
        title=session.title,
        unit_id=session.unit_id,
        starts_at=from_ms(session.starts_at),
        ends_at=from_ms(session.ends_at),
        place=words,
        place_id=session.place_id,
        subject=session.subject,
        kind=SessionKind(session.kind),
        run_id=session.run_id,
        capacity=session.capacity,
        opens_before=timedelta(milliseconds=session.starts_at - session.check_in_from),
        closes_after=timedelta(milliseconds=session.check_in_until - session.ends_at),
        code_mode=CodeMode(session.code_mode),
        check_out=session.check_out,
        hours_tenths=session.hours_tenths,
        registration=RegistrationMode(session.registration),
        registration_until=from_ms(until) if until is not None else None,
        full_names=session.full_names,
        trainers=tuple(
            db.scalars(
                select(SessionTrainer.account_id)
                .where(SessionTrainer.session_id == session.id)
                .order_by(SessionTrainer.account_id)
            )
        ),
    )


def values_of(plan: SessionPlan, place: str) -> dict[str, object]:
    """The plan as columns of the session's row."""
    until = plan.registration_until
    return {
        "title": plan.title,
        "subject": plan.subject,
        "kind": plan.kind.value,
        "run_id": plan.run_id,
        "place": place,
        "place_id": plan.place_id,
        "capacity": plan.capacity,
        "starts_at": to_ms(plan.starts_at),
        "ends_at": to_ms(plan.ends_at),
        "check_in_from": to_ms(plan.starts_at - plan.opens_before),
        "check_in_until": to_ms(plan.ends_at + plan.closes_after),
        "code_mode": plan.code_mode.value,
        "check_out": plan.check_out,
        "hours_tenths": plan.hours_tenths,
        "registration": plan.registration.value,
        "registration_until": to_ms(until) if until is not None else None,
        "full_names": plan.full_names,
    }
