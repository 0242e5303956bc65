"""What those see who see aggregates only: the stored grid, its own few filters and why there are no others, its file, its year."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import local_date
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.measurement.intervals import wilson
from quizapp.reports.definitions import FigureCode
from quizapp.reports.exports import Format, note_export
from quizapp.reports.figure_words import RULES, heading, heading_parts
from quizapp.reports.figures import GroupDimension, RowKind
from quizapp.reports.forms import TARGETS, Filters
from quizapp.reports.leaders.grid import DIMENSIONS
from quizapp.reports.leaders.queries import (
    Grid,
    GridFilters,
    GridRow,
    deliveries_of_grid,
    months_of_grid,
    read_grid,
    year_of_grid,
)
from quizapp.reports.overview import Needs
from quizapp.reports.tables import Cell, FigureTable, Hidden, TableRow
from quizapp.reports.views import bp
from quizapp.reports.views.exporting import file_response, plan_of
from quizapp.reports.views.words import delivery_title, dimension_words, group_words, month_words, unit_name
from quizapp.ui.filters import format_day, format_number

COLUMNS = (
    FigureCode.FIRST,
    FigureCode.PASSED,
    FigureCode.PASS_RATE,
    FigureCode.VOID,
    FigureCode.UNIDENTIFIED,
)
#: Filters of the other page that the grid does not have.
REFUSED = ("from", "to", "quiz", "industry", "age", "sex", "education", "group", "identity", "second")


def rate_scale(rows: Sequence[TableRow], target: float | None) -> tuple[float, float]:
    """The scale of the drawing, by tens, so that all intervals and the target are in it; at least from 40 to 100 %."""
    cells = [row.cells.get(FigureCode.PASS_RATE) for row in rows]
    lows = [end for cell in cells if cell for end in (cell.low, cell.value) if end is not None]
    lowest = min([0.4, *lows, *([target] if target else [])])
    return math.floor(lowest * 10) / 10, 1.0


def grid_page() -> str:
    """The grid of a unit and of what is directly below it."""
    db, scope = get_db(), get_scope()
    asked, refused = read_filters(request.args)
    grid = read_grid(db, scope, asked)
    figures = grid_table_of(grid, refused)
    query = dict(figures.query)
    target = Filters.read(request.args).target
    return render_template(
        "reports/grid.html",
        grid=grid,
        figures=figures,
        rows=list(zip(grid.rows, figures.rows, strict=True)),
        refused=refused,
        query=query,
        units=[*grid.ancestors, *([grid.unit] if grid.unit else []), *(row.unit for row in grid.rows[1:] if row.unit)],
        deliveries=deliveries_of_grid(db, scope),
        periods=_periods(months_of_grid(db)),
        period=query.get("period", ""),
        dimensions=[(name, dimension_words()[GroupDimension(name)]) for name in DIMENSIONS],
        may_group=grid.delivery is not None and scope.covers(Permission.SEE_FIGURES, grid.delivery.unit.path),
        delivery_title=delivery_title,
        heading=lambda code: heading(code, persons_of_one=figures.persons_of_one),
        heading_parts=lambda code: heading_parts(code, persons_of_one=figures.persons_of_one),
        rules=RULES,
        target=target,
        scale=rate_scale(figures.rows, target),
        targets=TARGETS,
        opens=lambda row: url_for("reports.pass_rates", **dict(query, unit=row.unit.id)),
    )


@bp.get("/reports/grid/<form>")
@requires(Permission.SEE_FIGURES)
def grid_file(form: str) -> BaseResponse:
    """The grid as a file: the stored numbers that the page shows, for the same filters."""
    if form not in tuple(Format):
        raise NotFound
    db, wanted = get_db(), Format(form)
    table = grid_table(request.args, Permission.SEE_FIGURES)
    plan = plan_of(table)
    with transaction(db):
        note_export(
            db,
            query={"figures": table.name, **table.query},
            form=wanted,
            unit_id=int(table.query["unit"]) if "unit" in table.query else None,
            rows=len(plan.rows),
            actor=get_actor(),
            now=get_now(),
        )
    return file_response(plan.write(wanted), wanted.media_type, f"{plan.name}.{wanted.value}")


@dataclass(frozen=True)
class MonthOfGrid:
    """A month of the year's line, as `figures.GroupRow` has them."""

    group: str
    first: int | None
    rate: float | None
    low: float | None
    high: float | None


