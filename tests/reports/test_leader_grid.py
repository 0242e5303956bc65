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
from quizapp.reports.suppression import LEAST_WIDTH, SMALL_CELL, Counts, Node
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
        self.least = [row for number in range(len(states)) for row in self.somebody_in(number)]

    def somebody_in(self, number: int) -> list[np.ndarray]:
        """The cells that a sheet hides when it is made for the first time: 0 would be shown."""
        found = []
        night = self.exports[number]
        before = self.exports[number - 1] if number else (None, {}, {})
        for kind, old, sheet in (("unit", before[1], night[1]), ("group", before[2], night[2])):
            if any(value for cell in old.values() for value in cell.shows.values()):
                continue
            for name in ("first", "void", "unidentified"):
                groups = [cell for cell in sheet.values() if kind == "unit" or cell.above is not None]
                if kind == "unit" or any(name in cell.shows for cell in groups):
                    found += [self.row(kind, c.key, name, number) for c in groups if name not in c.shows]
        return found

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

    def narrow(self, row: np.ndarray) -> bool:
        """Left open by less than four. Also by that nobody is less than nobody, and that somebody is in a cell that is hidden at first."""
        known = {"A_eq": self.matrix, "b_eq": self.values, "bounds": (0, None)}
        if self.least:
            known |= {"A_ub": -np.array(self.least), "b_ub": -np.ones(len(self.least))}
        least, most = linprog(row, **known), linprog(-row, **known)
        if 3 in (least.status, most.status):
            return False
        assert least.status == most.status == 0
        return bool(-most.fun - least.fun < LEAST_WIDTH - 1e-6)


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
        assert not attacker.narrow(row), name


def test_the_search_finds_what_a_grid_made_anew_every_night_would_tell() -> None:
    """The control: the same search, on sheets that nothing is kept of."""
    found = 0
    for seed in range(12):
        states = nights(random.Random(seed))
        attacker = Attacker(states, exports_of(states, keep=False))
        basis = attacker.basis()
        found += any(attacker.determined(row, basis) for _, row in attacker.targets())
    assert found


class OneNight:
    """Knows both sheets of one night, that 0 is shown where nobody is, and so that somebody is in each cell that is hidden.

    Only where a list shows a column in none of its groups, some of them may be empty. Units without a row have nobody.
    """

    NUMBERS = ("first", *CATEGORIES)

    def __init__(self, tree: Node, units: dict[str, GridCell], list_: Node, groups: dict[str, GridCell]) -> None:
        self.nodes = {("unit", node.key): node for node in tree.walk()} | {("group", n.key): n for n in list_.walk()}
        self.ends = [name for name, node in self.nodes.items() if not node.parts]
        self.place = {name: number for number, name in enumerate(itertools.product(self.ends, CATEGORIES))}
        self.equal: list[tuple[np.ndarray, float]] = []
        self.least: list[tuple[np.ndarray, float]] = []
        for kind, sheet in (("unit", units), ("group", groups)):
            for key, number in itertools.product(sheet, self.NUMBERS):
                row, value = self.row(kind, key, number), sheet[key].shows.get(number)
                open_list = kind == "group" and all(
                    number not in cell.shows for cell in sheet.values() if cell.above is not None
                )
                if value is not None:
                    self.equal.append((row, value))
                elif number in ("first", "void", "unidentified") and not open_list:
                    self.least.append((row, 1))
        for number in CATEGORIES if groups else ():
            self.equal.append((self.row("unit", list_.key, number) - self.row("group", list_.key, number), 0))

    def row(self, kind: str, key: str, number: str) -> np.ndarray:
        row = np.zeros(len(self.place))
        inside = {node.key for node in self.nodes[kind, key].walk()}
        for end, category in itertools.product(self.ends, ("passed", "failed") if number == "first" else (number,)):
            if end[0] == kind and end[1] in inside:
                row[self.place[end, category]] = 1
        return row

    def open_by(self, kind: str, key: str, number: str) -> float:
        """The greatest that a number can be, less the least."""
        row = self.row(kind, key, number)
        known = {"A_eq": [r for r, _ in self.equal], "b_eq": [v for _, v in self.equal]} if self.equal else {}
        if self.least:
            known |= {"A_ub": [-r for r, _ in self.least], "b_ub": [-v for _, v in self.least]}
        least, most = linprog(row, **known), linprog(-row, **known)
        return np.inf if most.status == 3 else float(-most.fun - least.fun)

    def small(self) -> list[tuple[str, str, str]]:
        return [
            (kind, key, number)
            for (kind, key), node in self.nodes.items()
            for number in self.NUMBERS
            if 1 <= getattr(node.counts, number) <= SMALL_CELL
        ]


