"""Papers of the real banks, for each blueprint that comes with them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import quizapp.tasks  # noqa: F401 # fills the task table
from quizapp.banks.formats.yaml_bank import read_folder
from quizapp.banks.models import BenchmarkPoint
from quizapp.core.db import Database, transaction
from quizapp.core.paths import data_folder
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.worker import run_pending
from quizapp.quizzes.models import Delivery, DeliveryState, Paper, QuizBlueprint
from quizapp.quizzes.services import blueprints
from quizapp.quizzes.services.deliveries import create_delivery
from tests.bank_templates import postgres_template, sqlite_template  # noqa: F401 # fixtures
from tests.conftest import FakeClock, make_settings
from tests.factories import make_unit
from tests.quizzes.banks import versions_of

#: The blueprints of the files but that of the benchmark test.
OTHERS = ("energy_environment_20", "health_20", "safety_20", "survey_2024")


@pytest.fixture
def ground(either_database: Database, tmp_path: Path, keys: Keys, clock: FakeClock) -> Runtime:
    return Runtime(make_settings(tmp_path, either_database), either_database, keys, clock)


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


def test_the_blueprints_come_with_the_banks_and_a_second_load_changes_nothing(ground: Runtime) -> None:
    read = read_folder(data_folder("question_banks")).banks.blueprints
    with ground.database.session() as db:
        rows = {row.code: (row.id, row.rules) for row in db.scalars(select(QuizBlueprint))}
        assert set(rows) == {blueprint.code for blueprint in read} == {"literacy_2016", *OTHERS}
    with ground.database.session() as db, transaction(db):
        blueprints.store_blueprints(db, read)
        assert not db.dirty
        assert {row.code: (row.id, row.rules) for row in db.scalars(select(QuizBlueprint))} == rows


def test_the_literacy_papers_obey_the_standard(ground: Runtime) -> None:
    delivery_id = _publish_real(ground, "literacy_2016", 3)
    assert run_pending(ground) == 1
    with ground.database.session() as db:
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


@pytest.mark.parametrize("code", OTHERS)
def test_the_papers_of_the_other_banks_obey_their_blueprints(
    database: Database, tmp_path: Path, keys: Keys, clock: FakeClock, code: str
) -> None:
    ground = Runtime(make_settings(tmp_path, database), database, keys, clock)
    delivery_id = _publish_real(ground, code, 4)
    run_pending(ground)
    with ground.database.session() as db:
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
