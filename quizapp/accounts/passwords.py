"""Passwords: the rule, the hash, the check that takes the same time for an account that does not exist."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from quizapp.accounts.errors import PasswordPlain, PasswordShort

#: Shortest password, in characters.
LEAST = 10
#: Longest one that is hashed: a longer text would only keep the processor busy.
MOST = 128
#: OWASP's figures for argon2id: 19 MiB, two passes, one lane: small enough for a worker with many visitors.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_PLAIN = frozenset(
    (
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "iloveyou1314",
        "woaini1314",
        "woaini520520",
        "woaini1314520",
        "5201314520",
        "1314520520",
        "admin12345",
        "admin123456",
        "administrator",
        "a123456789",
        "aa12345678",
        "abc1234567",
        "abcd123456",
        "qwer123456",
        "qwerty1234",
        "qq123456789",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "1234567890a",
        "147258369147",
        "1472583690",
        "zhongguo123",
    )
)


def check_password(password: str, *names: str) -> None:
    """The rule: ten characters, and none of what a guesser tries first, such as a run of keys or one's own name or number.

    Raises PasswordShort, PasswordPlain.
    """
    if len(password) < LEAST:
        raise PasswordShort(field="password", least=LEAST)
    lower = _normal(password).lower()
    own = [name.lower() for name in names if name]
    if (
        len(password) > MOST
        or len(set(lower)) < 4
        or lower in _PLAIN
        or any(lower in run for run in _RUNS)
        or any(lower in (name, name[::-1], name * 2) for name in own)
    ):
        raise PasswordPlain(field="password")


def hash_password(password: str) -> str:
    """The argon2id hash that is stored; takes some 30 ms of processor on purpose, so never inside a write transaction."""
    return _HASHER.hash(_normal(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is right. Without a stored hash it takes the same time and says no."""
    if len(password) > MOST:
        password = ""
    try:
        _HASHER.verify(stored or _dummy(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with older figures."""
    return _HASHER.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """Two keyboards may write the same letter in two ways: hashed alike."""
    return unicodedata.normalize("NFKC", password)


@cache
def _dummy() -> str:
    return _HASHER.hash("nobody's password")
