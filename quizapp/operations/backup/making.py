"""`quizapp backup`: one file, under its name only when it is whole."""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from quizapp import __version__
from quizapp.audit.services import record
from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM
from quizapp.operations.backup import embedded, server
from quizapp.operations.backup.archive import ArchiveWriter, BackupRefused, Manifest, Say
from quizapp.operations.backup.staging import staging_folder, sync_folder
from quizapp.operations.installation import Installation
from quizapp.operations.root_files import FOLDER as ROOT_FILES

#: What the log says of a backup; `quizapp doctor` looks for the newest.
BACKUP_MADE = "backup_made"
_PREFIX, _SUFFIX = "quizapp-", ".zip"
_STAGING = ".quizapp-backup-"


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    path: Path
    size: int
    rows: int


def default_folder(installation: Installation) -> Path:
    """Where backups stand unless somebody says otherwise."""
    return installation.settings.instance / "backups"


def make_backup(installation: Installation, target: Path | None, *, keep: int | None = None, say: Say) -> Made:
    """Write a backup into a file, or under a name of its own into a folder; of those in a folder the newest `keep` stay.

    The file gets its name when it is whole and on disk; what a killed run left is removed by the next one. Raises BackupRefused.
    """
    begun = installation.clock()
    folder, name = _place(installation, target, begun)
    try:
        with staging_folder(folder, _STAGING) as staging:
            part = staging / "part.zip"
            manifest = _write(installation, staging, part, begun, say)
            size = part.stat().st_size
            final = folder / name
            try:
                os.link(part, final)  # unlike a rename it never replaces a file
            except FileExistsError as error:
                raise BackupRefused(f"{final} exists already: name another file") from error
            except OSError:  # a file system without links
                part.rename(final)
            sync_folder(folder)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise BackupRefused(f"no space is left in {folder}: make room, or name another folder") from error
        raise BackupRefused(f"{folder} cannot be written ({error.strerror}): name another folder") from error
    rows = sum(manifest.rows.values())
    details = {"bytes": size, "rows": rows, "revision": manifest.revision}
    with installation.database.session() as db, transaction(db):
        now = installation.clock()
        record(db, actor=SYSTEM, action=BACKUP_MADE, object_type="installation", details=details, now=now)
    if keep is not None:
        _forget_old(folder, keep, say)
    return Made(final, size, rows)


def key_fingerprints(folder: Path) -> dict[str, str]:
    """Name of a key file → what tells it from others and does not give it away."""
    return {
        path.name: hmac.new(path.read_bytes(), b"fingerprint", hashlib.sha256).hexdigest()[:16]
        for path in sorted(folder.glob("*.key"))
    }


def _write(installation: Installation, staging: Path, part: Path, begun: datetime, say: Say) -> Manifest:
    database, settings = installation.database, installation.settings
    manifest = Manifest(
        version=__version__,
        database="sqlite" if database.is_sqlite else "postgresql",
        revision="",
        begun_at=begun.astimezone(UTC).isoformat(),
        demo=settings.demo,
        rows={},
        keys=key_fingerprints(settings.keys_folder),
    )
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as file, ArchiveWriter(file) as archive:
        try:
            if database.is_sqlite:
                copy = staging / embedded.MEMBER
                embedded.copy_database(Path(database.sqlite_path), copy, say)
                manifest.revision, manifest.rows = embedded.inspect(copy)
                embedded.save(copy, archive, say)
                copy.unlink()
            else:
                server.save(database, archive, manifest, say)
        except sqlite3.Error as error:  # "interrupted", "database or disk is full" …
            raise BackupRefused(
                f"the database could not be copied ({error}): nothing was kept; make room in {staging.parent} or run it again"
            ) from error
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise BackupRefused(f"the database refuses ({reason}): run quizapp doctor") from error
        for path in sorted((settings.instance / ROOT_FILES).glob("*")):
            if path.is_file() and not path.is_symlink():
                with archive.member(f"{ROOT_FILES}/{path.name}") as write:
                    write(path.read_bytes())
        archive.finish(manifest)
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _place(installation: Installation, target: Path | None, begun: datetime) -> tuple[Path, str]:
    database = installation.database
    if database.is_sqlite and (
        not Path(database.sqlite_path).is_file() or embedded.is_empty(Path(database.sqlite_path))
    ):
        raise BackupRefused(
            f"there is no database at {database.sqlite_path}: set INSTANCE or DATABASE_URL as for serve"
        )
    name = f"{_PREFIX}{begun.astimezone(LOCAL_ZONE):%Y%m%d-%H%M%S}{_SUFFIX}"
    if target is None:
        target = default_folder(installation)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    if target.is_dir():
        folder = target.absolute()
    else:
        folder, name = target.absolute().parent, target.name
    if not folder.is_dir():
        raise BackupRefused(f"there is no folder {folder}: make it, or name another")
    if (folder / name).exists():
        raise BackupRefused(f"{folder / name} exists already: name another file")
    return folder, name


def _forget_old(folder: Path, keep: int, say: Say) -> None:
    ours = sorted(folder.glob(f"{_PREFIX}[0-9]*-[0-9]*{_SUFFIX}"))
    for path in ours[: max(len(ours) - keep, 0)]:
        path.unlink()
        say(f"Backup: removed {path.name}, of which {keep} are kept")
