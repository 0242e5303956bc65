"""Figures by group, by month, and of two periods side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _

from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_scope, requires
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figure_words import RULES, heading, heading_parts
from quizapp.reports.figures import (
    FigureFilters,
    GroupDimension,
    GroupRow,
    GroupTable,
    compare,
    deliveries_in_reach,
    group_table,
    roster_of,
    units_in_reach,
)
from quizapp.reports.figures.comparison import Change, Comparison
from quizapp.reports.forms import Filters, read_period_before
from quizapp.reports.tables import Cell, FigureTable, TableRow
from quizapp.reports.views import bp
from quizapp.reports.views.leader import rate_scale
from quizapp.reports.views.pass_rates import asked_figures, choices_of, first_line
from quizapp.reports.views.words import (
    delivery_title,
    dimension_words,
    filter_words,
    group_words,
    month_words,
    period_words,
    row_name,
    unit_name,
)


@bp.get("/reports/groups")
@requires(Permission.EXPORT_FIGURES)
def groups() -> str | tuple[str, int]:
    """Pass rates by group of people or by month, with a second dimension where it is asked for."""
    filters = Filters.read(request.args)
    table = _grouped(filters, Permission.EXPORT_FIGURES)
    figures = _group_figures(table, Permission.EXPORT_FIGURES)
    query = _query(filters, table.by)
    over_time = table.by is GroupDimension.MONTH and table.second is None
    dots = [(row.label, row.cells[FigureCode.PASS_RATE]) for row in figures.rows if not row.total]
    scale = rate_scale(figures.rows, None)
    content = render_template(
        "reports/groups.html",
        figures=figures,
        by=table.by.value,
        dimensions=[(one.value, word) for one, word in dimension_words().items()],
        selects=_selects(filters),
        days=(table.filters.first_day, table.filters.last_day),
        query=query,
        plain_query=filters.figures.as_query(),
        wrong_days=filters.wrong_days,
        empty=not table.rows[0].started,
        points=[{"label": n, "value": c.value, "low": c.low, "high": c.high} for n, c in dots] if over_time else None,
        line_scale=(min(scale[0], 0.6), scale[1]),
        scale=scale,
        **_words(figures),
    )
    return (content, 422) if filters.wrong_days else content


@bp.get("/reports/comparison")
@requires(Permission.EXPORT_FIGURES)
def comparison() -> str | tuple[str, int]:
    """Each unit's pass rate in two periods, and the change with its interval."""
    filters = Filters.read(request.args)
    found, before, wrong = _compared(request.args, filters, Permission.EXPORT_FIGURES)
    figures = _comparison_figures(found)
    content = render_template(
        "reports/comparison.html",
        figures=figures,
        selects=_selects(filters),
        days=(found.after.filters.first_day, found.after.filters.last_day),
        before=before,
        query=dict(figures.query),
        plain_query=filters.figures.as_query(),
        wrong_days=wrong,
        **_words(figures),
    )
    return (content, 422) if wrong else content


