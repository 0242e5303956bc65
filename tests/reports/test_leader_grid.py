"""Whoever sees aggregates only cannot compute a hidden number of 1 to 4 people: not from one night, not from several."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta

import numpy as np
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Role
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.leaders.grid import GridCell, first_sheet, group_tree, next_sheet, unit_tree
from quizapp.reports.leaders.queries import Grid, GridFilters, read_grid
from quizapp.reports.leaders.services import kept_sheets, make_grid
from quizapp.reports.suppression import Counts, Node
from tests.conftest import START
from tests.factories import make_delivery
from tests.reports.test_figures import District, add, make_district, scope_of
from tests.reports.test_pages import client_for

PATHS = ("/1/", "/1/2/", "/1/2/4/", "/1/2/5/", "/1/2/6/", "/1/3/", "/1/3/7/", "/1/3/8/")
CATEGORIES = ("passed", "failed", "void", "unidentified")
GROUPS = ("a", "b", "c", "")
NIGHT = date(2026, 5, 1)

#: (path, group) → people of each category.
State = dict[tuple[str, str], list[int]]


def counts_of(people: list[int]) -> Counts:
    passed, failed, void, unidentified = people
    first = passed + failed
    return Counts(sum(people), first + unidentified, first, passed, void, unidentified)


def trees_of(state: State) -> tuple[Node, Node]:
    def added(cells: list[list[int]]) -> Counts:
        return counts_of([sum(column) for column in zip(*cells, strict=True)])

    by_path = {path: added([people for (p, _), people in state.items() if p == path]) for path in PATHS}
    tree = unit_tree((path, False, counts) for path, counts in by_path.items() if counts.started)
    whole = next((node for node in tree.walk() if node.key == "/1/"), tree)
    by_group = {group: added([people for (_, g), people in state.items() if g == group]) for group in GROUPS}
    return tree, group_tree(whole, ((group, counts) for group, counts in by_group.items() if counts.started))


def random_state(rng: random.Random) -> State:
    size = rng.choice([2, 6, 15])
    return {
        (path, group): [rng.choice([0, 0, rng.randrange(size), rng.randrange(3)]) for _ in CATEGORIES]
        for path in PATHS
        for group in GROUPS
    }


def a_day_later(state: State, rng: random.Random) -> State:
    """Voids, claims, re-scores, people who come late; sometimes one, sometimes many."""
    found = {key: list(people) for key, people in state.items()}
    for _ in range(rng.choice([0, 1, 2, 3, 8, 30])):
        people = found[rng.choice(list(found))]
        into = rng.randrange(4)
        if rng.random() < 0.6:
            out = rng.randrange(4)
            if people[out]:
                people[out] -= 1
                people[into] += 1
        else:
            people[into] += rng.choice([1, 1, 2, 5, 9])
    return found


Exports = list[tuple[date, dict[str, GridCell], dict[str, GridCell]]]


def exports_of(states: list[State], *, keep: bool = True) -> Exports:
    """What somebody has who keeps the files of every night."""
    found: Exports = []
    units: dict[str, GridCell] = {}
    groups: dict[str, GridCell] = {}
    for number, state in enumerate(states):
        night = NIGHT + timedelta(days=number)
        tree, by_group = trees_of(state)
        units = next_sheet(units, tree, night) if units and keep else first_sheet(tree, night)
        whole = units.get("/1/")
        if whole is not None:
            groups = (
                next_sheet(groups, by_group, night, whole=whole)
                if groups and keep
                else first_sheet(by_group, night, whole=whole)
            )
        found.append((night, units, groups))
    return found


class Attacker:
    """Knows every number that was ever shown and of which night it is; unknown are the people of each (path, group), night by night.

    Paths and groups have variables of their own, tied by their total alone: somebody knows at most the lists, never a cross table.
    """

    def __init__(self, states: list[State], exports: Exports) -> None:
        self.states, self.exports = states, exports
        cells = [*(("unit", path) for path in PATHS), *(("group", group) for group in GROUPS)]
        names = itertools.product(range(len(states)), cells, CATEGORIES)
        self.place = {name: number for number, name in enumerate(names)}
        rows, values = [], []
        for number in range(len(states)):
            for category in CATEGORIES:
                row = np.zeros(len(self.place))
                for kind, key in cells:
                    row[self.place[number, (kind, key), category]] = 1 if kind == "unit" else -1
                rows.append(row)
                values.append(0)
        seen = set()
        for _night, units, groups in exports:
            for kind, sheet in (("unit", units), ("group", groups)):
                for cell in sheet.values():
                    for name, value in cell.shows.items():
                        if (kind, cell.key, name, cell.state_of) in seen:
                            continue
                        seen.add((kind, cell.key, name, cell.state_of))
                        rows.append(self.row(kind, cell.key, name, (cell.state_of - NIGHT).days))
                        values.append(value)
        first = exports[0][1]
        for path in PATHS:
            above = next((a for a in (f"{path.rstrip('/').rpartition('/')[0]}/",) if a in first), None)
            if path not in first and above is not None and len(first[above].shows) == 5:
                for name in CATEGORIES:  # a unit without a row has nobody
                    rows.append(self.row("unit", path, name, 0))
                    values.append(0)
        self.matrix, self.values = np.array(rows), np.array(values, dtype=float)

    def row(self, kind: str, key: str, name: str, number: int) -> np.ndarray:
        row = np.zeros(len(self.place))
        for category in ("passed", "failed") if name == "first" else (name,):
            for one in self.below(kind, key):
                row[self.place[number, one, category]] += 1
        return row

    @staticmethod
    def below(kind: str, key: str) -> list[tuple[str, str]]:
        if kind == "group" and key.startswith("="):
            return [("group", key[1:])]
        if key.endswith("own"):
            return [("unit", key.removesuffix("own"))]
        return [("unit", path) for path in PATHS if path.startswith(key)]

    def true(self, row: np.ndarray) -> int:
        total = 0
        for (number, (kind, key), category), place in self.place.items():
            if row[place]:
                index = CATEGORIES.index(category)
                people = sum(
                    cell[index]
                    for (path, group), cell in self.states[number].items()
                    if (path == key if kind == "unit" else group == key)
                )
                total += int(row[place]) * people
        return total

    def targets(self) -> list[tuple[str, np.ndarray]]:
        """Every number of 1 to 4 people, and every change by 1 to 4 since a number was shown the last time."""
        found = []
        keys = [("unit", key) for key in ("/", *PATHS, *(f"{p}own" for p in PATHS))]
        keys += [("group", f"={group}") for group in GROUPS]
        for (kind, key), name in itertools.product(keys, ("first", *CATEGORIES)):
            rows = [self.row(kind, key, name, number) for number in range(len(self.states))]
            found += [(f"{key} {name} {number}", row) for number, row in enumerate(rows)]
            last = 0
            for number, (_, units, groups) in enumerate(self.exports):
                found.append((f"{key} {name} {last}->{number}", rows[number] - rows[last]))
                cell = (units if kind == "unit" else groups).get(key)
                last = number if cell is None or name not in cell.shows else (cell.state_of - NIGHT).days
        return [(name, row) for name, row in found if 1 <= abs(self.true(row)) <= 4]

    def determined(self, row: np.ndarray, basis: np.ndarray) -> bool:
        """By the equations alone."""
        rest = row - basis.T @ (basis @ row)
        return bool(np.abs(rest).max() < 1e-8)

    def basis(self) -> np.ndarray:
        _, sizes, right = np.linalg.svd(self.matrix, full_matrices=False)
        return np.asarray(right[sizes > 1e-9])

    def pinned(self, row: np.ndarray) -> bool:
        """Also by that nobody is less than nobody."""
        equations = {"A_eq": self.matrix, "b_eq": self.values, "bounds": (0, None)}
        least, most = linprog(row, **equations), linprog(-row, **equations)
        if 3 in (least.status, most.status):
            return False
        assert least.status == most.status == 0
        return bool(-most.fun - least.fun < 1e-6)


def nights(rng: random.Random) -> list[State]:
    states = [random_state(rng)]
    for _ in range(2):
        states.append(a_day_later(states[-1], rng))
    return states


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_no_number_of_one_to_four_can_be_computed_from_all_files_of_several_nights(seed: int) -> None:
    rng = random.Random(seed)
    states = nights(rng)
    attacker = Attacker(states, exports_of(states))
    basis, targets = attacker.basis(), attacker.targets()
    for name, row in targets:
        assert not attacker.determined(row, basis), name
    for name, row in rng.sample(targets, min(5, len(targets))):
        assert not attacker.pinned(row), name


def test_the_search_finds_what_a_grid_made_anew_every_night_would_tell() -> None:
    """The control: the same search, on sheets that nothing is kept of."""
    found = 0
    for seed in range(12):
        states = nights(random.Random(seed))
        attacker = Attacker(states, exports_of(states, keep=False))
        basis = attacker.basis()
        found += any(attacker.determined(row, basis) for _, row in attacker.targets())
    assert found


def closed_district(db: Session) -> District:
    """Two deliveries that closed yesterday."""
    d = make_district(db)
    d.delivery.closes_at = to_ms(START - timedelta(days=1))
    second = make_delivery(db, d.street, items=1, closes_at=to_ms(START - timedelta(days=1)))
    for band, passed in (("18-29", 20), ("30-44", 9), ("60+", 3)):
        add(db, d.delivery, d.left, passed, 6, age_band=band, sex="female")
    add(db, d.delivery, d.right, 30, 12, age_band="30-44", sex="male")
    add(db, d.delivery, d.other, 25, 10, age_band="18-29", sex="male")
    add(db, second, d.left, 2, 1)
    add(db, second, d.right, 30, 10)
    add(db, second, d.street, 20, 10)
    return d


def grid_of(db: Session, d: District, **filters: object) -> Grid:
    return read_grid(db, scope_of(d.top, Role.LEADER), GridFilters(**{"year": START.year, **filters}))  # type: ignore[arg-type]


def by_name(grid: Grid) -> dict[str, tuple[int | None, int | None]]:
    return {
        (row.group if row.group is not None else row.unit.name if row.unit else row.kind): (row.first, row.passed)
        for row in grid.rows
    }


def test_the_grid_is_of_closed_deliveries_and_of_the_night_after(either_db: Session) -> None:
    d = closed_district(either_db)
    running = make_delivery(either_db, d.top, items=1)
    add(either_db, running, d.left, 50)
    either_db.commit()
    assert grid_of(either_db, d).sheets == 0
    assert make_grid(either_db, START.date()) == 2
    assert make_grid(either_db, START.date()) == 0
    grid = grid_of(either_db, d)
    assert (grid.sheets, grid.state_of) == (2, START.date() - timedelta(days=1))
    whole = grid_of(either_db, d, delivery_id=d.delivery.id)
    assert by_name(whole) == {"临江区": (127, 87), "滨江街道": (92, 62), "桥东街道": (35, 25)}
    add(either_db, d.delivery, d.left, 40)  # in the daytime nothing moves
    either_db.commit()
    assert by_name(grid_of(either_db, d, delivery_id=d.delivery.id)) == by_name(whole)
    with pytest.raises(NotFound):
        read_grid(either_db, scope_of(d.left, Role.LEADER), GridFilters(unit_id=d.right.id))


def test_a_small_cell_is_hidden_with_another_and_a_month_is_a_sum_of_what_is_shown(either_db: Session) -> None:
    d = closed_district(either_db)
    either_db.commit()
    make_grid(either_db, START.date())
    second = either_db.scalars(select(Delivery.id).where(Delivery.unit_id == d.street.id)).one()
    street = by_name(grid_of(either_db, d, delivery_id=second, unit_id=d.street.id))
    assert street["滨江街道"] == (73, 52)
    assert street["紫兴社区"] == (None, None)
    assert sum(value == (None, None) for value in street.values()) == 2
    month = grid_of(either_db, d, month=11, unit_id=d.street.id)
    rows = {row.unit.name: row for row in month.rows if row.unit}
    assert (rows["紫兴社区"].first, rows["紫兴社区"].left_out) == (50, 1)  # of the first delivery alone
    assert rows["滨江街道"].first == 92 + 73
    assert grid_of(either_db, d, month=10).sheets == 0


def test_groups_are_of_the_deliverys_own_unit(either_db: Session) -> None:
    d = closed_district(either_db)
    either_db.commit()
    make_grid(either_db, START.date())
    ages = by_name(grid_of(either_db, d, delivery_id=d.delivery.id, by="age_band"))
    assert ages["临江区"] == (127, 87)
    assert ages["18-29"] == (61, 45)
    below = read_grid(either_db, scope_of(d.left, Role.LEADER), GridFilters(delivery_id=d.delivery.id, by="age_band"))
    assert all(row.group is None for row in below.rows)


def test_a_number_changes_by_five_or_not_at_all(either_db: Session) -> None:
    d = closed_district(either_db)
    either_db.commit()
    make_grid(either_db, START.date())
    before = by_name(grid_of(either_db, d, delivery_id=d.delivery.id))

    def a_night_later(number: int, **values: object) -> dict[str, tuple[int | None, int | None]]:
        some = select(Attempt.id).where(
            Attempt.delivery_id == d.delivery.id, Attempt.unit_id == d.right.id, Attempt.passed.is_(False)
        )
        ids = either_db.scalars(some.order_by(Attempt.id).limit(4 if number == 1 else 1)).all()
        with transaction(either_db):
            either_db.execute(update(Attempt).where(Attempt.id.in_(ids)).values(**values))
        make_grid(either_db, START.date() + timedelta(days=number))
        return by_name(grid_of(either_db, d, delivery_id=d.delivery.id))

    assert a_night_later(1, passed=True) == before
    assert a_night_later(2, passed=True)["滨江街道"] == (92, 67)


def test_every_filter_of_every_day_shows_stored_cells_or_their_sums(either_db: Session) -> None:
    d = closed_district(either_db)
    either_db.commit()
    rng = random.Random(3)
    for number in range(3):
        make_grid(either_db, START.date() + timedelta(days=number))
        deliveries = either_db.scalars(select(Delivery.id)).all()
        sheets = {one: kept_sheets(either_db, one) for one in deliveries}
        for unit in (d.top, d.street, d.other, d.left, d.right):
            mine = {one: sheets[one].get("", {}).get(unit.path) for one in deliveries}
            for one, cell in mine.items():
                row = grid_of(either_db, d, unit_id=unit.id, delivery_id=one).rows[0]
                assert (row.first, row.passed, row.void) == (
                    (cell.first, cell.passed, cell.void) if cell else (0, 0, 0)
                )
            row = grid_of(either_db, d, unit_id=unit.id, month=11).rows[0]
            assert (row.first or 0) == sum(cell.first or 0 for cell in mine.values() if cell)
            assert (row.passed or 0) == sum(cell.passed or 0 for cell in mine.values() if cell)
            assert row.rated == sum(cell.first or 0 for cell in mine.values() if cell and cell.passed is not None)
        with transaction(either_db):
            ids = either_db.scalars(select(Attempt.id).order_by(Attempt.id)).all()
            either_db.execute(
                update(Attempt).where(Attempt.id.in_(rng.sample(list(ids), 9))).values(state="void", is_first=False)
            )
    assert either_db.scalar(select(func.count()).select_from(Attempt))


def test_the_page_says_of_when_it_is_and_why_other_filters_are_refused(db: Session, app: Flask) -> None:
    d = closed_district(db)
    db.commit()
    leader = client_for(app, d.top, Role.LEADER)
    assert "这段时间没有结束的测验" in leader.get("/reports/pass-rates").text
    make_grid(db, START.date())
    page = leader.get(f"/reports/pass-rates?delivery={d.delivery.id}&target=80").text
    assert page.count("<h1") == 1
    assert "数据是 2026-11-22 夜里的" in page or "11月22日" in page or "2026/11/22" in page
    assert "68.5%" in page
    assert "有的筛选没有用上" not in page
    assert f"unit={d.street.id}" in page
    refused = leader.get(f"/reports/pass-rates?delivery={d.delivery.id}&from=2026-11-01&sex=female").text
    assert "有的筛选没有用上" in refused
    assert "68.5%" in refused
    grouped = leader.get(f"/reports/pass-rates?delivery={d.delivery.id}&by=age_band").text
    assert 'data-row="18-29"' in grouped
    monthly = leader.get(f"/reports/pass-rates?period=2026-11&unit={d.street.id}").text
    assert "有 1 个测验因人数少没有全算进来" in monthly
    assert leader.get(f"/reports/pass-rates?period=x&by=identity&unit={d.street.id}").status_code == 200
    assert "1 到 4 人" in monthly
