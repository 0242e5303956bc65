"""The rotating code of a session (动态码), and the right to check in that it is exchanged for.

A code is eight characters that follow from the installation's key, the session and the slot of twenty seconds. It holds in its own slot,
one before (the page's clock may run a little ahead) and two after: a photograph is worth nothing a minute later. Whoever opens it gets a
right at once: random, signed, for one session, good for five minutes and for one check-in. After that it still proves that somebody
stood before the screen; a check-in by it is kept and waits for the trainer's word.

Nothing here reads a clock or a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from quizapp.core.tokens import Keys, digest, new_secret, normalize_code

#: How long one code is shown, milliseconds.
SLOT_MS = 20_000
#: How many slots ahead of the server's a code may be, and behind.
AHEAD = 1
BEHIND = 2
#: For how many milliseconds to come the projector page carries codes.
AHEAD_MS = 90 * 60 * 1000
#: How long a right is good for a check-in that counts at once, milliseconds.
RIGHT_MS = 5 * 60 * 1000
#: How long it proves presence, milliseconds: what was typed without a network may come later.
PROOF_MS = 24 * 3600 * 1000
#: Characters of a code.
LENGTH = 8


class HasCode(Protocol):
    """A session, as far as its codes go."""

    @property
    def code(self) -> str:
        """Eight characters of its public address."""
        ...


Coded = TypeVar("Coded", bound=HasCode)


def slot_of(now_ms: int) -> int:
    """The slot of an instant.

    >>> slot_of(0), slot_of(19_999), slot_of(20_000)
    (0, 0, 1)
    """
    return now_ms // SLOT_MS


def token_of(keys: Keys, session_code: str, slot: int) -> str:
    """The code that the projector shows in a slot."""
    return keys.short_code("rotating", session_code, slot)


def is_fresh(keys: Keys, session_code: str, token: str, now_ms: int) -> bool:
    """Whether a code, however typed, is one that the projector may be showing."""
    typed = normalize_code(token)
    now = slot_of(now_ms)
    return any(token_of(keys, session_code, slot) == typed for slot in range(now - BEHIND, now + AHEAD + 1))


def find_fresh(keys: Keys, sessions: Iterable[Coded], token: str, now_ms: int) -> Coded | None:
    """The session whose projector may be showing a code."""
    return next((session for session in sessions if is_fresh(keys, session.code, token, now_ms)), None)


@dataclass(frozen=True)
class Right:
    """The right to check in once at one session."""

    session_code: str
    #: When the code was opened, ms UTC.
    issued_ms: int
    #: 128 random bits.
    nonce: str

    @classmethod
    def new(cls, session_code: str, now_ms: int) -> Right:
        """A right that nobody has used."""
        return cls(session_code, now_ms, new_secret())

    @property
    def hash(self) -> bytes:
        """What the attendance keeps of it."""
        return digest(f"right {self.nonce}")

    def expired(self, now_ms: int) -> bool:
        """Whether its five minutes are over."""
        return now_ms - self.issued_ms > RIGHT_MS

    def took_ms(self, now_ms: int) -> int:
        """Milliseconds from opening the code to pressing the button."""
        return max(0, now_ms - self.issued_ms)

    def sealed(self, keys: Keys) -> str:
        """The right as the browser keeps it."""
        return f"{self.issued_ms}.{self.nonce}.{keys.sign('right', self.session_code, self.issued_ms, self.nonce)}"

    def form_token(self, keys: Keys) -> str:
        """What the form of this right carries: a page elsewhere cannot send it."""
        return keys.sign("right-form", self.session_code, self.nonce)

    @classmethod
    def opened(cls, keys: Keys, session_code: str, sealed: str | None, now_ms: int) -> Right | None:
        """The right that a browser brought; None where it is none of ours for this session, or older than a day."""
        issued, nonce, signature = (*(sealed or "").split("."), "", "", "")[:3]
        if not issued.isdecimal() or len(issued) > 15 or not signature.isascii():
            return None
        if not keys.verify(signature, "right", session_code, int(issued), nonce):
            return None
        return cls(session_code, int(issued), nonce) if now_ms - int(issued) <= PROOF_MS else None
