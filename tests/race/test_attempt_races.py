"""What two requests can do to one attempt at the same time, on PostgreSQL (SQLite's single writer would hide it)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.hot import HotConnections, HotStatement
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, digest
from quizapp.quizzes.errors import DeliveryFull, TriesUsedUp
from quizapp.quizzes.models import Attempt, Delivery, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.services import saving, starting
from quizapp.quizzes.services.saving import AnswerItem, SaveStatus, save_answers, save_form_answer
from quizapp.quizzes.services.starting import Started
from quizapp.quizzes.services.submitting import close_if_over, submit_attempt
from tests.conftest import START
from tests.factories import make_account, make_delivery
from tests.quizzes.support import begin
from tests.race.gate import PATIENCE, gate, one_after_the_other, together

pytestmark = [pytest.mark.race, pytest.mark.postgres]
NOW = to_ms(START)
FULL = DeliveryFull.code


def meet(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch, statement: HotStatement
) -> tuple[str, int, int]:
    """Let a save check the attempt, then let the submit run, then let the save write.

    The gate stops the answer after the attempt was checked. Returns (status of the save, score, stored answers).
    """
    monkeypatch.setattr(saving, "SAVE", statement)
    with database.session() as db:
        with transaction(db):
            delivery = make_delivery(db, items=1)
        started = begin(db, delivery, keys)
    hot = HotConnections(database)

    def save() -> str:
        with hot.run() as run:
            reply = save_answers(
                run,
                attempt=started.attempt.public_id,
                secret_hash=digest(started.secret),
                items=[AnswerItem(1, "b", 1)],
                now_ms=NOW,
            )
        return reply.results[0].status

    def submit() -> int:
        with database.session() as db, transaction(db):
            return submit_attempt(db, started.attempt.id, papers=PaperCache(), now_ms=NOW).score or 0

    with gate(database, "response") as door, ThreadPoolExecutor() as pool:
        saved = pool.submit(save)
        door.settle(saved)
        submitted = pool.submit(submit)
        door.settle(saved, submitted)  # it waits for the save; in the control it has ended
        door.open()
        status, score = saved.result(timeout=10), submitted.result(timeout=10)
    hot.close()
    with database.session() as db:
        count = db.scalar(select(func.count()).select_from(Response)) or 0
    return status, score, count


def test_a_save_that_meets_the_submit_is_in_the_score(
    postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert meet(postgres_database, keys, monkeypatch, saving.SAVE) == (SaveStatus.SAVED, 20, 1)


def test_without_the_shared_lock_an_acknowledged_answer_would_be_missing_in_the_score(
    postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same meeting without the lock and without the foreign key that would take one."""
    with postgres_database.session() as db, transaction(db):
        db.execute(text("ALTER TABLE response DROP CONSTRAINT fk_response_attempt_id_attempt"))
    unlocked = HotStatement(saving.SAVE.sqlite, saving.SAVE.postgresql.replace("FOR SHARE OF attempt", ""))
    status, score, stored = meet(postgres_database, keys, monkeypatch, unlocked)
    assert (status, score, stored) == (SaveStatus.SAVED, 0, 1)


def test_a_save_that_comes_while_the_submit_holds_the_attempt_is_refused(
    postgres_database: Database, keys: Keys
) -> None:
    with postgres_database.session() as db:
        with transaction(db):
            delivery = make_delivery(db, items=1)
        started = begin(db, delivery, keys)
    hot = HotConnections(postgres_database)
    submitted, may_commit = threading.Event(), threading.Event()

    def submit() -> None:
        with postgres_database.session() as db, transaction(db):
            submit_attempt(db, started.attempt.id, papers=PaperCache(), now_ms=NOW)
            submitted.set()
            may_commit.wait(PATIENCE)

    def save() -> str:
        with hot.run() as run:
            reply = save_answers(
                run,
                attempt=started.attempt.public_id,
                secret_hash=digest(started.secret),
                items=[AnswerItem(1, "b", 1)],
                now_ms=NOW,
            )
        return reply.results[0].status

    with gate(postgres_database) as door, ThreadPoolExecutor() as pool:
        first = pool.submit(submit)
        assert submitted.wait(PATIENCE)
        second = pool.submit(save)
        door.settle(second)
        assert not second.done()  # it waits for the submit
        may_commit.set()
        first.result(timeout=10)
        assert second.result(timeout=10) == SaveStatus.CLOSED
    hot.close()
    with postgres_database.session() as db:
        assert db.scalar(select(func.count()).select_from(Response)) == 0


