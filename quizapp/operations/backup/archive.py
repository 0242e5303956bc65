"""The backup file: members written as streams, each with its SHA-256 in the manifest, which comes last."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Self

#: The form of the file; a program reads those that it knows.
FORMAT = 1
MANIFEST = "manifest.json"
#: Bytes that are moved at a time: the memory that a backup of any size needs.
CHUNK = 1 << 20
#: The time of the machine belongs to the people who answer: a quick compression.
_LEVEL = 3
_MOST_MANIFEST = 8 * CHUNK

Say = Callable[[str], None]


class BackupRefused(Exception):
    """A backup cannot be made or restored; the message says why, and the cure."""


@dataclass(frozen=True)
class Member:
    """One member of the file."""

    size: int
    sha256: str


@dataclass
class Manifest:
    """What a backup holds."""

    #: Version of the program that made it.
    version: str
    #: "sqlite" or "postgresql".
    database: str
    #: Revision of the schema.
    revision: str
    #: The instant at which it was begun, ISO 8601 UTC.
    begun_at: str
    #: Whether it is of the demo.
    demo: bool
    #: Table → rows.
    rows: dict[str, int]
    #: Table → its columns in the order of its member (PostgreSQL).
    columns: dict[str, list[str]] = field(default_factory=dict)
    #: Sequence → last number given (PostgreSQL).
    sequences: dict[str, int] = field(default_factory=dict)
    #: Name of a key file → its fingerprint.
    keys: dict[str, str] = field(default_factory=dict)
    #: Name → size and hash, in the order of writing.
    members: dict[str, Member] = field(default_factory=dict)
    format: int = FORMAT


class Progress:
    """Says how far the work is, at most once a second."""

    def __init__(self, say: Say, words: str, total: int) -> None:
        self._say, self._words, self._total = say, words, max(total, 1)
        self._next = time.monotonic() + 1

    def at(self, done: int) -> None:
        """So much of the total is done."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1
            self._say(f"{self._words}: {min(100 * done // self._total, 99)} %")


class ArchiveWriter:
    """Writes the members of a backup, one after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self.members: dict[str, Member] = {}

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file; what was not finished is no backup."""
        with suppress(OSError, ValueError):
            self._zip.close()

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Give a function that takes the member's bytes."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(name, "w", force_zip64=True) as out:

            def write(chunk: bytes) -> None:
                nonlocal size
                size += len(chunk)
                digest.update(chunk)
                out.write(chunk)

            yield write
        self.members[name] = Member(size, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the table of contents: only now the file is a backup."""
        manifest.members = self.members
        self._zip.writestr(MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1))
        self._zip.close()


class ArchiveReader:
    """Reads a backup; whatever is wrong with it is a BackupRefused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            with self._zip.open(MANIFEST) as file:
                self.manifest = _read_manifest(json.loads(file.read(_MOST_MANIFEST)))
        except FileNotFoundError as error:
            raise BackupRefused(f"there is no file {path}: name the file that quizapp backup has made") from error
        except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError) as error:
            raise BackupRefused(
                f"{path} is no backup, or not the whole of one: take another copy of it, or an older one"
            ) from error
        if self.manifest.format != FORMAT:
            raise BackupRefused(
                f"{path} has a form that this version does not know (made by {self.manifest.version}): install that version"
            )
        if {*self.manifest.members, MANIFEST} != set(self._zip.namelist()):
            raise self._broken("its contents are not those of its manifest")

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a member. Raises BackupRefused at the end when they are not those that were written."""
        digest, size, expected = hashlib.sha256(), 0, self.manifest.members.get(name)
        if expected is None:
            raise self._broken(f"it has no {name}")
        try:
            with self._zip.open(name) as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    yield chunk
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            raise self._broken(f"{name} cannot be read") from error
        if (size, digest.hexdigest()) != (expected.size, expected.sha256):
            raise self._broken(f"{name} is not what was written")

    def check(self, say: Say) -> None:
        """Read everything once and compare the hashes. Raises BackupRefused."""
        total = sum(member.size for member in self.manifest.members.values())
        progress, done = Progress(say, "Checking the file", total), 0
        for name in self.manifest.members:
            for chunk in self.chunks(name):
                done += len(chunk)
                progress.at(done)

    def _broken(self, what: str) -> BackupRefused:
        return BackupRefused(f"{self.path} is damaged ({what}): take another copy of it, or an older one")


def _read_manifest(found: Any) -> Manifest:
    """A manifest from JSON; members become what they were. Raises TypeError or KeyError for something else."""
    members = {str(name): Member(int(one["size"]), str(one["sha256"])) for name, one in found["members"].items()}
    return Manifest(**{**found, "members": members})
