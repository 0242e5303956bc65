"""What certificates refuse.

NothingToPrint          409  the run has no certificate that is not revoked
NotEarned               409  this person does not (or no longer) fulfil what the run asks
CertificateRevoked      409  it was revoked, so it is neither printed nor revoked again
StillValid              409  it is not revoked, so there is nothing to issue anew
RevokeReasonNeeded      422  a revocation without a reason
NumberMistyped          422  a typed number that cannot be one: its check character is wrong
CertificateUnknown      422  no certificate has this number with this check code
"""

from __future__ import annotations

from quizapp.core.errors import Conflict, Invalid


class NothingToPrint(Conflict):
    """The run has no certificate that is not revoked."""

    code = "nothing_to_print"


class NotEarned(Conflict):
    """This person does not (or no longer) fulfil what the run asks."""

    code = "certificate_not_earned"


class CertificateRevoked(Conflict):
    """It was revoked, so it is neither printed nor revoked again."""

    code = "certificate_revoked"


class StillValid(Conflict):
    """It is not revoked, so there is nothing to issue anew."""

    code = "certificate_still_valid"


class RevokeReasonNeeded(Invalid):
    """A revocation without a reason."""

    code = "revoke_reason_needed"


class NumberMistyped(Invalid):
    """A typed number that cannot be one: its check character is wrong."""

    code = "certificate_number_mistyped"


class CertificateUnknown(Invalid):
    """No certificate has this number with this check code."""

    code = "certificate_unknown"
