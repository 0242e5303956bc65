"""Item statistics that a job keeps: equal to counting the responses by hand, whatever happens to the attempts."""

from __future__ import annotations

import random

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quizapp.banks.models import FEWEST_FOR_FLAGS, Item, ItemFigure, ItemTally, ItemVersion
from quizapp.banks.stock import work_list
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, PaperItem, Response
from quizapp.reports.item_tallies import count_items
from tests.conftest import START
from tests.factories import RIGHT, make_attempt, make_delivery, make_unit

WRONG = {"single_choice": ("a", "c", "d"), "true_false": ("f",), "multiple_choice": ("a,b", "c,d")}


def answer_by_chance(db: Session, delivery: Delivery, count: int, seed: int = 5) -> list[Attempt]:
    """Closed attempts of people of different ability; some leave questions open, some stop early."""
    draw = random.Random(seed)
    unit = delivery.unit
    attempts = []
    for _ in range(count):
        attempt = make_attempt(db, delivery, unit)
        places = list(
            db.execute(
                select(PaperItem.position, ItemVersion.type)
                .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
                .where(PaperItem.paper_id == attempt.paper_id)
                .order_by(PaperItem.position)
            )
        )
        ability, stop, right, answered = draw.random(), draw.choice([len(places)] * 4 + [len(places) - 2]), 0, 0
        for position, kind in places[:stop]:
            if draw.random() < 0.1:
                continue
            hit = draw.random() < ability
            given = RIGHT[kind] if hit else draw.choice(WRONG[kind])
            db.add(Response(attempt_id=attempt.id, position=position, answer=given, sequence=1, saved_at=1))
            right, answered = right + hit, answered + 1
        attempt.right_count, attempt.answered_count, attempt.score = right, answered, right
        attempts.append(attempt)
    db.commit()
    return attempts


def by_hand(db: Session, version_id: int) -> tuple[int, int, int, float | None]:
    """(asked, right, omitted, correlation with the rest) of a version in one paper, from the responses."""
    rows = []
    for attempt in db.scalars(select(Attempt).where(Attempt.is_first.is_(True), Attempt.state != AttemptState.VOID)):
        place = db.scalar(
            select(PaperItem.position).where(
                PaperItem.paper_id == attempt.paper_id, PaperItem.item_version_id == version_id
            )
        )
        if place is None:
            continue
        answer = db.scalar(select(Response.answer).where(Response.attempt_id == attempt.id, Response.position == place))
        kind = db.get_one(ItemVersion, version_id).type
        x = int(answer == RIGHT[kind])
        rows.append((x, (attempt.right_count or 0) - x, answer is None))
    xs, rests, blanks = np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), [r[2] for r in rows]
    r = float(np.corrcoef(xs, rests)[0, 1]) if len(rows) > 1 and xs.std() and rests.std() else None
    return len(rows), int(xs.sum()), sum(blanks), r


def check(db: Session) -> None:
    db.rollback()
    figures = list(db.scalars(select(ItemFigure)))
    assert figures
    for figure in figures:
        asked, right, omitted, r = by_hand(db, figure.item_version_id)
        found = figure.figures
        assert (figure.asked, found["right"], found["omitted"]) == (asked, right, omitted)
        assert found["rest"] == (None if r is None else pytest.approx(r, abs=1e-9))
        assert sum(option["n"] for option in found["options"]) + omitted == asked


def test_the_figures_follow_new_attempts_voids_and_what_is_first(either_db: Session) -> None:
    db = either_db
    delivery = make_delivery(db, make_unit(db, kind="district"), items=6)
    attempts = answer_by_chance(db, delivery, 40)
    assert count_items(db, START) == 1
    check(db)
    assert count_items(db, START) == 0, "nothing changed, nothing is counted"
    answer_by_chance(db, delivery, 15, seed=6)
    assert count_items(db, START) == 1
    check(db)
    attempts[0].state = AttemptState.VOID
    attempts[0].is_first = False
    db.commit()
    assert count_items(db, START) == 1
    check(db)
    db.execute(update(Attempt).values(is_first=False))
    db.commit()
    assert count_items(db, START) == 1
    db.rollback()
    assert {figure.asked for figure in db.scalars(select(ItemFigure))} == {0}
    assert list(db.scalars(select(ItemTally))) == []


def test_two_papers_are_pooled_inside_each(either_db: Session) -> None:
    db = either_db
    delivery = make_delivery(db, make_unit(db, kind="district"), items=5, papers=2)
    answer_by_chance(db, delivery, 30)
    count_items(db, START)
    db.rollback()
    figures = list(db.scalars(select(ItemFigure)))
    assert sum(f.asked for f in figures) == 30 * 5


def test_a_key_that_those_who_know_do_not_choose_comes_first_in_the_work_list(db: Session, app: Flask) -> None:
    delivery = make_delivery(db, make_unit(db, kind="district"), items=6)
    attempts = answer_by_chance(db, delivery, 2 * FEWEST_FOR_FLAGS)
    ranked = sorted(attempts, key=lambda a: a.right_count or 0)
    first = db.execute(select(PaperItem.position, PaperItem.item_version_id).limit(1)).one()
    for place, attempt in enumerate(ranked):  # the weak choose the key, the strong another option
        db.merge(
            Response(
                attempt_id=attempt.id,
                position=first.position,
                answer="b" if place < len(ranked) // 2 else "d",
                sequence=2,
                saved_at=2,
            )
        )
    db.execute(update(Attempt).values(scoring_revision=7))
    db.commit()
    count_items(db, START)
    db.rollback()
    rows = work_list(db)
    assert rows[0].version.id == first.item_version_id
    assert rows[0].figure.flags[0] == "key_suspect"
    actor = Actor(account_id=5, name="高远", scope=Scope((Grant(Role.REVIEWER, None),)))
    app.extensions["quizapp"].load_actor = lambda: actor
    client = app.test_client()
    page = client.get("/items/work-list").text
    assert page.index(rows[0].item.code) < page.index("答案可疑", page.index("<tbody>"))
    assert rows[0].item.code not in client.get("/items/work-list?flag=too_easy").text
    item = client.get(f"/items/{rows[0].item.code}").text
    assert "先核对答案和依据" in item
    assert f"{2 * FEWEST_FOR_FLAGS} 人次" in item


def test_few_attempts_raise_no_flag_and_fewer_are_not_shown(db: Session, app: Flask) -> None:
    delivery = make_delivery(db, make_unit(db, kind="district"), items=6)
    answer_by_chance(db, delivery, 9)
    count_items(db, START)
    db.rollback()
    assert work_list(db) == []
    actor = Actor(account_id=5, name="高远", scope=Scope((Grant(Role.REVIEWER, None),)))
    app.extensions["quizapp"].load_actor = lambda: actor
    code = db.scalars(select(Item.code)).first()
    assert "不足 10 人次" in app.test_client().get(f"/items/{code}").text
