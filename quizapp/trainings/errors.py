"""What trainings refuse.

CheckInEarly    409  the session's check-in has not begun; data["opens_at"], ms UTC
CheckInLate     409  it is over; data["closed_at"], ms UTC
CheckInClosed   409  the trainer closed it
PeriodInvalid   422  the end is not after the begin, or further away than a day
AttendeeNameNeeded, AttendeePhoneNeeded  422  a check-in without them
SessionClosed   409  the session is closed and its list frozen
StrikeReasonNeeded  422  a strike without a reason
CheckOutImpossible  422  a check-out before the check-in, in the future, or where none is asked
ArrivalImpossible   422  an arrival outside the check-in window, or in the future
EvidenceFull    409  as many photos as a session may have; data["most"]
NothingToUndo   409  not made by this hand, or decided since
"""

from __future__ import annotations

from quizapp.core.errors import Conflict, Invalid


class CheckInEarly(Conflict):
    """The session's check-in has not begun."""

    code = "check_in_early"


class CheckInLate(Conflict):
    """The session's check-in is over."""

    code = "check_in_late"


class CheckInClosed(Conflict):
    """The trainer closed the check-in."""

    code = "check_in_closed"


class PeriodInvalid(Invalid):
    """The end is not after the begin, or more than a day after it."""

    code = "session_period_invalid"


class AttendeeNameNeeded(Invalid):
    """Nobody can be written down without a name."""

    code = "attendee_name_needed"


class AttendeePhoneNeeded(Invalid):
    """A name alone does not tell one person from another."""

    code = "attendee_phone_needed"


class SessionClosed(Conflict):
    """A closed session does not change."""

    code = "session_closed"


class StrikeReasonNeeded(Invalid):
    """Nobody is struck without a reason."""

    code = "strike_reason_needed"


class CheckOutImpossible(Invalid):
    """A check-out before the check-in, in the future, or at a session that asks for none."""

    code = "check_out_impossible"


class ArrivalImpossible(Invalid):
    """An arrival outside the check-in window, or in the future."""

    code = "arrival_impossible"


class NothingToUndo(Conflict):
    """The attendance was there before, or somebody has decided about it since."""

    code = "nothing_to_undo"


class EvidenceFull(Conflict):
    """The session has as many photos as it may have; `most` says how many."""

    code = "evidence_full"
