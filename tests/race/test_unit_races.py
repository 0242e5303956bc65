"""What meets a change of the unit tree on PostgreSQL: another change, a start of an attempt, a new unit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import SYSTEM, Actor
from quizapp.core.tokens import Keys
from quizapp.organisation import services, tree
from quizapp.organisation.models import OrgUnit, Person, UnitKind
from quizapp.organisation.unit_merging import merge_units
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.quizzes.services import starting
from tests.conftest import START
from tests.factories import make_account, make_delivery, make_unit
from tests.quizzes.support import begin
from tests.race.gate import one_after_the_other, together

pytestmark = [pytest.mark.race, pytest.mark.postgres]


def unheld(db: Session, unit_id: int) -> OrgUnit | None:
    """The control: the row as it is, without waiting for anybody."""
    return db.get(OrgUnit, unit_id)


@pytest.fixture
def pair(postgres_database: Database) -> tuple[int, int]:
    """Two units side by side."""
    with postgres_database.session() as db, transaction(db):
        top = make_unit(db)
        first, second = make_unit(db, top).id, make_unit(db, top).id
        return first, second


def move(db: Session, unit_id: int, parent_id: int) -> None:
    tree.move_unit(
        db, unit=db.get_one(OrgUnit, unit_id), parent=db.get_one(OrgUnit, parent_id), actor=SYSTEM, now=START
    )


def at_once(database: Database, *steps: Callable[[Session], object]) -> list[str]:
    """Run these changes at the same time: all are about to end, or wait for each other, before one ends."""

    def run(db: Session, step: Callable[[Session], object]) -> str:
        with transaction(db):
            step(db)
        return "done"

    found = together(database, [partial(run, step=step) for step in steps], table="audit_event")
    return sorted(one.code if isinstance(one, DomainError) else one for one in found)


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_two_that_are_moved_below_each_other_make_no_circle(
    postgres_database: Database, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    first, second = pair
    if not locked:
        monkeypatch.setattr(tree, "lock_tree", lambda _db: None)
        monkeypatch.setattr(tree, "hold_unit", unheld)
        with (
            postgres_database.session() as db,
            transaction(db),
        ):  # else the database would end one of them, without a word
            db.execute(text("ALTER TABLE org_unit DROP CONSTRAINT fk_org_unit_parent_id_org_unit"))
    found = at_once(postgres_database, lambda db: move(db, first, second), lambda db: move(db, second, first))
    assert found == (["done", "move_below_itself"] if locked else ["done", "done"])


def during(database: Database, change: Callable[[Session], object], write: Callable[[Session], object]) -> None:
    """Let somebody write while a change has written its paths and is about to end."""

    def changing() -> None:
        with database.session() as db, transaction(db):
            change(db)

    def writing() -> None:
        with database.session() as db:
            write(db)

    one_after_the_other(database, "audit_event", changing, writing)


@pytest.mark.parametrize("held", [True, False], ids=["held", "control"])
def test_an_attempt_that_starts_while_its_unit_moves_has_a_path_of_the_tree(
    postgres_database: Database, keys: Keys, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    first, second = pair
    if not held:
        monkeypatch.setattr(starting, "hold_unit", unheld)
    with postgres_database.session() as db, transaction(db):
        account = make_account(db, unit=db.get_one(OrgUnit, first))
        actor = Actor(account_id=account.id, person_id=account.person_id)
        delivery_id = make_delivery(db).id
    during(
        postgres_database,
        lambda db: move(db, first, second),
        lambda db: begin(db, db.get_one(Delivery, delivery_id), keys, actor=actor),
    )
    with postgres_database.session() as db:
        path = db.scalars(select(Attempt.unit_path)).one()
        assert (path == db.get_one(OrgUnit, first).path) == held


@pytest.mark.parametrize("held", [True, False], ids=["held", "control"])
def test_a_unit_that_is_made_below_a_moving_one_goes_along(
    postgres_database: Database, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    first, second = pair
    if not held:
        monkeypatch.setattr(services, "hold_unit", unheld)

    def create(db: Session) -> None:
        with transaction(db):
            parent = db.get_one(OrgUnit, first)
            services.create_unit(db, parent=parent, name="新", kind=UnitKind.WORK_TEAM, actor=SYSTEM, now=START)

    during(postgres_database, lambda db: move(db, first, second), create)
    with postgres_database.session() as db:
        child = db.scalars(select(OrgUnit).where(OrgUnit.name == "新")).one()
        assert child.path.startswith(db.get_one(OrgUnit, first).path) == held


def test_of_two_merges_of_one_unit_one_is_made(postgres_database: Database, pair: tuple[int, int]) -> None:
    first, second = pair
    with postgres_database.session() as db, transaction(db):
        third = make_unit(db).id

    def merging(kept: int) -> Callable[[Session], object]:
        return lambda db: merge_units(db, kept_id=kept, merged_id=third, actor=SYSTEM, now=START)

    assert at_once(postgres_database, merging(first), merging(second)) == ["done", "unit_is_merged"]


def test_starts_and_a_merge_of_their_units_never_block_each_other_for_good(
    postgres_database: Database, keys: Keys
) -> None:
    """Starts hold their persons and then ask for the unit; the merge takes the persons first, and the units last."""
    with postgres_database.session() as db, transaction(db):
        top = make_unit(db)
        kept, merged = make_unit(db, top).id, make_unit(db, top).id
        delivery_id = make_delivery(db, top, capacity=100).id
        accounts = [make_account(db, unit=db.get_one(OrgUnit, merged)) for _ in range(6)]
        actors = [Actor(account_id=one.id, person_id=one.person_id) for one in accounts]
    barrier = threading.Barrier(7)

    def start(actor: Actor) -> None:
        with postgres_database.session() as db:
            delivery = db.get_one(Delivery, delivery_id)
            barrier.wait()
            begin(db, delivery, keys, actor=actor)

    def merge() -> None:
        with postgres_database.session() as db:
            barrier.wait()
            with transaction(db):
                merge_units(db, kept_id=kept, merged_id=merged, actor=SYSTEM, now=START)

    with ThreadPoolExecutor(7) as pool:
        for future in [*(pool.submit(start, actor) for actor in actors), pool.submit(merge)]:
            future.result(timeout=30)
    with postgres_database.session() as db:
        assert set(db.scalars(select(Person.unit_id).where(Person.id.in_([a.person_id for a in actors])))) == {kept}
        paths = {unit_id: db.get_one(OrgUnit, unit_id).path for unit_id in (kept, merged)}
        old = f"{paths[kept].removesuffix(f'{kept}/')}{merged}/"
        for unit_id, path in db.execute(select(Attempt.unit_id, Attempt.unit_path)):
            assert path == paths[unit_id] or (unit_id, path) == (merged, old)
