"""The pass-rate table: what is counted, for whom, and who may see it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from quizapp.core.db import Database
from quizapp.core.errors import NotFound
from quizapp.core.scope import Grant, Permission, Role, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery
from quizapp.reports.figures import (
    FigureFilters,
    PassRateTable,
    RowKind,
    deliveries_in_reach,
    pass_rate_table,
    sums_statement,
    whole_months,
)
from quizapp.reports.tables import Hidden
from tests.conftest import START
from tests.factories import make_attempt, make_delivery, make_person, make_unit

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@dataclass
class District:
    """A district with two streets; the first has two communities."""

    top: OrgUnit
    street: OrgUnit
    other: OrgUnit
    left: OrgUnit
    right: OrgUnit
    delivery: Delivery


def make_district(db: Session) -> District:
    top = make_unit(db, kind="district", name="临江区")
    street = make_unit(db, top, kind="street", name="滨江街道")
    other = make_unit(db, top, kind="street", name="桥东街道")
    left = make_unit(db, street, name="紫兴社区")
    right = make_unit(db, street, name="江湾社区")
    return District(top, street, other, left, right, make_delivery(db, top))


def scope_of(unit: OrgUnit | None, role: Role = Role.COORDINATOR, industry_id: int | None = None) -> Scope:
    return Scope((Grant(role, unit.path if unit else None, industry_id),))


def add(db: Session, delivery: Delivery, unit: OrgUnit | None, passed: int, failed: int = 0, **values: object) -> None:
    for number in range(passed + failed):
        make_attempt(db, delivery, unit, passed=number < passed, person_id=make_person(db).id, **values)


def table_of(db: Session, scope: Scope, **values: Any) -> PassRateTable:
    permission = values.pop("permission", Permission.SEE_FIGURES)
    filters = FigureFilters(**{"first_day": YEAR[0], "last_day": YEAR[1], **values})
    return pass_rate_table(db, scope, filters, permission)


def by_name(table: PassRateTable) -> dict[str, tuple[int | None, ...]]:
    return {
        row.unit.name if row.unit else row.kind.value: (row.started, row.closed, row.first, row.passed)
        for row in table.rows
    }


def test_the_table_has_the_unit_and_each_unit_directly_below(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 20, 5)
    add(either_db, d.delivery, d.right, 10, 5)
    add(either_db, d.delivery, d.street, 7, 5)
    table = table_of(either_db, scope_of(d.top))
    assert by_name(table) == {
        "临江区": (52, 52, 52, 37),
        "滨江街道": (52, 52, 52, 37),
        "桥东街道": (0, 0, 0, 0),
    }
    assert [row.kind for row in table.rows] == [RowKind.TOTAL, RowKind.UNIT, RowKind.UNIT]
    assert table.rows[2].hidden == Hidden.EMPTY
    assert table.rows[1].opens
    assert not table.rows[2].opens
    assert by_name(table_of(either_db, scope_of(d.top), unit_id=d.street.id)) == {
        "滨江街道": (52, 52, 52, 37),
        "紫兴社区": (25, 25, 25, 20),
        "江湾社区": (15, 15, 15, 10),
        "own": (12, 12, 12, 7),
    }


def test_only_closed_first_attempts_that_are_not_void_make_the_rate(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 9, 3)
    add(either_db, d.delivery, d.left, 4, is_first=False)
    add(either_db, d.delivery, d.left, 2, state="void", is_first=False)
    add(either_db, d.delivery, d.left, 1, state="open")
    add(either_db, d.delivery, d.left, 2, state="expired")
    make_attempt(either_db, d.delivery, d.left, is_first=False, person_id=None)
    row = table_of(either_db, scope_of(d.left)).total
    assert (row.started, row.closed, row.first, row.void, row.unidentified) == (22, 19, 14, 2, 1)
    assert (row.passed, row.rate) == (11, pytest.approx(11 / 14))
    assert row.low is not None
    assert row.high is not None
    assert row.low < 11 / 14 < row.high


def test_a_rate_of_nine_is_not_shown_and_one_of_ten_is(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 5, 4)
    row = table_of(either_db, scope_of(d.left)).total
    assert (row.first, row.passed, row.rate, row.low, row.high, row.hidden) == (9, None, None, None, None, Hidden.FEW)
    add(either_db, d.delivery, d.left, 1)
    assert table_of(either_db, scope_of(d.left)).total.rate == pytest.approx(0.6)


def test_a_small_row_takes_the_smallest_other_with_it_here_and_in_its_own_table(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 2, 1)
    add(either_db, d.delivery, d.right, 20, 10)
    add(either_db, d.delivery, d.street, 30, 20)
    rows = table_of(either_db, scope_of(d.street)).rows
    assert [row.hidden for row in rows] == [None, Hidden.FEW, Hidden.PROTECTS, None]
    own = table_of(either_db, scope_of(d.street), unit_id=d.right.id).total
    assert own.hidden == Hidden.PROTECTS
    # who sees nothing of the neighbours can compute nothing from them
    assert table_of(either_db, scope_of(d.right)).total.rate == pytest.approx(2 / 3)


def test_people_without_a_unit_count_for_the_unit_of_the_delivery(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, None, 8, 4)
    add(either_db, d.delivery, d.left, 10, 4)
    table = table_of(either_db, scope_of(d.top))
    assert by_name(table)["no_unit"] == (12, 12, 12, 8)
    assert table.total.first == 26
    assert by_name(table_of(either_db, scope_of(d.street)))["滨江街道"] == (14, 14, 14, 10)


def test_figures_roll_up_by_the_path_of_the_day_and_access_goes_by_todays_tree(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 12, 4)
    d.left.parent_id = d.other.id
    d.left.path = f"{d.other.path}{d.left.id}/"
    either_db.flush()
    table = table_of(either_db, scope_of(d.top), unit_id=d.street.id)
    moved = next(row for row in table.rows if row.unit is d.left)
    assert moved.moved
    assert moved.first == 16
    assert not moved.opens
    assert table_of(either_db, scope_of(d.street)).total.first == 0  # no longer theirs to see
    assert table_of(either_db, scope_of(d.other)).total.first == 0  # not theirs on that day
    assert table_of(either_db, scope_of(None)).total.first == 16


def test_a_unit_that_left_the_top_of_the_tree_is_still_counted_for_all(either_db: Session) -> None:
    old = make_unit(either_db, kind="district")
    delivery = make_delivery(either_db, old)
    add(either_db, delivery, old, 10, 2)
    city = make_unit(either_db, kind="city")
    old.parent_id, old.path = city.id, f"{city.path}{old.id}/"
    either_db.flush()
    table = table_of(either_db, scope_of(None))
    assert table.unit is None
    assert table.total.first == 12
    assert [(row.unit, row.moved) for row in table.rows[1:]] == [(city, False), (old, True)]


def test_days_and_delivery_narrow_the_table(either_db: Session) -> None:
    d = make_district(either_db)
    second = make_delivery(either_db, d.top)
    add(either_db, d.delivery, d.left, 10, 1)
    add(either_db, second, d.left, 12, 3)
    add(either_db, second, d.left, 20, now=START - timedelta(days=40))
    assert table_of(either_db, scope_of(d.top)).total.first == 46
    assert table_of(either_db, scope_of(d.top), delivery_id=second.id).total.first == 35
    day = START.date()
    assert table_of(either_db, scope_of(d.top), first_day=day, last_day=day).total.first == 26
    assert table_of(either_db, scope_of(d.top), last_day=day - timedelta(days=1)).total.first == 20


def test_a_foreign_unit_and_a_foreign_delivery_are_not_there(either_db: Session) -> None:
    d = make_district(either_db)
    foreign = make_delivery(either_db, d.other)
    for role in (Role.COORDINATOR, Role.LEADER):
        scope = scope_of(d.street, role)
        for unit in (d.top, d.other):
            with pytest.raises(NotFound):
                table_of(either_db, scope, unit_id=unit.id)
        with pytest.raises(NotFound):
            table_of(either_db, scope, delivery_id=foreign.id)
        assert deliveries_in_reach(either_db, scope) == [d.delivery]
    with pytest.raises(NotFound):
        table_of(either_db, scope_of(d.top), unit_id=10**9)
    with pytest.raises(NotFound):
        table_of(either_db, scope_of(d.street, Role.TRAINER), unit_id=d.street.id)
    assert {x.id for x in deliveries_in_reach(either_db, scope_of(None))} == {d.delivery.id, foreign.id}
    assert deliveries_in_reach(either_db, Scope()) == []


def test_a_grant_for_an_industry_sees_that_industry_alone(either_db: Session) -> None:
    from quizapp.organisation.models import Industry

    d = make_district(either_db)
    industry = Industry(code="market", name="市场", name_en="Markets")
    either_db.add(industry)
    either_db.flush()
    add(either_db, d.delivery, d.left, 12, industry_id=industry.id)
    add(either_db, d.delivery, d.left, 15)
    add(either_db, d.delivery, None, 11, industry_id=industry.id)
    table = table_of(either_db, scope_of(d.top, industry_id=industry.id))
    assert table.total.first == 23
    assert not table.aggregates_only


def test_several_grants_have_a_table_of_their_units(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 12)
    add(either_db, d.delivery, d.other, 15)
    add(either_db, d.delivery, d.right, 18)
    scope = Scope((*scope_of(d.left).grants, *scope_of(d.other).grants, *scope_of(d.left).grants))
    table = table_of(either_db, scope)
    assert table.unit is None
    assert table.total.first == 27
    assert {row.unit.name for row in table.rows[1:] if row.unit} == {"紫兴社区", "桥东街道"}


def test_the_way_down_begins_at_the_top_of_what_is_seen(either_db: Session) -> None:
    d = make_district(either_db)
    assert table_of(either_db, scope_of(d.top), unit_id=d.left.id).ancestors == (d.top, d.street)
    assert table_of(either_db, scope_of(d.street), unit_id=d.left.id).ancestors == (d.street,)
    assert table_of(either_db, scope_of(d.street)).ancestors == ()


def test_a_leader_gets_whole_months_and_no_cell_of_one_to_four(either_db: Session) -> None:
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 30, 20)
    add(either_db, d.delivery, d.right, 28, 2)  # two did not pass
    add(either_db, d.delivery, d.street, 25, 15)
    make_attempt(either_db, d.delivery, d.left, state="void", is_first=False)
    leader = scope_of(d.street, Role.LEADER)
    table = table_of(either_db, leader, first_day=START.date(), last_day=START.date())
    assert (table.filters.first_day, table.filters.last_day) == (date(2026, 11, 1), date(2026, 11, 30))
    assert table.aggregates_only
    total, left, right, own = table.rows
    assert (total.first, total.passed, total.void, total.started) == (120, 83, None, None)
    assert (right.passed, right.rate, right.first) == (None, None, 30)
    assert own.hidden == Hidden.PROTECTS
    assert left.passed == 30
    assert left.void is None
    whole = table_of(either_db, leader, delivery_id=d.delivery.id, first_day=START.date(), last_day=START.date())
    assert whole.filters.first_day is None


def test_a_leader_who_is_also_coordinator_elsewhere_is_still_a_leader(either_db: Session) -> None:
    d = make_district(either_db)
    both = Scope((*scope_of(d.top, Role.LEADER).grants, *scope_of(d.street).grants))
    assert table_of(either_db, both).aggregates_only
    exported = table_of(either_db, both, permission=Permission.EXPORT_FIGURES)
    assert exported.unit is d.street
    assert not exported.aggregates_only
    with pytest.raises(NotFound):
        table_of(either_db, both, permission=Permission.EXPORT_FIGURES, unit_id=d.top.id)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        (date(2026, 2, 10), date(2026, 2, 11), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 11, 30), date(2026, 12, 1), (date(2026, 11, 1), date(2026, 12, 31))),
    ],
)
def test_whole_months_begin_on_the_first_and_end_on_the_last(
    first: date, last: date, months: tuple[date, date]
) -> None:
    assert whole_months(first, last) == months


INDEPENDENT = """
    SELECT count(*),
           count(CASE WHEN a.state IN ('submitted', 'expired') THEN 1 END),
           count(CASE WHEN a.state IN ('submitted', 'expired') AND a.is_first THEN 1 END),
           count(CASE WHEN a.state IN ('submitted', 'expired') AND a.is_first AND a.passed THEN 1 END),
           count(CASE WHEN a.state = 'void' THEN 1 END),
           count(CASE WHEN a.state IN ('submitted', 'expired') AND a.person_id IS NULL THEN 1 END)
    FROM attempt a
    WHERE a.delivery_id = :delivery AND a.local_date BETWEEN :first AND :last AND a.unit_path LIKE :path || '%'
