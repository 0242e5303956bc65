"""A table of two dimensions: no rate of fewer than ten follows from the cells and margins that are shown."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from quizapp.reports.suppression import Counts, add_up
from quizapp.reports.two_way import Cell, Margin, hide_line, hide_table


def of(first: int, passed: int) -> Counts:
    return Counts(started=first, closed=first, first=first, passed=passed)


class Reader:
    """Knows how many took part in every cell, and how many passed where that is shown: cells, margins, total."""

    def __init__(self, cells: dict[Cell, Counts], hidden: set[Cell], rows: set[str], columns: set[str]) -> None:
        self.cells, self.names = cells, list(cells)
        lines: list[set[Cell]] = [{cell} for cell in cells if cell not in hidden]
        lines += [{c for c in cells if c[0] == row} for row in {c[0] for c in cells} - rows]
        lines += [{c for c in cells if c[1] == column} for column in {c[1] for c in cells} - columns]
        lines.append(set(cells))
        self.rows = np.array([self.row(line) for line in lines])
        self.values = [add_up(cells[cell] for cell in line).passed for line in lines]

    def row(self, line: set[Cell]) -> np.ndarray:
        return np.array([float(name in line) for name in self.names])

    def width(self, line: set[Cell]) -> float:
        known = {"A_eq": self.rows, "b_eq": self.values, "bounds": [(0, self.cells[name].first) for name in self.names]}
        row = self.row(line)
        return float(-linprog(-row, **known).fun - linprog(row, **known).fun)


def margins(cells: dict[Cell, Counts]) -> tuple[set[str], set[str]]:
    """What the tables of one dimension hide."""
    found = []
    for place in (0, 1):
        names = {cell[place] for cell in cells}
        sums = {name: add_up(n for c, n in cells.items() if c[place] == name) for name in names}
        found.append(set(hide_line(sums).hidden))
    return found[0], found[1]


def test_a_small_cell_takes_one_of_its_row_one_of_its_column_and_where_these_cross() -> None:
    cells = {("F", "18"): of(5, 4), ("F", "30"): of(60, 40), ("M", "18"): of(100, 50), ("M", "30"): of(100, 70)}
    assert hide_table(cells).hidden == set(cells)


def test_a_cell_between_two_circles_is_not_free_and_takes_more_with_it() -> None:
    """Two squares of hidden cells that one hidden cell joins: each row and column has two, yet that one follows from the others."""
    cells = {(str(row), str(column)): of(40, 20) for row in range(4) for column in range(4)}
    few = [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1"), ("2", "2"), ("2", "3"), ("3", "2"), ("3", "3"), ("1", "2")]
    cells |= {cell: of(9, 5) for cell in few}
    hidden = set(hide_table(cells).hidden)
    assert hidden > set(few)
    reader = Reader(cells, hidden, set(), set())
    assert all(reader.width({cell}) > 0 for cell in few)
    assert Reader(cells, set(few), set(), set()).width({("1", "2")}) == pytest.approx(0)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_rate_of_fewer_than_ten_follows_from_a_table_and_its_margins(seed: int) -> None:
    dice = random.Random(seed)
    sizes = dice.choice([[0, 3, 9, 40], [12, 30, 90, 5], [0, 0, 1, 200], [60, 60, 7]])
    rates = dice.choice([[0.5], [0, 0.5, 1], [0.05, 0.9]])
    cells = {
        (f"r{row}", f"c{column}"): of(first, round(first * dice.choice(rates)))
        for row in range(dice.randrange(2, 6))
        for column in range(dice.randrange(2, 5))
        if (first := dice.choice(sizes))
    }
    rows, columns = margins(cells)
    if add_up(cells.values()).first < 10:
        return
    hidden = set(hide_table(cells, Margin(rows), Margin(columns)).hidden)
    reader, nothing = Reader(cells, hidden, rows, columns), Reader(cells, set(cells), rows, columns)
    for cell, counts in cells.items():
        if counts.first < 10:
            assert cell in hidden
            # what the margins alone say of it, as where nobody of a row passed, no table can keep
            assert reader.width({cell}) > 1e-6 or nothing.width({cell}) < 1e-6, cell
