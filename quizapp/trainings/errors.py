"""What trainings refuse.

CheckInEarly    409  the session's check-in has not begun; data["opens_at"], ms UTC
CheckInLate     409  it is over; data["closed_at"], ms UTC
CheckInClosed   409  the trainer closed it
PeriodInvalid   422  the end is not after the begin, or further away than a day
AttendeeNameNeeded, AttendeePhoneNeeded  422  a check-in without them

Registration:
RegistrationClosed      409  the session takes no registrations
RegistrationOver        409  the time to register is over, or the session has begun
SessionCalledOff        409  the session was called off
OutsideAudience         409  the session is held for others
SignInToRegister        409  only whoever signs in, or their liaison, can register
RegistrationKnown       409  this name and number are registered already; nothing else is said of them
NobodyChosen            422  a list was sent without a tick
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


class RegistrationClosed(Conflict):
    """The session takes no registrations."""

    code = "registration_closed"


class RegistrationOver(Conflict):
    """The time to register or to cancel is over."""

    code = "registration_over"


class SessionCalledOff(Conflict):
    """The session was called off."""

    code = "session_called_off"


class OutsideAudience(Conflict):
    """The session is held for others."""

    code = "outside_audience"


class SignInToRegister(Conflict):
    """A typed name proves no unit: whoever wants a place of a closed circle signs in, or their liaison registers them."""

    code = "sign_in_to_register"


class RegistrationKnown(Conflict):
    """A typed name and number that are registered already: they prove nothing, so nothing else is said or done."""

    code = "registration_known"


class NobodyChosen(Invalid):
    """A list was sent without a tick."""

    code = "nobody_chosen"
