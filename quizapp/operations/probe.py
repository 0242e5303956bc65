"""The address by which `quizapp doctor` asks the running site what arrives: signed, good for five minutes, 404 for everybody else."""

from __future__ import annotations

from quizapp.core.tokens import Keys

_GOOD_MS = 5 * 60 * 1000


def probe_path(keys: Keys, now_ms: int) -> str:
    """The path of a question that is asked now."""
    return f"/doctor/{now_ms}/{keys.sign('doctor', now_ms)}"


def is_doctor(keys: Keys, at_ms: int, signature: str, now_ms: int) -> bool:
    """Whether whoever asks holds the keys of this installation, and asks just now."""
    return abs(now_ms - at_ms) <= _GOOD_MS and keys.verify(signature, "doctor", at_ms)
