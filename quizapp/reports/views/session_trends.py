"""Sessions by month, and of two periods side by side: the pages, and the tables that their files are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from quizapp.core.clock import local_date
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_now, get_scope, requires
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figure_words import RULES, heading, heading_parts
from quizapp.reports.figures import units_in_reach
from quizapp.reports.figures.session_trends import (
    MonthRow,
    SessionChange,
    SessionComparison,
    SessionMonths,
    compare_sessions,
    session_months,
)
from quizapp.reports.figures.sessions import SessionCounts, UnitBy
from quizapp.reports.forms import read_period_before
from quizapp.reports.forms.sessions import AskedSessions
from quizapp.reports.rollups.months import month_after
from quizapp.reports.tables import Cell, FigureTable, TableRow
from quizapp.reports.views import bp
from quizapp.reports.views.sessions import (
    filter_words,
    first_line,
    label_of,
    notes_of,
    of_day_remark,
    records_of,
    session_views,
    view_words,
)
from quizapp.reports.views.words import month_words, unit_name
from quizapp.trainings.forms.words import KIND_WORDS

#: What a month shows, in the order of the columns; the rate stands behind what it is of.
COUNTED = {
    FigureCode.SESSIONS: "sessions",
    FigureCode.EXPECTED: "expected",
    FigureCode.EXPECTED_CAME: "expected_came",
    FigureCode.ATTENDANCE_RATE: "rate",
    FigureCode.REGISTERED: "registered",
    FigureCode.ATTENDED: "attended",
    FigureCode.WALK_INS: "walk_ins",
}


@bp.get("/reports/sessions/months")
@requires(Permission.EXPORT_FIGURES)
def session_months_page() -> str | tuple[str, int]:
    """The sessions of each month."""
    asked = AskedSessions.read(request.args, local_date(get_now()))
    found = session_months(get_db(), get_scope(), asked.filters, get_now())
    figures = _month_figures(found)
    rates = [(row.label, row.cells[FigureCode.ATTENDANCE_RATE].value) for row in figures.rows if not row.total]
    return _page(
        "reports/session_months.html",
        figures,
        asked,
        wrong=asked.wrong_days,
        empty=len(found.rows) == 1,
        points=[{"label": label, "value": value, "low": None, "high": None} for label, value in rates]
        if any(value is not None for _label, value in rates)
        else None,
    )


@bp.get("/reports/sessions/comparison")
@requires(Permission.EXPORT_FIGURES)
def session_comparison() -> str | tuple[str, int]:
    """Each unit's sessions in two periods."""
    found, before, wrong = _compared(request.args, Permission.EXPORT_FIGURES)
    asked = AskedSessions.read(request.args, local_date(get_now()))
    return _page(
        "reports/session_comparison.html", _comparison_figures(found, before), asked, wrong=wrong, before=before
    )


