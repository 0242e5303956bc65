"""`quizapp restore`: a backup into an empty place, checked at every step, served by nobody before all of it is done."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from quizapp import models, parts  # noqa: F401 # the steps before serving reach every table
from quizapp.audit.services import record
from quizapp.config import Settings
from quizapp.core import migrate
from quizapp.core.clock import Clock, system_clock
from quizapp.core.db import Database, transaction
from quizapp.core.registry import AFTER_RESTORE, Restoring
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.operations import ledger  # noqa: F401 # a step before serving
from quizapp.operations.backup import embedded, server
from quizapp.operations.backup.archive import ArchiveReader, BackupRefused, Manifest, Progress, Say
from quizapp.operations.backup.making import key_fingerprints
from quizapp.operations.backup.staging import staging_folder, sync_folder
from quizapp.operations.root_files import FOLDER as ROOT_FILES

BACKUP_RESTORED = "backup_restored"
_STAGING = ".quizapp-restore-"


#: What is done to a filled database before it may be served.
Finish = Callable[[Session], dict[str, int]]


@dataclass(frozen=True)
class Restored:
    """What was restored, and where to."""

    place: str
    manifest: Manifest
    #: What was done before it may be served, `AFTER_RESTORE` → how much.
    steps: dict[str, int]


def check_backup(path: Path, say: Say) -> Manifest:
    """Read a backup from end to end. Raises BackupRefused where it is not what was written."""
    archive = ArchiveReader(path)
    try:
        archive.check(say)
    finally:
        archive.close()
    return archive.manifest


def restore_backup(
    settings: Settings, path: Path, *, other_keys: bool = False, say: Say, clock: Clock = system_clock
) -> Restored:
    """Fill an empty place with a backup, bring it to the newest schema and do what `AFTER_RESTORE` asks for. Raises BackupRefused.

    On SQLite all happens beside the place, which gets the file last; on PostgreSQL in one transaction. A run that is killed leaves the
    place empty.
    """
    archive = ArchiveReader(path)
    try:
        manifest = archive.manifest
        _check_fits(settings, manifest)
        _check_keys(settings, manifest, other_keys=other_keys)
        keys = Keys.load(settings.keys_folder)  # made only where those of the backup are lost
        restore = _restore_sqlite if manifest.database == "sqlite" else _restore_postgresql
        finish = partial(_finish, settings=settings, manifest=manifest, keys=keys, clock=clock)
        place, steps = restore(settings, archive, finish, say)
        _restore_root_files(settings, archive)
    finally:
        archive.close()
    return Restored(place, manifest, steps)


def _check_fits(settings: Settings, manifest: Manifest) -> None:
    kind = "sqlite" if settings.database_url.startswith("sqlite") else "postgresql"
    if manifest.database == "sqlite" and kind == "postgresql":
        raise BackupRefused("this is a backup of the embedded database: restore it with DATABASE_URL left out")
    if manifest.database == "postgresql" and kind == "sqlite":
        raise BackupRefused("this is a backup of PostgreSQL: set DATABASE_URL to an empty database of a server")
    if manifest.demo != settings.demo:
        raise BackupRefused(
            "this is a backup of the demo, which can never become a real installation: set DEMO=1"
            if manifest.demo
            else "this is a backup of a real installation: set DEMO=0"
        )
    if not migrate.knows(manifest.revision):
        raise BackupRefused(
            f"the backup was made by a newer version ({manifest.version}, schema {manifest.revision}): install that version"
        )


def _check_keys(settings: Settings, manifest: Manifest, *, other_keys: bool) -> None:
    """Refuse a place without the keys of the backup: what they hide could not be read."""
    standing = set(key_fingerprints(settings.keys_folder).values()) if settings.keys_folder.is_dir() else set()
    missing = [name for name, mark in manifest.keys.items() if mark not in standing]
    if missing and not other_keys:
        raise BackupRefused(
            f"{' and '.join(missing)} of this backup {'are' if len(missing) > 1 else 'is'} not in {settings.keys_folder}: copy the keys "
            "there first. Where they are lost for good, --other-keys restores what can be read without them"
        )


def _restore_sqlite(settings: Settings, archive: ArchiveReader, finish: Finish, say: Say) -> tuple[str, dict[str, int]]:
    final = Path(Database(settings.database_url).sqlite_path).absolute()
    _check_empty_file(final)
    manifest = archive.manifest
    member = manifest.members.get(embedded.MEMBER)
    size = member.size if member else 0
    if (free := shutil.disk_usage(final.parent).free) < size * 1.2:
        raise BackupRefused(f"{final.parent} has {free >> 20} MB free and needs {int(size * 1.2) >> 20}: make room")
    with staging_folder(final.parent, _STAGING) as staging:
        staged = staging / final.name
        progress, done = Progress(say, "Restore: unpacking the database", size), 0
        with staged.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            for chunk in archive.chunks(embedded.MEMBER):
                file.write(chunk)
                done += len(chunk)
                progress.at(done)
        say("Restore: checking the database")
        revision, rows = embedded.inspect(staged)
        _check_content(manifest, revision, rows)
        database = Database(f"sqlite:///{staged}", pooled=False)
        migrate.upgrade(database)
        with database.session() as db:
            steps = finish(db)
        database.dispose()
        _settle(staged)
        _check_empty_file(final)
        _take_place(staged, final)
    sync_folder(final.parent)
    return str(final), steps


def _restore_postgresql(
    settings: Settings, archive: ArchiveReader, finish: Finish, say: Say
) -> tuple[str, dict[str, int]]:
    manifest = archive.manifest
    database = Database(settings.database_url, pooled=False)
    with database.engine.connect() as connection, connection.begin():
        migrate.lock(connection)
        if not server.is_empty(connection):
            raise BackupRefused(
                f"the database {database.url.database} is not empty: make a new one (CREATE DATABASE …) and set DATABASE_URL to it"
            )
        say("Restore: making the tables")
        migrate.upgrade_within(connection, manifest.revision)
        server.load(connection, archive, say)
        _check_content(manifest, manifest.revision, server.count_rows(connection))
        migrate.upgrade_within(connection)
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as db:
            steps = finish(db)
    database.dispose()
    return f"the database {database.url.database}", steps


def _check_content(manifest: Manifest, revision: str, rows: dict[str, int]) -> None:
    if revision != manifest.revision or rows != manifest.rows:
        different = sorted(name for name in {*rows, *manifest.rows} if rows.get(name) != manifest.rows.get(name))
        raise BackupRefused(
            f"what was unpacked is not what was packed ({', '.join(different) or revision}): take another copy of the file"
        )


def _finish(db: Session, *, settings: Settings, manifest: Manifest, keys: Keys, clock: Clock) -> dict[str, int]:
    """What stands between a restored database and serving it; it is part of the restore, or nothing is restored."""
    now = clock()
    restoring = Restoring(datetime.fromisoformat(manifest.begun_at), settings.keys_folder, keys, now)
    with transaction(db):
        steps = {name: step(db, restoring) for name, step in AFTER_RESTORE.items()}
        details = {"begun_at": manifest.begun_at, "rows": sum(manifest.rows.values()), **steps}
        record(db, actor=SYSTEM, action=BACKUP_RESTORED, object_type="installation", details=details, now=now)
    return steps


def _check_empty_file(final: Path) -> None:
    """Refuse where a database stands, or what belonged to one: SQLite would add a stray journal to the restored file."""
    if not final.parent.is_dir():
        final.parent.mkdir(parents=True)
    if final.exists() and not embedded.is_empty(final):
        raise BackupRefused(f"{final} holds a database already: move it away, or restore into another INSTANCE")
    if not final.exists() and (stray := [p.name for p in _journals(final) if p.exists()]):
        raise BackupRefused(
            f"{' and '.join(stray)} of an earlier database {'stand' if len(stray) > 1 else 'stands'} "
            f"in {final.parent}: move them away with it"
        )


def _journals(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal"))


def _settle(staged: Path) -> None:
    """Bring everything into the one file and onto the disk."""
    database = sqlite3.connect(staged, isolation_level=None)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute("PRAGMA journal_mode=DELETE")
    database.close()
    with staged.open("rb") as file:
        os.fsync(file.fileno())


def _take_place(staged: Path, final: Path) -> None:
    """Give the file its name; a database that came there meanwhile is not replaced."""
    if final.exists():  # made by a first look, without a table
        for path in (final, *_journals(final)):
            path.unlink(missing_ok=True)
    try:
        os.link(staged, final)
    except FileExistsError as error:
        raise BackupRefused(
            f"{final} was made meanwhile: stop the server, move the file away, and restore again"
        ) from error
    except OSError:  # a file system without links
        staged.rename(final)


def _restore_root_files(settings: Settings, archive: ArchiveReader) -> None:
    """Put back the verification files that are not there."""
    for name in archive.manifest.members:
        folder, _, plain = name.partition("/")
        if folder != ROOT_FILES or Path(plain).name != plain:
            continue
        target = settings.instance / ROOT_FILES / plain
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"".join(archive.chunks(name)))
