"""What people type to sign in."""

from __future__ import annotations

from quizapp.core.phones import PhoneInvalid, normalize_phone


def normalize_login(text: str) -> tuple[str, str]:
    """What was typed to sign in: ("phone", eleven digits) or ("username", lower case)."""
    try:
        return "phone", normalize_phone(text)
    except PhoneInvalid:
        return "username", text.strip().lower()[:60]