def test_two_submits_score_once(postgres_database: Database, keys: Keys) -> None:
    with postgres_database.session() as db:
        with transaction(db):
            delivery = make_delivery(db)
        attempt = begin(db, delivery, keys).attempt
        with transaction(db):
            db.add(Response(attempt_id=attempt.id, position=1, answer="b", sequence=1, saved_at=NOW))
    barrier = threading.Barrier(8)

    def submit(number: int) -> tuple[int | None, int | None]:
        with postgres_database.session() as db:
            barrier.wait()
            with transaction(db):
                row = submit_attempt(db, attempt.id, papers=PaperCache(), now_ms=NOW + number)
            return row.closed_at, row.score

    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(submit, range(8)))
    assert len(results) == 1


def at_once(database: Database, delivery_id: int, starts: list[Callable[[Session, Delivery], Started]]) -> list[str]:
    """Run these starts at the same time; gives what became of each: the attempt's name, or the refusal's.

    All have looked, or wait for each other, before the first is stored.
    """

    def run(db: Session, start: Callable[[Session, Delivery], Started]) -> str:
        return start(db, db.get_one(Delivery, delivery_id)).attempt.public_id

    found = together(database, [partial(run, start=start) for start in starts], table="attempt")
    return [one.code if isinstance(one, DomainError) else one for one in found]


def starts_at_once(database: Database, keys: Keys, count: int, **values: object) -> list[str]:
    """Start that many attempts of one person at the same time; gives what became of each, as `at_once` does."""
    with database.session() as db:
        with transaction(db):
            delivery_id = make_delivery(db, **values).id
            earlier = make_delivery(db)
        # the person is known already: making them would let one start wait for the other
        begin(db, earlier, keys, name="李国", phone="13800000001")

    def start(db: Session, delivery: Delivery) -> Started:
        return begin(db, delivery, keys, name="李国", phone="13800000001")

    return at_once(database, delivery_id, [start] * count)


def test_of_many_starts_of_one_person_one_is_the_first(postgres_database: Database, keys: Keys) -> None:
    _one_of_eight_is_first(postgres_database, keys)


def test_the_unique_index_alone_lets_one_person_have_one_first(
    postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "lock_persons", lambda *_: None)
    _one_of_eight_is_first(postgres_database, keys)


def _one_of_eight_is_first(postgres_database: Database, keys: Keys) -> None:
    assert FULL not in starts_at_once(postgres_database, keys, 8)
    with postgres_database.session() as db:
        attempts = db.scalars(select(Attempt).order_by(Attempt.id)).all()[1:]
        assert len(attempts) == 8
        assert len({a.person_id for a in attempts}) == 1
        assert sum(a.is_first for a in attempts) == 1


def test_without_lock_and_unique_index_one_person_would_have_several_firsts(
    postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "lock_persons", lambda *_: None)
    with postgres_database.session() as db, transaction(db):
        db.execute(text("DROP INDEX uq_attempt_first"))
    starts_at_once(postgres_database, keys, 8)
    with postgres_database.session() as db:
        attempts = db.scalars(select(Attempt).order_by(Attempt.id)).all()[1:]
        assert sum(a.is_first for a in attempts) > 1


def test_the_last_places_go_to_exactly_that_many(postgres_database: Database, keys: Keys) -> None:
    assert starts_at_once(postgres_database, keys, 8, capacity=3).count(FULL) == 5


