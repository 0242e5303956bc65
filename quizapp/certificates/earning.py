"""Who has earned a certificate: the rule alone, without a database.

A run asks for so many training hours, or else for every session of it. A session counts once it was held and closed, because its list is
frozen then. What an attendance gives in hours is a rule of trainings; one that gives nothing (no check-out where it is asked, a few minutes
of a morning) is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """What is still missing."""

    NO_NAME = "no_name"
    NO_CHECK_OUT = "no_check_out"
    MISSED = "missed"
    HOURS_SHORT = "hours_short"
    NOT_CLOSED = "not_closed"


@dataclass(frozen=True)
class HeldSession:
    """What the rule needs of a session; one that was called off is none."""

    closed: bool
    check_out: bool
    hours_tenths: int


@dataclass(frozen=True)
class Presence:
    """What the rule needs of a counted attendance: the hours that it gives, and whether a check-out was written down."""

    hours_tenths: int
    checked_out: bool


@dataclass(frozen=True)
class Standing:
    """How far somebody is."""

    #: Sessions attended as they ask.
    sessions: int
    hours_tenths: int
    why: tuple[Why, ...]

    @property
    def earned(self) -> bool:
        """Whether nothing is missing."""
        return not self.why


def judge(
    sessions: Mapping[int, HeldSession], present: Mapping[int, Presence], *, needed_tenths: int | None, named: bool
) -> Standing:
    """Where somebody stands. `sessions`: all of the run by key; `present`: session → the attendance."""
    counted = [key for key, presence in present.items() if key in sessions and _gives(sessions[key], presence)]
    hours = sum(present[key].hours_tenths for key in counted)
    why = [] if named else [Why.NO_NAME]
    left_open = [
        key for key, one in present.items() if key in sessions and sessions[key].check_out and not one.checked_out
    ]
    if needed_tenths is None:
        missing = len(counted) < len(sessions) or not sessions
        if any(key not in counted and key not in left_open and session.closed for key, session in sessions.items()):
            why.append(Why.MISSED)
    else:
        missing = hours < needed_tenths or not counted
        if missing:
            why.append(Why.HOURS_SHORT)
    if missing and left_open:
        why.append(Why.NO_CHECK_OUT)
    if missing and (any(not session.closed for session in sessions.values()) or not sessions):
        why.append(Why.NOT_CLOSED)
    return Standing(len(counted), hours, tuple(why))


def _gives(session: HeldSession, presence: Presence) -> bool:
    if not session.closed or (session.check_out and not presence.checked_out):
        return False
    return presence.hours_tenths > 0 or session.hours_tenths == 0
