"""The jobs of the quizzes: assembling papers, closing overdue attempts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import select, text

import quizapp.tasks  # noqa: F401 # fills the task table
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.services import enqueue
from quizapp.jobs.worker import run_pending
from quizapp.quizzes.models import Attempt, Delivery, DeliveryState, Paper, Response
from quizapp.quizzes.services import assembly
from tests.conftest import FakeClock, make_settings
from tests.factories import make_attempt, make_delivery, make_unit
from tests.quizzes.banks import make_blueprint, versions_of
from tests.quizzes.test_deliveries import publish


@pytest.fixture
def ground(either_database: Database, tmp_path: Path, keys: Keys, clock: FakeClock) -> Runtime:
    return Runtime(make_settings(tmp_path, either_database), either_database, keys, clock)


def test_a_bank_that_is_too_small_is_a_result_and_no_crash(ground: Runtime, clock: FakeClock) -> None:
    with ground.database.session() as db, transaction(db):
        make_blueprint(db, items=8)
        publish(db, make_unit(db), clock)
    run_pending(ground)
    with ground.database.session() as db:
        assert db.scalars(select(Job.state)).one() == JobState.DONE
        assert db.scalars(select(Delivery.failure)).one() == "items:all:8/9"


def test_an_assembly_that_breaks_leaves_a_delivery_that_says_so(
    ground: Runtime, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with ground.database.session() as db, transaction(db):
        blueprint = make_blueprint(db)
        publish(db, make_unit(db), clock)
        blueprint.rules = {**blueprint.rules, "items": "nine"}
    with caplog.at_level(logging.CRITICAL):
        run_pending(ground)
    with ground.database.session() as db:
        assert db.scalars(select(Job.error)).one() == "crashed"
        delivery = db.scalars(select(Delivery)).one()
        assert (delivery.state, delivery.failure) == (DeliveryState.FAILED, "crashed")


def test_a_second_start_of_the_job_makes_no_second_papers(ground: Runtime, clock: FakeClock) -> None:
    with ground.database.session() as db, transaction(db):
        make_blueprint(db)
        delivery = publish(db, make_unit(db), clock)
        enqueue(db, assembly.TASK, {"delivery_id": delivery.id}, actor=SYSTEM, now=clock())
    assert run_pending(ground) == 2
    with ground.database.session() as db:
        assert len(db.scalars(select(Paper)).all()) == 2


def test_overdue_attempts_are_closed_with_what_was_saved(ground: Runtime, clock: FakeClock) -> None:
    with ground.database.session() as db, transaction(db):
        make_blueprint(db)
        publish(db, make_unit(db), clock)
    run_pending(ground)
    now_ms = to_ms(clock())
    with ground.database.session() as db, transaction(db):
        delivery = db.scalars(select(Delivery)).one()
        paper = db.scalars(select(Paper)).first()
        assert paper is not None
        right = versions_of(db, paper.id)[0].key
        for number, deadline in enumerate((now_ms, now_ms, now_ms + 600_000)):
            attempt = Attempt(
                public_id=f"attempt{number}",
                delivery_id=delivery.id,
                paper_id=paper.id,
                secret_hash=b"x" * 32,
                order_seed="s",
                state="open",
                started_at=now_ms,
                deadline_at=deadline,
                accepts_until=deadline + 30_000,
                local_date=clock().date(),
                identity_level="none",
                unit_known="none",
                notice_version="1",
                marked=[],
            )
            db.add(attempt)
            db.flush()
            if number != 1:
                answer = ",".join(right)
                db.add(Response(attempt_id=attempt.id, position=1, answer=answer, sequence=1, saved_at=now_ms))
        clock.forward(minutes=1)
        enqueue(db, "close_overdue", {}, actor=SYSTEM, now=clock())
    run_pending(ground)
    with ground.database.session() as db:
        attempts = db.scalars(select(Attempt).order_by(Attempt.id)).all()
        assert [(a.state, a.score) for a in attempts] == [("expired", 5), ("void", None), ("open", None)]
        assert db.scalars(select(Job.result).where(Job.name == "close_overdue")).one() == {"closed": 2, "failed": 0}


#: A database that refuses to close one attempt, whatever the reason.
REFUSAL = {
    "sqlite": "CREATE TRIGGER refusal BEFORE UPDATE ON attempt WHEN OLD.public_id = 'attempt0'"
    " BEGIN SELECT RAISE(ABORT, 'refused'); END",
    "postgresql": "ALTER TABLE attempt ADD CONSTRAINT refusal CHECK (public_id <> 'attempt0' OR state = 'open')",
}


def test_an_attempt_that_cannot_be_closed_holds_nobody_up(ground: Runtime, clock: FakeClock) -> None:
    with ground.database.session() as db, transaction(db):
        delivery = make_delivery(db, items=3)
        for number in range(3):
            make_attempt(db, delivery, public_id=f"attempt{number}", state="open", deadline_at=to_ms(clock()))
        db.execute(text(REFUSAL[db.get_bind().dialect.name]))
        enqueue(db, "close_overdue", {}, actor=SYSTEM, now=clock())
    clock.forward(hours=1)
    run_pending(ground)
    with ground.database.session() as db:
        states = db.execute(select(Attempt.public_id, Attempt.state).order_by(Attempt.id)).all()
        assert [state for _, state in states] == ["open", "void", "void"]
        assert db.scalars(select(Job.result).where(Job.name == "close_overdue")).one() == {"closed": 2, "failed": 1}
