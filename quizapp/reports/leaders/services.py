"""Making the grid: once a night, delivery by delivery, from the state of the records then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import delete, exists, insert, or_, select
from sqlalchemy.orm import Session

from quizapp.core.clock import day_start, local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Grant, Permission, Role, Scope
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.reports.figures import FigureFilters, GroupDimension, sums
from quizapp.reports.leaders.grid import DIMENSIONS, GridCell, first_sheet, group_tree, next_sheet, unit_tree
from quizapp.reports.models import LeaderCell, LeaderSheet
from quizapp.reports.rollups.months import month_of

_EVERYTHING = Scope((Grant(Role.ADMINISTRATOR, None),))
#: Of a sheet: "" for the units, else a group dimension → its rows.
Sheets = dict[str, dict[str, GridCell]]


def make_grid(db: Session, today: date, *, on_sheet: Callable[[int, int], None] | None = None) -> int:
    """Bring every delivery that closed before today to last night's state; gives how many were looked at.

    A delivery comes in the night after it closed. One that was opened again keeps its sheet until it has closed.
    """
    state_of = today - timedelta(days=1)
    wanted = _deliveries_due(db, today, state_of)
    for number, delivery_id in enumerate(wanted):
        _make_sheet(db, delivery_id, state_of)
        if on_sheet is not None:
            on_sheet(number + 1, len(wanted))
    return len(wanted)


def _deliveries_due(db: Session, today: date, state_of: date) -> Sequence[int]:
    statement = (
        select(Delivery.id)
        .outerjoin(LeaderSheet, LeaderSheet.delivery_id == Delivery.id)
        .where(
            Delivery.closes_at <= to_ms(day_start(today)),
            or_(LeaderSheet.state_of.is_(None), LeaderSheet.state_of < state_of),
            exists().where(Attempt.delivery_id == Delivery.id),
        )
    )
    return db.scalars(statement.order_by(Delivery.id)).all()


def _make_sheet(db: Session, delivery_id: int, state_of: date) -> None:
    delivery = db.get_one(Delivery, delivery_id)
    unit_path = db.get_one(OrgUnit, delivery.unit_id).path
    month = month_of(local_date(delivery.closes_at - 1))
    before = kept_sheets(db, delivery_id)
    after = _next(db, delivery_id, unit_path, before, state_of)
    with transaction(db):
        sheet = db.get(LeaderSheet, delivery_id, with_for_update=True, populate_existing=True)
        if sheet is None:
            db.add(LeaderSheet(delivery_id=delivery_id, month=month, state_of=state_of))
            db.flush()
        elif sheet.state_of < state_of:
            sheet.state_of = state_of
        else:
            return
        db.execute(delete(LeaderCell).where(LeaderCell.delivery_id == delivery_id))
        rows = list(_rows(delivery_id, after))
        if rows:
            db.execute(insert(LeaderCell), rows)


def _next(db: Session, delivery_id: int, unit_path: str, before: Sheets, state_of: date) -> Sheets:
    filters = FigureFilters(delivery_id=delivery_id)
    plain = sums(db, _EVERYTHING, Permission.SEE_FIGURES, filters)
    tree = unit_tree((row.path, row.no_unit, row.counts) for row in plain)
    units = next_sheet(before[""], tree, state_of) if before.get("") else first_sheet(tree, state_of)
    found = {"": units}
    whole = next((node for node in tree.walk() if node.key == unit_path), None)
    if whole is None or whole.key not in units:
        return found | {name: cells for name, cells in before.items() if name}
    for name in DIMENSIONS:
        rows = sums(db, _EVERYTHING, Permission.SEE_FIGURES, filters, GroupDimension(name))
        groups = group_tree(whole, ((row.group, row.counts) for row in rows if row.path.startswith(unit_path)))
        above = units[whole.key]
        old = before.get(name)
        found[name] = (
            next_sheet(old, groups, state_of, whole=above) if old else first_sheet(groups, state_of, whole=above)
        )
    return found


def kept_sheets(db: Session, delivery_id: int) -> Sheets:
    """What the grid has of a delivery."""
    found: Sheets = {}
    for cell in db.scalars(select(LeaderCell).where(LeaderCell.delivery_id == delivery_id).order_by(LeaderCell.id)):
        found.setdefault(cell.dimension, {})[cell.key] = GridCell(
            cell.key, cell.above, cell.unit_id, cell.first, cell.passed, cell.void, cell.unidentified, cell.state_of
        )
    return found


def _rows(delivery_id: int, sheets: Sheets) -> Iterable[dict[str, object]]:
    for dimension, cells in sheets.items():
        for cell in cells.values():
            yield {
                "delivery_id": delivery_id,
                "dimension": dimension,
                "key": cell.key,
                "above": cell.above,
                "unit_id": cell.unit_id,
                "state_of": cell.state_of,
                "first": cell.first,
                "passed": cell.passed,
                "void": cell.void,
                "unidentified": cell.unidentified,
            }
