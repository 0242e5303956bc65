"""What is done with sessions and attendances; each module is a part of it."""

from __future__ import annotations

from quizapp.trainings.services.back_fill import BackFilled, back_fill, undo_back_fill
from quizapp.trainings.services.checking_in import CheckedIn, check_in, check_in_by_hand
from quizapp.trainings.services.deciding import (
    StrikeReason,
    check_out_all,
    confirm_attendance,
    note_attendance,
    set_check_out,
    strike_attendance,
    undo_attendance,
)
from quizapp.trainings.services.evidence import add_evidence, remove_evidence
from quizapp.trainings.services.sessions import (
    LONGEST,
    MARGIN,
    check_window,
    close_session,
    open_session,
    reopen_session,
)

__all__ = [
    "LONGEST",
    "MARGIN",
    "BackFilled",
    "CheckedIn",
    "StrikeReason",
    "add_evidence",
    "back_fill",
    "check_in",
    "check_in_by_hand",
    "check_out_all",
    "check_window",
    "close_session",
    "confirm_attendance",
    "note_attendance",
    "open_session",
    "remove_evidence",
    "reopen_session",
    "set_check_out",
    "strike_attendance",
    "undo_attendance",
    "undo_back_fill",
]
