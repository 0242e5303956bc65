"""Opening, changing, moving, calling off and closing a session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account
from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.core.tokens import new_poster_code
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.errors import (
    CheckInCalledOff,
    CheckInClosed,
    CheckInEarly,
    CheckInLate,
    PlaceGivenUp,
    PlaceMissing,
    RunClosed,
    SessionAttended,
    SessionClosed,
    TrainerUnknown,
)
from quizapp.trainings.models import (
    Attendance,
    CodeMode,
    CourseRun,
    Place,
    SessionKind,
    SessionTrainer,
    TrainingSession,
)
from quizapp.trainings.queries.attendance import counts
from quizapp.trainings.queries.planning import get_place, get_run, trainer_ids_of, trainers_to_choose
from quizapp.trainings.services.plans import LONGEST, MARGIN, SessionPlan, values_of
from quizapp.trainings.services.registering import move_up

__all__ = [
    "LONGEST",
    "MARGIN",
    "call_off",
    "check_not_closed",
    "check_window",
    "close_session",
    "edit_session",
    "open_session",
    "place_in_words",
    "plan_session",
    "reinstate",
    "reopen_session",
]


def open_session(
    db: Session,
    *,
    title: str,
    place: str,
    unit_id: int,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
    code_mode: CodeMode = CodeMode.POSTER,
    kind: SessionKind = SessionKind.LECTURE,
) -> TrainingSession:
    """The short way to a lecture with a code for a poster: what, where, when, of which unit. Raises what `plan_session` raises."""
    plan = SessionPlan(
        title=title,
        place=place,
        unit_id=unit_id,
        starts_at=starts_at,
        ends_at=ends_at,
        code_mode=code_mode,
        kind=kind,
    )
    return plan_session(db, plan=plan, actor=actor, now=now)


def plan_session(db: Session, *, plan: SessionPlan, actor: Actor, now: datetime) -> TrainingSession:
    """Open a session as planned, with whoever plans it as its trainer unless others are named.

    Raises NotFound (a unit, run or place where the actor runs no sessions), PlaceGivenUp, PlaceMissing, RunClosed, TrainerUnknown and
    what `SessionPlan.check` raises.
    """
    unit = db.get(OrgUnit, plan.unit_id)
    if unit is None or unit.closed_at is not None or not actor.scope.covers(Permission.RUN_SESSIONS, unit.path):
        raise NotFound
    plan.check()
    place = place_in_words(db, plan, None, actor)
    _check_run(db, plan, None, actor)
    session = TrainingSession(
        code=new_poster_code(),
        unit_id=unit.id,
        created_by=actor.account_id,
        created_at=to_ms(now),
        **values_of(plan, place),
    )
    session.unit = unit
    db.add(session)
    db.flush()
    _set_trainers(db, session, plan.trainers, actor)
    _record(db, session, "session_opened", actor, now)
    return session


def edit_session(
    db: Session, *, session: TrainingSession, plan: SessionPlan, actor: Actor, now: datetime
) -> TrainingSession:
    """Change a session; its unit stays. A change of time or place raises its revision, and keeps where and when it was before.

    Raises SessionClosed, CheckInCalledOff and what `plan_session` raises.
    """
    db.refresh(session, with_for_update=True)
    if session.cancelled_at is not None:
        raise CheckInCalledOff
    if session.closed_at is not None:
        raise SessionClosed
    plan.check()
    place = place_in_words(db, plan, session, actor)
    _check_run(db, plan, session, actor)
    was_at, was_until, was_place = session.starts_at, session.ends_at, session.place
    changed = sorted(
        name for name, value in values_of(plan, place).items() if getattr(session, name) != value and name != "place_id"
    )
    for name, value in values_of(plan, place).items():
        setattr(session, name, value)
    if session.starts_at > to_ms(now):
        session.unit_path = None  # its day is still to come
    moved = (was_at, was_until, was_place) != (session.starts_at, session.ends_at, session.place)
    if moved:
        session.revision += 1
        session.moved_at = to_ms(now)
        session.moved_from_at = was_at
        session.moved_from_place = was_place
    db.flush()
    if plan.trainers is not None and _set_trainers(db, session, plan.trainers, actor):
        changed.append("trainers")
    move_up(db, session, to_ms(now))  # there may be more places than before
    if changed:
        _record(db, session, "session_moved" if moved else "session_edited", actor, now, fields=changed)
    return session


def call_off(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """Call a session off: nobody registers or checks in any more, whoever registered is told. Raises SessionAttended, SessionClosed."""
    db.refresh(session, with_for_update=True)
    if session.cancelled_at is not None:
        return
    if session.closed_at is not None:
        raise SessionClosed
    count = db.scalar(select(func.count()).where(Attendance.session_id == session.id, counts())) or 0
    if count:
        raise SessionAttended(count=count)
    session.cancelled_at = to_ms(now)
    session.revision += 1
    _record(db, session, "session_called_off", actor, now)


def reinstate(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """Hold a session after all that was called off; whoever registered is told of that too."""
    db.refresh(session, with_for_update=True)
    if session.cancelled_at is not None:
        session.cancelled_at = None
        session.revision += 1
        db.flush()
        move_up(db, session, to_ms(now))
        _record(db, session, "session_reinstated", actor, now)


def close_session(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """End the check-in by hand: the list is frozen from now on. A session that is closed already stays as it is.

    Raises CheckInCalledOff: what was not held has no list.
    """
    db.refresh(session, with_for_update=True)
    if session.cancelled_at is not None:
        raise CheckInCalledOff
    if session.closed_at is None:
        session.closed_at = to_ms(now)
        _record(db, session, "session_closed", actor, now)


def reopen_session(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """Let people check in again."""
    db.refresh(session, with_for_update=True)
    if session.closed_at is not None:
        session.closed_at = None
        _record(db, session, "session_reopened", actor, now)


def check_not_closed(session: TrainingSession) -> None:
    """Raise CheckInCalledOff or CheckInClosed where the session's list does not change: it was called off, or is frozen."""
    if session.cancelled_at is not None:
        raise CheckInCalledOff(cancelled_at=session.cancelled_at)
    if session.closed_at is not None:
        raise CheckInClosed(closed_at=session.closed_at)


