"""The job table: written with its cause, claimed once, given back when a worker dies."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM, Actor
from quizapp.jobs import services
from quizapp.jobs.models import Job, JobState
from tests.conftest import FakeClock


def _jobs(db: Session) -> list[Job]:
    db.expire_all()
    return list(db.scalars(select(Job).order_by(Job.id)))


def test_a_job_is_stored_only_with_its_cause(either_db: Session, clock: FakeClock) -> None:
    def undone() -> None:
        with transaction(either_db):
            services.enqueue(either_db, "something", {"id": 1}, actor=SYSTEM, now=clock())
            raise RuntimeError("the cause was undone")

    with pytest.raises(RuntimeError):
        undone()
    assert _jobs(either_db) == []
    with transaction(either_db):
        services.enqueue(either_db, "something", {"id": 1}, actor=Actor(account_id=7), now=clock())
    (job,) = _jobs(either_db)
    assert (job.name, job.arguments, job.state, job.account_id) == ("something", {"id": 1}, JobState.WAITING, 7)
    assert job.due_at == clock()


def test_the_oldest_due_job_is_claimed_and_not_again(either_db: Session, clock: FakeClock) -> None:
    with transaction(either_db):
        later = clock() + timedelta(hours=1)
        services.enqueue(either_db, "later", {}, actor=SYSTEM, now=clock(), due_at=later)
        services.enqueue(either_db, "first", {}, actor=SYSTEM, now=clock())
        services.enqueue(either_db, "second", {}, actor=SYSTEM, now=clock())
    names = []
    for _ in range(3):
        with transaction(either_db):
            job = services.claim_next(either_db, now=clock())
            names.append(job.name if job else None)
    assert names == ["first", "second", None]
    clock.forward(hours=1)
    with transaction(either_db):
        job = services.claim_next(either_db, now=clock())
    assert job is not None
    assert (job.name, job.tries) == ("later", 1)


@pytest.mark.race
@pytest.mark.postgres
def test_two_workers_that_claim_at_once_get_two_jobs(postgres_database: Database, clock: FakeClock) -> None:
    with postgres_database.session() as db, transaction(db):
        services.enqueue(db, "one", {}, actor=SYSTEM, now=clock())
        services.enqueue(db, "two", {}, actor=SYSTEM, now=clock())
    with postgres_database.session() as first, postgres_database.session() as second, transaction(first):
        one = services.claim_next(first, now=clock())
        with transaction(second):
            two = services.claim_next(second, now=clock())
        with postgres_database.session() as third, transaction(third):
            nothing = services.claim_next(third, now=clock())
    assert one is not None
    assert two is not None
    assert {one.name, two.name} == {"one", "two"}
    assert nothing is None


def test_a_dead_workers_job_is_started_three_times_and_then_has_failed(either_db: Session, clock: FakeClock) -> None:
    with transaction(either_db):
        services.enqueue(either_db, "deadly", {}, actor=SYSTEM, now=clock())
    for tries in (1, 2, 3):
        with transaction(either_db):
            job = services.claim_next(either_db, now=clock())
        assert job is not None
        assert job.tries == tries
        clock.forward(seconds=59)
        with transaction(either_db):
            services.revive_silent(either_db, now=clock())
        assert _jobs(either_db)[0].state == JobState.RUNNING
        clock.forward(seconds=2)
        with transaction(either_db):
            services.revive_silent(either_db, now=clock())
    (job,) = _jobs(either_db)
    assert (job.state, job.error) == (JobState.FAILED, "crashed")


def test_a_worker_that_comes_back_from_the_dead_writes_nothing(either_db: Session, clock: FakeClock) -> None:
    with transaction(either_db):
        services.enqueue(either_db, "slow", {}, actor=SYSTEM, now=clock())
    with transaction(either_db):
        ghost = services.claim_next(either_db, now=clock())
    assert ghost is not None
    clock.forward(minutes=2)
    with transaction(either_db):
        services.revive_silent(either_db, now=clock())
        services.claim_next(either_db, now=clock())
    with transaction(either_db):
        assert not services.report_life(either_db, ghost.id, 1, now=clock(), progress=(1, 2))
        assert not services.finish(either_db, ghost.id, 1, now=clock(), result=None)
        assert not services.fail(either_db, ghost.id, 1, now=clock(), error="x")
    (job,) = _jobs(either_db)
    assert (job.state, job.tries, job.done) == (JobState.RUNNING, 2, 0)


def test_a_periodic_task_has_one_row(either_db: Session, clock: FakeClock) -> None:
    for _ in range(2):
        with transaction(either_db):
            services.ensure_periodic(either_db, "close_overdue", now=clock())
    assert len(_jobs(either_db)) == 1


def test_finished_jobs_are_forgotten_after_a_month(either_db: Session, clock: FakeClock) -> None:
    with transaction(either_db):
        services.enqueue(either_db, "old", {}, actor=SYSTEM, now=clock())
        services.enqueue(either_db, "waits", {}, actor=SYSTEM, now=clock())
        job = services.claim_next(either_db, now=clock())
        assert job is not None
        services.finish(either_db, job.id, job.tries, now=clock(), result={"n": 1})
    clock.forward(days=31)
    with transaction(either_db):
        assert services.forget_finished(either_db, now=clock()) == 1
    assert [job.name for job in _jobs(either_db)] == ["waits"]
