"""Codes of an authenticator app (RFC 6238: six digits, SHA-1, thirty seconds), and the codes that stand in for it."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

from quizapp.core.tokens import group_code, new_code, normalize_code

#: Seconds of a step, and by how many steps a phone's clock may be off.
STEP = 30
DRIFT = 1
#: How many codes stand in, and of how many characters (80 bits each: safe as a plain hash).
RECOVERY_CODES = 10
RECOVERY_LENGTH = 16


def new_totp_secret() -> str:
    """160 random bits in base 32, as apps take it."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, *, name: str, issuer: str) -> str:
    """What the QR code for the app says."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=name, issuer_name=issuer)


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, at most `DRIFT` away from now; None where it is none of them."""
    totp = pyotp.TOTP(secret, interval=STEP)
    present = int(now.timestamp()) // STEP
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten fresh codes."""
    return [new_code(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]


def read_code(text: str) -> tuple[str, str]:
    """What was typed: ("totp", six digits), ("recovery", sixteen characters), or ("", "") for anything else.

    >>> read_code("287 082"), read_code("abcd-efgh-jkmn-pqrs")
    (('totp', '287082'), ('recovery', 'ABCDEFGHJKMNPQRS'))
    """
    code = normalize_code(text)
    if len(code) == 6 and code.isdecimal():
        return "totp", code
    if len(code) == RECOVERY_LENGTH:
        return "recovery", code
    return "", ""


def shown_secret(secret: str) -> str:
    """A secret in groups of four, to be typed."""
    return group_code(secret).replace("-", " ")
