"""Opening and closing a session."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.core.tokens import new_poster_code
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.errors import CheckInCalledOff, CheckInClosed, CheckInEarly, CheckInLate, PeriodInvalid
from quizapp.trainings.models import CodeMode, SessionKind, TrainingSession

#: Unless a session says otherwise, check-in begins this long before it and ends this long after it.
MARGIN = timedelta(hours=2)
#: The longest session.
LONGEST = timedelta(days=1)


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
    """Open a session of a unit. Raises NotFound (a unit where the actor runs no sessions) or PeriodInvalid."""
    unit = db.get(OrgUnit, unit_id)
    if unit is None or unit.closed_at is not None or not actor.scope.covers(Permission.RUN_SESSIONS, unit.path):
        raise NotFound
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        raise PeriodInvalid(field="ends")
    session = TrainingSession(
        code=new_poster_code(),
        title=title,
        place=place,
        unit_id=unit.id,
        starts_at=to_ms(starts_at),
        ends_at=to_ms(ends_at),
        check_in_from=to_ms(starts_at - MARGIN),
        check_in_until=to_ms(ends_at + MARGIN),
        code_mode=code_mode.value,
        kind=kind.value,
        created_by=actor.account_id,
        created_at=to_ms(now),
    )
    session.unit = unit
    db.add(session)
    db.flush()
    _record(db, session, "session_opened", actor, now)
    return session


def close_session(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """End the check-in by hand; a session that is closed already stays as it is."""
    if session.closed_at is None:
        session.closed_at = to_ms(now)
        _record(db, session, "session_closed", actor, now)


def reopen_session(db: Session, *, session: TrainingSession, actor: Actor, now: datetime) -> None:
    """Let people check in again."""
    if session.closed_at is not None:
        session.closed_at = None
        _record(db, session, "session_reopened", actor, now)


def _record(db: Session, session: TrainingSession, action: str, actor: Actor, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="training_session",
        object_id=session.id,
        unit_id=session.unit_id,
        details={"code": session.code},
        now=now,
    )


def check_window(session: TrainingSession, now_ms: int) -> None:
    """Raise why nobody can check in now: CheckInCalledOff, CheckInClosed, CheckInEarly or CheckInLate."""
    if session.cancelled_at is not None:
        raise CheckInCalledOff
    if session.closed_at is not None:
        raise CheckInClosed(closed_at=session.closed_at)
    if now_ms < session.check_in_from:
        raise CheckInEarly(opens_at=session.check_in_from)
    if now_ms >= session.check_in_until:
        raise CheckInLate(closed_at=session.check_in_until)
