"""Calibrating a bank from the answers to its tests: job, pages, work list, and the papers that are made by it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from quizapp.banks.models import BankCalibration, Item, ItemBank, ItemCalibration, ItemVersion
from quizapp.banks.queries import assembly_pool
from quizapp.banks.stock import count_waiting, work_list
from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Role
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime
from quizapp.quizzes.models import Attempt, Delivery, Paper, PaperItem, QuizBlueprint, Response
from quizapp.quizzes.rescoring.models import KeyCorrection
from quizapp.quizzes.services.assembly import assemble_papers
from quizapp.quizzes.services.paper_checks import paper_facts
from quizapp.quizzes.services.publish_checks import stored_checks
from quizapp.reports.calibration.queries import Counted
from quizapp.reports.calibration.services import calibrate_due, is_due
from tests.conftest import START, FakeClock, make_settings
from tests.factories import RIGHT, make_account, make_attempt, make_delivery, make_figure, make_items, make_unit
from tests.reports.test_item_tallies import correct_key

WRONG = {"single_choice": "d", "true_false": "f", "multiple_choice": "a,b"}
ITEMS = 30
A = np.linspace(0.7, 1.6, ITEMS)[np.random.default_rng(4).permutation(ITEMS)]
B = np.linspace(-1.5, 1.5, ITEMS)[np.random.default_rng(5).permutation(ITEMS)]


def offer(db: Session, versions: Sequence[ItemVersion], blueprint: QuizBlueprint | None = None) -> Delivery:
    """A delivery whose one paper has these questions, of the bank of the questions."""
    delivery = make_delivery(db, items=1)
    paper = db.scalars(select(Paper).where(Paper.delivery_id == delivery.id)).one()
    db.execute(PaperItem.__table__.delete().where(PaperItem.paper_id == paper.id))
    db.add_all(
        PaperItem(paper_id=paper.id, position=position, item_version_id=version.id, points=5)
        for position, version in enumerate(versions, start=1)
    )
    own = db.get_one(QuizBlueprint, delivery.blueprint_id)
    own.bank_id = versions[0].item.topic.bank_id
    delivery.item_count, delivery.max_score, delivery.pass_score = len(versions), 5 * len(versions), 3 * len(versions)
    db.flush()
    return delivery


def take(db: Session, delivery: Delivery, chances: np.ndarray, seed: int) -> list[int]:
    """First attempts whose answers are right by these chances, (people, items)."""
    rng = np.random.default_rng(seed)
    right = rng.random(chances.shape) < chances
    kinds = db.execute(
        select(PaperItem.position, ItemVersion.type)
        .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .where(Paper.delivery_id == delivery.id)
        .order_by(PaperItem.position)
    ).all()
    ids, rows = [], []
    for person in right:
        attempt = make_attempt(db, delivery, right_count=int(person.sum()), score=5 * int(person.sum()))
        ids.append(attempt.id)
        rows += [
            {
                "attempt_id": attempt.id,
                "position": position,
                "answer": RIGHT[kind] if hit else WRONG[kind],
                "sequence": 1,
                "saved_at": 1,
            }
            for (position, kind), hit in zip(kinds, person, strict=True)
        ]
    db.execute(insert(Response), rows)
    return ids


def curve(people: int, mean: float, seed: int, columns: range) -> np.ndarray:
    ability = np.random.default_rng(seed).normal(mean, 1, people)[:, None]
    return np.asarray(1 / (1 + np.exp(-A[columns] * (ability - B[columns]))))


@pytest.fixture
def ground(either_database: Database, tmp_path: Path, keys: Keys, clock: FakeClock) -> Runtime:
    return Runtime(make_settings(tmp_path, either_database), either_database, keys, clock)


def calibrate(ground: Runtime) -> None:
    with ground.database.session() as db:
        calibrate_due(db, ground.clock())


def night(clock: FakeClock) -> None:
    """On to two in the night, when every change is taken up."""
    local = clock().astimezone(LOCAL_ZONE)
    clock.forward(hours=(26 - local.hour) % 24)


def two_tests(db: Session) -> tuple[list[ItemVersion], Delivery, Delivery]:
    """Two deliveries of one bank with ten common questions; the people of the second know more."""
    versions = make_items(db, ITEMS)
    first, second = offer(db, versions[:20]), offer(db, versions[10:])
    take(db, first, curve(420, 0.0, 1, range(20)), 11)
    take(db, second, curve(380, 0.9, 2, range(10, 30)), 12)
    return versions, first, second


def test_the_job_recovers_the_truth_over_deliveries_and_starts_anew_for_an_edited_question(
    ground: Runtime, clock: FakeClock
) -> None:
    with ground.database.session() as db, transaction(db):
        versions, first, _ = two_tests(db)
        apart = offer(db, make_items(db, 6))  # another bank
        island = make_items(db, 8)
        for version in island:  # the same bank, but no question in common
            version.item.topic_id = versions[0].item.topic_id
        lonely = offer(db, island)
        take(db, lonely, curve(150, 0.0, 3, range(8)), 13)
        take(db, apart, curve(40, 0.0, 4, range(6)), 14)
        numbers = [version.id for version in versions]
    calibrate(ground)
    with ground.database.session() as db:
        found = {row.item_version_id: row for row in db.scalars(select(ItemCalibration))}
        assert set(found) == set(numbers), "neither the island nor the bank with forty answers"
        place, truth = np.array([found[n].b for n in numbers]), B
        assert np.corrcoef(place, truth)[0, 1] > 0.97
        # both parts of the scale lie alike, though the people of the second test were better
        slope, shift = np.polyfit(truth, place, 1)
        off = place - (slope * truth + shift)
        assert abs(off[:10].mean() - off[20:].mean()) < 0.2
        errors = np.array([found[n].se_b for n in numbers])
        assert (np.abs(off) < 2.6 * errors).mean() > 0.85
        assert [found[n].n for n in (numbers[0], numbers[15], numbers[29])] == [420, 800, 380]
        state = db.scalars(select(BankCalibration)).one()
        assert (state.attempts, state.people) == (950, 800)
        assert sorted(state.apart) == sorted(version.id for version in island)
        before = [(row.item_version_id, row.a, row.b, row.calibrated_at) for row in found.values()]
    night(clock)
    calibrate(ground)
    with ground.database.session() as db:
        again = [(r.item_version_id, r.a, r.b, r.calibrated_at) for r in db.scalars(select(ItemCalibration))]
        assert sorted(again) == sorted(before), "nothing new, nothing computed"
    with ground.database.session() as db, transaction(db):
        changed = db.get_one(ItemVersion, numbers[0])
        copy = {c.name: getattr(changed, c.name) for c in ItemVersion.__table__.columns if c.name != "id"}
        edited = ItemVersion(**{**copy, "number": 2})
        db.add(edited)
        db.flush()
        db.get_one(Item, changed.item_id).current_version_id = edited.id
        bank = changed.item.topic.bank_id
        code = db.scalars(select(Item.code).where(Item.id == changed.item_id)).one()
    with ground.database.session() as db:
        pool = {item.id: item for item in assembly_pool(db, db.get_one(ItemBank, bank).code).items}
        assert (pool[code].a, pool[code].b) == (None, None)
        assert sum(item.a is not None for item in pool.values()) == 29
    with ground.database.session() as db, transaction(db):
        db.execute(update(Attempt).where(Attempt.delivery_id == first.id).values(is_first=False))
    clock.forward(days=1)
    calibrate(ground)
    with ground.database.session() as db:
        left = set(db.scalars(select(ItemCalibration.item_version_id)))
        assert left == set(numbers[10:]), "answers that count no more are taken out again"


def test_a_question_whose_key_was_corrected_is_another_one_there(db: Session) -> None:
    versions = make_items(db, 8)
    delivery = offer(db, versions)
    take(db, delivery, curve(150, 0.0, 6, range(8)), 16)
    db.commit()
    correct_key(db, delivery, random.Random(3))
    wrong = db.scalars(select(KeyCorrection.item_version_id)).one()
    calibrate_due(db, START)
    known = set(db.scalars(select(ItemCalibration.item_version_id)))
    assert known == {version.id for version in versions} - {wrong}


@pytest.mark.parametrize(
    ("last", "now", "hour", "due"),
    [
        (None, 99, 2, False),
        (None, 100, 14, True),
        (None, 9000, 14, True),
        (500, 500, 2, False),
        (500, 501, 14, False),
        (500, 501, 2, True),
        (500, 600, 14, True),
        (5000, 7000, 14, False),
        (5000, 5001, 4, True),
        (5000, 5001, 5, False),
    ],
)
def test_a_bank_is_calibrated_at_night_or_when_it_has_grown(
    last: int | None, now: int, hour: int, *, due: bool
) -> None:
    state = None if last is None else BankCalibration(bank_id=1, mark=str(last), attempts=last)
    assert is_due(state, Counted(now, str(now)), hour) is due


def test_the_item_page_says_it_in_plain_words_and_a_misfit_reaches_the_reviewer(db: Session, app: Flask) -> None:
    from tests.reports.test_pages import client_for

    unit = make_unit(db)
    make_account(db, (Role.REVIEWER, None))
    fine, odd, young, shared = make_items(db, 4)
    for version in (fine, odd, shared):
        make_figure(db, version, asked=400)
    common = {"se_a": 0.1, "se_b": 0.1, "own_slope": True, "n": 400, "infit": 0.98, "outfit": 1.02, "off": 0.01}
    common |= {"share": 0.6, "flags": [], "harm": 0.0, "calibrated_at": START}
    db.add_all(
        [
            ItemCalibration(item_version_id=fine.id, a=1.0, b=-0.5, **common),
            ItemCalibration(
                item_version_id=odd.id, a=0.5, b=1.2, **{**common, "off": 0.17, "flags": ["misfit"], "harm": 3200.0}
            ),
            ItemCalibration(item_version_id=shared.id, a=0.9, b=0.01, **{**common, "own_slope": False, "n": 120}),
        ]
    )
    db.commit()
    assert [(row.version.id, row.flags) for row in work_list(db)] == [(odd.id, ["misfit"])]
    assert work_list(db, flag="misfit")
    assert not work_list(db, flag="too_easy")
    assert count_waiting(db) == 1
    client = client_for(app, unit, Role.REVIEWER)
    page = client.get(f"/items/{fine.item.code}").text
    assert "比平均水平低 0.5 个标准差的人，答对的机会就有一半：偏易。" in page
    assert "答对的机会从 62% 变到 82%" in page
    assert "−0.70 到 −0.30" in page
    assert "看不出不合" in page
    assert "答对的比例和模型平均差 17 个百分点" in client.get(f"/items/{odd.item.code}").text
    assert "对错和水平对不上" in client.get("/items/work-list").text
    assert "满 100 人次首次作答才估计" in client.get(f"/items/{young.item.code}").text
    assert "共同的区分度" in client.get(f"/items/{shared.item.code}").text
    # the bank says how many are known and what cannot be; before the first run, and after one in vain, why there is nothing
    bank = db.get_one(ItemBank, fine.item.topic.bank_id)
    state = BankCalibration(bank_id=bank.id, mark="1", attempts=400, people=400, apart=[], calibrated_at=START)
    assert "满 100 人次首次作答才开始" in client.get(f"/banks/{bank.code}").text
    state.apart = [young.id, 10**6]  # one of them asked no more
    db.add(state)
    db.commit()
    page = client.get(f"/banks/{bank.code}").text
    assert "3 道题已估计，用的是全部测验的 400 人次" in page
    assert "看 1 道不合模型的题" in page
    assert "1 道题放不到一把尺上" in page
    db.execute(delete(ItemCalibration))
    db.commit()
    assert "还没有一道题估计得出" in client.get(f"/banks/{bank.code}").text


def test_papers_are_balanced_at_their_pass_mark_and_the_list_says_how_many_questions_are_known(
    either_db: Session,
) -> None:
    db = either_db
    versions = make_items(db, 60)
    rng = np.random.default_rng(8)
    a, b = rng.uniform(0.5, 2.0, 60), rng.normal(0, 1, 60)
    theta = np.linspace(-4, 4, 81)
    weight = np.exp(-0.5 * theta**2) / np.exp(-0.5 * theta**2).sum()
    common = {"se_a": 0.1, "se_b": 0.1, "own_slope": True, "n": 400, "infit": 1.0, "outfit": 1.0, "off": 0.0}
    for version, slope, place in zip(versions, a, b, strict=True):
        share = float(weight @ (1 / (1 + np.exp(-slope * (theta - place)))))
        values = {**common, "share": share, "flags": [], "harm": 0.0, "calibrated_at": START}
        db.add(ItemCalibration(item_version_id=version.id, a=float(slope), b=float(place), **values))
    delivery = offer(db, versions[:1])
    blueprint = db.get_one(QuizBlueprint, delivery.blueprint_id)
    kinds = ("single_choice", "true_false", "multiple_choice")
    blueprint.rules = {"items": 15, "types": dict.fromkeys(kinds, 5), "points_each": 5, "pass_score": 45, "minutes": 9}

    def spread() -> tuple[float, float]:
        """Of four papers: difference of the true scores of people at the pass mark, least by most information."""
        delivery.state, delivery.paper_count, delivery.pass_score = "preparing", 4, 45
        db.execute(PaperItem.__table__.delete())
        db.execute(Paper.__table__.delete())
        db.commit()
        assemble_papers(db, delivery.id, now=START)
        facts = paper_facts(db, delivery.id, 45)
        assert facts is not None
        assert facts.at_pass is not None
        checks = {check.code: check for check in stored_checks(facts, blueprint, 0.001)}
        assert checks["paper_at_pass"].data["known"] == facts.calibrated == facts.different
        return facts.at_pass.spread, facts.at_pass.exact

    points, exact = spread()
    assert points < 1.0, "of 75 points"
    assert exact > 0.9
    db.commit()
    assert paper_facts(db, delivery.id) is not None
    # with less than half of them known, the model is not asked
    db.execute(
        ItemCalibration.__table__.delete().where(ItemCalibration.item_version_id.in_([v.id for v in versions[:40]]))
    )
    db.commit()
    facts = paper_facts(db, delivery.id, 45)
    assert facts is not None
    assert facts.at_pass is None or facts.calibrated * 2 >= facts.different
