"""What trainings refuse.

CheckInEarly    409  the session's check-in has not begun; data["opens_at"], ms UTC
CheckInLate     409  it is over; data["closed_at"], ms UTC
CheckInClosed   409  the trainer closed it
PeriodInvalid   422  the end is not after the begin, or further away than a day
AttendeeNameNeeded, AttendeePhoneNeeded  422  a check-in without them
ScanMalformed, ScanSignatureWrong        422  entries of a scanning phone that cannot be read or trusted
ScanDeviceUnknown, ScanDeviceRevoked     409  a phone that does not scan here, or no more
HelperPassInvalid 403  a helper's link that has expired or was taken back
HelperPassLate  409  nobody can be admitted any more
PhotoUnreadable, PhotoWithoutCode        422  a picture that holds no code
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


class PeriodInvalid(Invalid):
    """The end is not after the begin, or more than a day after it."""

    code = "session_period_invalid"


class AttendeeNameNeeded(Invalid):
    """Nobody can be written down without a name."""

    code = "attendee_name_needed"


class AttendeePhoneNeeded(Invalid):
    """A name alone does not tell one person from another."""

    code = "attendee_phone_needed"


class ScanMalformed(Invalid):
    """What a scanning phone sent, or a file of it, cannot be read."""

    code = "scan_malformed"


class ScanSignatureWrong(Invalid):
    """An entry was not signed by the phone that it names."""

    code = "scan_signature_wrong"


class ScanDeviceUnknown(Conflict):
    """No phone of this name scans at this session."""

    code = "scan_device_unknown"


class ScanDeviceRevoked(Conflict):
    """The phone was shut out."""

    code = "scan_device_revoked"


class HelperPassInvalid(DomainError):
    """The helper's link has expired or was taken back."""

    code = "helper_pass_invalid"
    status = 403


class HelperPassLate(Conflict):
    """Nobody can be admitted any more: the session's check-in is over."""

    code = "helper_pass_late"


class PhotoUnreadable(Invalid):
    """Not a picture that we read, or too large a one."""

    code = "photo_unreadable"


class PhotoWithoutCode(Invalid):
    """No code was found in the picture."""

    code = "photo_without_code"
