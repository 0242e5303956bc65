"""The worker: takes jobs from the table, one at a time, and runs their tasks.

A task is `task(context, arguments)`, gives back codes and numbers (or None), and may be started again after half of it was done: it
looks for what is there already. It raises a `DomainError` to say that the work is refused. Trouble with the database is tried again,
three times in all; anything else it raises is logged, and the job has failed with the code "crashed".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from quizapp.config import Settings
from quizapp.core.clock import Clock
from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.registry import TASKS
from quizapp.core.tokens import Keys
from quizapp.jobs import services
from quizapp.jobs.models import Job
from quizapp.jobs.periodic import PERIODIC
from quizapp.jobs.queries import find_due, find_silent

log = logging.getLogger(__name__)

#: Seconds between two looks at the table.
POLL_SECONDS = 0.5
#: Seconds between two signs of life.
LIFE_SECONDS = 10.0
#: Seconds to wait when the database does not answer.
TROUBLE_SECONDS = 5.0


class Ground(Protocol):
    """What a worker stands on; the application's `Runtime` is one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def clock(self) -> Clock: ...


class Stop(Protocol):
    """An event of `threading` or `multiprocessing`."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> Any: ...


class JobTakenOver(Exception):
    """The job was given to another worker because this one was silent for too long: stop, and write nothing."""


@dataclass(frozen=True)
class JobContext:
    """What a task may use."""

    ground: Ground
    job_id: int
    tries: int

    @property
    def database(self) -> Database:
        """The database."""
        return self.ground.database

    @property
    def settings(self) -> Settings:
        """The installation's settings."""
        return self.ground.settings

    @property
    def keys(self) -> Keys:
        """The installation's keys."""
        return self.ground.keys.current()

    def now(self) -> datetime:
        """The present instant."""
        return self.ground.clock()

    def session(self) -> Session:
        """A new session; the task closes it."""
        return self.database.session()

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is. Call it outside a transaction of the task: it writes one of its own. Raises JobTakenOver."""
        with self.session() as db, transaction(db):
            mine = services.report_life(db, self.job_id, self.tries, now=self.now(), progress=(done, total))
        if not mine:
            raise JobTakenOver


def work(ground: Ground, stop: Stop) -> None:
    """Run jobs until `stop` is set. A job that runs then is finished first."""
    ready = False
    while not stop.is_set():
        try:
            if not ready:
                _ensure_periodic(ground)
                ready = True
            pause = 0.0 if run_next(ground) else POLL_SECONDS
        except DBAPIError as error:
            log.warning("the job table does not answer: %s", type(error).__name__)
            pause = TROUBLE_SECONDS
        if pause:
            stop.wait(pause)


def run_pending(ground: Ground) -> int:
    """Run every job that may start now, and those that they ask for; gives their number. For tests, the demo and the command line."""
    count = 0
    while run_next(ground):
        count += 1
    return count


def run_next(ground: Ground) -> bool:
    """Run the next job; False when none may start."""
    with ground.database.session() as db:
        now = ground.clock()
        if find_silent(db, now - services.DEAD_AFTER):
            with transaction(db):
                services.revive_silent(db, now=now)
        # a look without the write lock first: most looks find nothing
        if find_due(db, now) is None:
            return False
        with transaction(db):
            job = services.claim_next(db, now=now)
    if job is None:
        return False
    _run(ground, job)
    return True


def _ensure_periodic(ground: Ground) -> None:
    with ground.database.session() as db, transaction(db):
        for name in PERIODIC:
            services.ensure_periodic(db, name, now=ground.clock())


def _run(ground: Ground, job: Job) -> None:
    context = JobContext(ground, job.id, job.tries)
    result: dict[str, Any] | None = None
    error: str | None = None
    again = False
    try:
        with _signs_of_life(context):
            result = TASKS[job.name](context, job.arguments)
    except JobTakenOver:
        log.warning("job %s (%s) went on in another worker", job.id, job.name)
        return
    except DomainError as refusal:
        error = refusal.code
    except DBAPIError:
        log.exception("job %s (%s), try %s: trouble with the database", job.id, job.name, job.tries)
        error, again = services.CRASHED, True
    except Exception:  # whatever a task raises, the worker goes on with the next job
        log.exception("job %s (%s) crashed", job.id, job.name)
        error = services.CRASHED
    _settle(ground, job, result, error, again=again)


def _settle(ground: Ground, job: Job, result: dict[str, Any] | None, error: str | None, *, again: bool) -> None:
    now = ground.clock()
    with ground.database.session() as db, transaction(db):
        if job.public_id == services.periodic_id(job.name):
            turn = timedelta(seconds=PERIODIC.get(job.name, 3600))
            services.wait_again(db, job.id, job.tries, due_at=now + turn, error=error, fresh=True)
        elif again and job.tries < services.MAX_TRIES:
            pause = timedelta(seconds=TROUBLE_SECONDS * job.tries)
            services.wait_again(db, job.id, job.tries, due_at=now + pause, error=error)
        elif error is not None:
            services.fail(db, job.id, job.tries, now=now, error=error)
        else:
            services.finish(db, job.id, job.tries, now=now, result=result)


@contextmanager
def _signs_of_life(context: JobContext) -> Iterator[None]:
    """While the task runs, a thread says every ten seconds that this worker lives."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(LIFE_SECONDS):
            try:
                with context.session() as db, transaction(db):
                    services.report_life(db, context.job_id, context.tries, now=context.now())
            except DBAPIError:
                log.warning("job %s: no sign of life could be written", context.job_id)

    thread = threading.Thread(target=beat, name=f"job-{context.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
