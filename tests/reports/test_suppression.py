"""What is hidden cannot be computed from what is shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.reports.suppression import SMALL_CELL, Counts, Node, Shown, hide_cells


def tree_of(key: str, value: list | tuple[int, ...]) -> Node:
    """A tree from nested lists of (first, passed, void, unidentified, repeated, running)."""
    node = Node(key)
    if isinstance(value, tuple):
        first, passed, void, unidentified, repeated, running = value
        closed = first + unidentified + repeated
        node.counts = Counts(closed + void + running, closed, first, passed, void, unidentified)
        return node
    for number, part in enumerate(value):
        child = tree_of(f"{key}{number}/", part)
        node.parts[child.key] = child
        node.counts += child.counts
    return node


@st.composite
def leaf(draw: st.DrawFn) -> tuple[int, ...]:
    first = draw(st.one_of(st.integers(0, 12), st.integers(0, 60)))
    small = st.one_of(st.integers(0, 6), st.integers(0, 30))
    return (first, draw(st.integers(0, first)), *(draw(small) for _ in range(4)))


trees = st.lists(st.one_of(leaf(), st.lists(leaf(), min_size=1, max_size=4)), min_size=1, max_size=5)


def nodes_with_ancestors(node: Node, above: tuple[Node, ...] = ()) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    yield node, above
    for part in node.parts.values():
        yield from nodes_with_ancestors(part, (*above, node))


def leaves(node: Node) -> list[Node]:
    return [n for n in node.walk() if not n.parts]


def known_range(tree: Node, target: Node, shown: set[str]) -> tuple[float, float]:
    """The least and the greatest number of passes of a node that agree with every pass count that is shown."""
    ends = leaves(tree)
    place = {n.key: i for i, n in enumerate(ends)}

    def row(node: Node) -> np.ndarray:
        line = np.zeros(len(ends))
        for end in leaves(node):
            line[place[end.key]] = 1
        return line

    known = [n for n in tree.walk() if n.key in shown]
    equations = {"A_eq": np.array([row(n) for n in known]), "b_eq": [n.counts.passed for n in known]} if known else {}
    bounds = [(0, n.counts.first) for n in ends]
    least = linprog(row(target), bounds=bounds, **equations)
    greatest = linprog(-row(target), bounds=bounds, **equations)
    return round(least.fun, 6), round(-greatest.fun, 6)


@given(trees)
def test_what_one_page_shows_is_decided_as_in_the_whole_tree(values: list) -> None:
    tree = tree_of("/", values)
    whole = Shown.of(tree, strict=False).rate
    for node in tree.walk():
        on_page = {node.key, *node.parts}
        assert Shown.of(tree, strict=False, down_to=node.key).rate & on_page == whole & on_page


@settings(max_examples=120, deadline=None)
@given(trees)
def test_no_rate_of_fewer_than_ten_can_be_computed(value: list) -> None:
    tree = tree_of("/", value)
    hidden = Shown.of(tree, strict=False).rate
    shown = {n.key for n in tree.walk()} - hidden
    for node, above in nodes_with_ancestors(tree):
        if not 0 < node.counts.first < FEWEST_ANSWERS:
            continue
        assert node.key in hidden
        # where all or none of a shown sum passed, that figure itself says so of everybody in it
        if any(n.key in shown and n.counts.passed in (0, n.counts.first) for n in above):
            continue
        least, greatest = known_range(tree, node, shown)
        assert least < greatest


@settings(max_examples=200, deadline=None)
@given(trees)
def test_what_adds_up_to_hidden_cells_is_itself_not_small(value: list) -> None:
    tree = tree_of("/", value)
    hidden = Shown.of(tree, strict=False).rate
    for node in tree.walk():
        secret = [p for p in node.parts.values() if p.counts.first and p.key in hidden]
        if node.key in hidden:
            assert all(p.key in hidden for p in node.parts.values() if p.counts.first)
        elif secret:
            assert len(secret) >= 2
            assert sum(p.counts.first for p in secret) >= FEWEST_ANSWERS


def tiny(count: int) -> bool:
    return 1 <= count <= SMALL_CELL


@settings(max_examples=300, deadline=None)
@given(trees)
def test_whoever_sees_aggregates_only_finds_no_cell_of_one_to_four(value: list) -> None:
    tree = tree_of("/", value)
    shown = Shown.of(tree, strict=True)
    columns = (
        ("started", shown.started),
        ("closed", shown.closed),
        ("first", shown.first),
        ("void", shown.void),
        ("unidentified", shown.unidentified),
        ("passed", shown.rate),
        ("failed", shown.rate),
    )
    for node in tree.walk():
        for name, hidden in columns:
            if node.key not in hidden:
                assert not tiny(getattr(node.counts, name)), name
            # the sum of the hidden parts of a shown cell is a cell too
            secret = [p for p in node.parts.values() if p.key in hidden]
            if node.key not in hidden and secret:
                assert not tiny(sum(getattr(p.counts, name) for p in secret)), name
        if not {node.key} & (shown.closed | shown.first | shown.unidentified):
            assert not tiny(node.counts.repeated)
        if not {node.key} & (shown.started | shown.closed | shown.void):
            assert not tiny(node.counts.running)
        if node.key in shown.first:
            assert node.key in shown.rate  # passed and rate would give the first attempts away
            assert node.key in shown.closed or node.counts.closed == 0


def test_a_second_row_is_hidden_beside_a_single_small_one() -> None:
    tree = tree_of("/", [(9, 5, 0, 0, 0, 0), (241, 203, 0, 0, 0, 0), (204, 169, 0, 0, 0, 0)])
    assert Shown.of(tree, strict=False).rate == {"/0/", "/2/"}


def test_two_small_rows_that_are_ten_together_need_no_third() -> None:
    tree = tree_of("/", [(9, 5, 0, 0, 0, 0), (8, 3, 0, 0, 0, 0), (204, 169, 0, 0, 0, 0)])
    assert Shown.of(tree, strict=False).rate == {"/0/", "/1/"}


def test_two_small_rows_below_ten_together_need_a_third() -> None:
    tree = tree_of("/", [(3, 2, 0, 0, 0, 0), (4, 3, 0, 0, 0, 0), (204, 169, 0, 0, 0, 0), (300, 9, 0, 0, 0, 0)])
    assert Shown.of(tree, strict=False).rate == {"/0/", "/1/", "/2/"}


def test_what_lies_below_a_hidden_row_is_hidden_as_well() -> None:
    tree = tree_of("/", [[(20, 9, 0, 0, 0, 0), (30, 9, 0, 0, 0, 0)], (9, 5, 0, 0, 0, 0), (200, 9, 0, 0, 0, 0)])
    assert Shown.of(tree, strict=False).rate == {"/1/", "/0/", "/0/0/", "/0/1/"}


@pytest.mark.parametrize("first", [1, 9])
def test_a_small_total_hides_everything_in_it(first: int) -> None:
    tree = tree_of("/", [(first, 1, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0)])
    assert hide_cells(tree, size=lambda c: c.first, small=lambda n: n.counts.first < 10) == {"/", "/0/"}
