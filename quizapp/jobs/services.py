"""Asking for background work, and the steps of the worker that does it.

A job is claimed by one worker: PostgreSQL skips rows that another one has locked, SQLite has a single writer. `tries` fences: a worker
that was thought dead and comes back finds another number in the row, and what it reports is not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from quizapp.core.db import insert_once
from quizapp.core.scope import Actor
from quizapp.core.tokens import new_public_id
from quizapp.jobs.models import Job, JobState

#: A worker that has not been seen for so long is dead.
DEAD_AFTER = timedelta(seconds=60)
#: How often a job is started at most.
MAX_TRIES = 3
#: Error of a job whose worker died each time, or whose task raised what it should not.
CRASHED = "crashed"
#: Finished jobs are forgotten after this time.
KEEP_FINISHED = timedelta(days=30)


def enqueue(
    db: Session,
    name: str,
    arguments: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    due_at: datetime | None = None,
) -> Job:
    """Write a job in the caller's transaction: it exists when its cause does, and not otherwise.

    `name` is a task of `core.registry.TASKS`; `arguments` are ids and codes that fit into JSON; `due_at` is when it may start (at once).
    """
    job = Job(
        public_id=new_public_id(),
        name=name,
        arguments=dict(arguments),
        state=JobState.WAITING,
        account_id=actor.account_id,
        done=0,
        total=0,
        tries=0,
        created_at=now,
        due_at=due_at or now,
    )
    db.add(job)
    db.flush()
    return job


def periodic_id(name: str) -> str:
    """The public id of the one row of a periodic task."""
    return f"every:{name}"[:32]


def ensure_periodic(db: Session, name: str, *, now: datetime) -> None:
    """Make the row of a periodic task unless it stands; two workers at once make one."""
    insert_once(
        db,
        Job,
        {
            "public_id": periodic_id(name),
            "name": name,
            "arguments": {},
            "state": JobState.WAITING,
            "done": 0,
            "total": 0,
            "tries": 0,
            "created_at": now,
            "due_at": now,
        },
        conflict=["public_id"],
    )


def revive_silent(db: Session, *, now: datetime) -> None:
    """Jobs of dead workers wait again; those that were started often enough have failed."""
    silent = (Job.state == JobState.RUNNING, Job.seen_at < now - DEAD_AFTER)
    periodic = Job.public_id.startswith("every:", autoescape=True)
    db.execute(
        update(Job)
        .where(*silent, Job.tries >= MAX_TRIES, ~periodic)
        .values(state=JobState.FAILED, error=CRASHED, finished_at=now)
    )
    db.execute(update(Job).where(*silent).values(state=JobState.WAITING))


def claim_next(db: Session, *, now: datetime) -> Job | None:
    """Take the oldest job that may start; no other worker gets the same one."""
    job = db.scalars(
        select(Job)
        .where(Job.state == JobState.WAITING, Job.due_at <= now)
        .order_by(Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()
    if job is None:
        return None
    job.state = JobState.RUNNING
    job.tries += 1
    job.done = job.total = 0
    job.error = None
    job.started_at = job.seen_at = now
    db.flush()
    return job


def report_life(
    db: Session, job_id: int, tries: int, *, now: datetime, progress: tuple[int, int] | None = None
) -> bool:
    """Note that the worker lives, and how far it is; False when the job is no longer its own."""
    values: dict[str, Any] = {"seen_at": now}
    if progress is not None:
        values |= {"done": progress[0], "total": progress[1]}
    return _update_own(db, job_id, tries, values)


def finish(db: Session, job_id: int, tries: int, *, now: datetime, result: Mapping[str, Any] | None) -> bool:
    """The task has done its work."""
    values = {"state": JobState.DONE, "result": dict(result) if result else None, "finished_at": now, "error": None}
    return _update_own(db, job_id, tries, values)


def fail(db: Session, job_id: int, tries: int, *, now: datetime, error: str) -> bool:
    """The task was refused, or broke; it is not started again."""
    return _update_own(db, job_id, tries, {"state": JobState.FAILED, "error": error[:60], "finished_at": now})


def wait_again(
    db: Session, job_id: int, tries: int, *, due_at: datetime, error: str | None = None, fresh: bool = False
) -> bool:
    """Put a job back: for another try, or (`fresh`) for the next turn of a periodic task."""
    values: dict[str, Any] = {"state": JobState.WAITING, "due_at": due_at, "error": error}
    if fresh:
        values["tries"] = 0
    return _update_own(db, job_id, tries, values)


def forget_finished(db: Session, *, now: datetime) -> int:
    """Delete jobs that ended long ago; gives their number."""
    ended = Job.state.in_((JobState.DONE, JobState.FAILED))
    result = db.execute(delete(Job).where(ended, Job.finished_at < now - KEEP_FINISHED))
    return int(result.rowcount)  # type: ignore[attr-defined] # a DML result has a row count


def _update_own(db: Session, job_id: int, tries: int, values: dict[str, Any]) -> bool:
    mine = (Job.id == job_id, Job.tries == tries, Job.state == JobState.RUNNING)
    result = db.execute(update(Job).where(*mine).values(**values).execution_options(synchronize_session=False))
    return bool(result.rowcount)  # type: ignore[attr-defined] # a DML result has a row count
