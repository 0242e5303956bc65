"""What forty phones can do to one session at the same time, on PostgreSQL (SQLite's single writer would hide it)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.hot import HotConnections
from quizapp.core.scope import GUEST, SYSTEM
from quizapp.core.tokens import Keys
from quizapp.trainings import queries
from quizapp.trainings.models import Attendance, TrainingSession
from quizapp.trainings.rotating import Right
from quizapp.trainings.services import Typed, check_in, checking_in, close_session, take_quickly
from tests.conftest import START
from tests.factories import make_person, make_session, make_unit
from tests.race.gate import gate, together

pytestmark = [pytest.mark.race, pytest.mark.postgres]
NOW = to_ms(START)
PHONES, CAPACITY, LEFT = 40, 12, 10


def new_session(database: Database, **values: object) -> TrainingSession:
    with database.session() as db, transaction(db):
        return make_session(db, make_unit(db), code_mode="rotating", **values)


def forty_phones(postgres_database: Database, keys: Keys) -> tuple[Counter[str], int]:
    """Forty phones, two of the twelve places being taken: what each got, and how many are in at the end."""
    database = Database(postgres_database.url, pooled=False)
    session = new_session(database, capacity=CAPACITY)
    with database.session() as db, transaction(db):
        for _ in range(CAPACITY - LEFT):
            db.add(
                Attendance(
                    session_id=session.id,
                    person_id=make_person(db).id,
                    method="rotating",
                    matched="typed",
                    at_ms=NOW,
                    received_at=NOW,
                )
            )

    def press(db: Session, number: int) -> str:
        with transaction(db):
            check_in(
                db,
                session=db.get_one(TrainingSession, session.id),
                name=f"张{number}",
                phone=f"138{number:08d}",
                device_hash=None,
                keys=keys,
                actor=GUEST,
                right=Right.new(session.code, NOW),
                now=START,
            )
        return "in"

    found = together(database, [partial(press, number=number) for number in range(PHONES)], table="attendance")
    outcomes = Counter(one.code if isinstance(one, DomainError) else str(one) for one in found)
    with database.session() as db:
        return outcomes, queries.count_arrivals(db, session.id)


def test_forty_phones_at_once_for_the_last_ten_places_let_exactly_ten_in(
    postgres_database: Database, keys: Keys
) -> None:
    outcomes, arrivals = forty_phones(postgres_database, keys)
    assert outcomes == {"in": LEFT, "check_in_full": PHONES - LEFT}
    assert arrivals == CAPACITY


def test_without_the_lock_on_the_session_more_would_get_in(
    postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: counting and inserting without holding the session."""

    def unlocked(_db: Session, session: TrainingSession) -> TrainingSession:
        return session

    monkeypatch.setattr(checking_in, "hold", unlocked)
    outcomes, arrivals = forty_phones(postgres_database, keys)
    assert outcomes["in"] > LEFT
    assert arrivals > CAPACITY


def test_one_right_from_many_phones_at_once_signs_one_person(postgres_database: Database, keys: Keys) -> None:
    session = new_session(postgres_database)
    right = Right.new(session.code, NOW)
    hot = HotConnections(postgres_database)

    def press(number: int) -> str:
        with hot.run() as run:
            typed = Typed(f"张{number}", "13800001234")
            found = take_quickly(
                run, session_code=session.code, typed=typed, right=right, device_hash=None, keys=keys, now=START
            )
        return "in" if found else "more to say"

    phones = 4  # as many as there are connections: all come to the gate
    with gate(postgres_database, "attendance") as door, ThreadPoolExecutor(phones) as pool:
        running = [pool.submit(press, number) for number in range(phones)]
        door.settle(*running)
        door.open()
        assert Counter(one.result(timeout=30) for one in running) == {"in": 1, "more to say": phones - 1}
    hot.close()
    with postgres_database.session() as db:
        assert db.scalar(select(func.count()).select_from(Attendance)) == 1


def test_a_check_in_that_meets_the_closing_is_on_the_list_or_refused(postgres_database: Database, keys: Keys) -> None:
    """The closing waits for the check-in that was checked before it: nothing is added to a list that was read as closed."""
    session = new_session(postgres_database)
    hot = HotConnections(postgres_database)

    def press() -> bool:
        with hot.run() as run:
            right = Right.new(session.code, NOW)
            typed = Typed("周敏", "13800001234")
            found = take_quickly(
                run, session_code=session.code, typed=typed, right=right, device_hash=None, keys=keys, now=START
            )
        return found is not None

    def close() -> int:
        with postgres_database.session() as db:
            with transaction(db):
                found = db.get_one(TrainingSession, session.id)
                close_session(db, session=found, actor=SYSTEM, now=START + timedelta(seconds=1))
            return queries.count_arrivals(db, session.id)

    with gate(postgres_database, "attendance") as door, ThreadPoolExecutor() as pool:
        pressed = pool.submit(press)
        door.settle(pressed)  # it has seen an open session
        closed = pool.submit(close)
        door.settle(pressed, closed)
        door.open()
        assert pressed.result(timeout=30)
        frozen = closed.result(timeout=30)
    hot.close()
    assert frozen == 1
