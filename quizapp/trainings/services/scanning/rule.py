"""What an attendance is, given everything that was written down about one person at one session.

A pure function of sets: in which order lines arrive, how often, and between which other check-ins makes no difference.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from quizapp.trainings.models import AttendanceState, CheckInMethod, EntryKind, Matched

#: A phone's clock is set right by what was measured; what is still off by less than this is nobody's fault.
CLOCK_MARGIN_MS = 10 * 60 * 1000

AFTER_CLOSING = "after_closing"
DEVICE_REVOKED = "device_revoked"
FUTURE = "future"
NOT_IN_WINDOW = "not_in_window"
ONLY_OUT = "only_out"
STRUCK = "struck"
TAKEN_BACK = "taken_back"
WALK_IN = "walk_in"


@dataclass(frozen=True)
class Line:
    """One entry of a scanning phone."""

    client_id: str
    device_id: int
    kind: str
    method: str
    at_ms: int
    #: Why it waits for the trainer's word.
    reason: str | None = None
    #: A trainer confirmed it on the phone.
    sure: bool = False
    #: The entry of the same phone that it takes back.
    undoes: str | None = None


@dataclass(frozen=True)
class Direct:
    """A check-in that no scanning phone wrote down."""

    at_ms: int
    method: str
    matched: str


@dataclass(frozen=True)
class Decision:
    """The trainer's last word: `AttendanceState` counted, struck or undone."""

    state: str
    at_ms: int


@dataclass(frozen=True)
class Standing:
    """What follows."""

    state: AttendanceState
    at_ms: int
    method: str
    matched: str
    reason: str | None = None
    checked_out_at: int | None = None


def verdict(
    *,
    at_ms: int,
    now_ms: int,
    window: tuple[int, int],
    closed_at: int | None,
    from_revoked: bool,
    unexpected: bool,
    struck: bool,
    sure: bool,
) -> str | None:
    """Why an entry waits for the trainer's word; None: it counts. `window` is the session's check-in as it is today.

    Nothing is refused: what cannot be true by the clock, what comes after the list was closed and whom nobody expected is kept and shown.
    """
    if from_revoked:
        return DEVICE_REVOKED
    if closed_at is not None:
        return AFTER_CLOSING
    if at_ms > now_ms + CLOCK_MARGIN_MS:
        return FUTURE
    if not window[0] - CLOCK_MARGIN_MS <= at_ms < window[1] + CLOCK_MARGIN_MS:
        return NOT_IN_WINDOW
    if sure:
        return None
    if struck:
        return STRUCK
    return WALK_IN if unexpected else None


def derive(lines: Collection[Line], direct: Direct | None, decision: Decision | None) -> Standing | None:
    """What an attendance is; None where nothing was ever written down.

    Counted from the earliest check-in that stands; else pending from the earliest that waits; else undone. A trainer's word goes
    before it: what was struck stays so until a trainer confirms a later scan, what was undone until something later comes.
    """
    taken_back = {(line.device_id, line.undoes) for line in lines if line.kind == EntryKind.UNDO}
    scans = [line for line in lines if line.kind == EntryKind.IN]
    outs = [line for line in lines if line.kind == EntryKind.OUT]
    if not scans and not outs and direct is None:
        return None
    live = [line for line in scans if (line.device_id, line.client_id) not in taken_back]
    live_outs = [line for line in outs if (line.device_id, line.client_id) not in taken_back]
    own = direct
    if decision is not None and decision.state == AttendanceState.UNDONE:
        live = [line for line in live if line.at_ms > decision.at_ms]
        live_outs = [line for line in live_outs if line.at_ms > decision.at_ms]
        own = direct if direct is not None and direct.at_ms > decision.at_ms else None
    clean = [line for line in live if line.reason is None]
    confirmed = decision is not None and decision.state == AttendanceState.COUNTED
    out_at = max((line.at_ms for line in live_outs if line.reason is None or confirmed), default=None)

    if clean or own is not None:
        state, reason, basis = AttendanceState.COUNTED, None, clean
    elif live or live_outs:
        basis = live or live_outs
        first = _earliest(basis)
        state = AttendanceState.COUNTED if confirmed else AttendanceState.PENDING
        reason = None if confirmed else first.reason if live else ONLY_OUT
    else:
        state, reason, basis, own = AttendanceState.UNDONE, TAKEN_BACK, scans or outs, direct
    if decision is not None and decision.state == AttendanceState.STRUCK:
        revived = any(line.sure and line.at_ms > decision.at_ms for line in clean)
        if not revived:
            state, reason = AttendanceState.STRUCK, None
    at_ms, method = _first(basis, own)
    return Standing(state, at_ms, method, _matched(basis, own), reason, out_at)


def _earliest(lines: Collection[Line]) -> Line:
    return min(lines, key=lambda line: (line.at_ms, line.client_id))


def _first(lines: Collection[Line], own: Direct | None) -> tuple[int, str]:
    """The earliest instant and how it came to be; of two at the same instant the person's own."""
    if own is not None and (not lines or own.at_ms <= _earliest(lines).at_ms):
        return own.at_ms, own.method
    first = _earliest(lines)
    return first.at_ms, first.method


def _matched(lines: Collection[Line], own: Direct | None) -> str:
    """How well it is known who it is: the best proof among all."""
    found = {own.matched} if own is not None else set()
    found |= {Matched.CODE if line.method == CheckInMethod.PERSONAL else Matched.HAND for line in lines}
    return next(level.value for level in (Matched.ACCOUNT, Matched.CODE, Matched.TYPED, Matched.HAND) if level in found)
