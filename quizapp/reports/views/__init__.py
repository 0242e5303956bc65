"""The pass-rate table: page, xlsx and CSV from one function."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from flask import Blueprint, Flask, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.core.clock import local_date
from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime, get_db, get_now, get_scope, requires
from quizapp.quizzes.models import Delivery
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figures import PassRateTable, Row, RowKind, deliveries_in_reach, pass_rate_table
from quizapp.reports.forms import TARGETS, Filters
from quizapp.reports.tables import Cell, FigureTable, Hidden, TableRow
from quizapp.ui.filters import format_day, is_english

bp = Blueprint("reports", "quizapp.reports", template_folder="templates")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Rows on one page.
PAGE_SIZE = 50


def register(app: Flask) -> None:
    """Fill the navigation."""
    runtime = cast("Runtime", app.extensions["quizapp"])
    runtime.registry.fill("job", exporting.job_words)
    runtime.registry.add_navigation(
        NavigationEntry("reports.overview", _l("总览"), "chart-column", _l("工作"), Permission.SEE_FIGURES, order=10)
    )
    runtime.registry.add_navigation(
        NavigationEntry("reports.pass_rates", _l("参与与合格率"), "users", _l("工作"), Permission.SEE_FIGURES, order=20)
    )


@bp.get("/reports/pass-rates")
@requires(Permission.SEE_FIGURES)
def pass_rates() -> str | tuple[str, int]:
    """Pass rates of a unit and each unit directly below it."""
    db, scope = get_db(), get_scope()
    filters = Filters.read(request.args)
    deliveries = deliveries_in_reach(db, scope)
    days = _period(filters, deliveries)
    table = pass_rate_table(
        db, scope, unit_id=filters.unit_id, delivery_id=filters.delivery_id, first_day=days[0], last_day=days[1]
    )
    parts = table.rows[1:]
    pages = max(1, -(-len(parts) // PAGE_SIZE))
    page = min(filters.page, pages)
    rows = (table.total, *parts[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    content = render_template(
        "reports/pass_rates.html",
        table=table,
        rows=rows,
        row_name=row_name,
        delivery_title=delivery_title,
        filters=filters,
        days=days,
        deliveries=deliveries,
        targets=TARGETS,
        units=[*table.ancestors, *([table.unit] if table.unit else []), *(r.unit for r in parts if r.unit)],
        scale=_scale(rows, filters.target),
        may_export=scope.allows(Permission.EXPORT_FIGURES),
        period_words=period_words(table),
        query=_query(filters),
        page=page,
        pages=pages,
        total=len(parts),
        page_url=lambda number: url_for("reports.pass_rates", **_query(filters), page=number),
    )
    return (content, 422) if filters.wrong_days else content


def _period(filters: Filters, deliveries: list[Delivery]) -> tuple[date, date]:
    """The asked days; else the window of the chosen delivery, else this year so far."""
    today = local_date(get_now())
    first, last = today.replace(month=1, day=1), today
    chosen = next((d for d in deliveries if d.id == filters.delivery_id), None)
    if chosen is not None:
        first, last = local_date(chosen.opens_at), local_date(chosen.closes_at - 1)  # a window that ends at midnight
    if not filters.wrong_days:
        first, last = filters.first_day or first, filters.last_day or last
    return first, max(first, last)


def _scale(rows: tuple[Row, ...], target: float | None) -> tuple[float, float]:
    """The scale of the drawing, by tens, so that all intervals and the target are in it; at least from 40 to 100 %."""
    lowest = min([0.4, *(row.low for row in rows if row.low is not None), *([target] if target else [])])
    return math.floor(lowest * 10) / 10, 1.0


def _query(filters: Filters) -> dict[str, Any]:
    """The filters as they were asked, for links."""
    values = {
        "unit": filters.unit_id,
        "delivery": filters.delivery_id,
        "from": filters.first_day.isoformat() if filters.first_day else None,
        "to": filters.last_day.isoformat() if filters.last_day else None,
        "target": round(filters.target * 100) if filters.target else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def row_name(row: Row, table: PassRateTable) -> str:
    """What stands in the first cell."""
    if row.kind is RowKind.TOTAL and table.unit is None:
        return str(_("全部单位合计"))
    if row.kind is RowKind.OWN:
        return str(_("本级，不在下级单位"))
    if row.kind is RowKind.NO_UNIT:
        return str(_("没有填单位"))
    if row.unit is None:
        return ""
    name = row.unit.name_en if is_english() and row.unit.name_en else row.unit.name
    if row.kind is RowKind.TOTAL:
        return str(_("%(unit)s合计", unit=name))
    return str(_("%(unit)s（已移走）", unit=name)) if row.moved else name


def delivery_title(delivery: Delivery) -> str:
    """A delivery's title in the page's language."""
    return delivery.title_en if is_english() and delivery.title_en else delivery.title


def period_words(table: PassRateTable) -> str:
    """The days of a table, in words."""
    if table.first_day is None or table.last_day is None:
        return str(_("整个测验安排"))
    first, last = format_day(table.first_day, words=False), format_day(table.last_day, words=False)
    return str(_("%(start)s 至 %(end)s", start=first, end=last))


def figure_table(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The pass-rate table as a file shows it, within a permission."""
    db, scope = get_db(), get_scope()
    filters = Filters.read(query)
    days = _period(filters, deliveries_in_reach(db, scope, permission))
    table = pass_rate_table(
        db,
        scope,
        unit_id=filters.unit_id,
        delivery_id=filters.delivery_id,
        first_day=days[0],
        last_day=days[1],
        permission=permission,
    )
    known = {
        "unit": table.unit.id if table.unit else None,
        "delivery": filters.delivery_id,
        "from": table.first_day,
        "to": table.last_day,
    }
    return FigureTable(
        name="pass_rates",
        title=_("参与与合格率"),
        row_heading=_("单位"),
        columns=(
            FigureCode.STARTED,
            FigureCode.CLOSED,
            FigureCode.VOID,
            FigureCode.UNIDENTIFIED,
            FigureCode.FIRST,
            FigureCode.PASSED,
            FigureCode.PASS_RATE,
        ),
        rows=tuple(_table_row(row, table) for row in table.rows),
        first_line=_("参加者中，不代表全体居民"),
        filters=(
            (_("单位"), table.unit.name if table.unit else _("全部单位")),
            (_("测验"), delivery_title(table.delivery) if table.delivery else _("全部测验")),
            (_("时间"), period_words(table)),
        ),
        remarks=(_("95% 置信区间，Wilson 法。"),),
        persons_of_one=table.delivery is not None,
        query={name: str(value) for name, value in known.items() if value is not None},
    )


