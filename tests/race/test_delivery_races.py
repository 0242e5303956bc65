"""A delivery that is changed or ended while people start it, and two who change it at once, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.quizzes.errors import DeliveryEdited
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.quizzes.services import deliveries, starting
from quizapp.quizzes.services.deliveries import close_early, update_delivery
from tests.conftest import START
from tests.factories import make_delivery
from tests.quizzes.support import begin
from tests.race.gate import gate, together

pytestmark = [pytest.mark.race, pytest.mark.postgres]
EDITORS, STARTS = 6, 8


@pytest.fixture
def roomy(postgres_database: Database) -> Database:
    """A pool that holds a connection for each of them."""
    return Database(postgres_database.url, pooled=False)


def edit(roomy: Database, revision: int | None) -> tuple[int, int]:
    """As many editors as there are save at once; gives how many believe to have saved, and the revision that stands."""
    with roomy.session() as db, transaction(db):
        delivery_id = make_delivery(db).id

    def save(number: int) -> Callable[[Session], Any]:
        def do(db: Session) -> Any:
            with transaction(db):
                changes = {"title": f"第 {number} 版"}
                return update_delivery(
                    db, delivery_id, changes=changes, actor=SYSTEM, now=START, revision=revision
                ).title

        return do

    results = together(roomy, [save(number) for number in range(EDITORS)])
    assert all(isinstance(result, str | DeliveryEdited) for result in results)
    with roomy.session() as db:
        stored = db.get_one(Delivery, delivery_id)
        saved = [result for result in results if isinstance(result, str)]
        assert stored.title in saved
        return len(saved), stored.revision


def test_of_editors_who_saw_the_same_exactly_one_saves(roomy: Database) -> None:
    assert edit(roomy, revision=1) == (1, 2)


def unlocked(db: Session, delivery_id: int) -> Delivery:
    """The control: the row is read, not locked."""
    return db.get_one(Delivery, delivery_id, populate_existing=True)


def test_the_update_itself_compares_whatever_was_locked(roomy: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "lock_delivery", unlocked)
    assert edit(roomy, revision=1) == (1, 2)


def test_without_a_revision_they_would_overwrite_each_other(roomy: Database) -> None:
    assert edit(roomy, revision=None) == (EDITORS, EDITORS + 1)


def close_while_starting(roomy: Database, keys: Keys) -> list[int]:
    """People start while the delivery is ended; gives the deadlines that lie after its end.

    All starts have read the delivery and none is stored when the end is set.
    """
    with roomy.session() as db, transaction(db):
        delivery = make_delivery(db, time_limit_s=None)
    later = START + timedelta(seconds=5)

    def start() -> None:
        with roomy.session() as db:
            begin(db, db.get_one(Delivery, delivery.id), keys)

    def close() -> None:
        with roomy.session() as db, transaction(db):
            close_early(db, delivery.id, actor=SYSTEM, now=later)

    with gate(roomy, "attempt") as door, ThreadPoolExecutor(STARTS + 1) as pool:
        running = [pool.submit(start) for _ in range(STARTS)]
        door.settle(*running)
        running.append(pool.submit(close))
        door.settle(*running)
        door.open()
        for one in running:
            one.result(timeout=60)
    with roomy.session() as db:
        assert db.get_one(Delivery, delivery.id).closes_at == to_ms(later)
        return list(db.scalars(select(Attempt.deadline_at).where(Attempt.deadline_at > to_ms(later))))


def test_nobody_who_starts_while_it_is_ended_may_answer_beyond_the_end(roomy: Database, keys: Keys) -> None:
    assert close_while_starting(roomy, keys) == []


def test_without_holding_the_delivery_some_would(roomy: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "hold_delivery", lambda _db, _delivery: true())
    assert close_while_starting(roomy, keys) != []


def test_papers_that_are_made_anew_are_never_drawn_by_a_start(roomy: Database, keys: Keys) -> None:
    """Whoever is first has the word: the start keeps the papers, or the change makes it wait for the new ones."""
    with roomy.session() as db, transaction(db):
        delivery = make_delivery(db, papers=2)

    def start(db: Session) -> Any:
        return begin(db, db.get_one(Delivery, delivery.id), keys).attempt.id

    def change(db: Session) -> Any:
        with transaction(db):
            return update_delivery(db, delivery.id, changes={"paper_count": 3}, actor=SYSTEM, now=START).state

    results = together(roomy, [start, change, start])
    refusals = [result.code for result in results if isinstance(result, DomainError)]
    with roomy.session() as db:
        attempts = len(db.scalars(select(Attempt.id)).all())
        state = db.get_one(Delivery, delivery.id).state
    assert (attempts, state, refusals) in [
        (2, "ready", ["delivery_started"]),
        (0, "preparing", ["delivery_not_ready"] * 2),
    ]
