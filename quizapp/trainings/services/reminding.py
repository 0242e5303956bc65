"""Which reminders are due by mail. What they say is in `trainings.reminders`, what the page says in `trainings.views.notices`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from quizapp.core.clock import day_after, day_start, from_ms, local_date, to_ms
from quizapp.mail.models import OutgoingMail
from quizapp.mail.services import queue_mail
from quizapp.trainings.models import Registration, RegistrationState, TrainingSession
from quizapp.trainings.queries.registrations import STANDING
from quizapp.trainings.services.registering import lock_session, move_up

#: At this hour of the day before, whoever has a place is reminded.
REMINDING_HOUR = 9

REMINDER, MOVED, PROMOTED, CALLED_OFF = "session_tomorrow", "session_moved", "place_found", "session_called_off"
#: All of these are about a registration.
MAIL_KINDS = (REMINDER, MOVED, PROMOTED, CALLED_OFF)


def remind_at(starts_at: int) -> datetime:
    """When the reminder of a session goes out: nine o'clock of the day before."""
    day = local_date(starts_at) - timedelta(days=1)
    return day_start(day) + timedelta(hours=REMINDING_HOUR)


def queue_reminders(db: Session, *, now: datetime) -> int:
    """Write down each mail that is due and does not stand yet; gives how many. Call it in a transaction."""
    now_ms = to_ms(now)
    tomorrow_ends = day_start(day_after(day_after(local_date(now))))
    count = 0
    wanted: Sequence[tuple[str, ColumnElement[bool]]] = (
        (
            REMINDER,
            and_(
                Registration.state == RegistrationState.REGISTERED,
                TrainingSession.cancelled_at.is_(None),
                TrainingSession.starts_at < to_ms(tomorrow_ends),
            ),
        ),
        (
            MOVED,
            and_(
                Registration.state.in_(STANDING),
                TrainingSession.cancelled_at.is_(None),
                Registration.known_revision < TrainingSession.revision,
            ),
        ),
        (
            PROMOTED,
            and_(
                Registration.state == RegistrationState.REGISTERED,
                TrainingSession.cancelled_at.is_(None),
                Registration.promoted_at.is_not(None),
            ),
        ),
        (CALLED_OFF, and_(Registration.state.in_(STANDING), TrainingSession.cancelled_at.is_not(None))),
    )
    for kind, condition in wanted:
        for registration, session, mark in _addressed(db, kind, condition, now_ms):
            if kind == REMINDER:
                due = remind_at(session.starts_at)
                if now < due or registration.registered_at >= to_ms(due):
                    continue
            count += queue_mail(
                db,
                kind,
                about_id=registration.id,
                mark=mark,
                address_sealed=registration.email_encrypted or b"",
                language=registration.language,
                now=now,
            )
    return count


def _addressed(
    db: Session, kind: str, condition: ColumnElement[bool], now_ms: int
) -> Sequence[tuple[Registration, TrainingSession, int]]:
    """Registrations with an address for sessions ahead, with the mark of the occasion, without those that have this mail already."""
    mark: Any = {
        REMINDER: TrainingSession.starts_at,
        MOVED: TrainingSession.revision,
        PROMOTED: Registration.promoted_at,
        CALLED_OFF: TrainingSession.cancelled_at,
    }[kind]
    stands = (
        select(OutgoingMail.id)
        .where(OutgoingMail.kind == kind, OutgoingMail.about_id == Registration.id, OutgoingMail.mark == mark)
        .exists()
    )
    return db.execute(
        select(Registration, TrainingSession, mark)
        .join(TrainingSession, TrainingSession.id == Registration.session_id)
        .where(TrainingSession.starts_at > now_ms, Registration.email_encrypted.is_not(None), condition, ~stands)
        .order_by(Registration.id)
    ).all()


def forget_addresses(db: Session, *, now: datetime) -> None:
    """An address serves the reminders of one session: the day after its end it is forgotten."""
    over = select(TrainingSession.id).where(TrainingSession.ends_at < to_ms(now - timedelta(days=1)))
    db.execute(
        update(Registration)
        .where(Registration.email_encrypted.is_not(None), Registration.session_id.in_(over))
        .values(email_encrypted=None)
        .execution_options(synchronize_session=False)
    )


def sessions_with_free_places(db: Session, now_ms: int) -> list[int]:
    """Coming sessions where somebody waits although a place is free: their capacity was raised, or a person was merged or erased."""
    registered = (
        select(func.count())
        .where(Registration.session_id == TrainingSession.id, Registration.state == RegistrationState.REGISTERED)
        .correlate(TrainingSession)
        .scalar_subquery()
    )
    waits = (
        select(Registration.id)
        .where(Registration.session_id == TrainingSession.id, Registration.state == RegistrationState.WAITING)
        .correlate(TrainingSession)
        .exists()
    )
    return list(
        db.scalars(
            select(TrainingSession.id).where(
                TrainingSession.starts_at > now_ms,
                TrainingSession.cancelled_at.is_(None),
                TrainingSession.closed_at.is_(None),
                waits,
                or_(TrainingSession.capacity.is_(None), registered < TrainingSession.capacity),
            )
        )
    )


def fill_places(db: Session, session_id: int, *, now: datetime) -> int:
    """Let the line of a session move up; gives how many did."""
    return len(move_up(db, lock_session(db, session_id), to_ms(now)))


def mail_still_holds(registration: Registration, session: TrainingSession, kind: str, mark: int, now: datetime) -> bool:
    """Whether what a waiting mail would say is still so when its turn comes."""
    if registration.state not in STANDING or from_ms(session.starts_at) <= now:
        return False
    if kind == CALLED_OFF:
        return session.cancelled_at == mark
    if session.cancelled_at is not None:
        return False
    if kind == PROMOTED:
        return registration.promoted_at == mark
    if kind == MOVED:
        return session.revision == mark
    return session.starts_at == mark and registration.state == RegistrationState.REGISTERED
