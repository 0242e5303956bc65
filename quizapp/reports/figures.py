"""The figures, each defined once: page and exports show what stands here.

Pass rate = passed / closed first attempts that are not void, of those who took part. First: the earliest started attempt per person and
delivery (`quizzes.services.first_attempts`). Attempts are summed by the day's path of their unit; who may see them follows from where
that unit stands today. An attempt without a unit counts for the unit that offers the delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true
from sqlalchemy.orm import Session

from quizapp.core.clock import day_after
from quizapp.core.errors import NotFound
from quizapp.core.scope import Grant, Permission, Scope, below
from quizapp.measurement.intervals import wilson
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import CLOSED_STATES, Attempt, AttemptState, Delivery
from quizapp.reports.suppression import FEWEST_ANSWERS, Counts, Node, Shown
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
    #: Wilson 95 % interval, fractions.
    low: float | None
    high: float | None
    #: Why there is no rate.
    hidden: Hidden | None


@dataclass(frozen=True)
class PassRateTable:
    """The table, its total first, with what it is of."""

    #: None: all units of several grants together.
    unit: OrgUnit | None
    delivery: Delivery | None
    #: First and last local day; None for a whole delivery.
    first_day: date | None
    last_day: date | None
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
    db: Session,
    scope: Scope,
    *,
    unit_id: int | None,
    delivery_id: int | None,
    first_day: date,
    last_day: date,
    permission: Permission = Permission.SEE_FIGURES,
) -> PassRateTable:
    """Started, closed, first, passed and the rate of a unit and of each unit directly below it, as far as the scope reaches.

    The days are local, both included, by the start of the attempt. Whoever sees aggregates only gets whole months, and of one delivery
    the whole. What is hidden is decided for everything that the reader can see at once, so that a unit hidden in its parent's table is
    hidden in its own. Raises NotFound for a unit or delivery out of reach.
    """
    grants = scope.with_permission(permission)
    delivery = _reachable_delivery(db, grants, delivery_id)
    strict = _aggregates_only(scope, grants)
    days: tuple[date, date] | None = (first_day, last_day)
    if strict:
        days = None if delivery else whole_months(first_day, last_day)
    sums = {
        (path, kind): counts for path, kind, counts in _sums(db, scope, permission, delivery_id=delivery_id, days=days)
    }
    tops = _top_paths(db, grants, [path for path, _ in sums])
    unit = _reachable_unit(db, grants, tops, unit_id)
    tree = _grow_tree(tops, sums)
    shown = Shown.of(tree, strict=strict)
    return PassRateTable(
        unit=unit,
        delivery=delivery,
        first_day=days[0] if days else None,
        last_day=days[1] if days else None,
        aggregates_only=strict,
        ancestors=_ancestors(db, tops, unit),
        rows=tuple(_rows(db, tree, tops, unit, shown)),
    )


def whole_months(first_day: date, last_day: date) -> tuple[date, date]:
    """The months that two days lie in, from the first day of the one to the last day of the other."""
    after = (last_day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first_day.replace(day=1), after - timedelta(days=1)


def deliveries_in_reach(db: Session, scope: Scope, permission: Permission = Permission.SEE_FIGURES) -> list[Delivery]:
    """The deliveries that the reader's people can have taken: of their units, and of those above; the newest first."""
    statement = select(Delivery).join(OrgUnit, OrgUnit.id == Delivery.unit_id)
    statement = statement.where(_delivery_condition(scope.with_permission(permission)))
    return list(db.scalars(statement.order_by(Delivery.opens_at.desc(), Delivery.id.desc()).limit(200)))


def _delivery_condition(grants: Sequence[Grant]) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    for grant in grants:
        if grant.path is None:
            return true()
        parts += [below(OrgUnit.path, grant.path), OrgUnit.path.in_(_prefixes(grant.path))]
    return or_(*parts) if parts else false()


def _prefixes(path: str) -> list[str]:
    """A path and those of the units above it, the highest first: "/1/7/" → "/1/", "/1/7/"."""
    steps = path.strip("/").split("/")
    return [f"/{'/'.join(steps[:length])}/" for length in range(1, len(steps) + 1)]


