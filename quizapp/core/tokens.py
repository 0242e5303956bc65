"""Secrets, codes that people type, signatures, and the encryption of phone numbers."""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import os
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Crockford's base 32: no I, L, O, U, so that nothing is read as something else.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: The letters of a poster code: also without 0 and 1, which look like O and I on a bad print.
POSTER_ALPHABET = ALPHABET[2:]
_LOOK_ALIKES = str.maketrans({"I": "1", "L": "1", "O": "0"})


def new_secret() -> str:
    """128 random bits, URL-safe, 22 characters: opens somebody's data."""
    return secrets.token_urlsafe(16)


def new_public_id() -> str:
    """A short unguessable name for a URL, 16 characters (96 bits); it opens nothing by itself."""
    return secrets.token_urlsafe(12)


def digest(secret: str) -> bytes:
    """What is stored of a secret: SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def digest_bytes(content: bytes) -> bytes:
    """SHA-256 of a content, 32 bytes."""
    return hashlib.sha256(content).digest()


def new_poster_code() -> str:
    """Eight characters without look-alikes: public, printed, typed."""
    return "".join(secrets.choice(POSTER_ALPHABET) for _ in range(8))


def new_code(length: int) -> str:
    """Random characters of Crockford's base 32, five bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def check_character(body: str) -> str:
    """The check character of a code: finds one wrong character and two swapped neighbours.

    Weights 1, 3, 5 … are odd, hence invertible modulo 32, and differ by 2 between neighbours.
    """
    return ALPHABET[sum((2 * i + 1) * ALPHABET.index(c) for i, c in enumerate(body)) % 32]


def normalize_code(text: str) -> str:
    """A typed code as it is stored: upper case, full-width folded, spaces and hyphens gone, look-alikes read as digits."""
    folded = unicodedata.normalize("NFKC", text).upper().translate(_LOOK_ALIKES)
    return "".join(c for c in folded if c in ALPHABET)


