"""One installation: its settings with its database and keys, and the mark that keeps a demo from ever becoming a real one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text

from quizapp.config import SettingInvalid, Settings
from quizapp.core.clock import Clock, system_clock
from quizapp.core.db import Database
from quizapp.core.tokens import Keys

#: SQLite's `application_id`, four bytes in the header of the file: they go with every copy of it, under whatever name.
DEMO_MARK = int.from_bytes(b"demo", "big")
REAL_MARK = int.from_bytes(b"quiz", "big")


@dataclass(frozen=True)
class Installation:
    """What commands and the job worker stand on; no page, no request."""

    settings: Settings
    database: Database
    keys: Keys
    clock: Clock = system_clock


def open_installation(settings: Settings) -> Installation:
    """Open the database and the keys of the settings, making folder and keys on the first start. Raises SettingInvalid."""
    try:
        settings.instance.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        check_mark(database, demo=settings.demo)
        _check_keys(database, settings)
        keys = Keys.load(settings.keys_folder)
    except OSError as error:
        raise SettingInvalid(
            f"INSTANCE={settings.instance} cannot be written ({error.strerror}): give this account the right to, or choose another"
        ) from error
    return Installation(settings, database, keys)


#: Name of a key → what stands in the database that it holds for, and what would become of that under another one.
_HELD = {
    "phone.key": (
        "SELECT count(*) FROM person WHERE phone_encrypted IS NOT NULL",
        "telephone numbers cannot be read without it",
    ),
    "session.key": ("SELECT count(*) FROM account", "accounts would be signed out, and printed personal codes end"),
}


def _check_keys(database: Database, settings: Settings) -> None:
    """Make no new key where the old one is needed. Raises SettingInvalid."""
    missing = [name for name in _HELD if not (settings.keys_folder / name).exists()]
    if not missing or (database.is_sqlite and not Path(database.sqlite_path).is_file()):
        return
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("person"):
            return
        for name in missing:
            count, words = _HELD[name]
            if held := connection.scalar(text(count)):
                raise SettingInvalid(
                    f"{settings.keys_folder / name} is missing, and {held} {words}: copy it there from where its copy is kept"
                )


def check_mark(database: Database, *, demo: bool) -> None:
    """Refuse a demo's database for a real installation, and a real one's for the demo. Raises SettingInvalid."""
    if not database.is_sqlite or not Path(database.sqlite_path).is_file():
        return
    with database.engine.connect() as connection:
        mark = connection.scalar(text("PRAGMA application_id"))
        empty = not connection.scalar(text("SELECT count(*) FROM sqlite_master"))
    if mark == DEMO_MARK and not demo:
        raise SettingInvalid(
            f"{database.sqlite_path} holds the demo and can never become a real installation: move it away, or set DEMO=1"
        )
    if demo and mark != DEMO_MARK and not empty:
        raise SettingInvalid(
            f"{database.sqlite_path} holds a real installation: move it to quizapp.sqlite3 in its folder, or set DEMO=0"
        )


def set_mark(database: Database, *, demo: bool) -> None:
    """Write into an embedded database whether it is the demo's."""
    if database.is_sqlite:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id = {DEMO_MARK if demo else REAL_MARK}")