def _last_step(path: str) -> int:
    return int(path.rstrip("/").rpartition("/")[2])


def _reachable_delivery(db: Session, grants: Sequence[Grant], delivery_id: int | None) -> Delivery | None:
    if delivery_id is None:
        return None
    statement = select(Delivery).join(OrgUnit, OrgUnit.id == Delivery.unit_id)
    delivery = db.scalar(statement.where(Delivery.id == delivery_id, _delivery_condition(grants)))
    if delivery is None:
        raise NotFound
    return delivery


def _reachable_unit(db: Session, grants: Sequence[Grant], tops: Sequence[str], unit_id: int | None) -> OrgUnit | None:
    if unit_id is None:
        return db.get(OrgUnit, _last_step(tops[0])) if len(tops) == 1 else None
    unit = db.get(OrgUnit, unit_id)
    if unit is None or not any(grant.path is None or unit.path.startswith(grant.path) for grant in grants):
        raise NotFound
    return unit


def _aggregates_only(scope: Scope, grants: Sequence[Grant]) -> bool:
    """Whether some of what is seen is seen by a role that may not export: such roles see aggregates only."""
    full = scope.with_permission(Permission.EXPORT_FIGURES)
    return not all(any(wide.covers(grant.path, grant.industry_id) for wide in full) for grant in grants)


def _sums(
    db: Session, scope: Scope, permission: Permission, *, delivery_id: int | None, days: tuple[date, date] | None
) -> list[tuple[str, RowKind, Counts]]:
    """One grouped read: the counts of each unit by the path of the day, and of people without a unit by the delivery's unit."""
    rows = db.execute(sums_statement(scope, permission, delivery_id=delivery_id, days=days)).all()
    return [(path, RowKind.NO_UNIT if no_unit else RowKind.OWN, Counts(*counts)) for path, no_unit, *counts in rows]


