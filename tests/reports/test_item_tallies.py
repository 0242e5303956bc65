"""Item statistics that a job keeps: equal to counting the responses by hand, whatever happens to the attempts."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from quizapp.banks.models import FEWEST_FOR_FLAGS, Item, ItemFigure, ItemTally, ItemVersion
from quizapp.banks.stock import work_list
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, LateResponse, Paper, PaperItem, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.rescoring.models import ChangeCause, CorrectedKey, KeyCorrection
from quizapp.quizzes.services.rescoring import attempts_to_rescore, rescore_attempt
from quizapp.reports import item_tallies
from quizapp.reports.item_figures import item_rows
from quizapp.reports.item_tallies import count_items
from quizapp.reports.models import ItemNote
from tests.conftest import START
from tests.factories import RIGHT, make_attempt, make_delivery, make_unit

WRONG = {"single_choice": ("a", "c", "d"), "true_false": ("f",), "multiple_choice": ("a,b", "c,d")}


def answer_by_chance(db: Session, delivery: Delivery, count: int, seed: int = 5) -> list[Attempt]:
    """Closed attempts of people of different ability; some leave questions open, some stop early."""
    draw = random.Random(seed)
    unit = delivery.unit
    attempts = []
    for _ in range(count):
        attempt = make_attempt(db, delivery, unit, state=AttemptState.OPEN)
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
        attempt.state = AttemptState.SUBMITTED
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


def kept(db: Session) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """All tallies and all figures, as they are stored."""
    db.rollback()
    tallies = {
        (t.paper_id, t.position, t.day): (t.item_version_id, t.counts, t.unreached)
        for t in db.scalars(select(ItemTally))
    }
    figures = {f.item_version_id: (f.asked, f.figures, f.flags, f.harm) for f in db.scalars(select(ItemFigure))}
    return tallies, figures


def count_everything(db: Session) -> None:
    """Forget what is kept and count all attempts."""
    days = set(db.execute(select(Attempt.delivery_id, Attempt.local_date)))
    with transaction(db):
        db.execute(delete(ItemTally))
        db.execute(delete(ItemNote))
        db.execute(insert(ItemNote), [{"delivery_id": d, "local_date": day, "attempt_id": None} for d, day in days])
    count_items(db, START)


def correct_key(db: Session, delivery: Delivery, dice: random.Random) -> None:
    """Another key for one item on all papers of a delivery, and new scores for everybody, as the job gives them."""
    version = dice.choice(
        db.scalars(select(PaperItem).join(Paper).where(Paper.delivery_id == delivery.id)).all()
    ).version
    accepted = dice.choice([[version.key, [version.options[-1]["id"]]], [[version.options[-1]["id"]]]])
    with transaction(db):
        correction = KeyCorrection(
            delivery_id=delivery.id, item_version_id=version.id, accepted=accepted, reason="x", proposed_by=1, proposed_at=1,
            state="confirmed",
        )  # fmt: skip
        db.add(correction)
        db.flush()
        for paper, position in db.execute(
            select(Paper, PaperItem.position)
            .join(PaperItem, PaperItem.paper_id == Paper.id)
            .where(Paper.delivery_id == delivery.id, PaperItem.item_version_id == version.id)
        ).all():
            paper.scoring_revision += 1
            db.add(
                CorrectedKey(
                    paper_id=paper.id,
                    position=position,
                    revision=paper.scoring_revision,
                    accepted=accepted,
                    correction_id=correction.id,
                )
            )
    rescore(db, delivery)


def rescore(db: Session, delivery: Delivery) -> None:
    papers = PaperCache()
    with transaction(db):
        for attempt_id in attempts_to_rescore(db, delivery.id, limit=1000):
            rescore_attempt(db, attempt_id, papers=papers, cause=ChangeCause.CORRECTION, account_id=None, now_ms=1)


def take_late(db: Session, delivery: Delivery, dice: random.Random) -> None:
    """The window is extended, and an answer that came too late replaces the stored one: right answers may stay as many."""
    attempt = dice.choice(db.scalars(select(Attempt).where(Attempt.delivery_id == delivery.id)).all())
    with transaction(db):
        attempt = db.get_one(Attempt, attempt.id)
        if attempt.state != AttemptState.SUBMITTED:
            return
        attempt.state, attempt.closed_at = AttemptState.EXPIRED, attempt.deadline_at
        received = attempt.accepts_until + 1000
        db.get_one(Delivery, delivery.id).time_limit_s = 3600 * dice.randrange(2, 10)
        answer = dice.choice(["a", "c", "d"])
        db.add(LateResponse(attempt_id=attempt.id, position=1, answer=answer, sequence=9, received_at=received))
    rescore(db, delivery)


def test_after_any_changes_what_is_kept_is_a_full_count(either_db: Session) -> None:
    """Submits, voids, corrected keys, late answers, another first attempt, another day: added or counted anew, it is the same."""
    db, dice = either_db, random.Random(29)
    unit = make_unit(db, kind="district")
    deliveries = [make_delivery(db, unit, items=4, papers=2), make_delivery(db, unit, items=3)]
    for delivery in deliveries:
        papers = db.scalars(select(Paper.id).where(Paper.delivery_id == delivery.id)).all()
        for attempt in answer_by_chance(db, delivery, 12, seed=3):
            attempt.paper_id, attempt.local_date = dice.choice(papers), START.date() - timedelta(days=dice.randrange(3))
    db.commit()
    count_items(db, START)
    for step in range(12):
        delivery = dice.choice(deliveries)
        some = dice.choice(db.scalars(select(Attempt).where(Attempt.delivery_id == delivery.id)).all()).id
        match step % 6:
            case 0 | 5:
                answer_by_chance(db, delivery, dice.randrange(1, 4), seed=100 + step)
            case 1:
                with transaction(db):
                    db.execute(update(Attempt).where(Attempt.id == some).values(state="void", is_first=False))
            case 2:
                correct_key(db, delivery, dice)
            case 3:
                take_late(db, delivery, dice)
            case 4:
                with transaction(db):
                    attempt = db.get_one(Attempt, some)
                    attempt.is_first = not attempt.is_first
                    attempt.local_date -= timedelta(days=dice.randrange(2))
        if step % 2 or dice.random() < 0.5:
            count_items(db, START)
            found = kept(db)
            count_everything(db)
            assert found == kept(db), f"after step {step}"
            check_all(db)


def check_all(db: Session) -> None:
    """The kept figures are those of the page that counts its delivery itself, for whoever sees all of it."""
    scope = Scope((Grant(Role.COORDINATOR, None),))
    for delivery in db.scalars(select(Delivery)):
        for row in item_rows(db, scope, delivery):
            if row.rate is not None:
                assert row.kept is not None
                figures = row.kept.figures
                assert (row.kept.asked, figures["right"], figures["difficulty"]) == (row.asked, row.right, row.rate)
                assert figures["omitted"] == row.asked - row.answered


def test_only_the_new_attempts_are_read(either_db: Session) -> None:
    db = either_db
    delivery = make_delivery(db, make_unit(db, kind="district"), items=4)
    answer_by_chance(db, delivery, 20)
    count_items(db, START)
    before = {version: figure[1]["right"] for version, figure in kept(db)[1].items()}
    with transaction(db):
        db.execute(delete(Response))  # whoever reads the old answers again will miss them
    new = answer_by_chance(db, delivery, 5, seed=9)
    assert count_items(db, START) == 1
    after = {version: figure[1]["right"] for version, figure in kept(db)[1].items()}
    assert sum(after.values()) - sum(before.values()) == sum(attempt.right_count or 0 for attempt in new)
    assert {figure[0] for figure in kept(db)[1].values()} == {25}


def test_what_is_stored_while_the_job_reads_is_counted_once(
    either_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts that close between the reading and the writing wait for the next run; a second worker's state is not overwritten."""
    with either_database.session() as db, either_database.session() as other:
        delivery = make_delivery(db, make_unit(db, kind="district"), items=3)
        db.commit()
        answer_by_chance(db, delivery, 5)
        plain = item_tallies._figures
        meanwhile = [
            lambda: answer_by_chance(other, other.get_one(Delivery, delivery.id), 2, seed=8),
            lambda: count_items(other, START),
        ]

        def figures(*arguments: Any) -> Any:
            found = plain(*arguments)
            if meanwhile:
                meanwhile.pop(0)()
            return found

        monkeypatch.setattr(item_tallies, "_figures", figures)
        assert count_items(db, START) == 1, "the second turn finds the other worker's state and writes nothing"
        assert {figure[0] for figure in kept(db)[1].values()} == {7}
        assert count_items(db, START) == 0
        assert list(db.scalars(select(ItemNote))) == []


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