def grid_overview(needs: Needs | None, scale_of: Callable[[Sequence[MonthOfGrid]], tuple[float, float]]) -> str:
    """The year so far from the grid. `needs`: what else the reader may act on; None where they only look."""
    db, scope, today = get_db(), get_scope(), local_date(get_now())
    year = year_of_grid(db, scope, today.year)
    grid = read_grid(db, scope, GridFilters(year=today.year))
    table = grid_table_of(grid, [])
    months = [MonthOfGrid(f"{first:%Y-%m}", row.first, *rate_of(row)) for first, row in year.months]
    rate, low, high = rate_of(year.total)
    return render_template(
        "reports/grid_overview.html",
        year=today.year,
        total=year.total,
        state_of=year.state_of,
        units=[(row, shown) for row, shown in zip(grid.rows, table.rows, strict=True) if row.first != 0],
        first_parts=heading_parts(FigureCode.FIRST),
        unit_scale=rate_scale(table.rows, None),
        left_out=any(row.left_out for row in grid.rows),
        tests=[(delivery, row, *rate_of(row)) for delivery, row in year.deliveries],
        rate=rate,
        low=low,
        high=high,
        needs=needs,
        months=months,
        points=[{"label": month_words(m.group), "value": m.rate, "low": m.low, "high": m.high} for m in months],
        scale=scale_of(months),
        month_words=month_words,
        state_words=state_words,
        wilson_words=wilson_words(),
    )


def rate_of(row: GridRow) -> tuple[float | None, float | None, float | None]:
    """The pass rate of a row with its interval; nothing where it is hidden or of too few."""
    if row.passed is None or row.rated < FEWEST_ANSWERS:
        return None, None, None
    interval = wilson(row.passed, row.rated)
    return row.passed / row.rated, *(interval or (None, None))


def read_filters(values: Mapping[str, str]) -> tuple[GridFilters, list[str]]:
    """The grid's filters in an address, and the names of those that it does not have."""
    plain = Filters.read(values)
    delivery_id = plain.figures.delivery_id
    year, month = _period(values.get("period"))
    by = plain.by.value if plain.by is not None and plain.by.value in DIMENSIONS else None
    refused = [name for name in REFUSED if values.get(name)]
    if plain.by is not None and (by is None or delivery_id is None) and plain.by is not GroupDimension.UNIT:
        refused.append("by")
    if delivery_id is not None:
        if values.get("period"):
            refused.append("period")
        return GridFilters(plain.figures.unit_id, delivery_id, by=by), refused
    return GridFilters(plain.figures.unit_id, None, year or local_date(get_now()).year, month), refused


def _period(text: str | None) -> tuple[int | None, int | None]:
    """ "2026" or "2026-11"."""
    try:
        parts = [int(part) for part in (text or "").split("-")]
        first = date(parts[0], parts[1] if len(parts) == 2 else 1, 1)
    except ValueError:
        return None, None
    return (first.year, first.month if len(parts) == 2 else None) if len(parts) <= 2 else (None, None)


