"""How the questions of a delivery were answered, compared with counting one by one."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.scope import Grant, Role, Scope
from quizapp.quizzes.models import Attempt, Delivery, PaperItem, Response
from quizapp.reports.item_figures import item_rows
from tests.factories import make_attempt, make_delivery, make_person, make_unit
from tests.reports.test_figures import District, make_district, scope_of

ANSWERS = {"single_choice": ["a", "b", "b", "c", ""], "true_false": ["t", "f"], "multiple_choice": ["a,c", "a", "a,b"]}


def answer(db: Session, attempt: Attempt, dice: random.Random) -> dict[int, str]:
    """Random answers at every position of an attempt, some left open."""
    given = {}
    for item in db.scalars(select(PaperItem).where(PaperItem.paper_id == attempt.paper_id)):
        text = dice.choice(ANSWERS[item.version.type])
        given[item.item_version_id] = text
        if text or dice.random() < 0.5:  # taken back is kept as an empty answer
            row = Response(attempt_id=attempt.id, position=item.position, answer=text, sequence=1, saved_at=1)
            db.add(row)
    db.flush()
    return given


def fill(db: Session, d: District, delivery: Delivery, dice: random.Random) -> list[dict[int, str]]:
    """Attempts that count in the first street, and some that do not; gives the answers of those that count."""
    counted = []
    for _ in range(25):
        first = make_attempt(db, delivery, dice.choice([d.left, d.right, d.street]), person_id=make_person(db).id)
        counted.append(answer(db, first, dice))
    for values in ({"is_first": False}, {"state": "void", "is_first": False}, {"state": "open"}):
        answer(db, make_attempt(db, delivery, d.left, person_id=make_person(db).id, **values), dice)
    answer(db, make_attempt(db, delivery, d.other, person_id=make_person(db).id), dice)
    return counted


def test_the_rows_are_what_counting_one_by_one_gives(either_db: Session) -> None:
    d = make_district(either_db)
    counted = fill(either_db, d, d.delivery, random.Random(7))
    rows = item_rows(either_db, scope_of(d.street), d.delivery)
    assert len(rows) == 5
    for row in rows:
        answers = Counter(given[row.version.id] for given in counted)
        right = answers[",".join(row.version.key)]
        wrong = Counter({a: n for a, n in answers.items() if a and a != ",".join(row.version.key)})
        assert (row.asked, row.answered, row.right) == (25, 25 - answers[""], right)
        assert row.rate == pytest.approx(right / 25)
        assert row.low is not None and row.high is not None and row.low < right / 25 < row.high  # noqa: PT018
        assert row.omitted_rate == pytest.approx(answers[""] / 25)
        assert row.wrong is not None
        assert wrong[",".join(row.wrong)] == max(wrong.values())
        assert row.wrong_rate == pytest.approx(max(wrong.values()) / 25)
    assert [row.rate for row in rows] == sorted(row.rate for row in rows if row.rate is not None)


def test_nine_answers_are_too_few_and_other_units_do_not_count(either_db: Session) -> None:
    d = make_district(either_db)
    dice = random.Random(3)
    for _ in range(9):
        answer(either_db, make_attempt(either_db, d.delivery, d.left, person_id=make_person(either_db).id), dice)
    fill(either_db, d, d.delivery, dice)
    rows = item_rows(either_db, scope_of(make_unit(either_db, kind="district")), d.delivery)
    assert {row.asked for row in rows} == {0}
    few = make_delivery(either_db, d.top)
    for _ in range(9):
        answer(either_db, make_attempt(either_db, few, d.left, person_id=make_person(either_db).id), dice)
    rows = item_rows(either_db, scope_of(d.top), few)
    assert {(row.asked, row.rate, row.wrong, row.omitted_rate) for row in rows} == {(9, None, None, None)}


def test_a_leader_gets_no_question(either_db: Session) -> None:
    d = make_district(either_db)
    fill(either_db, d, d.delivery, random.Random(5))
    rows = item_rows(either_db, Scope((Grant(Role.LEADER, d.top.path),)), d.delivery)
    assert {row.asked for row in rows} == {0}
