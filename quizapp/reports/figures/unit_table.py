"""The table by unit: pass rate = passed / closed first attempts that are not void, of those who took part.

First: the earliest started attempt per person and delivery (`quizzes.services.first_attempts`). Attempts are summed by the day's path of
their unit; who may see them follows from where that unit stands today. An attempt without a unit counts for the unit that offers the
delivery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.measurement.clusters import clustered_wilson
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery
from quizapp.reports.figures.filters import FigureFilters, GroupDimension
from quizapp.reports.figures.hiding import MOST_GROUPS, HiddenGroups, in_order, without_groups
from quizapp.reports.figures.people import People, is_complete, roster_by_step
from quizapp.reports.figures.people_of_one import people_of
from quizapp.reports.figures.reach import (
    aggregates_only,
    ancestors_of,
    last_step,
    reachable_delivery,
    reachable_unit,
    top_paths,
    units_below,
)
from quizapp.reports.figures.sums import SumRow, sums
from quizapp.reports.suppression import Node, Shown
from quizapp.reports.tables import Hidden


class RowKind(StrEnum):
    """What a row is."""

    TOTAL = "total"
    UNIT = "unit"
    #: What belongs to the unit itself, to none of those below it.
    OWN = "own"
    #: People who gave no unit, at the deliveries of this unit.
    NO_UNIT = "no_unit"


@dataclass(frozen=True)
class Row:
    """One row of the table. A count that may not be shown is None."""

    kind: RowKind
    #: The path of the day under which it counts; that of the unit itself for `own` and `no_unit`.
    path: str
    unit: OrgUnit | None
    #: The unit stands elsewhere today.
    moved: bool
    #: There are units below it, so that its name leads on.
    opens: bool
    #: 人次: attempts of any state.
    started: int | None
    #: 人次: submitted or scored at the end of their time.
    closed: int | None
    #: Closed first attempts: 人 of one delivery, 人次 of several.
    first: int | None
    #: 人次: void.
    void: int | None
    #: 人次: closed, nobody knows whose.
    unidentified: int | None
    #: Of the first attempts, passed.
    passed: int | None
    #: passed / first, a fraction.
    rate: float | None
    #: Its 95 % interval, fractions: by unit clusters where units are pooled, else Wilson's. None where the roster is complete.
    low: float | None
    high: float | None
    #: Mean score of the first attempts, a fraction of the highest.
    mean_score: float | None
    #: 人: different people with a closed attempt; None where it is not counted (aggregates only).
    persons: int | None
    #: 人: on the roster today, and of those with a closed first attempt; None where it says nothing (groups, moved units).
    roster: int | None
    covered: int | None
    #: Why there is no rate.
    hidden: Hidden | None
    #: (passed, first) of each unit by itself, wherever below it stands: what its interval is made from. Empty where there is no rate.
    clusters: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def coverage(self) -> float | None:
        """covered / roster."""
        return self.covered / self.roster if self.roster and self.covered is not None else None

    @property
    def complete(self) -> bool:
        """The roster is as good as complete and nearly nobody else was counted: nothing was left to chance, so there is no interval."""
        return is_complete(self.roster, self.covered, self.first)


@dataclass(frozen=True)
class PassRateTable:
    """The table, its total first, with what it is of."""

    #: None: all units of several grants together.
    unit: OrgUnit | None
    delivery: Delivery | None
    #: As they were applied.
    filters: FigureFilters
    #: The reader sees aggregates only: whole months or whole deliveries, no cell of 1 to 4.
    aggregates_only: bool
    #: From the top of what the reader may see down to `unit`.
    ancestors: tuple[OrgUnit, ...]
    rows: tuple[Row, ...]

    @property
    def total(self) -> Row:
        """The first row."""
        return self.rows[0]


def pass_rate_table(
    db: Session, scope: Scope, filters: FigureFilters, permission: Permission = Permission.SEE_FIGURES
) -> PassRateTable:
    """The figures of a unit and of each unit directly below it, as far as the scope reaches.

    Whoever sees aggregates only gets whole months, and of one delivery the whole; no groups and no numbers of people. What is hidden is
    decided for everything that the reader can see at once, so that a unit hidden in its parent's table is hidden in its own. Raises
    NotFound for a unit or delivery out of reach.
    """
    delivery = reachable_delivery(db, scope, filters.delivery_id, permission)
    strict = aggregates_only(scope, permission)
    if strict:
        filters = filters.for_aggregates()
    found = sums(db, scope, permission, filters)
    tops = top_paths(db, scope, [row.path for row in found], permission)
    unit = reachable_unit(db, scope, filters.unit_id, permission)
    if unit is None and len(tops) == 1:
        unit = db.get(OrgUnit, last_step(tops[0]))
    tree = grow_tree(tops, found)
    above = unit.path if unit else None
    if filters.by_group:
        shown = _shown_of_groups(db, scope, permission, filters, tree, above or tree.key)
    else:
        shown = Shown.of(tree, strict=strict, down_to=above or tree.key)
    tried = None if strict else people_of(db, scope, permission, filters, above, tops, found)
    roster = (
        None if strict or filters.by_group else roster_by_step(db, scope, permission, filters, above, tops, delivery)
    )
    return PassRateTable(
        unit=unit,
        delivery=delivery,
        filters=filters,
        aggregates_only=strict,
        ancestors=ancestors_of(db, unit, tops),
        rows=tuple(_rows(db, tree, tops, unit, shown, tried, roster)),
    )


def hidden_groups(
    db: Session,
    scope: Scope,
    permission: Permission,
    everybody: Sequence[SumRow],
    dimensions: Sequence[GroupDimension],
    above: str | None,
    *,
    below: bool,
) -> HiddenGroups:
    """What is hidden of a unit (None: of all that the reader sees) in groups. `everybody`: by the dimensions, of all groups."""
    tree = grow_tree(top_paths(db, scope, [row.path for row in everybody], permission), without_groups(everybody))
    return HiddenGroups(tree, everybody, dimensions, above or tree.key, below=below)


def _shown_of_groups(
    db: Session, scope: Scope, permission: Permission, filters: FigureFilters, tree: Node, key: str
) -> Shown:
    """The same for the groups that a table is narrowed to: decided on everybody."""
    node = next((node for node in tree.walk() if node.key == key), Node(key))
    rows, dimensions = {key, *node.parts}, in_order(filters.groups)
    if len(dimensions) > MOST_GROUPS:
        return Shown(rate=rows, narrow=rows)
    everybody = sums(db, scope, permission, filters.of_everybody(), *dimensions)
    decided = hidden_groups(db, scope, permission, everybody, dimensions, key, below=True)
    return Shown(rate={row for row in rows if decided.hides(row, filters.groups)})


def grow_tree(tops: Sequence[str], found: Sequence[SumRow]) -> Node:
    """The tree that the reader sees, every node with the sum of all below it."""
    root = Node(tops[0], last_step(tops[0])) if len(tops) == 1 else Node("/")
    nodes = {root.key: root}
    for one in found:
        path = one.path
        top = next((top for top in tops if path.startswith(top)), None)
        if top is None:
            continue  # on that day the unit stood elsewhere: its figures are that place's
        key = f"{path}{RowKind.NO_UNIT if one.no_unit else RowKind.OWN}"
        _node_at(nodes, root, path, top).parts[key] = Node(key, counts=one.counts)
    _add_up(root)
    return root


def _node_at(nodes: dict[str, Node], root: Node, path: str, top: str) -> Node:
    """The node of a path, with those between it and the top of what is seen."""
    node = nodes.get(path)
    if node is None:
        step = path[:-1].rfind("/") + 1
        above = root if path == top else _node_at(nodes, root, path[:step], top)
        node = nodes[path] = above.parts[path] = Node(path, int(path[step:-1]))
    return node


def _add_up(node: Node) -> None:
    """Every node gets what its parts have: each is added once, to the one above it."""
    for part in node.parts.values():
        if part.parts:
            _add_up(part)
        node.counts.include(part.counts)


def _rows(
    db: Session,
    tree: Node,
    tops: Sequence[str],
    unit: OrgUnit | None,
    shown: Shown,
    people: People | None,
    roster: Mapping[str, tuple[int, int]] | None,
) -> Iterator[Row]:
    key = unit.path if unit else tree.key
    node = next((n for n in tree.walk() if n.key == key), Node(key, unit.id if unit else None))
    extra = _Extra(people, roster, key)
    yield _row(RowKind.TOTAL, node, unit, shown, extra)
    counted = [path for path, part in node.parts.items() if part.unit_id is not None]
    units = units_below(db, unit, tops, counted)
    for one in units:
        yield _row(
            RowKind.UNIT,
            node.parts.get(one.path, Node(one.path, one.unit.id)),
            one.unit,
            shown,
            extra,
            moved=one.moved,
            opens=one.opens,
        )
    for kind in (RowKind.OWN, RowKind.NO_UNIT):
        part = node.parts.get(f"{key}{kind}")
        if part is not None and (units or kind is RowKind.NO_UNIT):
            yield _row(kind, part, None, shown, extra)


@dataclass(frozen=True)
class _Extra:
    """What is not a sum: people, and the roster; by the path of a row, the whole under `key`."""

    people: People | None
    roster: Mapping[str, tuple[int, int]] | None
    key: str

    def persons(self, kind: RowKind, node: Node) -> int | None:
        if self.people is None:
            return None
        if kind is RowKind.TOTAL:
            return self.people.total
        return self.people.steps.get(node.key if kind is RowKind.UNIT else f"{self.key}{kind}", 0)

    def of_roster(self, kind: RowKind, node: Node, *, moved: bool) -> tuple[int | None, int | None]:
        if self.roster is None or moved or kind is RowKind.NO_UNIT:
            return None, None
        found = self.roster.get({RowKind.TOTAL: "", RowKind.OWN: self.key}.get(kind, node.key), (0, 0))
        return found if found[0] else (None, None)


def _row(
    kind: RowKind,
    node: Node,
    unit: OrgUnit | None,
    shown: Shown,
    extra: _Extra,
    *,
    moved: bool = False,
    opens: bool = False,
) -> Row:
    counts = node.counts
    hidden = hidden_of(node, shown)
    visible = hidden is None
    roster, covered = extra.of_roster(kind, node, moved=moved)
    complete = is_complete(roster, covered, counts.first)
    clusters = _clusters(node) if visible else {}
    interval = clustered_wilson(list(clusters.values())) if visible and not complete else None
    return Row(
        kind=kind,
        path=extra.key if kind in (RowKind.OWN, RowKind.NO_UNIT) else node.key,
        unit=unit,
        moved=moved,
        opens=opens,
        started=None if node.key in shown.started else counts.started,
        closed=None if node.key in shown.closed else counts.closed,
        first=None if node.key in shown.first else counts.first,
        void=None if node.key in shown.void else counts.void,
        unidentified=None if node.key in shown.unidentified else counts.unidentified,
        passed=counts.passed if visible or counts.first == 0 else None,
        rate=counts.passed / counts.first if visible else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        mean_score=counts.score / counts.first / 100 if visible else None,
        persons=extra.persons(kind, node),
        roster=roster,
        covered=covered,
        hidden=hidden,
        clusters=clusters,
    )


def hidden_of(node: Node, shown: Shown) -> Hidden | None:
    """Why a node has no rate; None where it has one."""
    if node.counts.first == 0:
        return Hidden.EMPTY
    if node.key in shown.narrow and node.counts.first >= FEWEST_ANSWERS:
        return Hidden.NARROW
    if node.key in shown.rate:
        return Hidden.FEW if node.counts.first < FEWEST_ANSWERS else Hidden.PROTECTS
    return None


def _clusters(node: Node) -> dict[str, tuple[int, int]]:
    """(passed, first) of each unit by itself, wherever below it stands: the units are the clusters."""
    return {leaf.key: (leaf.counts.passed, leaf.counts.first) for leaf in node.walk() if not leaf.parts}
