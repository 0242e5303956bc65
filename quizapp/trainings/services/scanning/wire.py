"""What a scanning phone sends: the shape of its entries and their signatures.

A phone's key is derived from its public id and never stored. Each entry is signed over all its fields, so that a file that was carried
by hand is as good as a delivery over the network.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any

from quizapp.core.tokens import Keys
from quizapp.trainings.errors import ScanMalformed, ScanSignatureWrong
from quizapp.trainings.models import CheckInMethod, EntryKind

#: Entries in one delivery, and in one file.
MOST = 5000
#: A 64-bit instant and a key of ours fit well below.
_LARGEST = 2**53
_CLIENT_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Sent:
    """One entry as it came."""

    client_id: str
    sequence: int
    kind: EntryKind
    method: CheckInMethod
    #: Key of a person whom the phone took along …
    person_id: int | None
    #: … or a personal code that it did not know …
    code: str
    #: … or the phone's keyed hash of a code that is none of ours, hexadecimal …
    foreign: str
    #: … or a name, phone number and unit that were typed at the door.
    name: str
    phone: str
    unit: str
    #: The entry that it takes back.
    undoes: str
    phone_at_ms: int
    #: A trainer confirmed it.
    sure: bool
    signature: str


def device_key(keys: Keys, public_id: str) -> str:
    """The key of a phone, 22 characters."""
    return keys.sign("scan-device", public_id)


def signature(key: str, sent: Sent) -> str:
    """HMAC-SHA256 over all fields of an entry, hexadecimal."""
    parts = (
        sent.client_id,
        sent.sequence,
        sent.kind.value,
        sent.method.value,
        "" if sent.person_id is None else sent.person_id,
        sent.code,
        sent.foreign,
        sent.name,
        sent.phone,
        sent.unit,
        sent.undoes,
        sent.phone_at_ms,
        1 if sent.sure else "",
    )
    message = "\x1f".join(map(str, parts)).encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def lookup_hash(key: str, code: str) -> str:
    """By which a phone finds a personal code in its roster without holding the codes of others."""
    return hmac.new(key.encode(), f"code {code}".encode(), hashlib.sha256).hexdigest()[:32]


def check_signatures(key: str, entries: list[Sent]) -> None:
    """Raise ScanSignatureWrong where one entry was not written by the phone of this key: then none is taken."""
    for sent in entries:
        if not hmac.compare_digest(sent.signature.encode(), signature(key, sent).encode()):
            raise ScanSignatureWrong


def parse_entries(content: Any) -> list[Sent]:
    """The entries of a JSON body or file. Raises ScanMalformed."""
    rows = content.get("entries") if isinstance(content, dict) else None
    if not isinstance(rows, list) or len(rows) > MOST:
        raise ScanMalformed
    return [_parse(row) for row in rows]


def _parse(row: Any) -> Sent:
    if not isinstance(row, dict):
        raise ScanMalformed
    try:
        kind, method = EntryKind(row.get("kind", "")), CheckInMethod(row.get("method", ""))
    except ValueError as error:
        raise ScanMalformed from error
    person = row.get("person")
    sent = Sent(
        client_id=_text(row, "id", 32),
        sequence=_whole(row.get("n")),
        kind=kind,
        method=method,
        person_id=None if person is None else _whole(person),
        code=_text(row, "code", 12),
        foreign=_text(row, "foreign", 64),
        name=_text(row, "name", 40),
        phone=_text(row, "phone", 30),
        unit=_text(row, "unit", 60),
        undoes=_text(row, "undoes", 32),
        phone_at_ms=_whole(row.get("at")),
        sure=row.get("sure") is True,
        signature=_text(row, "signature", 64),
    )
    said = sum((sent.person_id is not None, bool(sent.code), bool(sent.foreign), bool(sent.name), bool(sent.undoes)))
    if (
        not _CLIENT_ID.fullmatch(sent.client_id)
        or method not in (CheckInMethod.PERSONAL, CheckInMethod.BY_HAND)
        or said != 1
        or (kind is EntryKind.UNDO) != bool(sent.undoes)
        or (sent.undoes and not _CLIENT_ID.fullmatch(sent.undoes))
        or (sent.foreign and not _HASH.fullmatch(sent.foreign))
        or sent.sequence > 2**31 - 1
    ):
        raise ScanMalformed
    return sent


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise ScanMalformed
    return value


def _text(row: dict[str, Any], name: str, most: int) -> str:
    value = row.get(name) or ""
    if not isinstance(value, str) or len(value) > most or any(ord(c) < 32 for c in value):
        raise ScanMalformed
    return value
