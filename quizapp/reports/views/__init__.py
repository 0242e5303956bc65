"""The pass-rate table: page, xlsx and CSV from one function."""

from __future__ import annotations

import math
from datetime import date
from typing import Any, cast

from flask import Blueprint, Flask, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.audit.services import record
from quizapp.core.clock import local_date
from quizapp.core.db import transaction
from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Column, Kind, write_csv, write_xlsx
from quizapp.core.web import Runtime, get_actor, get_db, get_now, get_scope, requires
from quizapp.quizzes.models import Delivery
from quizapp.reports.figures import Hidden, PassRateTable, Row, RowKind, deliveries_in_reach, pass_rate_table
from quizapp.reports.forms import TARGETS, Filters
from quizapp.ui.filters import format_day, format_moment, is_english

bp = Blueprint("reports", "quizapp.reports", template_folder="templates")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Rows on one page.
PAGE_SIZE = 50


def register(app: Flask) -> None:
    """Fill the navigation."""
    runtime = cast("Runtime", app.extensions["quizapp"])
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


@bp.get("/reports/pass-rates.xlsx")
@requires(Permission.EXPORT_FIGURES)
def pass_rates_xlsx() -> Response:
    """The same table as a workbook, with what it is of on the first sheet."""
    table = _export("xlsx")
    content = write_xlsx(
        _columns(table),
        map(_cells, table.rows),
        title=_("合格率"),
        facts_title=_("说明"),
        facts=_facts(table),
    )
    return _file(content, XLSX, table, "xlsx")


@bp.get("/reports/pass-rates.csv")
@requires(Permission.EXPORT_FIGURES)
def pass_rates_csv() -> Response:
    """The same table as CSV."""
    table = _export("csv")
    return _file(write_csv(_columns(table), map(_cells, table.rows)), "text/csv", table, "csv")


def _export(kind: str) -> PassRateTable:
    """The table within what may be exported, which the log then knows of."""
    db, scope, now = get_db(), get_scope(), get_now()
    filters = Filters.read(request.args)
    days = _period(filters, deliveries_in_reach(db, scope, Permission.EXPORT_FIGURES))
    table = pass_rate_table(
        db,
        scope,
        unit_id=filters.unit_id,
        delivery_id=filters.delivery_id,
        first_day=days[0],
        last_day=days[1],
        permission=Permission.EXPORT_FIGURES,
    )
    details: dict[str, Any] = {
        "figures": "pass_rates",
        "format": kind,
        "delivery_id": filters.delivery_id,
        "from": days[0].isoformat(),
        "to": days[1].isoformat(),
        "rows": len(table.rows),
    }
    unit_id = table.unit.id if table.unit else None
    with transaction(db):
        record(
            db,
            actor=get_actor(),
            action="figures_exported",
            object_type="org_unit",
            object_id=unit_id,
            unit_id=unit_id,
            details=details,
            now=now,
        )
    return table


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


def _columns(table: PassRateTable) -> tuple[Column, ...]:
    one = table.delivery is not None
    return (
        Column(_("单位"), Kind.TEXT, 28),
        Column(_("单位码"), Kind.TEXT, 14),
        Column(_("已开始（人次）"), Kind.WHOLE),
        Column(_("已交卷（人次）"), Kind.WHOLE),
        Column(_("作废（人次）"), Kind.WHOLE),
        Column(_("未识别（人次）"), Kind.WHOLE),
        Column(_("首次作答（人）") if one else _("首次作答（人次）"), Kind.WHOLE, 16),
        Column(_("合格（人）") if one else _("合格（人次）"), Kind.WHOLE),
        Column(_("合格率"), Kind.PERCENT),
        Column(_("95% 区间下限"), Kind.PERCENT),
        Column(_("95% 区间上限"), Kind.PERCENT),
        Column(_("备注"), Kind.TEXT, 30),
    )


def _cells(row: Row) -> tuple[str | int | float | None, ...]:
    name = {RowKind.OWN: _("本级，不在下级单位"), RowKind.NO_UNIT: _("没有填单位")}.get(row.kind)
    if name is None:
        name = row.unit.name if row.unit else _("全部单位合计")
    notes = [hidden_words(row.hidden)] if row.hidden else []
    if row.moved:
        notes.append(str(_("已移走，按当天的单位计")))
    return (
        str(name),
        row.unit.code if row.unit else None,
        row.started,
        row.closed,
        row.void,
        row.unidentified,
        row.first,
        row.passed,
        row.rate,
        row.low,
        row.high,
        "；".join(notes) or None,
    )


def hidden_words(hidden: Hidden) -> str:
    """Why there is no rate, as a sentence in a cell."""
    words = {
        Hidden.EMPTY: _("还没有人作答"),
        Hidden.FEW: _("作答不足 10 人，不显示"),
        Hidden.PROTECTS: _("能推算出人数少的一行，不显示"),
    }
    return str(words[hidden])


def _facts(table: PassRateTable) -> list[tuple[str, str]]:
    return [
        (_("范围"), _("参加者中，不代表全体居民")),
        (_("单位"), table.unit.name if table.unit else _("全部单位")),
        (_("测验"), delivery_title(table.delivery) if table.delivery else _("全部测验")),
        (_("时间"), period_words(table)),
        (_("合格率"), _("合格 ÷ 首次作答。首次作答是同一个人在同一测验安排中最早开始、已交卷、没有作废的答卷。")),
        (_("区间"), _("95% 置信区间，Wilson 法。")),
        (_("作废"), _("没有作答就到时间的，或被作废的答卷，不进合格率。")),
        (_("未识别"), _("没有留下姓名和手机号的答卷，只计人次，不进合格率。")),
        (_("不显示"), _("作答不足 10 人的合格率不显示；能由它推算的另一行也不显示。")),
        (_("单位归属"), _("按作答当天的单位汇总。")),
        (_("导出时间"), format_moment(get_now(), words=False)),
        (_("导出人"), get_actor().name),
    ]


def _file(content: bytes, mimetype: str, table: PassRateTable, suffix: str) -> Response:
    response = Response(content, mimetype=mimetype)
    days = f"{table.first_day:%Y%m%d}-{table.last_day:%Y%m%d}" if table.first_day and table.last_day else "all"
    unit = table.unit.code if table.unit else "all"
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in unit)
    response.headers.set("Content-Disposition", "attachment", filename=f"pass-rates-{safe}-{days}.{suffix}")
    response.headers["Cache-Control"] = "private, no-store"
    return response


bp.add_app_template_global(hidden_words)
bp.add_app_template_global(delivery_title)

from quizapp.reports.views import items, overview  # noqa: E402, F401 # they hang their pages on `bp`
