"""The number on a certificate and the code beside it.

The number counts through the year ("2026-000123-7"), so it tells one certificate from another and protects nothing. What protects is the
check code, 130 random bits: all of it stands in the QR code's address, its first eight characters are printed for those who type. To look
a certificate up by its number takes both, so that nobody can walk through the numbers.
"""

from __future__ import annotations

import hmac

from quizapp.certificates.errors import CertificateUnknown, NumberMistyped
from quizapp.core.tokens import check_character, group_code, new_code, normalize_code

#: Characters of the check code: 26 of five bits each.
CHECK_CODE_LENGTH = 26
#: How many of them are printed to be typed: 40 bits.
TYPED_LENGTH = 8


def make_number(year: int, key: int) -> str:
    """The number of the certificate with a key (so that no two have the same, and nobody waits for a counter).

    >>> make_number(2026, 123)
    '2026-000123-0'
    """
    return f"{year:04d}-{key:06d}-{check_character(f'{year:04d}{key:06d}')}"


def parse_number(typed: str) -> str:
    """A number as somebody typed it, in the form in which it is stored. Raises NumberMistyped.

    >>> parse_number("编号 2026 OOO123 o")
    '2026-000123-0'
    """
    code = normalize_code(typed)
    body, check = code[:-1], code[-1:]
    if not (11 <= len(code) <= 20 and body.isdecimal() and check_character(body) == check):
        raise NumberMistyped(field="number")
    return f"{body[:4]}-{body[4:]}-{check}"


def new_check_code() -> str:
    """The random part of a new certificate's address."""
    return new_code(CHECK_CODE_LENGTH)


def typed_code(check_code: str) -> str:
    """The printed part of a check code, in groups.

    >>> typed_code("7QKX93MHABCDEFGHJKMNPQRSTV")
    '7QKX-93MH'
    """
    return group_code(check_code[:TYPED_LENGTH])


def check_typed(check_code: str | None, typed: str) -> None:
    """Raise CertificateUnknown unless the printed part was typed; None is no certificate, which reads the same."""
    printed = (check_code or "-" * TYPED_LENGTH)[:TYPED_LENGTH]
    if not hmac.compare_digest(printed.encode(), normalize_code(typed).encode()):
        raise CertificateUnknown(field="code")
