"""What trainings refuse.

CheckInEarly    409  the session's check-in has not begun; data["opens_at"], ms UTC
CheckInLate     409  it is over; data["closed_at"], ms UTC
CheckInClosed   409  the trainer closed it: its list is frozen
└── CheckInCalledOff  409  the session was called off
SessionClosed   409  a closed session does not change; who must change it opens it again first
SessionAttended 409  people have checked in: it cannot be called off any more
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
PlanInvalid     422  a number or an end of registration that no session can have; data["low"], data["high"]
RegistrationEndInvalid  422  people would register after the session began
TrainerUnknown  422  an account that runs no sessions there
PlaceMissing    422  neither a kept place nor words
PlaceGivenUp, CourseClosed, RunClosed  409  it takes no further sessions
PlaceNameTaken  409  the unit keeps a place of this name already
AudienceTwice   409  the session has this rule already
AudienceTooWide 422  only who is responsible for every unit may mean every unit
AttendeeNameNeeded, AttendeePhoneNeeded  422  a check-in without them
RosterNotKept   409  a lecture or crew session expects nobody in particular
RosterFrozen    409  the session is closed, and its roster with it
RosterCame      409  whoever came is not taken off the roster
ScanMalformed, ScanSignatureWrong        422  entries of a scanning phone that cannot be read or trusted
ScanDeviceUnknown, ScanDeviceRevoked     409  a phone that does not scan here, or no more
HelperPassInvalid 403  a helper's link that has expired or was taken back
HelperPassLate  409  nobody can be admitted any more
PhotoUnreadable, PhotoWithoutCode        422  a picture that holds no code
StrikeReasonNeeded  422  a strike without a reason
CheckOutImpossible  422  a check-out before the check-in, in the future, or where none is asked
ArrivalImpossible   422  an arrival outside the check-in window, or in the future
EvidenceFull    409  as many photos as a session may have; data["most"]
TestsSame, TestsNotParallel  422  the tests of a session are two deliveries of one quiz
NothingToUndo   409  not made by this hand, or decided since

Registration:
RegistrationClosed      409  the session takes no registrations
RegistrationOver        409  the time to register is over, or the session has begun
OutsideAudience         409  the session is held for others
SignInToRegister        409  only whoever signs in, or their liaison, can register
RegistrationKnown       409  this name and number are registered already; nothing else is said of them
NobodyChosen            422  a list was sent without a tick
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


class CheckInCalledOff(CheckInClosed):
    """The session was called off."""

    code = "check_in_called_off"


class SessionClosed(Conflict):
    """A closed session does not change."""

    code = "session_closed"


class SessionAttended(Conflict):
    """People have checked in: what was held cannot be called off."""

    code = "session_attended"


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


class PlanInvalid(Invalid):
    """A number that no session can have."""

    code = "session_plan_invalid"


class RegistrationEndInvalid(Invalid):
    """The registration would go on after the session began."""

    code = "registration_end_invalid"


class TrainerUnknown(Invalid):
    """An account that runs no sessions of this unit."""

    code = "trainer_unknown"


class PlaceMissing(Invalid):
    """Neither a kept place nor words for one."""

    code = "place_missing"


class PlaceGivenUp(Conflict):
    """The place is kept no longer."""

    code = "place_given_up"


class PlaceNameTaken(Conflict):
    """The unit keeps a place of this name already."""

    code = "place_name_taken"


class CourseClosed(Conflict):
    """The course takes no further runs."""

    code = "course_closed"


class RunClosed(Conflict):
    """The run takes no further sessions."""

    code = "run_closed"


class AudienceTwice(Conflict):
    """The session has this rule already."""

    code = "audience_twice"


class AudienceTooWide(Invalid):
    """Only who is responsible for every unit may mean every unit."""

    code = "audience_too_wide"


class RosterNotKept(Conflict):
    """A lecture or crew session expects nobody in particular."""

    code = "roster_not_kept"


class RosterFrozen(Conflict):
    """The session is closed, and its roster with it."""

    code = "roster_frozen"


class RosterCame(Conflict):
    """Whoever came is not taken off the roster."""

    code = "roster_came"


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


class StrikeReasonNeeded(Invalid):
    """Nobody is struck without a reason."""

    code = "strike_reason_needed"


class CheckOutImpossible(Invalid):
    """A check-out before the check-in, in the future, or at a session that asks for none."""

    code = "check_out_impossible"


class ArrivalImpossible(Invalid):
    """An arrival outside the check-in window, or in the future."""

    code = "arrival_impossible"


class TestsSame(Invalid):
    """One delivery cannot stand before and after a session."""

    __test__ = False
    code = "tests_same"


class TestsNotParallel(Invalid):
    """The two deliveries are of different quizzes: their points cannot be compared."""

    __test__ = False
    code = "tests_not_parallel"


class NothingToUndo(Conflict):
    """The attendance was there before, or somebody has decided about it since."""

    code = "nothing_to_undo"


class EvidenceFull(Conflict):
    """The session has as many photos as it may have; `most` says how many."""

    code = "evidence_full"


class RegistrationClosed(Conflict):
    """The session takes no registrations."""

    code = "registration_closed"


class RegistrationOver(Conflict):
    """The time to register or to cancel is over."""

    code = "registration_over"


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
