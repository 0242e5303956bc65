"""Bringing a database to the newest schema."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from quizapp.core.db import Database
from quizapp.core.paths import data_folder

#: PostgreSQL's advisory lock: two servers that start at once migrate one after the other.
_LOCK = 7_316_244


class ReferenceBroken(RuntimeError):
    """A migration left a row that refers to nothing; it was taken back."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(data_folder("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest revision."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def knows(revision: str) -> bool:
    """Whether this program has a revision; of a newer program it has not."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def current(database: Database) -> str | None:
    """The revision of a database; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database, revision: str = "head") -> None:
    """Run all missing migrations, one server at a time."""
    _run(database, command.upgrade, revision)


def lock(connection: Connection) -> None:
    """Let nobody else migrate this PostgreSQL until the transaction of the connection ends, however long its statements take."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def upgrade_within(connection: Connection, revision: str = "head") -> None:
    """Run migrations inside a transaction of the caller, who has taken the lock (PostgreSQL)."""
    command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Go back to an older revision; `base` empties the database."""
    _run(database, command.downgrade, revision)


def _run(database: Database, step: object, revision: str) -> None:
    with database.engine.connect() as connection:
        if database.is_sqlite:
            # Batch migrations rebuild tables, which drops what others refer to. The switch does nothing inside a transaction.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr] # it is open
            connection = connection.execution_options(writes=True)
        with connection.begin():
            if not database.is_sqlite:
                lock(connection)
            step(_config(connection), revision)  # type: ignore[operator]
            if database.is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                raise ReferenceBroken(
                    f"the migration would leave a row of {broken[0]} that refers to nothing in {broken[2]}"
                )
        connection.close()
    database.dispose()
