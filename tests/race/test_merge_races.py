"""What meets a merge of two persons on PostgreSQL: another merge, a check-in, a start of an attempt."""

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
from quizapp.core.scope import SYSTEM, Actor
from quizapp.core.tokens import Keys
from quizapp.organisation import merging, people
from quizapp.organisation.merging import merge_people
from quizapp.organisation.models import Person, PersonMerge
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.quizzes.services import starting
from quizapp.trainings.models import Attendance, TrainingSession
from quizapp.trainings.services import check_in, checking_in
from tests.conftest import START
from tests.factories import (
    make_account,
    make_attempt,
    make_attendance,
    make_delivery,
    make_person,
    make_session,
    make_unit,
)
from tests.quizzes.support import begin
from tests.race.gate import PATIENCE, one_after_the_other, together

pytestmark = [pytest.mark.race, pytest.mark.postgres]
NOW = to_ms(START)


def unlocked(db: Session, *person_ids: int) -> dict[int, Person]:
    """The control: the rows as they are, without waiting for anybody."""
    return {person_id: db.get_one(Person, person_id) for person_id in person_ids}


def merges_at_once(database: Database, pairs: list[tuple[int, int]]) -> list[str]:
    """Run these merges at the same time; all have looked, or wait for each other, before one is stored."""

    def run(db: Session, pair: tuple[int, int]) -> str:
        with transaction(db):
            merge_people(db, kept_id=pair[0], merged_id=pair[1], actor=SYSTEM, now=START)
        return "merged"

    found = together(database, [partial(run, pair=pair) for pair in pairs], table="person_merge")
    return sorted(one.code if isinstance(one, DomainError) else one for one in found)


def three(database: Database) -> tuple[int, int, int]:
    with database.session() as db, transaction(db):
        return make_person(db).id, make_person(db).id, make_person(db).id


def test_of_two_merges_of_one_person_one_is_refused(postgres_database: Database) -> None:
    first, second, third = three(postgres_database)
    assert merges_at_once(postgres_database, [(first, third), (second, third)]) == ["merged", "person_is_merged"]


def test_two_that_are_merged_into_each_other_end_as_one(postgres_database: Database) -> None:
    first, second, _ = three(postgres_database)
    assert merges_at_once(postgres_database, [(first, second), (second, first)]) == ["merged", "person_is_merged"]
    with postgres_database.session() as db:
        assert len(set(db.scalars(select(Person.merged_into_id).where(Person.id.in_((first, second)))))) == 2