def _table_row(row: Row, table: PassRateTable) -> TableRow:
    values = {
        FigureCode.STARTED: row.started,
        FigureCode.CLOSED: row.closed,
        FigureCode.VOID: row.void,
        FigureCode.UNIDENTIFIED: row.unidentified,
        FigureCode.FIRST: row.first,
        FigureCode.PASSED: row.passed,
    }
    return TableRow(
        key=row.unit.code if row.unit else row.kind.value,
        label=row_name(row, table),
        cells={
            **{code: Cell(value) for code, value in values.items()},
            FigureCode.PASS_RATE: Cell(row.rate, row.low, row.high, row.hidden),
        },
        total=row.kind is RowKind.TOTAL,
        notes=(str(_("已移走，按当天的单位计")),) if row.moved else (),
        unit_code=row.unit.code if row.unit else None,
    )


def hidden_words(hidden: Hidden) -> str:
    """Why there is no rate, as a sentence in a cell."""
    words = {
        Hidden.EMPTY: _("还没有人作答"),
        Hidden.FEW: _("作答不足 10 人，不显示"),
        Hidden.PROTECTS: _("能推算出人数少的一行，不显示"),
    }
    return str(words[hidden])


bp.add_app_template_global(hidden_words)
bp.add_app_template_global(delivery_title)

from quizapp.reports.views import exporting, items, overview  # noqa: E402, F401 # they hang their pages on `bp`

exporting.EXPORTABLE["pass_rates"] = exporting.Exportable(figure_table, "reports.pass_rates", records=True)