def check_window(session: TrainingSession, now_ms: int) -> None:
    """Raise why nobody can check in now: CheckInCalledOff, CheckInClosed, CheckInEarly or CheckInLate."""
    check_not_closed(session)
    if now_ms < session.check_in_from:
        raise CheckInEarly(opens_at=session.check_in_from)
    if now_ms >= session.check_in_until:
        raise CheckInLate(closed_at=session.check_in_until)


def place_in_words(db: Session, plan: SessionPlan, session: TrainingSession | None, actor: Actor) -> str:
    """The kept place's name and the words beside it. A place that the session has already may be anybody's and given up."""
    words = " ".join(plan.place.split())
    if plan.place_id is None:
        if not words:
            raise PlaceMissing(field="place")
        return words
    if session is not None and plan.place_id == session.place_id:
        kept = db.get_one(Place, plan.place_id)
    else:
        kept = get_place(db, actor.scope, plan.place_id)
        if kept.closed_at is not None:
            raise PlaceGivenUp(field="place_id")
    return f"{kept.name} {words}".strip()


def _check_run(db: Session, plan: SessionPlan, session: TrainingSession | None, actor: Actor) -> None:
    if plan.run_id is None or (session is not None and plan.run_id == session.run_id):
        return
    run: CourseRun = get_run(db, actor.scope, plan.run_id)
    if run.closed_at is not None:
        raise RunClosed(field="run_id")


def _set_trainers(db: Session, session: TrainingSession, wanted: tuple[int, ...] | None, actor: Actor) -> bool:
    """Make the trainers those named. Of accounts beyond the actor's scope none is added and none is taken away."""
    standing = set(trainer_ids_of(db, session.id))
    if wanted is None:
        own = actor.account_id
        names = {own} if own is not None and db.get(Account, own) is not None else set()
    else:
        choice = {row.account_id for row in trainers_to_choose(db, actor, unit_path=session.unit.path)}
        names = set(wanted) | (standing - choice)
        if not names <= choice | standing:
            raise TrainerUnknown(field="trainers")
    for row in db.scalars(select(SessionTrainer).where(SessionTrainer.session_id == session.id)):
        if row.account_id not in names:
            db.delete(row)
    db.add_all(SessionTrainer(session_id=session.id, account_id=account_id) for account_id in sorted(names - standing))
    db.flush()
    return names != standing


def _record(
    db: Session, session: TrainingSession, action: str, actor: Actor, now: datetime, fields: list[str] | None = None
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="training_session",
        object_id=session.id,
        unit_id=session.unit_id,
        details={"code": session.code, **({"fields": fields} if fields else {})},
        now=now,
    )
