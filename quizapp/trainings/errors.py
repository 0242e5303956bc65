"""What trainings refuse.

CheckInEarly    409  the session's check-in has not begun; data["opens_at"], ms UTC
CheckInLate     409  it is over; data["closed_at"], ms UTC
CheckInClosed   409  the trainer closed it
CheckInCalledOff  409  the session is not held
CheckInFull     409  all places are taken or held
CheckInStruck   409  the trainer struck this person's check-in
RightNeeded     409  the session has a rotating code, and this browser has not opened it
RightUsed       409  what this browser opened was used for somebody else
CodeOutdated    410  a rotating code that holds no longer
CodeElsewhere   409  the rotating code of another session
PersonalCodeUnknown  422  no personal code that holds
NotCheckedIn    409  a check-out of somebody who is not in
CheckOutEarly   409  a check-out long before the end; data["opens_at"], ms UTC
PeriodInvalid   422  the end is not after the begin, or further away than a day
AttendeeNameNeeded, AttendeePhoneNeeded  422  a check-in without them
"""

from __future__ import annotations

from quizapp.core.errors import Conflict, DomainError, Invalid


class CheckInEarly(Conflict):
    """The session's check-in has not begun."""

    code = "check_in_early"


class CheckInLate(Conflict):
    """The session's check-in is over."""

    code = "check_in_late"


class CheckInClosed(Conflict):
    """The trainer closed the check-in."""

    code = "check_in_closed"


class CheckInCalledOff(Conflict):
    """The session is not held."""

    code = "check_in_called_off"


class CheckInFull(Conflict):
    """All places are taken, or held for those who registered."""

    code = "check_in_full"


class CheckInStruck(Conflict):
    """The trainer struck this person's check-in."""

    code = "check_in_struck"


class RightNeeded(Conflict):
    """The session's code changes, and this browser has not opened it."""

    code = "check_in_right_needed"


class RightUsed(Conflict):
    """The right that this browser got was used for somebody else."""

    code = "check_in_right_used"


class CodeOutdated(DomainError):
    """A rotating code that holds no longer, or never did."""

    code = "rotating_code_outdated"
    status = 410


class CodeElsewhere(Conflict):
    """The rotating code of another session."""

    code = "rotating_code_elsewhere"


class PersonalCodeUnknown(Invalid):
    """No personal code that holds."""

    code = "personal_code_unknown"


class NotCheckedIn(Conflict):
    """Whoever checks out must be in."""

    code = "not_checked_in"


class CheckOutEarly(Conflict):
    """People check out from shortly before the end."""

    code = "check_out_early"


class PeriodInvalid(Invalid):
    """The end is not after the begin, or more than a day after it."""

    code = "session_period_invalid"


class AttendeeNameNeeded(Invalid):
    """Nobody can be written down without a name."""

    code = "attendee_name_needed"


class AttendeePhoneNeeded(Invalid):
    """A name alone does not tell one person from another."""

    code = "attendee_phone_needed"