def one_night(rows: list[tuple[str, bool, Counts]], groups: list[tuple[str | None, Counts]]) -> OneNight:
    tree = unit_tree(rows)
    units = first_sheet(tree, NIGHT)
    whole = next((node for node in tree.walk() if node.key == "/1/"), tree)
    list_ = group_tree(whole, groups)
    return OneNight(tree, units, list_, first_sheet(list_, NIGHT, whole=units[whole.key]) if groups else {})


def of(first: int, passed: int = 0, void: int = 0, nobody: int = 0) -> Counts:
    return Counts(first + void + nobody, first + nobody, first, passed, void, nobody)


def split(counts: Counts, rng: random.Random) -> list[tuple[str | None, Counts]]:
    """Everybody in one of some groups, at random: most in few of them."""
    weights = [rng.choice([0.01, 0.05, 0.3, 2]) for _ in range(7)]
    found = {group: [0, 0, 0, 0] for group in range(7)}
    people = (counts.passed, counts.failed, counts.void, counts.unidentified)
    for category, count in enumerate(people):
        for group in rng.choices(range(7), weights, k=count):
            found[group][category] += 1
    return [(str(group) if group else None, counts_of(cell)) for group, cell in found.items() if sum(cell)]


@pytest.mark.parametrize(
    "sizes", [(100, 1, 1, 1, 1, 1), (100, 0, 1, 1, 1, 1, 1), (4, 10, 10), (2, 3), (1, 1, 1, 1, 1), (1, 4, 50, 60), (5,)]
)
def test_hidden_cells_do_not_add_up_to_one_each(sizes: tuple[int, ...]) -> None:
    rows = [(f"/1/{number + 2}/", False, of(size, size // 2)) for number, size in enumerate(sizes)]
    groups: list[tuple[str | None, Counts]] = [(str(number), of(size, size // 2)) for number, size in enumerate(sizes)]
    groups.append((None, of(0, void=6)))
    everybody = sum((counts for _, counts in groups), Counts())
    rows.append(("/1/", False, of(0, void=6)))
    for reader in (one_night(rows, groups), one_night([("/1/", False, everybody)], groups)):
        for kind, key, number in reader.small():
            assert reader.open_by(kind, key, number) >= LEAST_WIDTH, (kind, key, number)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_every_small_number_stays_open_by_four_to_who_knows_that_hidden_is_not_empty(seed: int) -> None:
    rng = random.Random(seed)
    sizes, rows = rng.choice([[0, 0, 1], [0, 1, 1, 2, 3], [0, 1, 4, 5, 12], [1, 2, 10, 40]]), []
    paths = [f"/1/{a}/" for a in range(2, 2 + rng.randrange(1, 5))]
    paths += [f"{path}{b}/" for path in paths for b in range(10, 10 + rng.randrange(4))]
    for path in ["/1/", *paths]:
        first = rng.choice(sizes)
        rows.append((path, rng.random() < 0.1, of(first, rng.randint(0, first), rng.choice(sizes), rng.choice(sizes))))
    total = sum((counts for _, _, counts in rows), Counts())
    reader = one_night(rows, split(total, rng))
    small = reader.small()
    for kind, key, number in rng.sample(small, min(12, len(small))):
        assert reader.open_by(kind, key, number) >= LEAST_WIDTH - 1e-6, (kind, key, number)


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
