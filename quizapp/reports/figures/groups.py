"""Tables by groups of people, with a second dimension where it is asked for, and by month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from quizapp.core.errors import Forbidden
from quizapp.core.scope import Permission, Scope
from quizapp.measurement.clusters import clustered_wilson
from quizapp.organisation.models import Education, KeyGroup, OrgUnit
from quizapp.quizzes.models import Delivery
from quizapp.reports.figures.filters import FigureFilters, GroupDimension
from quizapp.reports.figures.hiding import MOST_GROUPS, in_order
from quizapp.reports.figures.people import roster_by_step
from quizapp.reports.figures.reach import (
    aggregates_only,
    last_step,
    prefixes,
    reachable_delivery,
    reachable_unit,
    top_paths,
)
from quizapp.reports.figures.sums import SumRow, sums
from quizapp.reports.figures.unit_table import RowKind, hidden_groups, hidden_of
from quizapp.reports.suppression import Counts, Node, Shown
from quizapp.reports.tables import Hidden


@dataclass(frozen=True)
class GroupRow:
    """One group, or one of its parts by the second dimension. Counts are 人次 of several deliveries, 人 of one."""

    #: The value as it is stored, a unit's path for the dimension unit; None: nobody knows; "" in the total.
    group: str | None
    #: The same of the second dimension; "" in a row of the first alone.
    second: str | None
    total: bool
    started: int
    closed: int
    first: int
    passed: int | None
    rate: float | None
    low: float | None
    high: float | None
    mean_score: float | None
    hidden: Hidden | None


@dataclass(frozen=True)
class GroupTable:
    """The table, its total first."""

    unit: OrgUnit | None
    delivery: Delivery | None
    filters: FigureFilters
    by: GroupDimension
    second: GroupDimension | None
    rows: tuple[GroupRow, ...]
    #: Path → unit, for the dimension unit.
    units: Mapping[str, OrgUnit]


def group_table(
    db: Session,
    scope: Scope,
    filters: FigureFilters,
    by: GroupDimension,
    second: GroupDimension | None = None,
    permission: Permission = Permission.SEE_FIGURES,
) -> GroupTable:
    """The figures of a unit with all below, by group. Rates of fewer than ten, and what would betray them, are hidden.

    Raises NotFound for a unit or delivery out of reach, Forbidden for whoever sees aggregates only: they have a grid of their own.
    """
    if aggregates_only(scope, permission):
        raise Forbidden
    delivery = reachable_delivery(db, scope, filters.delivery_id, permission)
    unit = reachable_unit(db, scope, filters.unit_id, permission)
    found = sums(db, scope, permission, filters, *(None if d is GroupDimension.UNIT else d for d in (by, second)))
    tops = top_paths(db, scope, [row.path for row in found], permission)
    if unit is None and len(tops) == 1:
        unit = db.get(OrgUnit, last_step(tops[0]))
    inside = [row for row in found if _place(row.path, unit, tops) is not None]
    tree, clusters = _grow(inside, by, second, unit, tops)
    if by is GroupDimension.MONTH:
        _fill_months(tree)
    shown = _shown(db, scope, permission, filters, (by, second), unit, tree, found)
    rows = [_row(tree, "", "", clusters, shown, total=True)]
    for node in _ordered(tree, by):
        group = _value(node)
        rows.append(_row(node, group, "", clusters, shown))
        if second is not None:
            rows += [_row(part, group, _value(part), clusters, shown) for part in _ordered(node, second)]
    paths = {path for row in inside if (path := _place(row.path, unit, tops))}
    return GroupTable(unit, delivery, filters, by, second, tuple(rows), _units(db, paths))


def _shown(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    asked: tuple[GroupDimension, GroupDimension | None],
    unit: OrgUnit | None,
    tree: Node,
    found: Sequence[SumRow],
) -> Shown:
    """What is hidden of the table: a part of what is decided on everybody, so that the order of the dimensions and filters are the same."""
    narrowed = filters.groups
    wanted = [one for one in asked if one is not None]
    choices = [in_order([*narrowed, *wanted[:count]]) for count in range(len(wanted), -1, -1)]
    dimensions = next((one for one in choices if len(one) <= MOST_GROUPS), ())
    if narrowed:
        everybody = sums(db, scope, permission, filters.of_everybody(), *dimensions)
    else:
        everybody = [_turned(row, asked, dimensions) for row in found]
    below = GroupDimension.UNIT in asked
    decided = hidden_groups(db, scope, permission, everybody, dimensions, unit.path if unit else None, below=below)
    rate, narrow = set[str](), set[str]()
    for node, values in _with_values(tree, ()):
        groups = narrowed | {
            one: value for one, value in zip(wanted, values, strict=False) if one != GroupDimension.UNIT
        }
        places = [value for one, value in zip(wanted, values, strict=False) if one is GroupDimension.UNIT]
        place = places[0] if places and places[0] else unit.path if unit else decided.tree.key
        own = bool(places) and unit is not None and place == unit.path
        keys = [f"{place}{kind.value}" for kind in (RowKind.OWN, RowKind.NO_UNIT)] if own else [place]
        if not decided.decides(groups):
            narrow.add(node.key)
        elif any(decided.hides(key, groups) for key in keys):
            rate.add(node.key)
    return Shown(rate=rate | narrow, narrow=narrow)


def _with_values(node: Node, values: tuple[str | None, ...]) -> Iterator[tuple[Node, tuple[str | None, ...]]]:
    """Each node with its group, and its group of the second dimension."""
    yield node, values
    for part in node.parts.values():
        yield from _with_values(part, (*values, _value(part)))


def _turned(
    row: SumRow, asked: tuple[GroupDimension, GroupDimension | None], dimensions: Sequence[GroupDimension]
) -> SumRow:
    """A row of the table with its groups in the order of the dimensions."""
    values = {asked[0]: row.group, asked[1]: row.second}
    group, second = [*(values[one] for one in dimensions), None, None][:2]
    return SumRow(row.path, row.no_unit, group, row.counts, second)


def _place(path: str, unit: OrgUnit | None, tops: Sequence[str]) -> str | None:
    """The path of the unit under which a path counts: one step below the unit, else the top that it lies in; None outside."""
    if unit is None:
        return next((top for top in tops if path.startswith(top)), None)
    if not path.startswith(unit.path):
        return None
    steps = prefixes(path)
    below = len(prefixes(unit.path))
    return steps[below] if len(steps) > below else unit.path


def roster_of(
    db: Session,
    scope: Scope,
    filters: FigureFilters,
    permission: Permission,
    *,
    unit: OrgUnit | None = None,
    delivery: Delivery | None = None,
) -> tuple[int, int] | tuple[None, None]:
    """The people on the roster of a table, and those of them with a closed first attempt in it; nothing where it is narrowed to a group."""
    if filters.by_group:
        return None, None
    above, tops = unit.path if unit else None, top_paths(db, scope, (), permission)
    return roster_by_step(db, scope, permission, filters, above, tops, delivery)[""]


#: The codes of a dimension, in the order in which they are said.
_LISTS: Mapping[GroupDimension, Sequence[str]] = {
    GroupDimension.EDUCATION: tuple(Education),
    GroupDimension.KEY_GROUP: tuple(KeyGroup),
}


def _grow(
    found: Sequence[SumRow],
    by: GroupDimension,
    second: GroupDimension | None,
    unit: OrgUnit | None,
    tops: Sequence[str],
) -> tuple[Node, dict[str, dict[str, Counts]]]:
    """Total, groups, parts of groups; and for each of them its counts by unit, for the interval."""
    root, clusters = Node("·"), dict[str, dict[str, Counts]]()
    for row in found:
        place = _place(row.path, unit, tops)
        values = [place if d is GroupDimension.UNIT else v for d, v in ((by, row.group), (second, row.second))]
        nodes = [root, _part(root, values[0])]
        if second is not None:
            nodes.append(_part(nodes[1], values[1]))
        for node in nodes:
            node.counts += row.counts
            of_unit = clusters.setdefault(node.key, {})
            of_unit[row.path] = of_unit.get(row.path, Counts()) + row.counts
    return root, clusters


def _fill_months(tree: Node) -> None:
    """A month without attempts between others has a row of its own: the line over time has a gap there."""
    known = sorted(value for part in tree.parts.values() if (value := _value(part)))
    if not known:
        return
    (year, month), last = (int(part) for part in known[0].split("-")), known[-1]
    while (value := f"{year}-{month:02}") < last:
        _part(tree, value)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _part(node: Node, value: str | None) -> Node:
    key = f"{node.key}|{'?' if value is None else '=' + value}"
    return node.parts.setdefault(key, Node(key))


def _value(node: Node) -> str | None:
    last = node.key.rpartition("|")[2]
    return None if last == "?" else last[1:]


def _ordered(node: Node, by: GroupDimension) -> list[Node]:
    return sorted(node.parts.values(), key=lambda part: place_of(by, _value(part)))


def place_of(by: GroupDimension, value: str | None) -> tuple[bool, tuple[int, ...], str]:
    """Where a group stands in a table: units as they were entered, codes in the order of their list, those that nobody knows last."""
    numbers: tuple[int, ...] = ()
    if value and by is GroupDimension.UNIT:
        numbers = tuple(int(step) for step in value.strip("/").split("/"))
    elif value and by is GroupDimension.INDUSTRY:
        numbers = (int(value),)
    elif by in _LISTS:
        codes = _LISTS[by]
        numbers = (codes.index(value) if value in codes else len(codes),)
    return not value, numbers, value or ""


def _row(
    node: Node,
    group: str | None,
    second: str | None,
    clusters: Mapping[str, Mapping[str, Counts]],
    shown: Shown,
    *,
    total: bool = False,
) -> GroupRow:
    counts, hidden = node.counts, hidden_of(node, shown)
    of_units = [(one.passed, one.first) for one in clusters.get(node.key, {}).values()]
    interval = clustered_wilson(of_units) if hidden is None else None
    return GroupRow(
        group=group,
        second=second,
        total=total,
        started=counts.started,
        closed=counts.closed,
        first=counts.first,
        passed=counts.passed if hidden in (None, Hidden.EMPTY) else None,
        rate=counts.passed / counts.first if hidden is None else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        mean_score=counts.score / counts.first / 100 if hidden is None else None,
        hidden=hidden,
    )


def _units(db: Session, paths: set[str]) -> dict[str, OrgUnit]:
    return {path: unit for path in paths if (unit := db.get(OrgUnit, last_step(path))) is not None}
