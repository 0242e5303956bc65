"""The jobs of the quizzes: assembling papers from the real banks, closing overdue attempts."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

import quizapp.tasks  # noqa: F401 # fills the task table
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.models import BenchmarkPoint
from quizapp.banks.parsed import ParsedBanks
from quizapp.banks.services import load_banks
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.paths import data_folder
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.services import enqueue
from quizapp.jobs.worker import run_pending
from quizapp.quizzes.models import Attempt, Delivery, DeliveryState, Paper, QuizBlueprint, Response
from quizapp.quizzes.services import assembly, blueprints
from quizapp.quizzes.services.deliveries import create_delivery
from tests.conftest import FakeClock, make_settings
from tests.factories import make_attempt, make_delivery, make_unit
from tests.quizzes.banks import make_blueprint, versions_of
from tests.quizzes.test_deliveries import publish


@pytest.fixture
def ground(either_database: Database, tmp_path: Path, keys: Keys, clock: FakeClock) -> Runtime:
    return Runtime(make_settings(tmp_path, either_database), either_database, keys, clock)


@pytest.fixture
def with_banks(ground: Runtime) -> Runtime:
    with ground.database.session() as db, transaction(db):
        load_banks(db, read_banks(), actor=SYSTEM, now=ground.clock())
    return ground


def read_banks() -> ParsedBanks:
    """The real banks, with the blueprints whose bank is there."""
    banks = read_folder(data_folder("question_banks")).banks
    return replace(banks, blueprints=tuple(b for b in banks.blueprints if b.bank in banks.bank_codes))


def _publish_real(ground: Runtime, code: str, papers: int) -> int:
    with ground.database.session() as db, transaction(db):
        rules = db.scalars(select(QuizBlueprint).where(QuizBlueprint.code == code)).one().rules
        return create_delivery(
            db,
            blueprint_code=code,
            title="测试",
            unit_id=make_unit(db).id,
            opens_at=ground.clock(),
            closes_at=ground.clock() + timedelta(days=7),
            time_limit_s=rules["minutes"] * 60,
            tries=2,
            pass_score=rules["pass_score"],
            fields={"name": "required"},
            paper_count=papers,
            keeper="科协",
            purpose="统计",
            contact="0571",
            retention_months=12,
            actor=SYSTEM,
            now=ground.clock(),
            seed=code,
        ).id


def test_the_blueprints_come_with_the_banks_and_a_second_load_changes_nothing(with_banks: Runtime) -> None:
    with with_banks.database.session() as db:
        rows = {row.code: (row.id, row.rules) for row in db.scalars(select(QuizBlueprint))}
        assert set(rows) == {blueprint.code for blueprint in read_banks().blueprints}
    with with_banks.database.session() as db, transaction(db):
        blueprints.store_blueprints(db, read_banks().blueprints)
        assert not db.dirty
        assert {row.code: (row.id, row.rules) for row in db.scalars(select(QuizBlueprint))} == rows


def test_the_literacy_papers_obey_the_standard(with_banks: Runtime) -> None:
    delivery_id = _publish_real(with_banks, "literacy_2016", 3)
    assert run_pending(with_banks) == 1
    with with_banks.database.session() as db:
        delivery = db.get_one(Delivery, delivery_id)
        assert (delivery.state, delivery.failure) == (DeliveryState.READY, None)
        assert delivery.guess_pass < 0.001
        job = db.scalars(select(Job)).one()
        assert (job.state, job.done, job.total) == (JobState.DONE, 3, 3)
        benchmark_of = dict(db.execute(select(BenchmarkPoint.number, BenchmarkPoint.benchmark_number)).all())
        papers = db.scalars(select(Paper).where(Paper.delivery_id == delivery_id).order_by(Paper.number)).all()
        assert len(papers) == 3
        for paper in papers:
            versions = versions_of(db, paper.id)
            assert len(versions) == len({v.item_id for v in versions}) == 50
            assert len({v.point_number for v in versions}) == 50
            assert {benchmark_of[v.point_number] for v in versions} == set(range(1, 27))
            assert Counter(v.type for v in versions) == {"true_false": 25, "single_choice": 25}
            assert len({v.fact for v in versions}) == 50


@pytest.mark.parametrize("code", [b.code for b in read_banks().blueprints if b.code != "literacy_2016"])
def test_the_papers_of_the_other_banks_obey_their_blueprints(with_banks: Runtime, code: str) -> None:
    delivery_id = _publish_real(with_banks, code, 4)
    run_pending(with_banks)
    with with_banks.database.session() as db:
        delivery = db.get_one(Delivery, delivery_id)
        assert (delivery.state, delivery.failure) == (DeliveryState.READY, None)
        rules = delivery.blueprint.rules
        for paper in db.scalars(select(Paper).where(Paper.delivery_id == delivery_id)):
            versions = versions_of(db, paper.id)
            assert Counter(v.type for v in versions) == rules["types"]
            if "topics" in rules:
                topics = Counter(v.item.topic.code for v in versions)
                assert all(rules["topics"]["min"] <= n <= rules["topics"]["max"] for n in topics.values())
            else:
                assert Counter(v.dimension for v in versions) == rules["dimensions"]
            assert len({v.fact for v in versions}) == rules["items"]


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