def month_figures(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The table of an address by month, within a permission."""
    asked = AskedSessions.read(query, local_date(get_now()))
    return _month_figures(session_months(get_db(), get_scope(), asked.filters, get_now(), permission))


def comparison_figures(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The comparison of an address, within a permission."""
    found, before, _wrong = _compared(query, permission)
    return _comparison_figures(found, before)


def _page(
    template: str, figures: FigureTable, asked: AskedSessions, *, wrong: bool, **more: Any
) -> str | tuple[str, int]:
    units = units_in_reach(get_db(), get_scope(), asked.filters.unit_id, Permission.EXPORT_FIGURES)
    query = asked.filters.as_query()
    content = render_template(
        template,
        figures=figures,
        views=session_views(query),
        selects=[
            ("by", str(_("汇总")), [(one.value, word) for one, word in view_words()]),
            ("unit", str(_("单位")), [("", str(_("我的单位"))), *((str(unit.id), unit_name(unit)) for unit in units)]),
            ("kind", str(_("种类")), [("", str(_("全部"))), *((k.value, str(word)) for k, word in KIND_WORDS.items())]),
        ],
        query=query,
        days=(asked.filters.first_day, asked.filters.last_day),
        wrong_days=wrong,
        heading=heading,
        heading_parts=heading_parts,
        rules=RULES,
        **more,
    )
    return (content, 422) if wrong else content


def _month_figures(found: SessionMonths) -> FigureTable:
    holder = found.filters.by is UnitBy.HOLDER
    columns = [code for code in COUNTED if holder or code is not FigureCode.SESSIONS]
    columns.insert(columns.index(FigureCode.ATTENDED) + 1, FigureCode.ATTENDED_PERSONS)
    return FigureTable(
        name="session_months",
        title=str(_("场次与到场，按月")),
        row_heading=str(_("月份")),
        columns=tuple(columns),
        rows=tuple(_month_row(row, found) for row in found.rows),
        first_line=first_line(found.total.counts),
        filters=filter_words(found.filters, found.unit, whole=True),
        remarks=(str(_("按场次开始的月份。一个人来过几个月，各月都算，合计只算一次。")), of_day_remark(found.filters)),
        chart=FigureCode.ATTENDANCE_RATE,
        over_time=True,
        of_attempts=False,
        query=found.filters.as_query() | ({"unit": str(found.unit.id)} if found.unit else {}),
    )


def _month_row(row: MonthRow, found: SessionMonths) -> TableRow:
    first, last = found.filters.first_day, found.filters.last_day
    if row.month is not None:
        first, last = max(first, row.month), min(last, month_after(row.month) - timedelta(days=1))
    query: dict[str, Any] = found.filters.as_query() | {"from": str(first), "to": str(last)}
    if found.unit is not None and found.filters.unit_id is not None:
        query["unit"] = found.unit.id
    values = {code: getattr(row.counts, name) for code, name in COUNTED.items()}
    values[FigureCode.ATTENDED_PERSONS] = row.persons
    cells = {
        code: Cell(
            value,
            records=url_for("reports.session_records", **query, figure=code.value)
            if value and code is not FigureCode.ATTENDANCE_RATE
            else None,
        )
        for code, value in values.items()
    }
    month = f"{row.month:%Y-%m}" if row.month is not None else None
    return TableRow(
        key=month or "total",
        label=month_words(month) if month else str(_("合计")),
        cells=cells,
        level=0 if month is None else 1,
        total=month is None,
    )


def _compared(query: Mapping[str, str], permission: Permission) -> tuple[SessionComparison, tuple[date, date], bool]:
    asked = AskedSessions.read(query, local_date(get_now()))
    before, wrong = read_period_before(query, asked.filters.first_day, asked.filters.last_day)
    found = compare_sessions(get_db(), get_scope(), asked.filters, before, get_now(), permission)
    return found, before, wrong or asked.wrong_days


def _comparison_figures(found: SessionComparison, before: tuple[date, date]) -> FigureTable:
    after, earlier = found.after, found.before
    holder = after.filters.by is UnitBy.HOLDER
    return FigureTable(
        name="session_comparison",
        title=str(_("两个时间的场次与到场")),
        row_heading=str(_("举办单位") if holder else _("当天单位")),
        columns=(
            *((FigureCode.SESSIONS_BEFORE, FigureCode.SESSIONS) if holder else ()),
            FigureCode.ATTENDED_BEFORE,
            FigureCode.ATTENDED,
            FigureCode.ATTENDANCE_RATE_BEFORE,
            FigureCode.ATTENDANCE_RATE,
            FigureCode.ATTENDANCE_RATE_CHANGE,
        ),
        rows=tuple(_change_row(change, found) for change in found.changes),
        first_line=first_line(after.total.counts),
        filters=(
            *filter_words(after.filters, after.unit, whole=True),
            (str(_("对比时间")), str(_("对比 %(period)s", period=filter_words(earlier.filters)[0][1]))),
        ),
        remarks=(of_day_remark(after.filters),),
        chart=None,
        of_attempts=False,
        query=after.filters.as_query()
        | ({"unit": str(after.unit.id)} if after.unit else {})
        | {"from2": str(before[0]), "to2": str(before[1])},
    )


def _change_row(change: SessionChange, found: SessionComparison) -> TableRow:
    before, after = change.before, change.after
    old = before.counts if before is not None else SessionCounts()
    new = after.counts

    def then(code: FigureCode, value: int) -> Cell:
        return Cell(value, records=records_of(code, before, found.before) if value and before is not None else None)

    def now(code: FigureCode, value: int) -> Cell:
        return Cell(value, records=records_of(code, after, found.after) if value else None)

    return TableRow(
        key=after.unit.code if after.unit else after.kind.value,
        label=label_of(after, found.after),
        cells={
            FigureCode.SESSIONS_BEFORE: then(FigureCode.SESSIONS, old.sessions),
            FigureCode.SESSIONS: now(FigureCode.SESSIONS, new.sessions),
            FigureCode.ATTENDED_BEFORE: then(FigureCode.ATTENDED, old.attended),
            FigureCode.ATTENDED: now(FigureCode.ATTENDED, new.attended),
            FigureCode.ATTENDANCE_RATE_BEFORE: Cell(old.rate),
            FigureCode.ATTENDANCE_RATE: Cell(new.rate),
            FigureCode.ATTENDANCE_RATE_CHANGE: Cell(change.rate_change),
        },
        total=after.kind == "total",
        notes=notes_of(after),
        unit_code=after.unit.code if after.unit else None,
    )
