"""Which cells of a table of two dimensions have no rate shown: one decision for all tables that can be made of them.

A row adds up to its margin, a column to its own: what is hidden in a row can be computed through the columns. So both are looked at, and
then the whole: a hidden rate must be able to be another one, with every number that is shown as it is. In a table of two dimensions that
is a question about paths (Gusfield 1988, SIAM J. Comput. 17, 552-571): rows and columns are nodes, each hidden cell is an edge from its
row to its column that carries its passes, at most as many as it has people. The passes of a cell can be another number where they can go
round a circle of hidden cells that all have room, up and down in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Generic, TypeVar

from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.reports.suppression import Counts, add_up

#: A row and a column, by their values.
Cell = tuple[str, str]
#: Of a hidden margin, or of a cell: from node to node.
Edge = tuple[str, str]
#: All rows come from one node and all columns go to another: between them the total, which is shown.
_ROWS, _COLUMNS = "R", "C"
Name = TypeVar("Name", str, Cell)


@dataclass(frozen=True)
class Decided(Generic[Name]):
    """What a table does not print, and what anybody knows of that from the shown sums alone.

    Known is what lies in a shown sum of which all passed or none, and the only part of one. It hides nothing else.
    """

    hidden: frozenset[Name]
    known: frozenset[Name] = frozenset()


@dataclass(frozen=True)
class Margin:
    """The rows or the columns whose sums are not shown, and those of them that are known all the same."""

    hidden: Collection[str] = ()
    known: Collection[str] = ()

    @property
    def open(self) -> set[str]:
        """Of which nobody knows the sum."""
        return set(self.hidden) - set(self.known)


def hide_line(parts: Mapping[str, Counts], secret: Collection[str] = ()) -> Decided[str]:
    """What is hidden of the parts of a shown sum: those of fewer than ten, those that are `secret`, and others until two are hidden.

    What they add up to, which anybody can compute, is then ten and more, some passed and some not.
    """
    filled = {name for name, counts in parts.items() if counts.first}
    hidden = {name for name in filled if name in secret or _few(parts[name])}
    if len(filled) == 1 or _one_sided(add_up(parts.values())):
        return Decided(frozenset(hidden), frozenset(filled))
    for name in sorted(filled - hidden, key=lambda name: (parts[name].first, name)):
        if not hidden or (len(hidden) > 1 and not _tells(add_up(parts[one] for one in hidden))):
            break
        hidden.add(name)
    return Decided(frozenset(hidden))


def hide_table(
    cells: Mapping[Cell, Counts],
    rows: Margin | None = None,
    columns: Margin | None = None,
    *,
    secret: Collection[Cell] = (),
    known: Collection[Cell] = (),
) -> Decided[Cell]:
    """The cells whose rate is hidden. With a margin that is hidden all is that is in it.

    `secret`: hidden for another reason; `known`: known for another. The total is shown; where it is not, nothing is, and nothing has to be
    decided. The same table lying on its side can come out otherwise: which dimension makes the rows is the caller's, and always the same.
    """
    rows, columns = rows or Margin(), columns or Margin()
    filled = {cell: cells[cell] for cell in sorted(cells) if cells[cell].first}  # whatever order they were read in
    all_known = _known(filled, rows, columns, known)
    hidden = {
        cell
        for cell, counts in filled.items()
        if cell in secret or cell[0] in rows.hidden or cell[1] in columns.hidden or _few(counts)
    }
    table = _Table({cell: counts for cell, counts in filled.items() if cell not in all_known}, rows.open, columns.open)
    before, free = -1, set[Edge]()
    while before != len(hidden):
        before = len(hidden)
        _hide_lines(table, hidden)
        free |= table.in_squares(hidden, free)
        for target in table.targets():
            if target not in free:
                circle = table.circle(target, hidden)
                hidden |= {cell for edge in circle if (cell := table.edges[edge][1]) is not None}
                free |= circle
    return Decided(frozenset(hidden), frozenset(all_known))


def _few(counts: Counts) -> bool:
    return 0 < counts.first < FEWEST_ANSWERS


def _one_sided(counts: Counts) -> bool:
    return counts.passed in (0, counts.first)


def _tells(hidden: Counts) -> bool:
    return hidden.first < FEWEST_ANSWERS or _one_sided(hidden)


def _known(cells: Mapping[Cell, Counts], rows: Margin, columns: Margin, known: Collection[Cell]) -> set[Cell]:
    """What follows from the margins alone: a line of which all passed or none, and what is left alone in one."""
    found = {cell for cell in cells if cell in known}
    lines = [line for place, margin in ((0, rows), (1, columns)) for line in _lines(cells, place, margin.open)]
    before = -1
    while before != len(found):
        before = len(found)
        for line in lines:
            rest = line - found
            if len(rest) == 1 or _one_sided(add_up(cells[cell] for cell in rest)):
                found |= rest
    return found


def _lines(cells: Iterable[Cell], place: int, without: Collection[str]) -> list[set[Cell]]:
    """The rows (0) or columns (1) of a table."""
    found: dict[str, set[Cell]] = {}
    for cell in cells:
        if cell[place] not in without:
            found.setdefault(cell[place], set()).add(cell)
    return [found[name] for name in sorted(found)]


def _hide_lines(table: _Table, hidden: set[Cell]) -> None:
    """Each row and column with a shown margin, until nothing changes."""
    before = -1
    while before != len(hidden):
        before = len(hidden)
        for line in table.lines:
            parts = {name: table.cells[cell] for name, cell in line.items()}
            found = hide_line(parts, {name for name, cell in line.items() if cell in hidden})
            hidden.update(line[name] for name in found.hidden)


@dataclass(frozen=True)
class _Arc:
    """A hidden or shown cell, or a hidden margin, in one direction: more passes, or fewer."""

    edge: Edge
    to: str
    #: None for a margin.
    cell: Cell | None


class _Table:
    """The cells as a network of rows and columns."""

    def __init__(self, cells: Mapping[Cell, Counts], rows: Collection[str], columns: Collection[str]) -> None:
        self.cells = cells
        by_row, by_column = dict[str, dict[str, Cell]](), dict[str, dict[str, Cell]]()
        for row, column in self.cells:
            by_row.setdefault(row, {})[column] = (row, column)
            by_column.setdefault(column, {})[row] = (row, column)
        self.lines: list[dict[str, Cell]] = [line for row, line in sorted(by_row.items()) if row not in rows]
        self.lines += [line for column, line in sorted(by_column.items()) if column not in columns]
        #: Edge → its counts; the cell, None for a hidden margin.
        self.edges: dict[Edge, tuple[Counts, Cell | None]] = {
            (f"r{row}", f"c{column}"): (counts, (row, column)) for (row, column), counts in self.cells.items()
        }
        for row in sorted(set(rows) & set(by_row)):
            self.edges[_ROWS, f"r{row}"] = (self._sum(by_row[row].values()), None)
        for column in sorted(set(columns) & set(by_column)):
            self.edges[f"c{column}", _COLUMNS] = (self._sum(by_column[column].values()), None)
        self.arcs = dict[str, list[_Arc]]()
        for (start, end), (counts, cell) in self.edges.items():
            if counts.passed < counts.first:
                self.arcs.setdefault(start, []).append(_Arc((start, end), end, cell))
            if counts.passed:
                self.arcs.setdefault(end, []).append(_Arc((start, end), start, cell))

    def _sum(self, cells: Iterable[Cell]) -> Counts:
        return add_up(self.cells[cell] for cell in cells)

    def targets(self) -> Sequence[Edge]:
        """What must be able to be another number: every rate of fewer than ten."""
        return [edge for edge, (counts, _) in self.edges.items() if _few(counts)]

    def ways(self, target: Edge) -> Iterable[Edge]:
        """From where to where passes must go besides the cell itself: back, if it has more; on, if it has fewer."""
        counts, _ = self.edges[target]
        if counts.passed < counts.first:
            yield target[1], target[0]
        if counts.passed:
            yield target

    def circle(self, target: Edge, hidden: Collection[Cell]) -> set[Edge]:
        """A circle through a cell all of which can have another number of passes together, of few shown people.

        Empty where the margins alone say how many passed.
        """

        def cost(arc: _Arc) -> int:
            return 0 if arc.cell is None or arc.cell in hidden else 1 + self.cells[arc.cell].first

        found = []
        for start, end in self.ways(target):
            if (way := self._way(start, end, target, cost)) is not None:
                found.append(way)
                if not way[0]:
                    break
        return {target, *min(found, key=lambda way: way[0])[1]} if found else set()

    def in_squares(self, hidden: Collection[Cell], free: Collection[Edge]) -> set[Edge]:
        """The targets in a circle of four that are hidden all: most are in one, and it is soon found."""
        after, before = dict[str, set[str]](), dict[str, set[str]]()
        for node, arcs in self.arcs.items():
            for arc in arcs:
                if arc.cell is None or arc.cell in hidden:
                    after.setdefault(node, set()).add(arc.to)
                    before.setdefault(arc.to, set()).add(node)

        def closed(start: str, end: str) -> bool:
            ends = after.get(start, set()) - {end}
            return any(not ends.isdisjoint(before.get(last, ())) for last in before.get(end, set()) - {start})

        return {
            target
            for target in self.targets()
            if target not in free and any(closed(start, end) for start, end in self.ways(target))
        }

    def _way(self, start: str, end: str, without: Edge, cost: Callable[[_Arc], int]) -> tuple[int, list[Edge]] | None:
        """The cheapest way from a node to another."""
        waiting = [(0, 0, start)]
        came = dict[str, _Arc | None]({start: None})
        paid_for = {start: 0}
        turn = 0
        while waiting:
            paid, _, node = heappop(waiting)
            if node == end:
                return paid, self._back(came, end)
            if paid > paid_for[node]:
                continue
            for arc in self.arcs.get(node, ()):
                price = paid + cost(arc)
                if arc.edge != without and price < paid_for.get(arc.to, price + 1):
                    turn += 1
                    paid_for[arc.to], came[arc.to] = price, arc
                    if arc.to == end and not price:
                        return 0, self._back(came, end)
                    heappush(waiting, (price, turn, arc.to))
        return None

    @staticmethod
    def _back(came: Mapping[str, _Arc | None], end: str) -> list[Edge]:
        found = []
        while (arc := came[end]) is not None:
            found.append(arc.edge)
            end = arc.edge[0] if arc.edge[1] == end else arc.edge[1]
        return found
