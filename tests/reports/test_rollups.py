"""Sums and records give the same numbers, whatever happens between two runs of the job."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from quizapp import parts  # noqa: F401 # merging asks every feature
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import SYSTEM, Actor, Grant, Permission, Role, Scope
from quizapp.organisation.merging import merge_people
from quizapp.organisation.models import Industry, OrgUnit, Person
from quizapp.quizzes.models import Attempt
from quizapp.quizzes.services.moving import claim_attempt
from quizapp.reports import item_notes
from quizapp.reports.figures import FigureFilters, GroupDimension, SumRow, sums
from quizapp.reports.figures.people import people_by_step
from quizapp.reports.figures.people_of_one import people_of
from quizapp.reports.figures.reach import top_paths
from quizapp.reports.figures.sums import sums_from_records
from quizapp.reports.models import RollupDay, RollupMonth, RollupPeople, RollupStale, RollupState
from quizapp.reports.rollups import people, queries
from quizapp.reports.rollups.people import count_people
from quizapp.reports.rollups.services import advance, refresh
from quizapp.reports.rollups.triggers import CREATE_TRIGGERS
from tests.conftest import START
from tests.factories import make_account, make_attempt, make_delivery, make_person, make_unit

BANDS, SEXES = ("18-29", "30-44", None), ("female", "male", None)
EDUCATIONS, GROUPS, LEVELS = ("senior", None), ("farmer", None), ("matched", "none", "signed_in")
BY = [None, *(one for one in GroupDimension if one is not GroupDimension.UNIT)]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """People are counted piece by piece; with so small ones a dozen people have many edges between them."""
    monkeypatch.setattr(people, "_AT_ONCE", 2)
    monkeypatch.setattr(people, "_MARKS", 2)


class District:
    """Units, deliveries, people and a day, with all that can happen to them."""

    def __init__(self, db: Session, seed: int) -> None:
        self.db, self.rng = db, random.Random(seed)
        self.today = START.date()
        with transaction(db):
            top = make_unit(db, kind="district")
            streets = [make_unit(db, top, kind="street") for _ in range(2)]
            self.units = [top, *streets, *(make_unit(db, street) for street in streets for _ in range(2))]
            industry = Industry(code=f"i{top.id}", name="市场", name_en="Markets")
            db.add(industry)
            db.flush()
            self.industries = (industry.id, None)
            self.deliveries = [make_delivery(db, top, items=1), make_delivery(db, streets[0], items=1, max_score=40)]
            self.people = [make_person(db).id for _ in range(12)]
            self.account = make_account(db, username=f"claimer{top.id}")
        self.top = top

    def some_attempt(self, *which: object) -> Attempt | None:
        found = select(Attempt.id).where(Attempt.delivery_id.in_([d.id for d in self.deliveries]), *which)
        ids = self.db.scalars(found.order_by(Attempt.id)).all()
        return self.db.get(Attempt, self.rng.choice(ids)) if ids else None

    def start(self) -> None:
        rng = self.rng
        day = START - timedelta(days=(START.date() - self.today).days + rng.choice([0, 0, 1, 2, 25, 60]))
        state = rng.choice(["submitted", "submitted", "expired", "open", "void"])
        delivery, person = rng.choice(self.deliveries), rng.choice([*self.people, None])
        closed = state in ("submitted", "expired")
        taken = person is not None and self.db.scalar(
            select(func.count()).where(
                Attempt.delivery_id == delivery.id, Attempt.person_id == person, Attempt.is_first.is_(True)
            )
        )
        make_attempt(
            self.db,
            delivery,
            rng.choice([*self.units, None]),
            now=day,
            state=state,
            person_id=person,
            is_first=person is not None and not taken and state != "void",
            score=rng.randrange(0, 41) if closed else None,
            passed=rng.random() < 0.6 if closed else None,
            industry_id=rng.choice(self.industries),
            age_band=rng.choice(BANDS),
            sex=rng.choice(SEXES),
            education=rng.choice(EDUCATIONS),
            key_group=rng.choice(GROUPS),
            identity_level=rng.choice(LEVELS),
        )

    def submit(self) -> None:
        self.change(Attempt.state == "open", state="submitted", score=self.rng.randrange(41), passed=True)

    def void(self) -> None:
        self.change(Attempt.state != "void", state="void", is_first=False, passed=None, score=None)

    def rescore(self) -> None:
        with_score = Attempt.state.in_(("submitted", "expired"))
        self.change(with_score, score=self.rng.randrange(41), passed=self.rng.random() < 0.5)

    def erase(self) -> None:
        self.change(Attempt.person_id.is_not(None), person_id=None, is_first=False, key_group=None)

    def extend(self) -> None:
        self.change(Attempt.state == "open", deadline_at=to_ms(START) + self.rng.randrange(10**6))

    def change(self, which: object, **values: object) -> None:
        if (attempt := self.some_attempt(which)) is not None:
            self.db.execute(update(Attempt).where(Attempt.id == attempt.id).values(**values))

    def forget(self) -> None:
        if (attempt := self.some_attempt()) is not None:
            self.db.execute(delete(Attempt).where(Attempt.id == attempt.id))

    def claim(self) -> None:
        if (attempt := self.some_attempt(Attempt.person_id.is_(None), Attempt.account_id.is_(None))) is not None:
            actor = Actor(account_id=self.account.id, person_id=self.account.person_id)
            claim_attempt(self.db, attempt_id=attempt.id, actor=actor, now_ms=to_ms(START))

    def merge(self) -> None:
        kept, merged = self.rng.sample(self.people, 2)
        merge_people(self.db, kept_id=kept, merged_id=merged, actor=SYSTEM, now=START)
        self.people.remove(merged)

    def move(self) -> None:
        unit = self.rng.choice(self.units[3:])
        parent = self.rng.choice(self.units[:3])
        self.db.execute(
            update(OrgUnit).where(OrgUnit.id == unit.id).values(parent_id=parent.id, path=f"{parent.path}{unit.id}/")
        )
        self.db.expire_all()

    def sleep(self) -> None:
        self.today += timedelta(days=1)

    def run_job(self) -> None:
        self.db.rollback()
        advance(self.db, self.today)
        while refresh(self.db):
            pass

    def half_a_job(self) -> None:
        self.db.rollback()
        advance(self.db, self.today)

    def ask(self) -> tuple[Scope, FigureFilters, GroupDimension | None, GroupDimension | None]:
        rng = self.rng
        first = START.date() - timedelta(days=rng.randrange(70))
        days = rng.choice(
            [
                (None, None),
                (date(2026, 10, 1), date(2026, 10, 31)),
                (date(2026, 9, 1), self.today),
                (first, self.today),
                (first, min(self.today, first + timedelta(days=rng.randrange(50)))),
            ]
        )
        group = rng.choice([{}, {}, {"age_band": "18-29"}, {"sex": "female"}, {"industry_id": self.industries[0]}])
        filters = FigureFilters(
            delivery_id=rng.choice([None, self.deliveries[0].id]), first_day=days[0], last_day=days[1], **group
        )
        grant = Grant(
            Role.COORDINATOR,
            rng.choice([None, *(u.path for u in self.units[:3])]),
            rng.choice([None, None, *self.industries]),
        )
        by = rng.choice(BY)
        return Scope((grant,)), filters, by, rng.choice([None, None, *(one for one in BY if one is not by)])


def comparable(rows: list[SumRow]) -> dict[tuple[object, ...], tuple[float, ...]]:
    found = {}
    for row in rows:
        c = row.counts
        key = (row.path, row.no_unit, row.group, row.second)
        assert key not in found
        found[key] = (
            c.started,
            c.closed,
            c.first,
            c.passed,
            c.void,
            c.unidentified,
            round(c.score, 4),
            round(c.squares, 2),
        )
    return found


def assert_equal_numbers(
    db: Session, scope: Scope, filters: FigureFilters, by: GroupDimension | None, second: GroupDimension | None = None
) -> None:
    permission = Permission.SEE_FIGURES
    assert comparable(sums(db, scope, permission, filters, by, second)) == comparable(
        sums_from_records(db, scope, permission, filters, by, second)
    )
    rows = sums(db, scope, permission, filters)
    tops = top_paths(db, scope, [row.path for row in rows], permission)
    for above in (None, *tops[:1]):
        counted = people_by_step(db, scope, permission, filters, above, tops)
        quick = people_of(db, scope, permission, filters, above, tops, rows)
        assert quick.total == counted.total
        assert {k: v for k, v in quick.steps.items() if v} == {k: v for k, v in counted.steps.items() if v}


STEPS = {
    "start": 6, "submit": 2, "void": 1, "rescore": 2, "erase": 1, "extend": 1, "forget": 1, "claim": 2, "merge": 1, "move": 1,
    "sleep": 1, "run_job": 3, "half_a_job": 1,
}  # fmt: skip


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    steps=st.lists(
        st.sampled_from([name for name, weight in STEPS.items() for _ in range(weight)]), min_size=10, max_size=25
    ),
    seed=st.integers(0, 10**6),
)
def test_sums_and_records_are_equal_after_anything(either_database: Database, steps: list[str], seed: int) -> None:
    with either_database.session() as db:
        district = District(db, seed)
        with transaction(db):
            for _ in range(25):
                district.start()
        district.run_job()
        for name in steps:
            step: Callable[[], None] = getattr(district, name)
            if name in ("run_job", "half_a_job"):
                step()
            else:
                try:
                    with transaction(db):
                        step()
                except DomainError:
                    pass  # two who cannot be merged
            assert_equal_numbers(db, *district.ask())
        district.run_job()
        for by in BY:
            assert_equal_numbers(db, Scope((Grant(Role.ADMINISTRATOR, None),)), FigureFilters(), by)
        assert not db.scalar(
            select(func.count()).select_from(RollupStale).where(RollupStale.local_date < district.today)
        )
        assert db.scalar(select(func.sum(RollupDay.started))) == db.scalar(
            select(func.count()).where(Attempt.local_date < db.get_one(RollupState, 1).before_day)
        )
        assert db.scalar(select(func.count()).select_from(RollupMonth))
        entries = select(func.sum(func.length(RollupPeople.days)))
        closed = select(Attempt.delivery_id, Attempt.local_date, Attempt.unit_id, Attempt.unit_path, Attempt.person_id)
        closed = closed.where(Attempt.state.in_(("submitted", "expired")), Attempt.person_id.is_not(None))
        closed = closed.where(Attempt.local_date < db.get_one(RollupState, 1).before_day).distinct()
        assert (db.scalar(entries) or 0) == db.scalar(select(func.count()).select_from(closed.subquery()))


def summed(db: Session) -> District:
    """A district of which everything up to yesterday is summed."""
    district = District(db, 5)
    with transaction(db):
        for _ in range(40):
            district.start()
    district.sleep()
    district.run_job()
    return district


def notes(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(RollupStale)) or 0


def test_todays_starts_note_nothing_and_a_change_of_a_summed_day_notes_it(either_database: Database) -> None:
    with either_database.session() as db:
        district = summed(db)
        assert notes(db) == 0
        with transaction(db):
            attempt = make_attempt(db, district.deliveries[0], now=START + timedelta(days=1))
            db.execute(update(Attempt).where(Attempt.id == attempt.id).values(state="void", is_first=False))
        assert notes(db) == 0
        old = district.some_attempt(Attempt.local_date < district.today, Attempt.state == "submitted")
        assert old is not None
        with transaction(db):
            db.execute(update(Attempt).where(Attempt.id == old.id).values(deadline_at=1, passed=Attempt.passed))
        assert notes(db) == 0  # nothing that is summed
        with transaction(db):
            db.execute(update(Attempt).where(Attempt.id == old.id).values(passed=~Attempt.passed))
        assert notes(db) == 1


def test_where_everything_is_summed_the_records_are_not_read(either_database: Database) -> None:
    with either_database.session() as db:
        district = summed(db)
        asked = []
        scope = Scope((Grant(Role.COORDINATOR, district.top.path),))
        filters = FigureFilters(last_day=district.today - timedelta(days=1))
        for by in (None, "sex"):
            assert queries.read_sums(
                db, scope, Permission.SEE_FIGURES, filters, (by, None), lambda *piece: asked.append(piece) or []
            )
        count_people(
            db,
            scope,
            Permission.SEE_FIGURES,
            filters,
            lambda path, _none: path,
            lambda *piece: asked.append(piece) or [],
        )
        assert asked == []
        combined = FigureFilters(sex="female")
        assert (
            queries.read_sums(db, scope, Permission.SEE_FIGURES, combined, ("age_band", None), lambda *_piece: [])
            is None
        )


def test_a_worker_that_was_overtaken_writes_nothing(either_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from quizapp.reports.rollups import services

    with either_database.session() as db:
        district = summed(db)
        with transaction(db):
            district.rescore()
        read = services._sums_of_month

        def overtaken(*arguments: object) -> object:
            found = read(*arguments)  # type: ignore[arg-type]
            monkeypatch.undo()
            with either_database.session() as other:
                with transaction(other):
                    other.execute(update(Attempt).values(state="void", is_first=False, passed=None))
                while refresh(other):
                    pass
            return found

        monkeypatch.setattr(services, "_sums_of_month", overtaken)
        refresh(db)
        assert_equal_numbers(db, Scope((Grant(Role.ADMINISTRATOR, None),)), FigureFilters(), None)


@pytest.mark.race
@pytest.mark.postgres
def test_a_start_that_is_not_stored_when_its_day_is_summed_is_counted(postgres_database: Database) -> None:
    """Its trigger ran before anybody had said that changes of the day are to be noted."""
    with postgres_database.session() as db, postgres_database.session() as starter:
        district = summed(db)
        starter.begin()
        make_attempt(starter, district.deliveries[0], district.units[3], now=START + timedelta(days=1))
        district.today += timedelta(days=1)
        assert not advance(db, district.today)
        refresh(db)
        everything = (Scope((Grant(Role.ADMINISTRATOR, None),)), FigureFilters(), None)
        assert_equal_numbers(db, *everything)
        starter.commit()
        assert_equal_numbers(db, *everything)
        assert advance(db, district.today)
        while refresh(db):
            pass
        assert_equal_numbers(db, *everything)


@pytest.mark.race
@pytest.mark.postgres
def test_nobody_waits_for_anybody_else_to_note_a_change(postgres_database: Database) -> None:
    with postgres_database.session() as db, postgres_database.session() as other:
        district = summed(db)
        first, second = db.scalars(
            select(Attempt.id).where(Attempt.local_date < district.today, Attempt.state != "void").limit(2)
        ).all()
        db.rollback()
        db.execute(update(Attempt).where(Attempt.id == first).values(state="void", is_first=False))
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        other.execute(update(Attempt).where(Attempt.id == second).values(state="void", is_first=False))
        other.rollback()
        assert db.scalar(select(func.count()).select_from(Person))


def test_the_triggers_stand_after_all_migrations(either_database: Database) -> None:
    """SQLite drops them with the table where a migration makes `attempt` anew: that migration has to make them again."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'attempt'"
        if either_database.is_sqlite
        else "SELECT tgname FROM pg_trigger WHERE tgrelid = 'attempt'::regclass AND NOT tgisinternal"
    )
    with either_database.session() as db:
        found = set(db.scalars(text(query)))
    made = {
        statement.split("CREATE TRIGGER ")[1].split()[0]
        for triggers in (CREATE_TRIGGERS, item_notes.CREATE_TRIGGERS)
        for statement in triggers["sqlite" if either_database.is_sqlite else "postgresql"]
        if "CREATE TRIGGER" in statement
    }
    assert found == made
