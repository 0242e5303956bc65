"""Who has earned a certificate: the rule alone, without a database.

A run asks for so many training hours, or else for every session of it. A session counts once it was held and closed, because its list is
frozen then; where it asks people to check out, an attendance without that gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    sessions: Mapping[int, HeldSession], present: Mapping[int, bool], *, needed_tenths: int | None, named: bool
) -> Standing:
    """Where somebody stands. `sessions`: all of the run by key; `present`: session → whether they checked out of it."""
    counted = [key for key in present if key in sessions and _gives(sessions[key], checked_out=present[key])]
    hours = hours_of(sessions, counted)
    why = [] if named else [Why.NO_NAME]
    if needed_tenths is None:
        missing = bool(len(counted) < len(sessions)) or not sessions
        if any(key not in present for key, session in sessions.items() if session.closed):
            why.append(Why.MISSED)
    else:
        missing = hours < needed_tenths or not counted
        if missing:
            why.append(Why.HOURS_SHORT)
    if missing and any(key in sessions and sessions[key].check_out and not out for key, out in present.items()):
        why.append(Why.NO_CHECK_OUT)
    if missing and (any(not session.closed for session in sessions.values()) or not sessions):
        why.append(Why.NOT_CLOSED)
    return Standing(len(counted), hours, tuple(why))


def hours_of(sessions: Mapping[int, HeldSession], counted: Iterable[int]) -> int:
    """Training hours of attended sessions, in tenths."""
    return sum(sessions[key].hours_tenths for key in counted)


def _gives(session: HeldSession, *, checked_out: bool) -> bool:
    return session.closed and (checked_out or not session.check_out)
