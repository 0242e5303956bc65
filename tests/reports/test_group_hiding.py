"""Rates of groups: hidden in one table is hidden in all, and not to be had from all tables of an account by subtraction."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.reports.figures import FigureFilters, GroupDimension, GroupTable, group_table, pass_rate_table
from quizapp.reports.figures.hiding import Groups, HiddenGroups, in_order, without_groups
from quizapp.reports.figures.sums import SumRow
from quizapp.reports.figures.unit_table import grow_tree
from quizapp.reports.suppression import Counts
from quizapp.reports.tables import Hidden
from tests.reports.test_figures import District, add, make_district, scope_of
from tests.reports.test_pages import client_for

AGE, SEX, UNIT = GroupDimension.AGE_BAND, GroupDimension.SEX, GroupDimension.UNIT
PATHS = ("/1/", "/1/2/", "/1/3/", "/1/3/4/", "/1/3/5/")
AGES, SEXES = ("18-29", "30-39", None), ("female", "male")


def random_rows(seed: int, sexes: tuple[str | None, ...] = SEXES, *, least: int = 0) -> list[SumRow]:
    dice = random.Random(seed)
    sizes = [max(least, size) for size in dice.choice([[0, 3, 9, 40], [12, 30, 90, 5], [0, 1, 15, 60]])]
    return [
        SumRow(path, False, age, Counts(first=size, passed=dice.randint(0, size)), sex)
        for path, age, sex in itertools.product(PATHS, AGES, sexes)
        if (size := dice.choice(sizes))
    ]


def decided(rows: list[SumRow], dimensions: tuple[GroupDimension, ...], unit: str) -> HiddenGroups:
    if dimensions == (SEX,):
        rows = [SumRow(row.path, row.no_unit, row.second, row.counts) for row in rows]
    return HiddenGroups(grow_tree(["/1/"], without_groups(rows)), rows, dimensions, unit, below=True)


def cells_of(rows: list[SumRow], decision: HiddenGroups, page: str) -> Iterator[tuple[str, Groups, list[int]]]:
    """Every row of the page of a unit, in each group and pair of groups, with the places of the people in it."""
    node = next((node for node in decision.tree.walk() if node.key == page), None)
    chosen = [(AGE, AGES), (SEX, SEXES)]
    for key in [page, *node.parts] if node else []:
        for ages, sexes in itertools.product((False, True), repeat=2):
            wanted = [one for one, asked in zip(chosen, (ages, sexes), strict=True) if asked]
            for values in itertools.product(*(of for _, of in wanted)):
                groups = dict(zip((one for one, _ in wanted), values, strict=True))
                inside = [
                    place
                    for place, row in enumerate(rows)
                    if (row.path.startswith(key) if key.endswith("/") else f"{row.path}own" == key)
                    and groups.get(AGE, row.group) == row.group
                    and groups.get(SEX, row.second) == row.second
                ]
                if inside:
                    yield key, groups, inside


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_cell_is_hidden_on_every_page_or_on_none(seed: int) -> None:
    rows = random_rows(seed)
    for page in PATHS:
        both = decided(rows, (AGE, SEX), page)
        singles = {AGE: decided(rows, (AGE,), page), SEX: decided(rows, (SEX,), page)}
        for key, groups, inside in cells_of(rows, both, page):
            hidden = both.hides(key, groups)
            if sum(rows[place].counts.first for place in inside) < FEWEST_ANSWERS:
                assert hidden
            if key in PATHS:
                assert decided(rows, (AGE, SEX), key).hides(key, groups) == hidden
            if len(groups) == 1:
                assert singles[next(iter(groups))].hides(key, groups) == hidden


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_rate_of_fewer_than_ten_is_left_when_the_shown_ones_of_all_units_in_a_group_are_subtracted(
    seed: int,
) -> None:
    rows = random_rows(seed, (None,), least=1)  # a group that is in one unit alone, which has no other, is that unit
    few, follow = left_over(rows, (AGE,))
    assert not follow, few


def left_over(rows: list[SumRow], dimensions: tuple[GroupDimension, ...], *, alone: bool = False) -> tuple[int, int]:
    """Of all pages together: how many rates of fewer than ten are hidden, and how many of them the shown ones add up to.

    Not counted are those that one shown number tells by itself, whatever is hidden: of the same people, or of more of whom all or none
    passed. `alone`: the control, each page decided by itself.
    """
    shown, few = [], []
    for page in PATHS:
        if alone:
            inside_page = [row for row in rows if row.path.startswith(page)]
            decision = HiddenGroups(
                grow_tree([page], without_groups(inside_page)), inside_page, dimensions, page, below=True
            )
        else:
            decision = decided(rows, dimensions, page)
        for key, groups, inside in cells_of(rows, decision, page):
            if not set(groups) <= set(dimensions):
                continue
            line = np.zeros(len(rows))
            line[inside] = 1
            if not decision.hides(key, groups):
                shown.append(line)
            elif sum(rows[place].counts.first for place in inside) < FEWEST_ANSWERS:
                few.append(line)
    few = [line for line in few if not told(rows, line, shown)]
    if not shown or not few:
        return len(few), 0
    matrix, wanted = np.array(shown).T, np.array(few).T
    left = np.abs(matrix @ np.linalg.lstsq(matrix, wanted, rcond=None)[0] - wanted).max(axis=0)
    return len(few), int((left < 1e-8).sum())


def told(rows: list[SumRow], line: np.ndarray, shown: list[np.ndarray]) -> bool:
    """Whether a single shown number says how many of these people passed."""
    for other in shown:
        if (other >= line).all():
            first, passed = (
                sum(getattr(rows[at].counts, of) for at in np.flatnonzero(other)) for of in ("first", "passed")
            )
            if (other == line).all() or passed in (0, first):
                return True
    return False


def test_of_two_groups_in_several_units_one_in_fifty_follows_and_far_more_where_each_page_decides_for_itself() -> None:
    """Sums in three directions are not looked through: docs/methods.md says so."""
    for alone, least, most in ((False, 0, 0.025), (True, 0.05, 1)):
        found = [left_over(random_rows(seed), (AGE, SEX), alone=alone) for seed in range(40)]
        few, follow = (sum(column) for column in zip(*found, strict=True))
        assert few > 900
        assert least <= follow / few <= most, (follow, few)


def few_young_women(db: Session) -> District:
    """4 of 5 young women passed: by sex and age, both of 60 and more."""
    d = make_district(db)
    for unit, sex, age, passed, failed in (
        (d.left, "female", "18-29", 4, 1),
        (d.left, "female", "30-39", 20, 10),
        (d.right, "female", "30-39", 20, 10),
        (d.left, "male", "18-29", 20, 20),
        (d.right, "male", "18-29", 10, 10),
        (d.right, "male", "30-39", 30, 10),
    ):
        add(db, d.delivery, unit, passed, failed, sex=sex, age_band=age)
    db.flush()
    return d


def rates(table: GroupTable) -> dict[frozenset[str | None], int | None]:
    return {frozenset((row.group, row.second)): row.passed for row in table.rows if "" not in (row.group, row.second)}


def test_the_order_of_two_groups_and_a_filter_give_nothing_away(either_db: Session) -> None:
    d = few_young_women(either_db)
    scope = scope_of(d.top)
    one = group_table(either_db, scope, FigureFilters(), AGE, SEX)
    assert rates(one) == rates(group_table(either_db, scope, FigureFilters(), SEX, AGE))
    assert set(rates(one).values()) == {None}, "two by two: one small cell takes all four"
    assert [row.passed for row in one.rows if row.second == ""] == [104, 34, 70], "the margins are not small"
    for sex, age in itertools.product(SEXES, AGES[:2]):
        for filters, by in ((FigureFilters(sex=sex), AGE), (FigureFilters(age_band=age), SEX)):
            table = group_table(either_db, scope, filters, by)
            assert table.rows[0].passed is not None
            assert [row.passed for row in table.rows[1:]] == [None, None]
            units = pass_rate_table(either_db, scope, FigureFilters(**{"sex": sex, "age_band": age}))
            assert units.total.passed is None
    both = group_table(either_db, scope, FigureFilters(sex="female"), UNIT, AGE)
    assert all(row.passed is None for row in both.rows if row.second)


def test_what_a_filter_leaves_of_a_unit_cannot_be_subtracted(either_db: Session) -> None:
    """Of 35 women and 40 men here and 30 and 60 there all is shown; of 5 women here and 50 men nothing of both."""
    d = make_district(either_db)
    add(either_db, d.delivery, d.left, 3, 2, sex="female")
    add(either_db, d.delivery, d.left, 30, 20, sex="male")
    add(either_db, d.delivery, d.right, 20, 20, sex="female")
    add(either_db, d.delivery, d.right, 20, 40, sex="male")
    scope = scope_of(d.street)
    assert [row.passed for row in pass_rate_table(either_db, scope, FigureFilters()).rows] == [73, 33, 40]
    for sex in SEXES:
        rows = pass_rate_table(either_db, scope, FigureFilters(sex=sex)).rows
        assert [row.passed is None for row in rows] == [False, True, True], sex
    for unit in (d.left, d.right):
        rows = group_table(either_db, scope, FigureFilters(unit_id=unit.id), SEX).rows
        assert [row.passed is None for row in rows] == [False, True, True]


def test_of_three_groups_at_once_no_rate_is_shown_and_the_page_says_why(db: Session, app: Flask) -> None:
    d = make_district(db)
    for age, sex in itertools.product(AGES[:2], SEXES):
        add(db, d.delivery, d.left, 20, 20, sex=sex, age_band=age, education="college")
    scope = scope_of(d.top)
    table = group_table(db, scope, FigureFilters(education="college"), AGE, SEX)
    assert [row.hidden for row in table.rows] == [None, *[None, Hidden.NARROW, Hidden.NARROW] * 2]
    filters = FigureFilters(education="college", sex="male", age_band="18-29")
    assert {row.hidden for row in pass_rate_table(db, scope, filters).rows} == {Hidden.NARROW, Hidden.EMPTY}
    db.commit()
    query = "by=age_band&second=sex&education=college"
    client = client_for(app, d.top)
    assert "三种以上分组叠在一起，不显示" in client.get(f"/reports/groups?{query}").text
    lines = client.get(f"/reports/export/groups/csv?{query}").data.decode("utf-8-sig").splitlines()
    assert sum("50" in line for line in lines) == 3, "the total and the two ages"
    assert in_order([UNIT, SEX, AGE, SEX]) == (AGE, SEX)