def group_code(code: str) -> str:
    """A code as it is printed: groups of four, ABCD-EFGH."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


class SealBroken(Exception):
    """A stored content cannot be read: another key, or it was altered."""


#: The key with which phone numbers, addresses and files are hidden …
PHONE_KEY = "phone.key"
#: … the one that takes its place, once every process reads with it …
PHONE_KEY_NEXT = "phone-next.key"
#: … and the one before, until nothing is hidden with it any more.
PHONE_KEY_BEFORE = "phone-before.key"


def _derive(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class Keys:
    """The keys of one installation: `session` signs, `phone` hides phone numbers. They are files beside the database, never in it.

    While the key of the phone numbers is changed there are two of them: everything is written with `phone` and found with either.
    """

    session: bytes
    phone: bytes
    #: The other key of phone numbers during a change: the one before, or the one that comes.
    phone_too: bytes | None = None
    #: The keys as they stand now, where they come from a folder.
    newest: Callable[[], Keys] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def load(cls, folder: Path) -> Keys:
        """Read the keys of a folder, or make them on the first start (mode 600)."""
        folder.mkdir(parents=True, exist_ok=True)
        _key_file(folder / PHONE_KEY)
        return _KeyFolder(folder, _key_file(folder / "session.key")).read()

    def current(self) -> Keys:
        """These keys, or those that have been put into their folder since: whoever runs for long asks before each piece of work."""
        return self.newest() if self.newest is not None else self

    def sign(self, purpose: str, *parts: str | int) -> str:
        """A signature of 128 bits over parts, for one purpose."""
        message = "\x1f".join(str(part) for part in parts).encode()
        mac = hmac.new(_derive(self.session, purpose), message, hashlib.sha256).digest()[:16]
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    def verify(self, signature: str, purpose: str, *parts: str | int) -> bool:
        """Whether a signature is ours, in constant time."""
        return hmac.compare_digest(signature.encode(), self.sign(purpose, *parts).encode())

    def code(self, purpose: str, subject: str, length: int) -> str:
        """A code of `length` characters that belongs to a subject and can be made again, the last one a check character."""
        mac = hmac.new(_derive(self.session, purpose), subject.encode(), hashlib.sha256).digest()
        number = int.from_bytes(mac, "big")
        body = "".join(ALPHABET[(number >> (5 * i)) & 31] for i in range(length - 1))
        return body + check_character(body)

    def short_code(self, purpose: str, *parts: str | int) -> str:
        """Eight characters like a poster code that belong to parts and can be made again; about 39 bits, for what holds for a moment."""
        message = "\x1f".join(str(part) for part in parts).encode()
        number = int.from_bytes(hmac.digest(_derive(self.session, purpose), message, "sha256"), "big")
        characters = []
        for _ in range(8):
            number, digit = divmod(number, len(POSTER_ALPHABET))
            characters.append(POSTER_ALPHABET[digit])
        return "".join(characters)

    def phone_hash(self, phone: str) -> bytes:
        """The keyed hash with which a number is stored, 32 bytes."""
        return hmac.digest(self._lookup_key, phone.encode(), "sha256")

    def phone_hashes(self, phone: str) -> tuple[bytes, ...]:
        """The keyed hashes by which a number is looked up: the one of `phone_hash`, and during a change of the key the other."""
        first = self.phone_hash(phone)
        return (first,) if self._other is None else (first, self._other.phone_hash(phone))

    def encrypt_phone(self, phone: str) -> bytes:
        """A number as it is stored."""
        return self._fernet.encrypt(phone.encode())

    def decrypt_phone(self, stored: bytes) -> str | None:
        """The number again, or None when it was stored under another key."""
        try:
            return self._fernet.decrypt(bytes(stored)).decode()
        except InvalidToken:
            return None if self._other is None else self._other.decrypt_phone(stored)

    def seal(self, content: bytes, purpose: str) -> bytes:
        """A content as it is stored: AES-256-GCM under a key of this purpose, the nonce before it."""
        nonce = os.urandom(12)
        return nonce + AESGCM(_derive(self.phone, f"seal {purpose}")).encrypt(nonce, content, None)

    def unseal(self, stored: bytes, purpose: str) -> bytes:
        """The content again. Raises SealBroken when it was stored under another key or purpose, or was altered."""
        stored = bytes(stored)
        try:
            return AESGCM(_derive(self.phone, f"seal {purpose}")).decrypt(stored[:12], stored[12:], None)
        except (InvalidTag, ValueError) as error:
            if self._other is not None:
                return self._other.unseal(stored, purpose)
            raise SealBroken from error

    @cached_property
    def _other(self) -> Keys | None:
        return Keys(self.session, self.phone_too) if self.phone_too is not None else None

    @cached_property
    def _lookup_key(self) -> bytes:
        return _derive(self.phone, "lookup")

    @cached_property
    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(_derive(self.phone, "encrypt")))


class _KeyFolder:
    """The keys in a folder, read again when its files have changed."""

    def __init__(self, folder: Path, session: bytes) -> None:
        self._paths = [folder / name for name in (PHONE_KEY, PHONE_KEY_NEXT, PHONE_KEY_BEFORE)]
        self._session = session
        self._marks: list[tuple[int, int] | None] = []
        self._keys: Keys | None = None

    def read(self) -> Keys:
        """The keys as they stand now: three looks at the folder where nothing has changed."""
        for _ in range(100):  # another process may be changing them just now
            marks = self._look()
            if self._keys is not None and marks == self._marks:
                break
            phone, *others = [self._content(path) for path in self._paths]
            if phone is not None and self._look() == marks:
                other = next((key for key in others if key not in (None, phone)), None)
                self._keys, self._marks = Keys(self._session, phone, other, self.read), marks
        if self._keys is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._paths[0]))
        return self._keys

    def _look(self) -> list[tuple[int, int] | None]:
        marks: list[tuple[int, int] | None] = []
        for path in self._paths:
            try:
                found = path.stat()
            except FileNotFoundError:
                marks.append(None)
            else:
                marks.append((found.st_ino, found.st_mtime_ns))
        return marks

    @staticmethod
    def _content(path: Path) -> bytes | None:
        try:
            return path.read_bytes() or None
        except FileNotFoundError:
            return None


def _key_file(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        for _ in range(100):  # another process may be writing its first line just now
            if key := path.read_bytes():
                return key
        raise
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_hex(32).encode()
        file.write(key)
    return key