@pytest.mark.parametrize("profile", [{}, {"name": "李国", "phone": "13800000001"}], ids=["nobody", "somebody"])
def test_a_form_pressed_twice_at_once_is_one_attempt(
    postgres_database: Database, keys: Keys, profile: dict[str, str]
) -> None:
    with postgres_database.session() as db, transaction(db):
        delivery_id = make_delivery(db).id

    def press(db: Session, delivery: Delivery) -> Started:
        return begin(db, delivery, keys, ticket="t" * 22, **profile)

    assert len(set(at_once(postgres_database, delivery_id, [press] * 4))) == 1
    with postgres_database.session() as db:
        assert db.scalar(select(func.count()).select_from(Attempt)) == 1


def test_two_tabs_of_an_account_do_not_start_more_than_its_tries(postgres_database: Database, keys: Keys) -> None:
    with postgres_database.session() as db:
        with transaction(db):
            delivery_id = make_delivery(db, tries=1).id
        with transaction(db):
            account = make_account(db)
            actor = Actor(account_id=account.id, person_id=account.person_id)

    def start(db: Session, delivery: Delivery) -> Started:
        return begin(db, delivery, keys, actor=actor)

    results = at_once(postgres_database, delivery_id, [start] * 4)
    assert results.count(TriesUsedUp.code) == 3


def test_a_start_that_meets_the_void_of_the_first_becomes_the_first(postgres_database: Database, keys: Keys) -> None:
    """Somebody starts again in the very moment in which their empty attempt is closed: one of the two must carry the flag."""
    known = {"name": "李国", "phone": "13800000001"}
    with postgres_database.session() as db:
        with transaction(db):
            delivery = make_delivery(db)
        empty = begin(db, delivery, keys, **known).attempt
    after = empty.accepts_until + 1

    def start() -> None:
        with postgres_database.session() as db:
            begin(db, db.get_one(Delivery, delivery.id), keys, **known)

    def close() -> None:
        with postgres_database.session() as db, transaction(db):
            close_if_over(db, empty.id, papers=PaperCache(), now_ms=after)

    one_after_the_other(postgres_database, "attempt", start, close)
    with postgres_database.session() as db:
        attempts = db.scalars(select(Attempt).order_by(Attempt.id)).all()
        assert [(a.state, a.is_first) for a in attempts] == [("void", False), ("open", True)]


Save = Callable[[HotConnections, Started, str], None]


def two_forms_at_once(database: Database, keys: Keys, save: Save) -> tuple[str, int]:
    """Two forms of a browser without scripts, the second sent while the first is being written; what stands then."""
    with database.session() as db:
        with transaction(db):
            delivery = make_delivery(db, items=1)
        started = begin(db, delivery, keys)
    hot = HotConnections(database)
    one_after_the_other(database, "response", partial(save, hot, started, "b"), partial(save, hot, started, "c"))
    hot.close()
    with database.session() as db:
        stored = db.scalars(select(Response)).one()
    return stored.answer, stored.sequence


def test_of_two_forms_at_once_the_later_one_stands(postgres_database: Database, keys: Keys) -> None:
    def save(hot: HotConnections, started: Started, answer: str) -> None:
        with hot.run() as run:
            result = save_form_answer(
                run,
                attempt=started.attempt.public_id,
                secret_hash=digest(started.secret),
                position=1,
                answer=answer,
                now_ms=NOW,
            )
        assert result.status == SaveStatus.SAVED

    assert two_forms_at_once(postgres_database, keys, save) == ("c", 2)


def test_control_a_number_that_was_read_before_loses_the_later_form(postgres_database: Database, keys: Keys) -> None:
    def save(hot: HotConnections, started: Started, answer: str) -> None:
        with hot.run() as run:  # both read that nothing stands, and take 1
            item = AnswerItem(1, answer, 1)
            save_answers(
                run,
                attempt=started.attempt.public_id,
                secret_hash=digest(started.secret),
                items=[item],
                now_ms=NOW,
            )

    assert two_forms_at_once(postgres_database, keys, save) == ("b", 1)
