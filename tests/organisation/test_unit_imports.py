"""Files of units into the tree: in any order, as a whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import quizapp.tasks  # noqa: F401 # fills the registry of tasks
from quizapp.config import Settings
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor
from quizapp.core.tables import Row
from quizapp.core.tokens import Keys
from quizapp.jobs.worker import run_pending
from quizapp.organisation.imports.batches import UNITS, ask_to_apply, receive_file
from quizapp.organisation.imports.reach import IndustryIndex, Reach, UnitIndex
from quizapp.organisation.imports.units import UnitReader, UnitRow
from quizapp.organisation.models import ImportBatch, ImportState, OrgUnit
from tests.conftest import START, FakeClock, make_settings
from tests.factories import make_unit
from tests.sheets import make_xlsx

HEADS = ["名称", "单位码", "上级单位", "上级单位码", "类型"]
ACTOR = Actor(account_id=1)


@dataclass
class Desk:
    """An administrator."""

    database: Database
    settings: Settings
    keys: Keys
    clock: FakeClock = field(default_factory=FakeClock)

    def rows(
        self, *rows: list[str], reach: Reach = None, base: OrgUnit | None = None, heads: list[str] | None = None
    ) -> ImportBatch:
        with self.database.session() as db, transaction(db):
            batch = receive_file(
                db,
                make_xlsx([heads or HEADS, *rows]),
                kind=UNITS,
                target_id=None,
                unit_id=base.id if base else None,
                reach=reach,
                after=None,
                keys=self.keys,
                actor=ACTOR,
                now=START,
            )
        run_pending(self)
        return self.again(batch)

    def again(self, batch: ImportBatch) -> ImportBatch:
        with self.database.session() as db:
            return db.get_one(ImportBatch, batch.id)

    def apply(self, batch: ImportBatch, reach: Reach = None) -> ImportBatch:
        with self.database.session() as db, transaction(db):
            ask_to_apply(db, db.get_one(ImportBatch, batch.id), reach=reach, actor=ACTOR, now=START)
        run_pending(self)
        return self.again(batch)

    def tree(self) -> dict[str, str]:
        """Name → names from the top down."""
        with self.database.session() as db:
            units = {unit.id: unit for unit in db.scalars(select(OrgUnit))}
            return {
                unit.name: "/".join(units[int(part)].name for part in unit.path.strip("/").split("/"))
                for unit in units.values()
            }


@pytest.fixture
def desk(either_database: Database, tmp_path: Path, keys: Keys) -> Desk:
    return Desk(either_database, make_settings(tmp_path, either_database), keys)


def codes(batch: ImportBatch) -> list[tuple[int, str]]:
    return [(row, code) for row, _, code, _ in batch.faults]


def test_parents_stand_in_the_file_in_any_order(desk: Desk) -> None:
    batch = desk.rows(
        ["一组", "", "紫兴社区", "", "班组"],
        ["紫兴社区", "ZX", "", "eb", "社区"],
        ["东岸街道", "EB", "临江区", "", "街道"],
        ["临江区", "", "", "", "区"],
        ["绿洲社区", "", "东岸街道", "", "community"],
    )
    assert (batch.faults, batch.summary["new"]) == ([], 5)
    assert desk.tree() == {}
    batch = desk.apply(batch)
    assert (batch.state, batch.summary["added"]) == (ImportState.APPLIED, 5)
    assert desk.tree() == {
        "临江区": "临江区",
        "东岸街道": "临江区/东岸街道",
        "紫兴社区": "临江区/东岸街道/紫兴社区",
        "绿洲社区": "临江区/东岸街道/绿洲社区",
        "一组": "临江区/东岸街道/紫兴社区/一组",
    }
    with desk.database.session() as db:
        unit = db.scalars(select(OrgUnit).where(OrgUnit.name == "绿洲社区")).one()
        assert (unit.code, unit.initials, unit.kind) == (f"U{unit.id}", "lzsq", "community")
    # once more: all is there already
    batch = desk.rows(
        ["临江区", "", "", "", "区"], ["东岸街道", "EB", "临江区", "", "街道"], ["三洲社区", "", "东岸街道", "", "社区"]
    )
    assert (batch.faults, batch.summary["new"], batch.summary["known"]) == ([], 1, 2)
    assert desk.apply(batch).summary["added"] == 1


def test_town_or_country_comes_in_by_its_word_or_its_code(desk: Desk) -> None:
    heads = ["名称", "上级单位", "类型", "城乡分类代码"]
    top = ["临江区", "", "区", "城镇"]
    bad = desk.rows(top, ["溪头村", "临江区", "村", "山上"], heads=heads)
    assert codes(bad) == [(3, "residence_unknown")]
    good = [
        ["茶场村", "临江区", "村", "220"],
        ["竹坞村", "临江区", "村", "Rural"],
        ["东苑社区", "临江区", "社区", "111"],
        ["渡口社区", "临江区", "社区", ""],
    ]
    desk.apply(desk.rows(top, *good, heads=heads))
    with desk.database.session() as db:
        found = {unit.name: unit.residence for unit in db.scalars(select(OrgUnit))}
    assert found == {
        "临江区": "urban",
        "茶场村": "rural",
        "竹坞村": "rural",
        "东苑社区": "urban",
        "渡口社区": None,
    }


def test_every_bad_row_is_told_and_nothing_is_made(desk: Desk) -> None:
    with desk.database.session() as db, transaction(db):
        top = make_unit(db, name="临江区", code="LJ")
        make_unit(db, top, name="同名社区", code="T1")
        make_unit(db, make_unit(db, top, name="别处", code="BC"), name="同名社区", code="T2")
        closed = make_unit(db, top, name="旧街道", code="OLD")
        closed.closed_at = START
    before = desk.tree()
    batch = desk.rows(
        ["甲", "A", "乙", "", "社区"],
        ["乙", "B", "丙", "", "社区"],
        ["丙", "C", "甲", "", "社区"],
        ["丁", "D", "丁", "", "社区"],
        ["戊", "a", "临江区", "", "社区"],
        ["己", "", "没有的", "", "社区"],
        ["庚", "", "", "NO", "社区"],
        ["辛", "", "同名社区", "", "社区"],
        ["壬", "", "旧街道", "", "社区"],
        ["癸", "LJ", "", "", "社区"],
        ["子", "", "临江区", "", ""],
        ["丑", "", "临江区", "", "王国"],
        ["寅", "", "临江区", "", "社区"],
        ["寅", "", "临江区", "", "社区"],
        ["", "", "临江区", "", "社区"],
        ["卯", "x" * 41, "临江区", "", "社区"],
    )
    assert sorted(codes(batch)) == sorted(
        [
            (2, "parent_circle"),
            (3, "parent_circle"),
            (4, "parent_circle"),
            (5, "parent_circle"),
            (6, "code_repeated"),
            (7, "parent_unknown"),
            (8, "parent_unknown"),
            (9, "parent_ambiguous"),
            (10, "parent_closed"),
            (11, "code_of_another"),
            (12, "kind_needed"),
            (13, "kind_unknown"),
            (15, "unit_repeated"),
            (16, "name_needed"),
            (17, "code_long"),
        ]
    )
    data = {row: data for row, _, _, data in batch.faults}
    assert data[2] == {"rows": [2, 3, 4]}
    assert data[9] == {"count": 2, "codes": ["T1", "T2"]}
    assert desk.tree() == before


def test_an_administrator_of_one_unit_makes_units_below_it_alone(desk: Desk) -> None:
    with desk.database.session() as db, transaction(db):
        mine, other = make_unit(db, name="东岸街道", code="EB"), make_unit(db, name="西岸街道", code="WB")
    batch = desk.rows(["甲", "", "西岸街道", "", "社区"], ["乙", "WB", "", "", "社区"], reach=[mine.path], base=mine)
    assert codes(batch) == [(2, "parent_unknown"), (3, "code_taken")]
    batch = desk.rows(["甲", "", "", "", "社区"], reach=[mine.path, other.path])
    assert codes(batch) == [(2, "parent_needed")]
    batch = desk.rows(["甲", "", "", "", "社区"], reach=[mine.path], base=mine)
    desk.apply(batch, reach=[mine.path])
    assert desk.tree()["甲"] == "东岸街道/甲"


def test_what_has_become_wrong_meanwhile_sends_the_import_back(desk: Desk) -> None:
    batch = desk.rows(["甲", "A", "", "", "社区"])
    with desk.database.session() as db, transaction(db):
        make_unit(db, name="乙", code="A")
    batch = desk.apply(batch)
    assert (batch.state, codes(batch)) == (ImportState.READ, [(2, "code_of_another")])
    assert list(desk.tree()) == ["乙"]


def _reader(columns: dict[str, int]) -> UnitReader:
    index, industries = UnitIndex.__new__(UnitIndex), IndustryIndex.__new__(IndustryIndex)
    index.by_id, index.by_code = {}, {}
    index.by_name = {}  # type: ignore[assignment] # empty, as of a new installation
    industries._ids = {}
    return UnitReader(index, industries, frozenset(), None, None, columns)


@given(st.lists(st.integers(-1, 14), min_size=15, max_size=15))
def test_circles_are_found_whatever_the_shape(parents: list[int]) -> None:
    """Each row names a row as its parent, or none: those on a circle are faults, all others come after their parents."""
    rows = [
        Row(number + 1, [f"单位{number}", f"C{number}", "" if parent < 0 else f"C{parent}", "社区"])
        for number, parent in enumerate(parents)
    ]
    reader = _reader({"name": 0, "code": 1, "parent_code": 2, "kind": 3})
    order = reader.ordered(rows)
    circle = set()
    for number in range(15):
        seen, one = [], number
        while one >= 0 and one not in seen:
            seen.append(one)
            one = parents[one]
        if one == number:
            circle.add(number + 1)
    assert {fault.row for fault in reader.faults.found} == circle
    assert len(order) == 15
    if not circle:
        place = {unit.number: index for index, unit in enumerate(order)}
        assert all(place[unit.above.number] < place[unit.number] for unit in order if isinstance(unit.above, UnitRow))


def test_two_thousand_units_of_four_levels_come_in_at_once(desk: Desk) -> None:
    rows: list[list[Any]] = [["区", "R", "", "", "区"]]
    rows += [[f"街道{n}", f"S{n}", "区", "", "街道"] for n in range(10)]
    rows += [[f"社区{n}", f"C{n}", "", f"S{n % 10}", "社区"] for n in range(200)]
    rows += [[f"企业{n}", f"E{n}", "", f"C{n % 200}", "企业"] for n in range(1800)]
    batch = desk.apply(desk.rows(*reversed(rows)))
    assert batch.summary["added"] == 2011
    assert desk.tree()["企业1799"] == "区/街道9/社区199/企业1799"
