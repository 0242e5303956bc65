"""What a person should be told of their registrations, on the page; the newest trouble first. Pure: rows in, notices out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from quizapp.core.clock import day_after, local_date, to_ms
from quizapp.trainings.models import Registration, RegistrationState, TrainingSession


class NoticeKind(StrEnum):
    """What there is to say."""

    CALLED_OFF = "called_off"
    MOVED = "moved"
    PROMOTED = "promoted"
    SOON = "soon"


@dataclass(frozen=True)
class Notice:
    """One thing to say of one registration. All but `soon` stand until the person says that they have read it."""

    kind: NoticeKind
    registration: Registration
    session: TrainingSession


def notices_of(registrations: Iterable[Registration], now: datetime) -> list[Notice]:
    """What to say of registrations that stand, for sessions that are not over."""
    order = list(NoticeKind)
    found = [
        Notice(kind, registration, registration.session)
        for registration in registrations
        for kind in _kinds(registration, registration.session, now)
    ]
    return sorted(found, key=lambda notice: (order.index(notice.kind), notice.session.starts_at))


def _kinds(registration: Registration, session: TrainingSession, now: datetime) -> Iterable[NoticeKind]:
    if session.ends_at <= to_ms(now) or registration.state == RegistrationState.CANCELLED:
        return
    if session.cancelled_at is not None:
        if _unread(registration, session.cancelled_at):
            yield NoticeKind.CALLED_OFF
        return
    if registration.known_revision < session.revision:
        yield NoticeKind.MOVED
    if registration.state == RegistrationState.REGISTERED:
        if registration.promoted_at is not None and _unread(registration, registration.promoted_at):
            yield NoticeKind.PROMOTED
        if local_date(session.starts_at) in (local_date(now), day_after(local_date(now))):
            yield NoticeKind.SOON


def _unread(registration: Registration, at_ms: int) -> bool:
    return registration.seen_at is None or registration.seen_at < at_ms
