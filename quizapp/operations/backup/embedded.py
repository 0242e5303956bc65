"""The embedded database: a copy of one instant that readers and writers do not notice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from quizapp.core.db import LOCK_SECONDS
from quizapp.operations.backup.archive import CHUNK, ArchiveWriter, BackupRefused, Progress, Say

MEMBER = "database.sqlite3"
#: Steps of SQLite's machine between two looks at how far the copy is.
_STEPS = 200_000


def copy_database(path: Path, target: Path, say: Say) -> None:
    """Write the database as of this instant into a new file.

    `VACUUM INTO` reads one snapshot while others write, and leaves out the free pages, in which erased names would still stand.
    """
    with closing(connect(path)) as source:
        size = source.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0]
        progress = Progress(say, "Backup: copying the database", size)

        def look() -> int:
            progress.at(target.stat().st_size if target.exists() else 0)
            return 0

        source.set_progress_handler(look, _STEPS)
        source.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)


def inspect(path: Path) -> tuple[str, dict[str, int]]:
    """Check a database file; gives its revision and its tables' rows. Raises BackupRefused where SQLite finds it broken."""
    try:
        with closing(connect(path)) as database:
            if (found := database.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise BackupRefused(f"the database is damaged ({found}): restore an older backup")
            if lost := database.execute("PRAGMA foreign_key_check").fetchone():
                raise BackupRefused(f"a row of {lost[0]} refers to nothing in {lost[2]}: restore an older backup")
            names = [
                name
                for (name,) in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
                )
            ]
            rows = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608 # names from the schema itself
            revision = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"the database is damaged ({error}): restore an older backup") from error
    if revision is None:
        raise BackupRefused("the database has no schema: run quizapp init first")
    return str(revision[0]), {name: count for name, count in rows.items() if name != "alembic_version"}


def save(copy: Path, archive: ArchiveWriter, say: Say) -> None:
    """Put the copy into the backup."""
    progress, done = Progress(say, "Backup: packing", copy.stat().st_size), 0
    with archive.member(MEMBER) as write, copy.open("rb") as file:
        for chunk in _chunks(file):
            write(chunk)
            done += len(chunk)
            progress.at(done)


def is_empty(path: Path) -> bool:
    """Whether there is no database yet: no file, or one without a table."""
    if not path.exists():
        return True
    with closing(connect(path)) as database:
        return not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there; none is made."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)


def _chunks(file: object) -> Iterator[bytes]:
    read = file.read  # type: ignore[attr-defined] # a binary file
    while chunk := read(CHUNK):
        yield chunk
