"""Refusals around deliveries and attempts."""

from __future__ import annotations

from quizapp.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound


class DeliveryNotOpen(Conflict):
    """The window has not begun; `opens_at` says when (ms UTC)."""

    code = "delivery_not_open"


class DeliveryEnded(Conflict):
    """The window has ended; `closes_at` says when (ms UTC)."""

    code = "delivery_ended"


class DeliveryNotReady(Conflict):
    """Its papers are still being assembled, or could not be."""

    code = "delivery_not_ready"


class DeliveryFull(Conflict):
    """All its places are taken."""

    code = "delivery_full"


class TriesUsedUp(Conflict):
    """This person has had all tries; `tries` says how many."""

    code = "tries_used_up"


class SignInForDelivery(Forbidden):
    """This delivery is for people with an account."""

    code = "sign_in_for_delivery"
    status = 403


class ConsentNeeded(Invalid):
    """The data notice was not agreed to."""

    code = "consent_needed"


class FieldMissing(Invalid):
    """A required field is empty; `field` names it."""

    code = "field_missing"


class GuardianNeeded(Invalid):
    """A child under 14 needs the tick of a guardian."""

    code = "guardian_needed"


class UnitOutside(Invalid):
    """The chosen unit is closed or not one of the delivery's audience."""

    code = "unit_outside"


class OutsideAudience(Conflict):
    """The delivery is for the people of other units (or of another industry)."""

    code = "delivery_not_for_unit"


class AttemptNotYours(NotFound):
    """No right to this attempt in this browser: shows the start page, nothing of the attempt."""

    code = "attempt_not_yours"


class AttemptReadOnly(Conflict):
    """The attempt went on in another browser; this one only reads."""

    code = "attempt_read_only"


class AttemptClosed(Conflict):
    """The attempt was submitted or its time is over."""

    code = "attempt_closed"


class FormExpired(DomainError):
    """The form's signature is not ours or belongs to another attempt."""

    code = "form_expired"
    status = 400


class AnswerMalformed(Invalid):
    """An answer is not of the form that the page sends."""

    code = "answer_malformed"
    status = 400


class CodeUnknown(Invalid):
    """A typed code opens nothing (wrong, expired or used)."""

    code = "code_unknown"


class AlreadyClaimed(Conflict):
    """The result already belongs to an account."""

    code = "already_claimed"


class PoolTooSmall(Conflict):
    """The bank cannot fill the blueprint; `problem` names the demand that cannot be met."""

    code = "pool_too_small"


class DeliveryStarted(Conflict):
    """After the first start this cannot be changed any more; `fields` names what was refused."""

    code = "delivery_started"


class DeliveryEdited(Conflict):
    """Somebody else has changed it since the form was opened; `revision` is the one that stands."""

    code = "delivery_edited"


class EndOnlyEarlier(Invalid):
    """After the first start the end is moved later by extending, which takes late answers in."""

    code = "end_only_earlier"


class AudienceUnknowable(Invalid):
    """The audience cannot be held against what is asked: `needs` is the profile field that must be required."""

    code = "audience_unknowable"


class AudienceForeign(Invalid):
    """A unit of the audience is closed, unknown, or outside the editor's own grant."""

    code = "audience_foreign"


class DeliveryValueMissing(Invalid):
    """A delivery cannot do without this value; `field` names it."""

    code = "delivery_value_missing"


class DeliveryValueOutOfRange(Invalid):
    """A number of a delivery lies outside `low` to `high`; `field` names it."""

    code = "delivery_value_out_of_range"


class DeliveryTextTooLong(Invalid):
    """A text of a delivery has more than `most` characters; `field` names it."""

    code = "delivery_text_too_long"


class WindowEmpty(Invalid):
    """The window ends before it begins, or has ended already."""

    code = "window_empty"


class BlueprintUnknown(Invalid):
    """There is no blueprint of this code."""

    code = "blueprint_unknown"


class UnitClosedForDelivery(Invalid):
    """A closed unit offers nothing new."""

    code = "unit_closed_for_delivery"


class AssemblyRunning(Conflict):
    """The papers are being assembled, or stand already."""

    code = "assembly_running"


class ReasonMissing(Invalid):
    """What a second person has to judge needs a reason."""

    code = "reason_missing"


class AcceptedInvalid(Invalid):
    """The accepted answers are none, no options of the item, or what is right already."""

    code = "accepted_invalid"


class ProposalOpen(Conflict):
    """There is a proposal already that nobody has decided."""

    code = "proposal_open"


class ProposalDecided(Conflict):
    """Somebody has decided it, or taken it back."""

    code = "proposal_decided"


class SecondPersonNeeded(Conflict):
    """Whoever proposed it cannot confirm it."""

    code = "second_person_needed"


class AttemptNotClosed(Conflict):
    """Only an attempt that was submitted or closed can be made void."""

    code = "attempt_not_closed"


class EndNotLater(Invalid):
    """An extension ends later than now and than before."""

    code = "end_not_later"


class ExtraOutOfRange(Invalid):
    """Extra time is 1 to `most` minutes."""

    code = "extra_out_of_range"


class NobodyKnown(Conflict):
    """Nobody knows whose attempt it is: extra time is given to a person."""

    code = "nobody_known"
