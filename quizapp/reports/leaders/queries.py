"""The grid as a reader sees it: rows of the stored sheets, and sums of rows that are shown. Nothing else is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from quizapp.core.scope import Grant, Permission, Scope, below
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Delivery
from quizapp.reports.figures.filters import GroupDimension
from quizapp.reports.figures.groups import place_of
from quizapp.reports.figures.reach import prefixes, reachable_delivery, reachable_unit, steps
from quizapp.reports.figures.unit_table import RowKind
from quizapp.reports.leaders.grid import DIMENSIONS, NO_UNIT, OWN
from quizapp.reports.models import LeaderCell, LeaderSheet


@dataclass(frozen=True)
class GridFilters:
    """The filters that the grid has: a delivery, or a month, or a year; a unit; of a delivery one group dimension."""

    unit_id: int | None = None
    delivery_id: int | None = None
    year: int | None = None
    #: 1 to 12, of `year`.
    month: int | None = None
    #: One of `grid.DIMENSIONS`.
    by: str | None = None


@dataclass(frozen=True)
class GridRow:
    """One row: what is shown, added up over deliveries."""

    kind: RowKind
    unit: OrgUnit | None
    #: The group's value, "" where nobody knows; None for a row that is no group.
    group: str | None
    first: int | None
    #: Of the deliveries whose result is shown: first attempts and passed.
    rated: int
    passed: int | None
    void: int | None
    unidentified: int | None
    #: Deliveries with rows of it that have a number hidden.
    left_out: int
    #: The day whose end its oldest part shows.
    state_of: date | None
    opens: bool = False


@dataclass(frozen=True)
class Grid:
    """What a reader gets."""

    filters: GridFilters
    unit: OrgUnit | None
    delivery: Delivery | None
    ancestors: tuple[OrgUnit, ...]
    rows: tuple[GridRow, ...]
    #: The newest state of the sheets that it is of; None where there is none.
    state_of: date | None
    #: How many deliveries it is of.
    sheets: int


@dataclass(frozen=True)
class GridYear:
    """A year of the grid for a reader: all their units together, by month and by delivery."""

    total: GridRow
    #: Month → its row, in the order of the calendar.
    months: tuple[tuple[date, GridRow], ...]
    #: Each delivery with its row, the newest first.
    deliveries: tuple[tuple[Delivery, GridRow], ...]
    #: As of `Grid`.
    state_of: date | None


def year_of_grid(db: Session, scope: Scope, year: int) -> GridYear:
    """What the stored sheets of a year's deliveries show of the reader's highest units, added up.

    Units of which none lies in another have no attempt in common, and sums of what is shown tell nothing new.
    """
    grants = [grant for grant in scope.with_permission(Permission.SEE_FIGURES) if grant.industry_id is None]
    tops = [top.id for top in _tops(db, grants)]
    statement = (
        select(LeaderCell, Delivery, LeaderSheet)
        .join(LeaderSheet, LeaderSheet.delivery_id == LeaderCell.delivery_id)
        .join(Delivery, Delivery.id == LeaderCell.delivery_id)
        .where(
            LeaderCell.dimension == "",
            LeaderCell.unit_id.in_(tops),
            LeaderSheet.month >= date(year, 1, 1),
            LeaderSheet.month <= date(year, 12, 1),
        )
        .order_by(Delivery.closes_at.desc(), Delivery.id.desc(), LeaderCell.key)
    )
    rows = [row for row in db.execute(statement).all() if row[0].key.endswith("/")]
    by_month: dict[date, list[LeaderCell]] = defaultdict(list)
    by_delivery: dict[Delivery, list[LeaderCell]] = defaultdict(list)
    for cell, delivery, sheet in rows:
        by_month[sheet.month].append(cell)
        by_delivery[delivery].append(cell)
    return GridYear(
        total=_sum(RowKind.TOTAL, None, [cell for cell, _, _ in rows]),
        months=tuple((month, _sum(RowKind.TOTAL, None, by_month[month])) for month in sorted(by_month)),
        deliveries=tuple((one, _sum(RowKind.TOTAL, None, cells)) for one, cells in by_delivery.items()),
        state_of=max((sheet.state_of for _, _, sheet in rows), default=None),
    )


def read_grid(db: Session, scope: Scope, filters: GridFilters, permission: Permission = Permission.SEE_FIGURES) -> Grid:
    """The rows of a unit and what is directly below it, or of the groups of a delivery.

    A unit is seen by where it stands today. Raises NotFound for a unit or a delivery out of reach.
    """
    delivery = reachable_delivery(db, scope, filters.delivery_id, permission)
    grants = [grant for grant in scope.with_permission(permission) if grant.industry_id is None]
    unit = reachable_unit(db, scope, filters.unit_id, permission)
    tops = _tops(db, grants)
    if unit is None and len(tops) == 1:
        unit = tops[0]
    sheets = _sheets(db, filters)
    by = filters.by if delivery is not None and _sees(grants, delivery.unit.path) else None
    if by in DIMENSIONS:
        rows = _group_rows(db, delivery, by)
    else:
        rows = _unit_rows(db, grants, unit, tops, [sheet.delivery_id for sheet in sheets])
    return Grid(
        filters=filters,
        unit=unit,
        delivery=delivery,
        ancestors=_ancestors(db, grants, unit),
        rows=tuple(rows),
        state_of=max((sheet.state_of for sheet in sheets), default=None),
        sheets=len(sheets),
    )


def months_of_grid(db: Session) -> Sequence[date]:
    """The months in which deliveries of the grid closed, the newest first."""
    return db.scalars(select(LeaderSheet.month).distinct().order_by(LeaderSheet.month.desc())).all()


def _sheets(db: Session, filters: GridFilters) -> Sequence[LeaderSheet]:
    statement = select(LeaderSheet)
    if filters.delivery_id is not None:
        statement = statement.where(LeaderSheet.delivery_id == filters.delivery_id)
    elif filters.year is not None:
        first, last = (filters.month, filters.month) if filters.month else (1, 12)
        statement = statement.where(
            LeaderSheet.month >= date(filters.year, first, 1), LeaderSheet.month <= date(filters.year, last, 1)
        )
    return db.scalars(statement.order_by(LeaderSheet.delivery_id)).all()


def _sees(grants: Iterable[Grant], path: str) -> bool:
    return any(grant.path is None or path.startswith(grant.path) for grant in grants)


def _tops(db: Session, grants: Sequence[Grant]) -> list[OrgUnit]:
    if any(grant.path is None for grant in grants):
        return list(db.scalars(select(OrgUnit).where(OrgUnit.parent_id.is_(None)).order_by(OrgUnit.path)))
    paths = {grant.path for grant in grants if grant.path is not None}
    highest = [path for path in paths if not any(path != other and path.startswith(other) for other in paths)]
    return list(db.scalars(select(OrgUnit).where(OrgUnit.path.in_(highest)).order_by(OrgUnit.path)))


def _unit_rows(
    db: Session, grants: Sequence[Grant], unit: OrgUnit | None, tops: Sequence[OrgUnit], deliveries: Sequence[int]
) -> Iterable[GridRow]:
    """The unit first, then those directly below it; without a unit, the tops of what the reader sees, which nobody has added up."""
    of_these = (LeaderCell.delivery_id.in_(deliveries), LeaderCell.dimension == "")
    tops_ids = [top.id for top in tops] if unit is None else [unit.id]
    own = _whole_units(db.scalars(select(LeaderCell).where(*of_these, LeaderCell.unit_id.in_(tops_ids))))
    if unit is None:
        for top in tops:
            yield _sum(RowKind.UNIT, top, own.get(top.id, []), opens=True)
        return
    mine = own.get(unit.id, [])
    yield _sum(RowKind.TOTAL, unit, mine)
    keys = {(cell.delivery_id, cell.key) for cell in mine}
    paths = {key for _, key in keys}
    found = [
        cell
        for cell in db.scalars(select(LeaderCell).where(*of_these, LeaderCell.above.in_(paths)))
        if (cell.delivery_id, cell.above) in keys
    ]
    children = _whole_units(found)
    today = db.scalars(select(OrgUnit).where(OrgUnit.parent_id == unit.id, OrgUnit.closed_at.is_(None)))
    units = {one.id: one for one in today}
    units |= {one.id: one for one in db.scalars(select(OrgUnit).where(OrgUnit.id.in_(list(children))))}
    with_below = set(db.scalars(select(OrgUnit.parent_id).where(OrgUnit.parent_id.in_(list(units))).distinct()))
    for child in sorted(units.values(), key=lambda one: steps(one.path)):
        if _sees(grants, child.path):
            yield _sum(RowKind.UNIT, child, children.get(child.id, []), opens=child.id in with_below)
    for kind, ending in ((RowKind.OWN, OWN), (RowKind.NO_UNIT, NO_UNIT)):
        cells = [cell for cell in found if cell.key.endswith(ending)]
        if cells:
            yield _sum(kind, None, cells)


def _whole_units(cells: Iterable[LeaderCell]) -> dict[int, list[LeaderCell]]:
    found: dict[int, list[LeaderCell]] = defaultdict(list)
    for cell in cells:
        if cell.unit_id is not None and cell.key.endswith("/"):
            found[cell.unit_id].append(cell)
    return found


def _group_rows(db: Session, delivery: Delivery | None, by: str | None) -> Iterable[GridRow]:
    if delivery is None or by is None:
        return
    which = and_(LeaderCell.delivery_id == delivery.id, LeaderCell.dimension == by)
    dimension, groups = GroupDimension(by), dict[str, LeaderCell]()
    for cell in db.scalars(select(LeaderCell).where(which).order_by(LeaderCell.above.is_not(None))):
        if cell.above is None:
            yield _sum(RowKind.TOTAL, delivery.unit, [cell])
        else:
            groups[cell.key.removeprefix("=")] = cell
    for group in sorted(groups, key=lambda value: place_of(dimension, value)):
        yield _sum(RowKind.OWN, None, [groups[group]], group=group)


def _sum(
    kind: RowKind, unit: OrgUnit | None, cells: Sequence[LeaderCell], *, group: str | None = None, opens: bool = False
) -> GridRow:
    """Rows of several deliveries added up: of each column what is shown."""
    rated = [cell for cell in cells if cell.first is not None and cell.passed is not None]
    return GridRow(
        kind=kind,
        unit=unit,
        group=group,
        first=_add(cell.first for cell in cells),
        rated=sum(cell.first or 0 for cell in rated),
        passed=_add([cell.passed for cell in rated]) if rated or not cells else None,
        void=_add(cell.void for cell in cells),
        unidentified=_add(cell.unidentified for cell in cells),
        left_out=len(
            {c.delivery_id for c in cells if None in (c.first, c.passed, c.void, c.unidentified)},
        ),
        state_of=min((cell.state_of for cell in cells), default=None),
        opens=opens,
    )


def _add(values: Iterable[int | None]) -> int | None:
    """The sum of what is shown; None where something is there and nothing of it is shown."""
    every = list(values)
    shown = [value for value in every if value is not None]
    return sum(shown) if shown or not every else None


def _ancestors(db: Session, grants: Sequence[Grant], unit: OrgUnit | None) -> tuple[OrgUnit, ...]:
    if unit is None:
        return ()
    paths = [path for path in prefixes(unit.path)[:-1] if _sees(grants, path)]
    return tuple(db.scalars(select(OrgUnit).where(OrgUnit.path.in_(paths)).order_by(OrgUnit.path)))


def deliveries_of_grid(db: Session, scope: Scope, permission: Permission = Permission.SEE_FIGURES) -> list[Delivery]:
    """The deliveries of the grid that the reader's people can have taken, the newest first."""
    grants = [grant for grant in scope.with_permission(permission) if grant.industry_id is None]
    statement = select(Delivery).join(LeaderSheet, LeaderSheet.delivery_id == Delivery.id)
    if not any(grant.path is None for grant in grants):
        paths = [grant.path for grant in grants if grant.path is not None]
        near = [below(OrgUnit.path, path) for path in paths]
        above = [step for path in paths for step in prefixes(path)]
        statement = statement.join(OrgUnit, OrgUnit.id == Delivery.unit_id).where(or_(OrgUnit.path.in_(above), *near))
    return list(db.scalars(statement.order_by(Delivery.closes_at.desc(), Delivery.id.desc()).limit(200)))
