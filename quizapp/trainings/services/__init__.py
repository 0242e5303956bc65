"""What is done with sessions and attendances; each module is a part of it."""

from __future__ import annotations

from quizapp.trainings.services.at_door import Typed, take_quickly
from quizapp.trainings.services.checking_in import CheckedIn, check_in, check_in_by_hand
from quizapp.trainings.services.checking_out import check_out, check_out_from, offers_check_out
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
    "CheckedIn",
    "Typed",
    "check_in",
    "check_in_by_hand",
    "check_out",
    "check_out_from",
    "check_window",
    "close_session",
    "offers_check_out",
    "open_session",
    "reopen_session",
    "take_quickly",
]