def test_without_the_lock_one_person_would_be_merged_twice(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both look before either writes. (Into each other they would lead round in a circle.)"""
    monkeypatch.setattr(merging, "lock_people", unlocked)
    first, second, third = three(postgres_database)
    barrier = threading.Barrier(2)
    part = merging.MERGE_PERSON["accounts"]

    def both_have_looked(db: Session, found: merging.PersonMerging) -> dict[str, object]:
        barrier.wait(PATIENCE)
        return part.do(db, found)

    monkeypatch.setitem(
        merging.MERGE_PERSON,
        "accounts",
        merging.MergePersonPart(part.name, part.moves, part.preview, both_have_looked, part.undo, part.stays),
    )
    assert merges_at_once(postgres_database, [(first, third), (second, third)]) == ["merged", "merged"]
    with postgres_database.session() as db:
        assert db.scalar(select(func.count()).select_from(PersonMerge)) == 2


def meet(database: Database, table: str, write: Callable[[Session], object], kept: int, merged: int) -> None:
    """Let somebody write a row for the merged person: they are found, then the merge wants to run, then the row is written."""

    def writing() -> None:
        with database.session() as db, transaction(db):
            write(db)

    def merge() -> None:
        with database.session() as db, transaction(db):
            merge_people(db, kept_id=kept, merged_id=merged, actor=SYSTEM, now=START)

    one_after_the_other(database, table, writing, merge)


@pytest.fixture
def account(postgres_database: Database) -> tuple[Actor, int]:
    """Somebody with an account whom the merge meets, and the one who stays."""
    with postgres_database.session() as db, transaction(db):
        row = make_account(db)
        return Actor(account_id=row.id, person_id=row.person_id), make_person(db).id


def signed_in_check_in(database: Database, keys: Keys, account: tuple[Actor, int]) -> tuple[int, int]:
    """(person of the only attendance, the one who stays)."""
    actor, kept = account
    assert actor.person_id is not None
    with database.session() as db, transaction(db):
        session_id = make_session(db, make_unit(db)).id

    def write(db: Session) -> object:
        session = db.get_one(TrainingSession, session_id)
        return check_in(db, session=session, name=None, phone=None, device_hash=None, keys=keys, actor=actor, now=START)

    meet(database, "attendance", write, kept, actor.person_id)
    with database.session() as db:
        return db.scalars(select(Attendance.person_id)).one(), kept


def test_a_check_in_that_meets_a_merge_is_not_left_behind(
    postgres_database: Database, keys: Keys, account: tuple[Actor, int]
) -> None:
    person, kept = signed_in_check_in(postgres_database, keys, account)
    assert person == kept


def test_without_holding_the_person_a_check_in_would_be_left_behind(
    postgres_database: Database, keys: Keys, account: tuple[Actor, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the person is looked up, not held, and the merge does not wait for those who wrote for them."""
    monkeypatch.setattr(checking_in, "hold_person", people.kept_person_id)
    monkeypatch.setattr(merging, "lock_people", unlocked)
    with postgres_database.session() as db, transaction(db):
        db.execute(text("ALTER TABLE attendance DROP CONSTRAINT fk_attendance_person_id_person"))
    person, kept = signed_in_check_in(postgres_database, keys, account)
    assert person != kept


def test_a_typed_check_in_that_meets_a_merge_is_not_left_behind(postgres_database: Database, keys: Keys) -> None:
    phone = "13800000001"
    with postgres_database.session() as db, transaction(db):
        session_id = make_session(db, make_unit(db)).id
        merged = make_person(db, name="李国", phone_hash=keys.phone_hash(phone)).id
        kept = make_person(db, name="李建国").id

    def write(db: Session) -> object:
        session = db.get_one(TrainingSession, session_id)
        return check_in(
            db, session=session, name="李国", phone=phone, device_hash=None, keys=keys, actor=Actor(), now=START
        )

    meet(postgres_database, "attendance", write, kept, merged)
    with postgres_database.session() as db:
        assert db.scalars(select(Attendance.person_id)).one() == kept


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_a_start_that_waits_for_a_merge_is_the_attempt_of_the_one_who_stays(
    postgres_database: Database,
    keys: Keys,
    account: tuple[Actor, int],
    monkeypatch: pytest.MonkeyPatch,
    locked: bool,
) -> None:
    """Both have a first attempt afterwards unless the start waits and then asks who stands for its person."""
    actor, kept = account
    assert actor.person_id is not None
    with postgres_database.session() as db, transaction(db):
        delivery = make_delivery(db)
        make_attempt(db, delivery, person_id=kept, identity_level="signed_in")
    if not locked:
        monkeypatch.setattr(starting, "lock_standing", lambda _db, person_id: person_id)
        with postgres_database.session() as db, transaction(db):
            # else the start would hold the account for which the merge waits, and the database would end one of them
            db.execute(text("ALTER TABLE attempt DROP CONSTRAINT fk_attempt_account_id_account"))

    def merge() -> None:
        with postgres_database.session() as db, transaction(db):
            merge_people(db, kept_id=kept, merged_id=actor.person_id or 0, actor=SYSTEM, now=START)

    def start() -> None:
        with postgres_database.session() as db:
            begin(db, db.get_one(Delivery, delivery.id), keys, actor=actor)

    one_after_the_other(postgres_database, "person_merge", merge, start)
    with postgres_database.session() as db:
        rows = db.scalars(select(Attempt).order_by(Attempt.id)).all()
        assert [row.person_id == kept for row in rows] == [True, locked]
        assert [row.is_first for row in rows] == [True, not locked]


def test_checking_in_and_merging_many_never_block_each_other_for_good(postgres_database: Database, keys: Keys) -> None:
    """Starts and check-ins of two people while they are merged: all end, and what they wrote is with the one who stays."""
    phones = {"李国": "13800000001", "李建国": "13800000002"}
    with postgres_database.session() as db, transaction(db):
        delivery_id, unit = make_delivery(db).id, make_unit(db)
        sessions = [make_session(db, unit).id for _ in range(3)]
        merged, kept = (make_person(db, name=n, phone_hash=keys.phone_hash(p)).id for n, p in phones.items())
        make_attendance(db, sessions[0], kept)
    barrier = threading.Barrier(9)

    def enter(name: str, session_id: int) -> None:
        with postgres_database.session() as db:
            barrier.wait()
            with transaction(db):
                check_in(
                    db,
                    session=db.get_one(TrainingSession, session_id),
                    name=name,
                    phone=phones[name],
                    device_hash=None,
                    keys=keys,
                    actor=Actor(),
                    now=START,
                )

    def start(name: str) -> None:
        with postgres_database.session() as db:
            delivery = db.get_one(Delivery, delivery_id)
            barrier.wait()
            begin(db, delivery, keys, name=name, phone=phones[name])

    def merge() -> None:
        with postgres_database.session() as db:
            barrier.wait()
            with transaction(db):
                merge_people(db, kept_id=kept, merged_id=merged, actor=SYSTEM, now=START)

    with ThreadPoolExecutor(9) as pool:
        futures = [pool.submit(enter, name, session_id) for session_id in sessions for name in phones]
        futures += [pool.submit(start, name) for name in phones] + [pool.submit(merge)]
        for future in futures:
            future.result(timeout=30)
    with postgres_database.session() as db:
        counted = db.execute(
            select(Attendance.session_id, Attendance.person_id).where(Attendance.duplicate_of_id.is_(None))
        )
        assert sorted(map(tuple, counted)) == [(session_id, kept) for session_id in sessions]
        attempts = db.scalars(select(Attempt)).all()
        assert [a.person_id for a in attempts] == [kept, kept]
        assert sum(a.is_first for a in attempts) == 1
