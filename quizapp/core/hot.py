"""Plain connections with prepared text, for the one path that a thousand phones take at once.

A statement is written once, with `:name` parameters; `HotStatement` holds its text for both databases. On SQLite each thread keeps a
connection with `synchronous=NORMAL`: what was acknowledged survives a killed process; after a power cut the phones send again what the
file lost, and the submit (on the other connections, FULL) also secures every answer before it. On PostgreSQL connections come from a pool
and keep their prepared statements.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from quizapp.core.db import LOCK_SECONDS, STATEMENT_SECONDS, Database
from quizapp.core.discretion import discreet

Row = tuple[Any, ...]


@dataclass(frozen=True)
class HotStatement:
    """One statement in both dialects; `%lock%` becomes the row lock that PostgreSQL needs and SQLite's single writer does not."""

    sqlite: str
    postgresql: str

    @classmethod
    def of(cls, text: str, lock: str = "") -> HotStatement:
        """Write the statement for both databases from one text with `:name` parameters."""
        plain = " ".join(text.split())
        return cls(
            sqlite=plain.replace("%lock%", ""),
            postgresql=re.sub(r":([a-z_]+)", r"%(\1)s", plain.replace("%lock%", lock)),
        )


class Runner(Protocol):
    """Runs a statement and gives all its rows."""

    def __call__(self, statement: HotStatement, values: Mapping[str, Any], /) -> list[Row]: ...


class HotConnections:
    """The plain connections of one process."""

    def __init__(self, database: Database, *, name: str = "answers", durable: bool = False) -> None:
        """`durable`: what was acknowledged survives a power cut too (for what no phone would send again)."""
        self._database = database
        self._name = name
        self._synchronous = "FULL" if durable else "NORMAL"
        self._local = threading.local()
        self._pool: Any = None
        self._lock = threading.Lock()

    @contextmanager
    def run(self, *, together: bool = False) -> Iterator[Runner]:
        """Give a runner; with `together` all its statements are stored, or none, else each stands by itself."""
        if self._database.is_sqlite:
            connection = self._sqlite()

            def run_sqlite(statement: HotStatement, values: Mapping[str, Any], /) -> list[Row]:
                rows: list[Row] = connection.execute(statement.sqlite, values).fetchall()
                return rows

            if not together:
                yield run_sqlite
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield run_sqlite
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return
        with discreet(), self._postgresql().connection() as connection:

            def run_postgresql(statement: HotStatement, values: Mapping[str, Any], /) -> list[Row]:
                cursor = connection.execute(statement.postgresql, values, prepare=True)
                return cast("list[Row]", cursor.fetchall())

            if together:
                with connection.transaction():
                    yield run_postgresql
            else:
                yield run_postgresql

    def _sqlite(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._database.sqlite_path, timeout=LOCK_SECONDS, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
            self._local.connection = connection
        return connection

    def _postgresql(self) -> Any:
        if self._pool is None:
            with self._lock:
                if self._pool is None:
                    from psycopg_pool import ConnectionPool

                    url = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
                    self._pool = ConnectionPool(
                        url,
                        min_size=1,
                        max_size=4,
                        timeout=5,
                        open=True,
                        kwargs={
                            "autocommit": True,
                            "options": f"-c statement_timeout={STATEMENT_SECONDS * 1000}",
                            "connect_timeout": 5,
                        },
                        name=self._name,
                    )
        return self._pool

    def close(self) -> None:
        """Close this thread's connection and the pool."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def session_runner(db: Any) -> Runner:
    """A runner inside an ORM session's own transaction: the same statements, for work in large transactions."""
    connection = db.connection()
    driver = connection.connection.driver_connection
    sqlite_dialect = connection.dialect.name == "sqlite"
    db.flush()

    def run(statement: HotStatement, values: Mapping[str, Any], /) -> list[Row]:
        text = statement.sqlite if sqlite_dialect else statement.postgresql
        return cast("list[Row]", driver.execute(text, values).fetchall())

    return run
