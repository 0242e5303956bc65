"""Which rates of groups are hidden: decided on everybody, for all tables that show a cell.

A cell is a unit and up to two groups: "women in this street", "women of 18 to 29 in this street". It stands in tables by the one and the
other, filtered or not, of the unit and of the one above it. So what is hidden is never decided on the table that is asked for, but from the
top of what the reader sees down to the unit, with nothing filtered by group: the units below one by groups, each a table of two dimensions
whose margins are decided already; and the two groups in each unit likewise. A filtered table is a part of it. Of three groups at once no
rate is shown: sums in three directions cannot be looked through like this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from quizapp.reports.figures.filters import GroupDimension
from quizapp.reports.figures.reach import prefixes
from quizapp.reports.figures.sums import SumRow
from quizapp.reports.suppression import Counts, Node, Shown
from quizapp.reports.two_way import Cell, Decided, Margin, hide_line, hide_table

#: A group of each dimension; None: of whom nobody knows it.
Groups = Mapping[GroupDimension, str | None]
#: With so many groups at once no rate is shown.
MOST_GROUPS = 2
_AND = "\x1f"


def in_order(dimensions: Iterable[GroupDimension]) -> tuple[GroupDimension, ...]:
    """Group dimensions without the unit, each once, in the one order in which tables are looked at."""
    return tuple(sorted(set(dimensions) - {GroupDimension.UNIT}))


class HiddenGroups:
    """The decision for a unit with what is above it, and with the units below it where these are asked for."""

    def __init__(
        self,
        tree: Node,
        found: Sequence[SumRow],
        dimensions: Sequence[GroupDimension],
        unit: str,
        *,
        below: bool,
    ) -> None:
        """`found`: of everybody whom the reader sees, by `dimensions` (`in_order`, two at most). `tree`: the same (`unit_table.grow_tree`).

        `unit`: its key in the tree. `below`: decide for the units directly below it too.
        """
        self.dimensions = tuple(dimensions)
        self.tree = tree
        self._way = [node for node in _way(self.tree, unit) if below or node.key != unit]
        self._units = Shown.of(self.tree, strict=False, down_to=unit).rate
        wanted = {self.tree.key} | {key for node in self._way for key in node.parts}
        self._cells = _by_node(found, wanted, self.tree.key)
        self._told = _told_units(self._way, self._units)
        self._decided: dict[tuple[GroupDimension, ...], dict[str, Decided[str]]] = {}
        for one in self.dimensions:
            self._decided[one,] = self._decide((one,))
        if len(self.dimensions) == MOST_GROUPS:
            self._decided[self.dimensions] = self._decide(self.dimensions)

    def decides(self, groups: Groups) -> bool:
        """Whether these groups were looked at."""
        return not groups or in_order(groups) in self._decided

    def hides(self, key: str, groups: Groups) -> bool:
        """Whether the rate of a unit, or a part of it, in groups that were looked at is hidden. `key`: of the unit tree."""
        return key in self._units if not groups else self._name(groups) in self._of(in_order(groups), key).hidden

    def _name(self, groups: Groups) -> str:
        return _AND.join(_name(groups[one]) for one in in_order(groups))

    def _lists(self, which: tuple[GroupDimension, ...], key: str) -> dict[str, Counts]:
        """Groups → counts in a unit."""
        found: dict[str, Counts] = {}
        for values, counts in self._cells.get(key, {}).items():
            name = _AND.join(_name(values[self.dimensions.index(one)]) for one in which)
            found.setdefault(name, Counts()).include(counts)
        return found

    def _of(self, which: tuple[GroupDimension, ...], key: str) -> Decided[str]:
        return self._decided[which].get(key, _NOTHING)

    def _decide(self, which: tuple[GroupDimension, ...]) -> dict[str, Decided[str]]:
        """Node → its groups, from the top down."""
        top = self.tree.key
        lists = self._lists(which, top)
        everything = Decided(frozenset(lists))
        found = {top: everything if top in self._units else self._within(which, top, lists, _NOTHING)}
        for node in self._way:
            found |= self._below(which, node, found[node.key])
        return found

    def _below(self, which: tuple[GroupDimension, ...], node: Node, above: Decided[str]) -> dict[str, Decided[str]]:
        """What is hidden in the units below one: by unit and group, and in each unit by its two groups, until both agree."""
        lists = {part.key: self._lists(which, part.key) for part in node.parts.values() if part.counts.first}
        cells = {(key, name): counts for key, groups in lists.items() for name, counts in groups.items()}
        units = Margin(lists if node.key in self._units else set(lists) & self._units, self._told)
        table, before = hide_table(cells, units, Margin(above.hidden, above.known)), -1
        while before != len(table.hidden) + len(table.known):
            before = len(table.hidden) + len(table.known)
            secret, known = set(table.hidden), set(table.known)
            for key in sorted(lists.keys() - set(units.hidden)) if len(which) > 1 else ():
                mine = self._within(which, key, lists[key], _part(table, key))
                secret |= {(key, name) for name in mine.hidden}
                known |= {(key, name) for name in mine.known}
            table = hide_table(cells, units, Margin(above.hidden, above.known), secret=secret, known=known)
        return {key: _part(table, key) for key in lists}

    def _within(
        self, which: tuple[GroupDimension, ...], key: str, lists: Mapping[str, Counts], found: Decided[str]
    ) -> Decided[str]:
        """What is hidden of the groups of a unit that is shown itself, with what was `found` before."""
        if len(which) == 1:
            return hide_line(lists, found.hidden)
        cells = {_cell(name): counts for name, counts in lists.items()}
        rows, columns = (Margin(one.hidden, one.known) for one in (self._of((part,), key) for part in which))
        secret, known = ([_cell(name) for name in names] for names in (found.hidden, found.known))
        table = hide_table(cells, rows, columns, secret=secret, known=known)
        return Decided(frozenset(map(_AND.join, table.hidden)), frozenset(map(_AND.join, table.known)))


_NOTHING = Decided[str](frozenset())


def _part(table: Decided[Cell], unit: str) -> Decided[str]:
    hidden, known = (frozenset(name for key, name in cells if key == unit) for cells in (table.hidden, table.known))
    return Decided(hidden, known)


def _told_units(way: Iterable[Node], hidden: Collection[str]) -> set[str]:
    """The units of which is known how many passed, shown or not: below one that is known and of which all passed or none."""
    known = set[str]()
    for node in way:
        parts = [part for part in node.parts.values() if part.counts.first]
        one_sided = node.counts.passed in (0, node.counts.first)
        if (node.key not in hidden or node.key in known) and (one_sided or len(parts) == 1):
            known |= {part.key for part in parts}
    return known


def _cell(name: str) -> Cell:
    row, _, column = name.partition(_AND)
    return row, column


def _name(value: str | None) -> str:
    return "?" if value is None else f"={value}"


def without_groups(found: Iterable[SumRow]) -> list[SumRow]:
    """The rows without their groups."""
    rows: dict[tuple[str, bool], Counts] = {}
    for row in found:
        rows.setdefault((row.path, row.no_unit), Counts()).include(row.counts)
    return [SumRow(path, no_unit, None, counts) for (path, no_unit), counts in rows.items()]


def _way(root: Node, path: str) -> Iterable[Node]:
    node: Node | None = root
    while node is not None:
        yield node
        node = next((part for key, part in node.parts.items() if key.endswith("/") and path.startswith(key)), None)


def _by_node(
    found: Iterable[SumRow], wanted: set[str], root: str
) -> dict[str, dict[tuple[str | None, str | None], Counts]]:
    """Node → groups → counts, for the nodes that are wanted."""
    cells: dict[str, dict[tuple[str | None, str | None], Counts]] = {}
    for row in found:
        keys = {root, f"{row.path}{'no_unit' if row.no_unit else 'own'}", *prefixes(row.path)}
        for key in keys & wanted:
            cells.setdefault(key, {}).setdefault((row.group, row.second), Counts()).include(row.counts)
    return cells
