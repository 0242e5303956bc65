"""What trainings refuse.

CheckInEarly    409  the session's check-in has not begun; data["opens_at"], ms UTC
CheckInLate     409  it is over; data["closed_at"], ms UTC
CheckInClosed   409  the trainer closed it
PeriodInvalid   422  the end is not after the begin, or further away than a day
AttendeeNameNeeded, AttendeePhoneNeeded  422  a check-in without them
RosterNotKept   409  a lecture or crew session expects nobody in particular
RosterFrozen    409  the session is closed, and its roster with it
RosterCame      409  whoever came is not taken off the roster
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


class RosterNotKept(Conflict):
    """A lecture or crew session expects nobody in particular."""

    code = "roster_not_kept"


class RosterFrozen(Conflict):
    """The session is closed, and its roster with it."""

    code = "roster_frozen"


class RosterCame(Conflict):
    """Whoever came is not taken off the roster."""

    code = "roster_came"
