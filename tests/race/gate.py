"""How two meet on PostgreSQL where the test says, however slow the machine is: nothing here waits by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from quizapp.core.db import Database
from quizapp.core.errors import DomainError

#: How long a machine may take to bring everybody where they wait, in seconds; a test that needs it has gone wrong.
PATIENCE = 30.0

#: The advisory lock that is the gate; the two numbers are a key of their own kind, which the product has none of.
_LOCK = "7001, 1"

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


class Gate:
    """Stops whoever inserts into a table, until it is opened."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def settle(self, *running: Future[Any]) -> None:
        """Return when each of these has ended, or waits: at the gate, or for somebody's lock.

        Raises:
            TimeoutError: one of them is neither after a long time.
        """
        until = time.monotonic() + PATIENCE
        while True:
            # whoever ends between the two looks counts as neither, and the next round sees it
            ended = sum(one.done() for one in running)
            if ended + (self._connection.scalar(_WAITING) or 0) >= len(running):
                return
            if time.monotonic() > until:
                raise TimeoutError("somebody neither ended nor waits for a lock")
            time.sleep(0.01)

    def open(self) -> None:
        """Let through who waits, and whoever comes later."""
        self._connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))


@contextmanager
def gate(
    database: Database, table: str | None = None, *, when: Literal["BEFORE", "AFTER"] = "BEFORE"
) -> Iterator[Gate]:
    """A gate before or after each row that is inserted into a table; without a table there is only who waits to be seen."""
    own = Database(database.url, pooled=False)
    with own.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if table is not None:
            connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$ BEGIN PERFORM pg_advisory_xact_lock_shared({_LOCK}); RETURN NEW; END $$"
                )
            )
            connection.execute(
                text(
                    f"CREATE OR REPLACE TRIGGER gate {when} INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION pass_gate()"
                )
            )
            connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
        yield Gate(connection)


def together(database: Database, work: list[Callable[[Session], Any]], *, table: str | None = None) -> list[Any]:
    """Run all at the same time, each with a session of its own; a refusal is a result.

    With a table, none of its rows is written before all are done, stand before it, or wait for one who does.
    """
    barrier = threading.Barrier(len(work))

    def one(do: Callable[[Session], Any]) -> Any:
        with database.session() as db:
            barrier.wait(PATIENCE)
            try:
                return do(db)
            except DomainError as refusal:
                return refusal

    with gate(database, table) as door, ThreadPoolExecutor(len(work)) as pool:
        running = [pool.submit(one, do) for do in work]
        if table is not None:
            door.settle(*running)
            door.open()
        return [done.result(timeout=60) for done in running]


def one_after_the_other(
    database: Database, table: str, first: Callable[[], object], second: Callable[[], object]
) -> None:
    """Let the second begin when the first has written a row of a table, and the first go on when the second waits or has ended."""
    with gate(database, table, when="AFTER") as door, ThreadPoolExecutor(2) as pool:
        running = [pool.submit(first)]
        door.settle(*running)
        running.append(pool.submit(second))
        door.settle(*running)
        door.open()
        for one in running:
            one.result(timeout=30)
