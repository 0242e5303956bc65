"""The ledger of erasures: a file beside the keys, outside the database and its backup.

A backup of last week still holds who was erased yesterday. Whoever restores it reads here whom to erase again. A line holds ids and
the instant, nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quizapp.core.clock import from_ms, to_ms
from quizapp.core.errors import Unavailable

NAME = "erasures.jsonl"


class LedgerUnusable(Unavailable):
    """The ledger of erasures cannot be written or read; without it nobody is erased and nothing restored."""

    code = "ledger_unusable"


@dataclass(frozen=True)
class Entry:
    """One erasure."""

    at: datetime
    person_ids: tuple[int, ...]


def append(folder: Path, *, person_ids: Iterable[int], now: datetime) -> None:
    """Write an erasure down; when this returns it is on the disk. Raises LedgerUnusable.

    Called before the erasure is stored: a line too many erases again who asked for it, a line too few would bring somebody back.
    """
    line = json.dumps({"at": to_ms(now), "persons": sorted(person_ids)}).encode() + b"\n"
    path = folder / NAME
    try:
        fresh = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _cut_torn_line(descriptor)
            if os.write(descriptor, line) != len(line):
                raise LedgerUnusable(file=NAME)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if fresh:
            _fsync_folder(folder)
    except OSError as error:
        raise LedgerUnusable(file=NAME) from error


def read(folder: Path) -> list[Entry]:
    """All erasures, in the order of writing. Raises LedgerUnusable where a line cannot be understood.

    A last line that was cut off belongs to an erasure that was never stored.
    """
    try:
        content = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerUnusable(file=NAME) from error
    *lines, _cut_off = content.split(b"\n")
    return [entry for number, line in enumerate(lines, 1) if (entry := _entry(line, number)) is not None]


def _entry(line: bytes, number: int) -> Entry | None:
    if not line.strip():
        return None
    try:
        values = json.loads(line)
        return Entry(from_ms(int(values["at"])), tuple(int(key) for key in values["persons"]))
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerUnusable(file=NAME, line=number) from error


def _cut_torn_line(descriptor: int) -> None:
    """A last line without an end belongs to an erasure that was never stored."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, os.pread(descriptor, size, 0).rfind(b"\n") + 1)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