def group_figures(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The table of an address by group, within a permission."""
    return _group_figures(_grouped(Filters.read(query), permission), permission)


def comparison_figures(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The comparison of an address, within a permission."""
    return _comparison_figures(_compared(query, Filters.read(query), permission)[0])


def _words(figures: FigureTable) -> dict[str, Any]:
    return {
        "heading": lambda code: heading(code, persons_of_one=figures.persons_of_one),
        "heading_parts": lambda code: heading_parts(code, persons_of_one=figures.persons_of_one),
        "rules": RULES,
        "may_export": get_scope().allows(Permission.EXPORT_FIGURES),
    }


def _selects(filters: Filters) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Unit, delivery and the groups, as the filter bar shows them."""
    db, scope = get_db(), get_scope()
    deliveries = deliveries_in_reach(db, scope, Permission.EXPORT_FIGURES)
    units = units_in_reach(db, scope, filters.figures.unit_id, Permission.EXPORT_FIGURES)
    return [
        ("unit", str(_("单位")), [("", str(_("我的单位"))), *((str(unit.id), unit_name(unit)) for unit in units)]),
        ("delivery", str(_("测验")), [("", str(_("全部"))), *((str(d.id), delivery_title(d)) for d in deliveries)]),
        *choices_of(deliveries, strict=False),
    ]


def _query(filters: Filters, by: GroupDimension) -> dict[str, str]:
    return {**filters.as_query(), "by": by.value}


def _grouped(filters: Filters, permission: Permission) -> GroupTable:
    db, scope = get_db(), get_scope()
    asked = asked_figures(filters, deliveries_in_reach(db, scope, permission))
    by = filters.by or GroupDimension.AGE_BAND
    second = filters.second if filters.second is not by else None
    return group_table(db, scope, asked, by, second, permission)


def _group_figures(table: GroupTable, permission: Permission) -> FigureTable:
    db = get_db()
    names = dimension_words()
    return FigureTable(
        name="groups",
        title=str(_("合格率，按%(dimension)s", dimension=names[table.by])),
        row_heading=names[table.by],
        second_heading=names[table.second] if table.second else None,
        columns=(
            FigureCode.STARTED,
            FigureCode.CLOSED,
            FigureCode.FIRST,
            FigureCode.PASSED,
            FigureCode.PASS_RATE,
            FigureCode.MEAN_SCORE,
        ),
        rows=tuple(_group_row(row, table) for row in table.rows),
        first_line=first_line(
            *roster_of(db, get_scope(), table.filters, permission, unit=table.unit, delivery=table.delivery)
        ),
        filters=(
            (_("单位"), unit_name(table.unit) if table.unit else _("全部单位")),
            (_("测验"), delivery_title(table.delivery) if table.delivery else _("全部测验")),
            (_("时间"), period_words(table.filters)),
            *filter_words(db, table.filters),
        ),
        remarks=(
            _("95% 置信区间：3 个及以上单位合并的，按单位聚类计算；不到 3 个的，用 Wilson 法，看不出单位之间的差别。"),
        ),
        over_time=table.by is GroupDimension.MONTH,
        persons_of_one=table.delivery is not None,
        query=table.filters.as_query()
        | ({"unit": str(table.unit.id)} if table.unit else {})
        | {"by": table.by.value}
        | ({"second": table.second.value} if table.second else {}),
    )


def _group_row(row: GroupRow, table: GroupTable) -> TableRow:
    first = str(_("合计")) if row.total else _value_word(table.by, row.group, table)
    second = None
    if table.second is not None and not row.total:
        second = str(_("全部")) if row.second == "" else _value_word(table.second, row.second, table)
    return TableRow(
        key="total" if row.total else f"{row.group or 'unknown'}|{row.second or ''}",
        label=first,
        second=second,
        cells={
            FigureCode.STARTED: Cell(row.started),
            FigureCode.CLOSED: Cell(row.closed),
            FigureCode.FIRST: Cell(row.first),
            FigureCode.PASSED: Cell(row.passed),
            FigureCode.PASS_RATE: Cell(row.rate, row.low, row.high, row.hidden),
            FigureCode.MEAN_SCORE: Cell(row.mean_score),
        },
        level=2 if row.second else 1,
        total=row.total,
    )


def _value_word(dimension: GroupDimension, value: str | None, table: GroupTable) -> str:
    if value is None:
        return str(_("没有填"))
    if dimension is GroupDimension.UNIT:
        unit = table.units.get(value)
        own = table.unit is not None and value == table.unit.path
        return str(_("本级，不在下级单位")) if own else unit_name(unit) if unit else value
    if dimension is GroupDimension.MONTH:
        return month_words(value)
    return group_words(get_db(), dimension).get(value, value)


def _compared(
    query: Mapping[str, str], filters: Filters, permission: Permission
) -> tuple[Comparison, tuple[date, date], bool]:
    """The comparison, the earlier days, and whether some day could not be read. Not asked: as many days just before."""
    db, scope = get_db(), get_scope()
    asked = asked_figures(filters, deliveries_in_reach(db, scope, permission))
    before, wrong = read_period_before(query, asked.first_day or date.min, asked.last_day or date.max)
    return compare(db, scope, asked, before, permission), before, wrong or filters.wrong_days


def _comparison_figures(found: Comparison) -> FigureTable:
    after = found.after
    earlier = FigureFilters(first_day=found.before.filters.first_day, last_day=found.before.filters.last_day)
    return FigureTable(
        name="comparison",
        title=str(_("两个时间的合格率")),
        row_heading=str(_("单位")),
        columns=(
            FigureCode.FIRST_BEFORE,
            FigureCode.PASS_RATE_BEFORE,
            FigureCode.FIRST,
            FigureCode.PASS_RATE,
            FigureCode.PASS_RATE_CHANGE,
        ),
        rows=tuple(_change_row(change, after) for change in found.changes),
        first_line=first_line(after.total.roster, after.total.covered),
        filters=(
            (_("单位"), unit_name(after.unit) if after.unit else _("全部单位")),
            (_("测验"), delivery_title(after.delivery) if after.delivery else _("全部测验")),
            (_("时间"), period_words(after.filters)),
            (_("对比时间"), str(_("对比 %(period)s", period=period_words(earlier)))),
            *filter_words(get_db(), after.filters),
        ),
        remarks=(_("变化的单位是百分点，区间按单位聚类。区间含 0 的，说不上有变化。"),),
        chart=FigureCode.PASS_RATE_CHANGE,
        persons_of_one=after.delivery is not None,
        query=after.filters.as_query()
        | ({"unit": str(after.unit.id)} if after.unit else {})
        | {"from2": str(earlier.first_day), "to2": str(earlier.last_day)},
    )


def _change_row(change: Change, table: Any) -> TableRow:
    before, after = change.before, change.after
    return TableRow(
        key=after.unit.code if after.unit else after.kind.value,
        label=row_name(after, table),
        cells={
            FigureCode.FIRST_BEFORE: Cell(before.first if before else 0),
            FigureCode.PASS_RATE_BEFORE: Cell(
                before.rate if before else None, hidden=before.hidden if before else None
            ),
            FigureCode.FIRST: Cell(after.first),
            FigureCode.PASS_RATE: Cell(after.rate, hidden=after.hidden),
            FigureCode.PASS_RATE_CHANGE: Cell(change.difference, change.low, change.high),
        },
        total=after.kind == "total",
        unit_code=after.unit.code if after.unit else None,
    )
