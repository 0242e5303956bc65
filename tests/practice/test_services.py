"""What practice keeps of an account, on both databases."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemVersion
from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import transaction
from quizapp.practice.models import DailyResult, PracticeAnswer, WrongBookEntry
from quizapp.practice.queries import daily_results, find_entry, practice_pool, week_of_account
from quizapp.practice.services import RIGHT_TO_LEAVE, note_right, note_wrong, record_answer, record_daily_answer
from tests.conftest import START
from tests.factories import make_account, make_delivery, make_items

DAY = local_date(START)
NOW_MS = to_ms(START)


def prepare(db: Session) -> tuple[int, list[ItemVersion]]:
    with transaction(db):
        return make_account(db).id, make_items(db, 6)


def give(db: Session, account_id: int, version: ItemVersion, right: bool, place: int = 0, seed: str = "seed") -> bool:
    with transaction(db):
        return record_answer(
            db,
            account_id=account_id,
            seed=seed,
            place=place,
            version=version,
            answer="b" if right else "a",
            right=right,
            now_ms=NOW_MS,
        ).right


def test_an_answer_sent_twice_is_one_answer_and_the_first_counts(either_db: Session) -> None:
    account_id, versions = prepare(either_db)
    assert give(either_db, account_id, versions[0], False) is False
    assert give(either_db, account_id, versions[0], True) is False
    assert either_db.scalar(select(func.count()).select_from(PracticeAnswer)) == 1
    entry = find_entry(either_db, account_id, versions[0].item_id)
    assert entry is not None
    assert entry.right_in_a_row == 0


def test_two_right_answers_in_a_row_take_an_item_out_of_the_wrong_book(either_db: Session) -> None:
    account_id, (version, *_) = prepare(either_db)
    for place, (right, stands) in enumerate([(False, True), (True, True), (False, True), (True, True), (True, False)]):
        give(either_db, account_id, version, right, place)
        assert (find_entry(either_db, account_id, version.item_id) is not None) is stands


@given(answers=st.lists(st.booleans(), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_wrong_book_holds_what_was_not_right_twice_since_the_last_mistake(db: Session, answers: list[bool]) -> None:
    account_id, (version, *_) = prepare(db)
    for right in answers:
        with transaction(db):
            note_right(db, account_id, version.item_id) if right else note_wrong(
                db, account_id, version.item_id, NOW_MS
            )
    since = len(answers) - 1 - answers[::-1].index(False) if False in answers else None
    stands = since is not None and answers[since:].count(True) < RIGHT_TO_LEAVE
    assert (find_entry(db, account_id, version.item_id) is not None) is stands


def test_each_question_of_the_daily_quiz_counts_once(either_db: Session) -> None:
    account_id, versions = prepare(either_db)
    for place, right in [(0, True), (0, False), (1, False), (1, True), (2, True)]:
        with transaction(either_db):
            record_daily_answer(
                either_db,
                account_id=account_id,
                day=DAY,
                place=place,
                version=versions[place],
                answer="b",
                right=right,
                now_ms=NOW_MS,
            )
    row = either_db.scalars(select(DailyResult)).one()
    assert (row.answered, row.right) == (3, 2)
    assert daily_results(either_db, account_id, DAY) == "101"
    mark = week_of_account(either_db, account_id, DAY)[-1]
    assert (mark.day, mark.answered, mark.right, mark.done) == (DAY, 3, 2, False)


def test_wrong_answers_that_come_back_do_not_count_for_the_day(either_db: Session) -> None:
    account_id, versions = prepare(either_db)
    for place in range(7):
        with transaction(either_db):
            record_daily_answer(
                either_db,
                account_id=account_id,
                day=DAY,
                place=place,
                version=versions[place % 5],
                answer="b",
                right=place >= 2,
                now_ms=NOW_MS,
            )
    row = either_db.scalars(select(DailyResult)).one()
    assert (row.answered, row.right) == (5, 3)
    assert daily_results(either_db, account_id, DAY) == "0011111"


def test_the_wrong_books_of_two_accounts_are_apart(db: Session) -> None:
    account_id, (version, *_) = prepare(db)
    with transaction(db):
        other = make_account(db).id
        note_wrong(db, account_id, version.item_id, NOW_MS)
        note_right(db, other, version.item_id)
    assert db.scalars(select(WrongBookEntry.account_id)).all() == [account_id]


def test_what_an_open_test_uses_is_out_of_practice_until_it_is_over(db: Session) -> None:
    with transaction(db):
        free = {version.item_id for version in make_items(db, 3)}
        delivery = make_delivery(db)
    assert {item.item_id for item in practice_pool(db, START)} == free
    with transaction(db):
        delivery.closes_at = NOW_MS
    assert len(practice_pool(db, START)) == 8


def test_items_for_tests_only_and_retired_ones_are_not_practised(db: Session) -> None:
    with transaction(db):
        versions = make_items(db, 3)
        versions[0].use = "test"
        versions[1].item.state = "retired"
    assert [item.item_id for item in practice_pool(db, START)] == [versions[2].item_id]