def _periods(months: Iterable[date]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for first in months:
        year = str(first.year)
        if (year, period_name(first.year, None)) not in found:
            found.append((year, period_name(first.year, None)))
        found.append((f"{first:%Y-%m}", period_name(first.year, first.month)))
    return found


def period_name(year: int | None, month: int | None) -> str:
    """2026年 / 2026年11月."""
    if month is None:
        return str(_("%(year)s年", year=year))
    return str(_("%(year)s年%(month)s月", year=year, month=month))


def grid_table_of(grid: Grid, refused: list[str]) -> FigureTable:
    """The grid as page, chart and files show it."""
    of = grid.filters
    grouped = GroupDimension(of.by) if of.by and any(row.group is not None for row in grid.rows) else None
    names = group_words(get_db(), grouped) if grouped else {}
    query = {
        "unit": grid.unit.id if grid.unit and of.unit_id else None,
        "delivery": of.delivery_id,
        "period": None if of.delivery_id else f"{of.year}-{of.month:02}" if of.month else of.year,
        "by": of.by,
    }
    period = (
        (_("测验"), delivery_title(grid.delivery))
        if grid.delivery
        else (_("时间"), _("%(period)s结束的测验", period=period_name(of.year, of.month)))
    )
    remarks = [
        wilson_words(),
        str(_("只统计已经结束的测验，结束后第二天进入。按整个测验、按测验结束的月份汇总。")),
        str(_("1 到 4 人的格子不显示，能推算出它的格子也不显示。变动不到 5 人的格子沿用原来的数。")),
    ]
    if grid.state_of is not None:
        remarks.insert(0, state_words(grid.state_of))
    if refused:
        remarks.append(refusal_words())
    return FigureTable(
        name="grid",
        title=str(_("参与与合格率")),
        row_heading=dimension_words()[grouped] if grouped else str(_("单位")),
        columns=COLUMNS,
        rows=tuple(_table_row(row, grid, names) for row in grid.rows),
        first_line=str(_("参加者中，不代表全体居民")),
        filters=((str(_("单位")), unit_name(grid.unit) if grid.unit else str(_("全部单位"))), period),
        remarks=tuple(remarks),
        persons_of_one=grid.delivery is not None,
        query={name: str(value) for name, value in query.items() if value is not None},
    )


def state_words(day: date) -> str:
    """Of when the numbers are."""
    return str(_("数据是 %(day)s 夜里的，白天不变。", day=format_day(day, words=False)))


def wilson_words() -> str:
    """How the interval of the grid is made, and what it leaves out: cells below that are hidden must not show in its width."""
    return str(
        _(
            "区间用 Wilson 法，没有算进同一单位的人相像，合并几个单位的多半偏窄；“整个区间低于目标”只当线索。"
            "按单位算的区间会露出藏起来的格子，所以这里不用。"
        )
    )


def refusal_words() -> str:
    """Why a filter was not applied."""
    return str(
        _(
            "只看汇总的账号按固定的表看数：整个测验或整月、各级单位、一个分组。别的筛选没有用上，因为两张筛选不同的表相减会露出个别人。"
        )
    )


def _table_row(row: GridRow, grid: Grid, names: Mapping[str, str]) -> TableRow:
    rate, low, high = rate_of(row)
    shown = rate is not None
    hidden = None
    if not shown:
        hidden = Hidden.EMPTY if row.first == 0 else Hidden.PROTECTS if row.first is not None else Hidden.SMALL
    notes = []
    if row.left_out and grid.delivery is None:
        notes.append(str(_("有 %(count)s 个测验因人数少没有全算进来", count=row.left_out)))
    if shown and row.first is not None and row.rated < row.first:
        notes.append(str(_("合格和合格率只按其中 %(count)s 人次算", count=format_number(row.rated))))
    if row.state_of is not None and grid.state_of is not None and row.state_of < grid.state_of and grid.delivery:
        notes.append(str(_("沿用 %(day)s 的数", day=format_day(row.state_of, words=False))))
    if grid.unit and row.unit and row.kind is RowKind.UNIT and not row.unit.path.startswith(grid.unit.path):
        notes.append(str(_("已移走，按当天的单位计")))
    return TableRow(
        key=row.unit.code if row.unit else row.group if row.group is not None else row.kind.value,
        label=_label(row, names),
        cells={
            FigureCode.FIRST: Cell(row.first, hidden=Hidden.SMALL if row.first is None else None),
            FigureCode.PASSED: Cell(row.passed),
            FigureCode.PASS_RATE: Cell(rate, low, high, hidden),
            FigureCode.VOID: Cell(row.void, hidden=Hidden.SMALL if row.void is None else None),
            FigureCode.UNIDENTIFIED: Cell(row.unidentified, hidden=Hidden.SMALL if row.unidentified is None else None),
        },
        total=row.kind is RowKind.TOTAL,
        notes=tuple(notes),
        unit_code=row.unit.code if row.unit else None,
    )


def _label(row: GridRow, names: Mapping[str, str]) -> str:
    if row.group is not None:
        return names.get(row.group, row.group) if row.group else str(_("没有填"))
    if row.unit is None:
        return str(_("没有填单位")) if row.kind is RowKind.NO_UNIT else str(_("本级，不在下级单位"))
    name = unit_name(row.unit)
    return str(_("%(unit)s合计", unit=name)) if row.kind is RowKind.TOTAL else name


def grid_table(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The table of an address, within a permission."""
    asked, refused = read_filters(query)
    return grid_table_of(read_grid(get_db(), get_scope(), asked, permission), refused)
