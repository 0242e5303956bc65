"""What is done with sessions and attendances; each module is a part of it."""

from __future__ import annotations

from quizapp.trainings.services.at_door import Typed, take_quickly
from quizapp.trainings.services.audience import add_audience_rule, copy_audience, drop_audience_rule
from quizapp.trainings.services.back_fill import BackFilled, back_fill, undo_back_fill
from quizapp.trainings.services.checking_in import CheckedIn, check_in, check_in_by_hand
from quizapp.trainings.services.checking_out import check_out, check_out_from, offers_check_out
from quizapp.trainings.services.courses import (
    RunPlan,
    add_course,
    add_run,
    close_course,
    edit_course,
    edit_run,
    end_run,
    next_run_number,
    proposed_run_title,
    reopen_course,
    reopen_run,
)
from quizapp.trainings.services.deciding import (
    StrikeReason,
    check_out_all,
    confirm_attendance,
    note_attendance,
    set_check_out,
    strike_attendance,
    undo_attendance,
)
from quizapp.trainings.services.evidence import add_evidence, keep_evidence, remove_evidence
from quizapp.trainings.services.places import add_place, edit_place, give_up_place, take_back_place
from quizapp.trainings.services.plans import LONGEST, MARGIN, SessionPlan, plan_of
from quizapp.trainings.services.sessions import (
    call_off,
    check_not_closed,
    check_window,
    close_session,
    edit_session,
    open_session,
    place_in_words,
    plan_session,
    reinstate,
    reopen_session,
)

__all__ = [
    "LONGEST",
    "MARGIN",
    "BackFilled",
    "CheckedIn",
    "RunPlan",
    "SessionPlan",
    "StrikeReason",
    "Typed",
    "add_audience_rule",
    "add_course",
    "add_evidence",
    "add_place",
    "add_run",
    "back_fill",
    "call_off",
    "check_in",
    "check_in_by_hand",
    "check_not_closed",
    "check_out",
    "check_out_all",
    "check_out_from",
    "check_window",
    "close_course",
    "close_session",
    "confirm_attendance",
    "copy_audience",
    "drop_audience_rule",
    "edit_course",
    "edit_place",
    "edit_run",
    "edit_session",
    "end_run",
    "give_up_place",
    "keep_evidence",
    "next_run_number",
    "note_attendance",
    "offers_check_out",
    "open_session",
    "place_in_words",
    "plan_of",
    "plan_session",
    "proposed_run_title",
    "reinstate",
    "remove_evidence",
    "reopen_course",
    "reopen_run",
    "reopen_session",
    "set_check_out",
    "strike_attendance",
    "take_back_place",
    "take_quickly",
    "undo_attendance",
    "undo_back_fill",
]