def sums_statement(
    scope: Scope, permission: Permission, *, delivery_id: int | None, days: tuple[date, date] | None
) -> Select[str, bool, int, int, int, int, int, int]:
    """The statement behind the table: path of the day, whether it is the delivery's for want of a unit, then `Counts` in order.

    It groups by the whole path and not by one step of it, because what is hidden must agree between the tables of all levels.
    """
    path = func.coalesce(Attempt.unit_path, OrgUnit.path)
    no_unit = Attempt.unit_id.is_(None)
    closed = Attempt.state.in_(CLOSED_STATES)
    first = and_(closed, Attempt.is_first.is_(True))
    statement = (
        select(
            path,
            no_unit,
            func.count(),
            _count(closed),
            _count(first),
            _count(and_(first, Attempt.passed.is_(True))),
            _count(Attempt.state == AttemptState.VOID),
            _count(and_(closed, Attempt.person_id.is_(None))),
        )
        .select_from(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(OrgUnit, OrgUnit.id == func.coalesce(Attempt.unit_id, Delivery.unit_id))
        .where(scope.condition(permission, OrgUnit.path, Attempt.industry_id))
        .group_by(path, no_unit)
    )
    if delivery_id is not None:
        statement = statement.where(Attempt.delivery_id == delivery_id)
    if days is not None:
        statement = statement.where(Attempt.local_date >= days[0], Attempt.local_date < day_after(days[1]))
    return statement


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _top_paths(db: Session, grants: Sequence[Grant], seen: Iterable[str]) -> list[str]:
    """The highest paths that the reader sees, none below another.

    Whoever sees everything sees the top of the tree, and what stood at the top on its day.
    """
    if any(grant.path is None for grant in grants):
        paths = set(db.scalars(select(OrgUnit.path).where(OrgUnit.parent_id.is_(None))))
        paths |= {_prefixes(path)[0] for path in seen}
    else:
        paths = {grant.path for grant in grants if grant.path is not None}
    return sorted(
        (path for path in paths if not any(path != other and path.startswith(other) for other in paths)),
        key=_steps,
    )


def _steps(path: str) -> tuple[int, ...]:
    """A path as numbers: units in the order in which they were entered."""
    return tuple(int(step) for step in path.strip("/").split("/"))


def _grow_tree(tops: Sequence[str], sums: Mapping[tuple[str, RowKind], Counts]) -> Node:
    """The tree that the reader sees, every node with the sum of all below it."""
    root = Node(tops[0], _last_step(tops[0])) if len(tops) == 1 else Node("/")
    for (path, kind), counts in sums.items():
        top = next((top for top in tops if path.startswith(top)), None)
        if top is None:
            continue  # on that day the unit stood elsewhere: its figures are that place's
        node = root
        node.counts += counts
        for step in _prefixes(path):
            if step.startswith(top) and step != root.key:
                node = node.parts.setdefault(step, Node(step, _last_step(step)))
                node.counts += counts
        part = node.parts.setdefault(f"{path}{kind}", Node(f"{path}{kind}"))
        part.counts += counts
    return root


def _rows(db: Session, tree: Node, tops: Sequence[str], unit: OrgUnit | None, shown: Shown) -> Iterator[Row]:
    key = unit.path if unit else tree.key
    node = next((n for n in tree.walk() if n.key == key), Node(key, unit.id if unit else None))
    yield _row(RowKind.TOTAL, node, unit, shown)
    units = _units_below(db, tops, unit, node)
    with_below = set(
        db.scalars(select(OrgUnit.parent_id).where(OrgUnit.parent_id.in_([u.id for u in units.values()])).distinct())
    )
    for path in sorted(units, key=lambda path: (path != units[path].path, _steps(path))):
        child = units[path]
        yield _row(
            RowKind.UNIT,
            node.parts.get(path, Node(path, child.id)),
            child,
            shown,
            moved=path != child.path,
            opens=path == child.path and child.id in with_below,
        )
    for kind in (RowKind.OWN, RowKind.NO_UNIT):
        part = node.parts.get(f"{key}{kind}")
        if part is not None and (units or kind is RowKind.NO_UNIT):
            yield _row(kind, part, None, shown)


def _units_below(db: Session, tops: Sequence[str], unit: OrgUnit | None, node: Node) -> dict[str, OrgUnit]:
    """The units directly below by the path under which they are counted: those of today, and those of that day."""
    paths = {path: part.unit_id for path, part in node.parts.items() if part.unit_id is not None}
    if unit is None:
        paths |= {path: _last_step(path) for path in tops}
    else:
        today = select(OrgUnit.path, OrgUnit.id).where(OrgUnit.parent_id == unit.id, OrgUnit.closed_at.is_(None))
        paths |= dict(db.execute(today).all())
    found = {row.id: row for row in db.scalars(select(OrgUnit).where(OrgUnit.id.in_(set(paths.values()))))}
    return {path: found[number] for path, number in paths.items() if number in found}


def _row(
    kind: RowKind, node: Node, unit: OrgUnit | None, shown: Shown, *, moved: bool = False, opens: bool = False
) -> Row:
    counts = node.counts
    interval = wilson(counts.passed, counts.first)
    hidden = None
    if counts.first == 0:
        hidden = Hidden.EMPTY
    elif node.key in shown.rate:
        hidden = Hidden.FEW if counts.first < FEWEST_ANSWERS else Hidden.PROTECTS
    visible = hidden is None and interval is not None
    return Row(
        kind=kind,
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
        low=interval[0] if visible and interval else None,
        high=interval[1] if visible and interval else None,
        hidden=hidden,
    )


def _ancestors(db: Session, tops: Sequence[str], unit: OrgUnit | None) -> tuple[OrgUnit, ...]:
    if unit is None:
        return ()
    paths = [path for path in _prefixes(unit.path)[:-1] if any(path.startswith(top) for top in tops)]
    return tuple(db.scalars(select(OrgUnit).where(OrgUnit.path.in_(paths)).order_by(OrgUnit.path)))
