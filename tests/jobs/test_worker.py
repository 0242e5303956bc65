"""The worker runs tasks, survives them, and says what became of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from quizapp.core.db import Database, transaction
from quizapp.core.errors import Conflict
from quizapp.core.registry import TASKS, task
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime
from quizapp.jobs import services, worker
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.periodic import PERIODIC, every
from tests.conftest import FakeClock, make_settings


class _Refused(Conflict):
    code = "not_now"


@pytest.fixture
def ground(either_database: Database, tmp_path: Path, keys: Keys, clock: FakeClock) -> Runtime:
    return Runtime(make_settings(tmp_path, either_database), either_database, keys, clock)


@pytest.fixture(autouse=True)
def _own_tasks() -> Iterator[None]:
    tasks, periodic = dict(TASKS), dict(PERIODIC)
    TASKS.clear()
    PERIODIC.clear()
    yield
    TASKS.clear()
    PERIODIC.clear()
    TASKS.update(tasks)
    PERIODIC.update(periodic)


def _ask(ground: Runtime, name: str, arguments: dict[str, Any] | None = None) -> None:
    with ground.database.session() as db, transaction(db):
        services.enqueue(db, name, arguments or {}, actor=SYSTEM, now=ground.clock())


def _job(ground: Runtime) -> Job:
    with ground.database.session() as db:
        return db.scalars(select(Job).order_by(Job.id)).one()


def test_a_task_runs_with_its_arguments_and_its_result_is_kept(ground: Runtime) -> None:
    @task("add")
    def add(context: worker.JobContext, arguments: dict[str, Any]) -> dict[str, int]:
        context.progress(1, 2)
        with context.session() as db:
            seen = db.scalars(select(Job)).one()
            assert (seen.state, seen.done, seen.total) == (JobState.RUNNING, 1, 2)
        return {"sum": arguments["a"] + arguments["b"]}

    _ask(ground, "add", {"a": 2, "b": 3})
    assert worker.run_pending(ground) == 1
    job = _job(ground)
    assert (job.state, job.result, job.error) == (JobState.DONE, {"sum": 5}, None)
    assert job.finished_at == ground.clock()
    assert worker.run_pending(ground) == 0


def test_a_refusal_fails_the_job_with_its_code(ground: Runtime) -> None:
    @task("refuse")
    def refuse(context: worker.JobContext, arguments: dict[str, Any]) -> None:
        raise _Refused

    _ask(ground, "refuse")
    assert worker.run_pending(ground) == 1
    assert (_job(ground).state, _job(ground).error, _job(ground).tries) == (JobState.FAILED, "not_now", 1)


@pytest.mark.parametrize("name", ["break", "unknown"])
def test_a_task_that_breaks_or_is_unknown_does_not_stop_the_worker(
    ground: Runtime, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    @task("break")
    def break_down(context: worker.JobContext, arguments: dict[str, Any]) -> None:
        raise ZeroDivisionError

    _ask(ground, name)
    with caplog.at_level(logging.CRITICAL):
        assert worker.run_pending(ground) == 1
    assert (_job(ground).state, _job(ground).error) == (JobState.FAILED, "crashed")


def test_trouble_with_the_database_is_tried_three_times(
    ground: Runtime, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    @task("locked")
    def locked(context: worker.JobContext, arguments: dict[str, Any]) -> None:
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    _ask(ground, "locked")
    with caplog.at_level(logging.CRITICAL):
        for tries in (1, 2):
            assert worker.run_pending(ground) == 1
            assert (_job(ground).state, _job(ground).tries) == (JobState.WAITING, tries)
            assert worker.run_pending(ground) == 0
            clock.forward(minutes=1)
        assert worker.run_pending(ground) == 1
    assert (_job(ground).state, _job(ground).error) == (JobState.FAILED, "crashed")


def test_a_task_whose_job_was_given_away_stops(ground: Runtime, clock: FakeClock) -> None:
    runs = []

    @task("slow")
    def slow(context: worker.JobContext, arguments: dict[str, Any]) -> None:
        runs.append(context.tries)
        if context.tries == 1:
            clock.forward(minutes=2)
            assert worker.run_next(ground)
            context.progress(1, 1)
            raise AssertionError("the first worker must have been stopped")

    _ask(ground, "slow")
    worker.run_pending(ground)
    assert runs == [1, 2]
    assert (_job(ground).state, _job(ground).tries) == (JobState.DONE, 2)


def test_the_worker_runs_periodic_tasks_until_it_is_stopped(ground: Runtime, clock: FakeClock) -> None:
    runs = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.forward(seconds=31)  # time passes while the worker waits
            return self.is_set()

    stop = Stop()

    @every(30)
    @task("tick")
    def tick(context: worker.JobContext, arguments: dict[str, Any]) -> None:
        runs.append(context.now())
        if len(runs) == 3:
            stop.set()
            raise _Refused  # also after a refusal there is a next turn

    worker.work(ground, stop)
    assert len(runs) == 3
    job = _job(ground)
    assert (job.state, job.error, job.tries) == (JobState.WAITING, "not_now", 0)
    assert (job.due_at - clock()).total_seconds() == 30


def test_the_worker_outlives_a_database_that_does_not_answer(
    ground: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Runtime(ground.settings, Database(f"sqlite:///{tmp_path}/no/such/folder.sqlite3"), ground.keys, ground.clock)
    monkeypatch.setattr(worker, "TROUBLE_SECONDS", 0.01)
    waits = []

    class Stop:
        def is_set(self) -> bool:
            return len(waits) == 2

        def wait(self, timeout: float | None = None) -> None:
            waits.append(timeout)

    with caplog.at_level(logging.CRITICAL):
        worker.work(gone, Stop())
    assert waits == [0.01, 0.01]
