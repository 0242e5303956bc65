"""Many people at once for the last places of a session, on PostgreSQL (SQLite's single writer would hide it)."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.trainings.models import Registration, TrainingSession
from quizapp.trainings.services import registering
from quizapp.trainings.services.registering import cancel_own
from tests.conftest import START
from tests.race.gate import together
from tests.trainings.registering import as_guest, open_one, standing

pytestmark = [pytest.mark.race, pytest.mark.postgres]
PEOPLE, PLACES, BEFORE = 20, 5, 10


def without_the_lock(db: Session, session_id: int) -> TrainingSession:
    """The control: the row is read, not locked."""
    return db.get_one(TrainingSession, session_id, populate_existing=True)


def rush(database: Database, keys: Keys, *, cancels: int = 0) -> int:
    """Ten people have a place of fifteen; twenty more come at once, and `cancels` of the first ten give theirs up meanwhile.

    Without a lock all have counted before the first is stored.
    """
    with database.session() as db:
        with transaction(db):
            session_id = open_one(db, capacity=BEFORE + PLACES).id
        session = db.get_one(TrainingSession, session_id)
        first = [as_guest(db, session, keys, 1000 + number).registration.id for number in range(BEFORE)]

    def register(db: Session, number: int) -> None:
        as_guest(db, db.get_one(TrainingSession, session_id), keys, number)

    def cancel(db: Session, registration_id: int) -> None:
        with transaction(db):
            cancel_own(db, registration=db.get_one(Registration, registration_id), now=START)

    work: list[Callable[[Session], Any]] = [partial(register, number=number) for number in range(PEOPLE)]
    work += [partial(cancel, registration_id=one) for one in first[:cancels]]
    random.Random(7).shuffle(work)
    assert not any(together(database, work, table="registration"))
    return session_id


@pytest.fixture
def roomy(postgres_database: Database) -> Database:
    """A pool that holds a connection for each of them."""
    return Database(postgres_database.url, pooled=False)


def test_the_last_places_go_to_exactly_that_many_and_the_others_wait(roomy: Database, keys: Keys) -> None:
    session_id = rush(roomy, keys)
    with roomy.session() as db:
        assert len(standing(db, session_id, "registered")) == BEFORE + PLACES
        assert len(standing(db, session_id, "waiting")) == PEOPLE - PLACES


def test_cancellations_meanwhile_lose_nobody_and_keep_the_line(roomy: Database, keys: Keys) -> None:
    session_id = rush(roomy, keys, cancels=6)
    with roomy.session() as db:
        registered, waiting = standing(db, session_id, "registered"), standing(db, session_id, "waiting")
        assert len(registered) == BEFORE + PLACES
        assert len(waiting) == PEOPLE - PLACES - 6
        assert {f"人{number}" for number in range(PEOPLE)} <= {*registered, *waiting}
        rows = db.scalars(
            select(Registration)
            .where(Registration.session_id == session_id, Registration.state != "cancelled")
            .order_by(Registration.queued_at)
        ).all()
        # whoever joined earlier has the place: no one who waits stands before one who has it
        assert [row.state for row in rows] == ["registered"] * (BEFORE + PLACES) + ["waiting"] * len(waiting)
        assert len({row.queued_at for row in rows}) == len(rows)


def test_without_the_lock_more_would_get_in_than_there_are_places(
    roomy: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "lock_session", without_the_lock)
    session_id = rush(roomy, keys)
    with roomy.session() as db:
        assert len(standing(db, session_id, "registered")) > BEFORE + PLACES
