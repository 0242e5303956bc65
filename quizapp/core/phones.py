"""Mobile phone numbers as people type them: spaces, hyphens, full-width digits, +86."""

from __future__ import annotations

import unicodedata

from quizapp.core.errors import Invalid


class PhoneInvalid(Invalid):
    """Not a mobile number: `digits` says how many digits were typed."""

    code = "phone_invalid"


def normalize_phone(text: str) -> str:
    """The eleven digits of a Chinese mobile number.

    >>> normalize_phone("+86 138-0000 １２３４")
    '13800001234'
    """
    digits = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isdigit())
    if len(digits) in (13, 15) and digits.startswith(("86", "0086")):
        digits = digits[-11:]
    if len(digits) != 11 or not digits.startswith("1"):
        raise PhoneInvalid(field="phone", digits=len(digits))
    return digits


def mask_phone(phone: str) -> str:
    """A number as it is shown: 138****1234."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) == 11 else "****"
