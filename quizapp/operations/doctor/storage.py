"""The database: schema, what it promises, the guard of the audit log, the jobs in it, and its last backup."""

from __future__ import annotations

import platform
import sqlite3
from datetime import timedelta

from sqlalchemy import Executable, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from quizapp import (
    __version__,
    tasks,  # noqa: F401 # fills the table of periodic tasks
)
from quizapp.audit.models import AuditEvent
from quizapp.core import migrate
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.services import DEAD_AFTER
from quizapp.operations.backup.making import BACKUP_MADE
from quizapp.operations.doctor.findings import Finding
from quizapp.operations.installation import Installation

#: Whether a trigger stands in the way of TRUNCATE, and is on; to try it would stop everybody who writes.
_EMPTYING_REFUSED = (
    "SELECT count(*) FROM pg_trigger"
    " WHERE tgrelid = 'audit_event'::regclass AND tgtype & 32 > 0 AND tgenabled IN ('O', 'A')"
)
#: The oldest servers that the statements of this program fit.
_OLDEST_POSTGRESQL = 130000
_OLDEST_SQLITE = (3, 35, 0)
#: A periodic task that waits so long beyond its turn has nobody who runs it.
_OVERDUE = timedelta(minutes=5)
#: A daily backup that is older than this was missed.
_BACKUP_AGE = timedelta(hours=50)


def schema(installation: Installation) -> list[Finding]:
    """Version and revision; where the tables stand, also everything that is read from them."""
    current, head = migrate.current(installation.database), migrate.head()
    findings = [_version(installation)]
    if current is not None and not migrate.knows(current):
        cure = "A newer version made it: install that one, or restore a backup of before into an empty place"
        return [*findings, Finding("database", False, f"revision {current}, which this version does not know", cure)]
    findings.append(Finding("database", current == head, f"revision {current}, newest {head}", "Run: quizapp init"))
    if current == head:
        findings += [durability(installation), audit_log(installation), jobs(installation), backups(installation)]
    return findings


def _version(installation: Installation) -> Finding:
    if installation.database.is_sqlite:
        server, good = f"SQLite {sqlite3.sqlite_version}", sqlite3.sqlite_version_info >= _OLDEST_SQLITE
    else:
        with installation.database.engine.connect() as connection:
            number = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
        server, good = f"PostgreSQL {number // 10000}.{number % 10000}", number >= _OLDEST_POSTGRESQL
    return Finding(
        "version",
        good,
        f"quizapp {__version__}, Python {platform.python_version()}, {server}",
        "Upgrade the database: PostgreSQL 13 or newer, SQLite 3.35 or newer",
    )


def durability(installation: Installation) -> Finding:
    """Whether what is acknowledged is on disk."""
    if installation.database.is_sqlite:
        return Finding("durability", True, "an acknowledged submit is on disk")
    with installation.database.engine.connect() as connection:
        off = [
            name
            for name in ("fsync", "full_page_writes", "synchronous_commit")
            if connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "off"
        ]
    return Finding(
        "durability",
        not off,
        "an acknowledged answer is on disk" if not off else f"the server runs with {', '.join(off)} off",
        "A power cut would lose acknowledged answers: set it to on in postgresql.conf and restart the server",
    )


def audit_log(installation: Installation) -> Finding:
    """Try to change and to delete an entry, inside a transaction that is taken back."""
    connection = installation.database.engine.connect().execution_options(writes=True)
    table, holes = AuditEvent.__table__, list[str]()
    with connection, connection.begin() as trial:
        entry = connection.execute(
            insert(AuditEvent).values(
                at=installation.clock(), action="doctor_tried", object_type="installation", details={}
            )
        ).inserted_primary_key[0]  # type: ignore[index] # an insert of one row has one
        mine = table.c.id == entry
        attempts: dict[str, Executable] = {
            "changed": update(AuditEvent).where(mine).values(action="x"),
            "deleted": delete(AuditEvent).where(mine),
        }
        if installation.database.is_sqlite:
            row = {"id": entry, "at": installation.clock(), "action": "x", "object_type": "x", "details": {}}
            attempts["replaced"] = insert(AuditEvent).prefix_with("OR REPLACE").values(row)
        elif not connection.exec_driver_sql(_EMPTYING_REFUSED).scalar_one():
            holes.append("emptied")
        for word, attempt in attempts.items():
            point = connection.begin_nested()
            try:
                connection.execute(attempt)
            except DBAPIError:
                point.rollback()
            else:
                point.rollback()
                holes.append(word)
        trial.rollback()
    return Finding(
        "audit log",
        not holes,
        "entries can only be added" if not holes else f"entries can be {', '.join(sorted(holes))}",
        "Its triggers are gone: find out who removed them, and restore a backup of before into an empty place",
    )


def jobs(installation: Installation) -> Finding:
    """Whether somebody runs background jobs."""
    now = installation.clock()
    with installation.database.session() as db:
        known = db.scalar(select(func.count()).select_from(Job).where(Job.public_id.startswith("every:")))
        waits = db.scalar(select(func.min(Job.due_at)).where(Job.state == JobState.WAITING))
        silent = db.scalar(
            select(func.count()).select_from(Job).where(Job.state == JobState.RUNNING, Job.seen_at < now - DEAD_AFTER)
        )
        failed = db.scalar(
            select(func.count())
            .select_from(Job)
            .where(Job.state == JobState.FAILED, Job.finished_at > now - timedelta(days=1))
        )
    cure = "Start: quizapp serve (it starts the worker), or quizapp work; look for its errors in the log"
    if not known:
        return Finding("jobs", False, "no worker has ever run here", cure)
    if waits is not None and waits < now - _OVERDUE:
        minutes = int((now - waits).total_seconds() // 60)
        return Finding("jobs", False, f"nobody has run the one that is due since {minutes} minutes", cure)
    if silent:
        return Finding("jobs", False, f"{silent} began and went silent", cure)
    if failed:
        return Finding(
            "jobs",
            False,
            f"{failed} failed within a day",
            "The log of the worker says why; whoever asked may ask again",
        )
    return Finding("jobs", True, "the worker runs them in time")


def backups(installation: Installation) -> Finding:
    """How old the newest backup is."""
    if installation.settings.demo:
        return Finding("backups", True, "none needed of the demo")
    with installation.database.session() as db:
        last = db.scalar(select(func.max(AuditEvent.at)).where(AuditEvent.action == BACKUP_MADE))
    cure = "Run: quizapp backup, and let a timer do so each day (docs/operations.md)"
    if last is None:
        return Finding("backups", False, "none was ever made", cure)
    age = installation.clock() - last
    hours = int(age.total_seconds() // 3600)
    words = f"the newest is {hours} hours old" if hours < 72 else f"the newest is {age.days} days old"
    return Finding("backups", age < _BACKUP_AGE, words, cure)
