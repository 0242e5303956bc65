"""Saving answers through the statement that the hot path uses, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.hot import HotConnections
from quizapp.core.tokens import Keys, digest, new_secret
from quizapp.quizzes.errors import AnswerMalformed
from quizapp.quizzes.models import Attempt, LateResponse, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.services.saving import AnswerItem, SaveReply, SaveStatus, parse_items, save_answers
from quizapp.quizzes.services.submitting import close_if_over, submit_attempt
from tests.conftest import START
from tests.factories import make_delivery
from tests.quizzes.support import begin

NOW = to_ms(START)


class Phone:
    """Somebody answering through the hot path."""

    def __init__(self, database: Database, keys: Keys, **delivery: object) -> None:
        self.database = database
        self.hot = HotConnections(database)
        with database.session() as db:
            with transaction(db):
                made = make_delivery(db, **delivery)
            self.delivery_id = made.id
            started = begin(db, made, keys)
        self.attempt = started.attempt
        self.secret = started.secret

    def save(self, *items: tuple[int, str, int], now: int = NOW, secret: str | None = None) -> SaveReply:
        with self.hot.run(together=len(items) > 1) as run:
            return save_answers(
                run,
                attempt=self.attempt.public_id,
                secret_hash=digest(secret or self.secret),
                items=[AnswerItem(*item) for item in items],
                now_ms=now,
            )

    def stored(self) -> dict[int, tuple[str, int]]:
        with self.database.session() as db:
            rows = db.scalars(select(Response).where(Response.attempt_id == self.attempt.id))
            return {row.position: (row.answer, row.sequence) for row in rows}

    def submit(self, now: int = NOW) -> Attempt:
        with self.database.session() as db, transaction(db):
            return submit_attempt(db, self.attempt.id, papers=PaperCache(), now_ms=now)


@pytest.fixture
def phone(either_database: Database, keys: Keys) -> Iterator[Phone]:
    phone = Phone(either_database, keys)
    yield phone
    phone.hot.close()


def statuses(reply: SaveReply) -> list[SaveStatus]:
    return [result.status for result in reply.results]


def test_an_answer_is_stored_and_the_reply_carries_the_highest_sequence(phone: Phone) -> None:
    assert phone.save((2, "t", 7)).highest == 7
    reply = phone.save((1, "b", 3))
    assert (statuses(reply), reply.highest) == ([SaveStatus.SAVED], 7)
    assert phone.stored() == {1: ("b", 3), 2: ("t", 7)}


def test_the_same_answer_sent_again_is_saved_and_changes_nothing(phone: Phone) -> None:
    phone.save((1, "b", 1))
    assert statuses(phone.save((1, "b", 1))) == [SaveStatus.SAVED]
    assert phone.stored() == {1: ("b", 1)}


def test_an_older_answer_is_superseded_and_told_what_stands(phone: Phone) -> None:
    phone.save((1, "c", 5))
    result = phone.save((1, "a", 4)).results[0]
    assert (result.status, result.answer, result.stored_sequence) == (SaveStatus.SUPERSEDED, "c", 5)
    assert phone.stored() == {1: ("c", 5)}


def test_two_tabs_with_the_same_sequence_keep_the_first(phone: Phone) -> None:
    phone.save((1, "c", 5))
    assert statuses(phone.save((1, "a", 5))) == [SaveStatus.SUPERSEDED]
    assert phone.stored() == {1: ("c", 5)}


def test_an_answer_taken_back_is_stored_as_empty(phone: Phone) -> None:
    phone.save((3, "a,c", 1))
    phone.save((3, "", 2))
    assert phone.stored() == {3: ("", 2)}
    assert phone.submit().answered_count == 0


def test_a_wrong_secret_gets_nothing_and_changes_nothing(phone: Phone) -> None:
    phone.save((1, "b", 1))
    result = phone.save((1, "c", 2), secret=new_secret()).results[0]
    assert (result.status, result.answer) == (SaveStatus.NOT_YOURS, None)
    assert phone.stored() == {1: ("b", 1)}


def test_an_answer_within_the_grace_counts_and_one_after_it_is_kept_as_late(phone: Phone) -> None:
    edge = phone.attempt.accepts_until
    assert statuses(phone.save((1, "b", 1), now=edge)) == [SaveStatus.SAVED]
    assert statuses(phone.save((2, "t", 2), now=edge + 1)) == [SaveStatus.LATE]
    assert phone.stored() == {1: ("b", 1)}
    with phone.database.session() as db:
        late = db.scalars(select(LateResponse)).one()
        assert (late.position, late.answer, late.sequence) == (2, "t", 2)


def test_a_late_answer_after_the_attempt_was_closed_by_the_clock_is_still_kept(phone: Phone) -> None:
    edge = phone.attempt.accepts_until
    phone.save((1, "b", 1))
    with phone.database.session() as db, transaction(db):
        closed = close_if_over(db, phone.attempt.id, papers=PaperCache(), now_ms=edge + 1)
    assert (closed.state, closed.score) == ("expired", 20)
    assert statuses(phone.save((2, "t", 2), now=edge + 5000)) == [SaveStatus.LATE]
    with phone.database.session() as db:
        assert db.get_one(Attempt, phone.attempt.id).score == 20
        assert db.scalars(select(LateResponse.position)).all() == [2]


def test_answers_of_a_phone_that_was_offline_all_the_time_are_kept_as_late(phone: Phone) -> None:
    edge = phone.attempt.accepts_until
    with phone.database.session() as db, transaction(db):
        assert close_if_over(db, phone.attempt.id, papers=PaperCache(), now_ms=edge + 1).state == "void"
    reply = phone.save((1, "b", 1), (2, "t", 2), now=edge + 5000)
    assert statuses(reply) == [SaveStatus.LATE, SaveStatus.LATE]
    with phone.database.session() as db:
        assert (db.get_one(Attempt, phone.attempt.id).state, phone.stored()) == ("void", {})
        late = db.scalars(select(LateResponse).order_by(LateResponse.position)).all()
        assert [(row.position, row.answer, row.sequence) for row in late] == [(1, "b", 1), (2, "t", 2)]


def test_after_the_submit_an_answer_is_refused_and_the_score_stands(phone: Phone) -> None:
    phone.save((1, "b", 1), (2, "t", 2))
    assert phone.submit().score == 40
    assert statuses(phone.save((3, "a,c", 3))) == [SaveStatus.CLOSED]
    assert statuses(phone.save((1, "b", 1))) == [SaveStatus.SAVED]  # its acknowledgement was lost: it is in the score
    assert phone.submit().score == 40


def test_a_position_that_the_paper_does_not_have_is_malformed_and_nothing_of_its_batch_is_stored(phone: Phone) -> None:
    with pytest.raises(AnswerMalformed):
        phone.save((1, "b", 1), (6, "a", 2))
    assert phone.stored() == {}


def test_a_server_that_was_set_back_takes_the_missing_answers_again(phone: Phone) -> None:
    phone.save((1, "b", 1), (2, "t", 2), (3, "a,c", 3))
    with phone.database.session() as db, transaction(db):
        db.execute(delete(Response).where(Response.position > 1))
    assert statuses(phone.save((1, "b", 1), (2, "t", 2), (3, "a,c", 3))) == [SaveStatus.SAVED] * 3
    assert phone.stored() == {1: ("b", 1), 2: ("t", 2), 3: ("a,c", 3)}


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"items": []},
        {"items": "x"},
        {"items": [{"position": 1}]},
        {"items": [{"position": "1", "answer": "a", "sequence": 1}]},
        {"items": [{"position": 1, "answer": "a", "sequence": True}]},
        {"items": [{"position": 0, "answer": "a", "sequence": 1}]},
        {"items": [{"position": 1, "answer": "<b>", "sequence": 1}]},
        {"items": [{"position": 1, "answer": "a,a", "sequence": 1}]},
        {"items": [{"position": 1, "answer": ["a"], "sequence": 1}]},
        {"items": [{"position": 1, "answer": "a", "sequence": 2**53}]},
        {"items": [{"position": 1, "answer": "a", "sequence": 1}] * 201},
    ],
)
def test_a_body_of_another_form_is_refused(payload: object) -> None:
    with pytest.raises(AnswerMalformed):
        parse_items(payload)


deliveries_of_answers = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from(["", "a", "b", "t", "a,c"]), st.integers(1, 30)), max_size=25
)


@given(deliveries_of_answers)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_out_of_order_and_repeated_end_in_the_newest(
    sqlite_database: Database, keys: Keys, sent: list[tuple[int, str, int]]
) -> None:
    phone = Phone(sqlite_database, keys)
    expected: dict[int, tuple[str, int]] = {}
    for position, answer, sequence in sent:
        phone.save((position, answer, sequence))
        if position not in expected or sequence > expected[position][1]:
            expected[position] = (answer, sequence)
    assert phone.stored() == expected
    phone.hot.close()