"""


def fill_at_random(db: Session, d: District, count: int, seed: int = 7) -> None:
    rng = random.Random(seed)
    units = [d.street, d.other, d.left, d.right]
    for _ in range(count):
        state = rng.choices(["submitted", "expired", "void", "open"], [80, 8, 6, 6])[0]
        person = make_person(db).id if rng.random() < 0.9 else None
        make_attempt(
            db,
            d.delivery,
            rng.choice(units),
            now=START - timedelta(days=rng.randrange(60)),
            state=state,
            person_id=person,
            is_first=state != "void" and person is not None and rng.random() < 0.8,
            passed=rng.random() < 0.7 if state in ("submitted", "expired") else None,
            score=rng.randrange(0, 101, 20) if state in ("submitted", "expired") else None,
        )


def test_the_table_equals_sql_written_independently(either_db: Session) -> None:
    d = make_district(either_db)
    fill_at_random(either_db, d, 400)
    first, last = date(2026, 10, 5), date(2026, 11, 10)
    table = table_of(either_db, scope_of(d.top), delivery_id=d.delivery.id, first_day=first, last_day=last)
    drilled = table_of(
        either_db, scope_of(d.top), delivery_id=d.delivery.id, unit_id=d.street.id, first_day=first, last_day=last
    )
    for row in (*table.rows, *drilled.rows):
        if row.unit is None:
            continue
        values = {
            "delivery": d.delivery.id,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "path": row.unit.path,
        }
        if either_db.get_bind().dialect.name == "postgresql":
            values |= {"first": first, "last": last}
        expected = tuple(either_db.execute(text(INDEPENDENT), values).one())
        assert (row.started, row.closed, row.first, row.passed, row.void, row.unidentified) == expected
        assert row.rate == pytest.approx(expected[3] / expected[2])


@pytest.mark.parametrize("narrow", ["delivery", "days"])
def test_the_plan_uses_an_index(either_database: Database, narrow: str) -> None:
    with either_database.session() as db:
        d = make_district(db)
        fill_at_random(db, d, 60)
        statement = sums_statement(
            scope_of(d.street),
            Permission.SEE_FIGURES,
            FigureFilters(delivery_id=d.delivery.id)
            if narrow == "delivery"
            else FigureFilters(first_day=START.date(), last_day=START.date()),
        )
        compiled = statement.compile(db.get_bind(), compile_kwargs={"literal_binds": True})
        if not either_database.is_sqlite:
            db.execute(text("SET LOCAL enable_seqscan = off"))  # sixty rows are read faster without
        words = "EXPLAIN QUERY PLAN" if either_database.is_sqlite else "EXPLAIN"
        plan = "\n".join(map(str, db.execute(text(f"{words} {str(compiled).replace(':', chr(92) + ':')}")).all()))
        wanted = "delivery_id" if narrow == "delivery" else "ix_attempt_local_date"
        assert wanted in plan
        assert "SCAN attempt" not in plan
        assert "Seq Scan on attempt" not in plan
