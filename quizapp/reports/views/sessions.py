"""Sessions by unit: held, expected, came, and how they were checked in; and the records behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.core.clock import local_date
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Kind
from quizapp.core.web import get_db, get_now, get_scope, requires
from quizapp.organisation.models import OrgUnit
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figure_words import NAMES, RULES, heading, heading_parts
from quizapp.reports.figures import RowKind
from quizapp.reports.figures.sessions import (
    SessionCounts,
    SessionFilters,
    SessionRow,
    SessionTable,
    UnitBy,
    session_table,
)
from quizapp.reports.forms.sessions import AskedSessions
from quizapp.reports.session_records import LINE_COLUMNS, WITH_LINES, find_lines, find_sessions
from quizapp.reports.tables import Cell, FigureTable, TableRow
from quizapp.reports.views import bp
from quizapp.reports.views.exporting import Records
from quizapp.reports.views.words import row_name, unit_name
from quizapp.trainings.forms.words import KIND_WORDS
from quizapp.trainings.queries import numbers_of_many
from quizapp.ui.filters import format_day, format_number
from quizapp.ui.setup import optional_url

#: Rows on one page.
PAGE_SIZE = 50
#: How people were checked in, in the order of the table. A way that nobody came is left out.
METHODS = (
    FigureCode.CHECKED_ROTATING,
    FigureCode.CHECKED_POSTER,
    FigureCode.CHECKED_PERSONAL,
    FigureCode.CHECKED_BY_HAND,
    FigureCode.CHECKED_BACK_FILLED,
)


@bp.get("/reports/sessions")
@requires(Permission.EXPORT_FIGURES)
def sessions() -> str | tuple[str, int]:
    """The sessions of a unit and of each unit directly below it."""
    asked = AskedSessions.read(request.args, local_date(get_now()))
    table = session_table(get_db(), get_scope(), asked.filters, get_now())
    figures = figure_table_of(table)
    parts = list(zip(table.rows[1:], figures.rows[1:], strict=True))
    pages = max(1, -(-len(parts) // PAGE_SIZE))
    page = min(asked.page, pages)
    query = asked.filters.as_query()
    counts = table.total.counts
    content = render_template(
        "reports/sessions.html",
        table=table,
        figures=figures,
        rows=[(table.total, figures.rows[0]), *parts[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
        unit_name=unit_name,
        units=[*table.ancestors, *([table.unit] if table.unit else []), *(row.unit for row, _ in parts if row.unit)],
        kinds=[("", _("全部")), *((kind.value, word) for kind, word in KIND_WORDS.items())],
        views=session_views(query),
        query=query,
        wrong_days=asked.wrong_days,
        narrowed=asked.narrowed,
        empty=not counts.sessions and not counts.attended and not counts.expected,
        methods=[{"label": NAMES[code], "value": figures.rows[0].cells[code].value} for code in _methods(figures)],
        page=page,
        pages=pages,
        total=len(parts),
        page_url=lambda number: url_for("reports.sessions", **_with(query, page=number)),
        period=_period(asked.filters),
        heading=heading,
        heading_parts=heading_parts,
        rules=RULES,
    )
    return (content, 422) if asked.wrong_days else content


@bp.get("/reports/sessions/records")
@requires(Permission.EXPORT_FIGURES)
def session_records() -> str:
    """Each session, or each person at a session, that a number counts."""
    db, scope, now = get_db(), get_scope(), get_now()
    query = request.args.to_dict()
    figure = query.get("figure", FigureCode.ATTENDED.value)
    if figure != FigureCode.SESSIONS and figure not in WITH_LINES:
        raise NotFound
    code = FigureCode(figure)
    asked = AskedSessions.read(query, local_date(now))
    first = (asked.page - 1) * PAGE_SIZE
    query.pop("page", None)
    asked_of_table: dict[str, Any] = {k: v for k, v in query.items() if k not in ("figure", "at", "part")}
    words: dict[str, Any] = {
        "figure": heading(code),
        "rule": RULES[code],
        "back": url_for("reports.sessions", **asked_of_table),
        "facts": (*_row_words(query), *filter_words(asked.filters)),
        "page": asked.page,
        "page_url": lambda number: url_for("reports.session_records", **_with(query, page=number)),
        "unit_name": unit_name,
        "kind_words": KIND_WORDS,
    }
    if code is FigureCode.SESSIONS:
        total, found = find_sessions(db, scope, asked.filters, query, now, first=first, size=PAGE_SIZE)
        return render_template(
            "reports/session_list.html",
            sessions=found,
            numbers=numbers_of_many(db, [one.id for one in found]),
            total=total,
            pages=max(1, -(-total // PAGE_SIZE)),
            session_url=lambda one: optional_url("trainings.attendances", session_id=one.id),
            **words,
        )
    lines = find_lines(db, scope, asked.filters, code, query, now, first=first, size=PAGE_SIZE)
    return render_template(
        "reports/session_lines.html",
        lines=lines,
        total=lines.total,
        pages=max(1, -(-lines.total // PAGE_SIZE)),
        methods={code.value.removeprefix("checked_"): NAMES[code] for code in METHODS},
        **words,
    )


def line_columns() -> list[tuple[str, str, int]]:
    """Heading, kind and width of each column of `session_records.LINE_COLUMNS`."""
    columns: dict[str, tuple[str, Kind, int]] = {
        "name": (_("姓名"), Kind.TEXT, 12),
        "unit": (_("当天单位"), Kind.TEXT, 26),
        "unit_code": (_("单位码"), Kind.TEXT, 14),
        "session": (_("场次"), Kind.TEXT, 28),
        "holder": (_("举办单位"), Kind.TEXT, 26),
        "kind": (_("种类"), Kind.TEXT, 10),
        "starts_at": (_("开始时间"), Kind.MOMENT, 18),
        "rostered": (_("在名册上"), Kind.TEXT, 10),
        "registered": (_("已报名"), Kind.TEXT, 10),
        "came_at": (_("签到时间"), Kind.MOMENT, 18),
        "method": (_("签到方式"), Kind.TEXT, 14),
    }
    return [(head, kind.value, width) for head, kind, width in (columns[name] for name in LINE_COLUMNS)]


def line_words() -> dict[str, dict[str, str]]:
    """Column (its number, as JSON keeps keys) → code → word."""
    yes_no = {"1": str(_("是")), "0": str(_("否"))}
    words = {
        "kind": {kind.value: str(word) for kind, word in KIND_WORDS.items()},
        "rostered": yes_no,
        "registered": yes_no,
        "method": {code.value.removeprefix("checked_"): str(NAMES[code]) for code in METHODS},
    }
    return {str(LINE_COLUMNS.index(name)): codes for name, codes in words.items()}


#: What goes along into a file.
LINES: Records = Records("lines", _l("到场明细"), line_columns, line_words)


def figure_table(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The table of an address, within a permission."""
    asked = AskedSessions.read(query, local_date(get_now()))
    return figure_table_of(session_table(get_db(), get_scope(), asked.filters, get_now(), permission))


def figure_table_of(table: SessionTable) -> FigureTable:
    """The table as page, chart and files show it."""
    holder = table.filters.by is UnitBy.HOLDER
    rows = tuple(_table_row(row, table) for row in table.rows)
    came = [code for code in METHODS if rows[0].cells[code].value]
    return FigureTable(
        name="sessions",
        title=str(_("场次与到场")),
        row_heading=str(_("举办单位") if holder else _("当天单位")),
        columns=(
            *((FigureCode.SESSIONS,) if holder else ()),
            FigureCode.EXPECTED,
            FigureCode.EXPECTED_CAME,
            FigureCode.ATTENDANCE_RATE,
            FigureCode.REGISTERED,
            FigureCode.ATTENDED,
            FigureCode.ATTENDED_PERSONS,
            FigureCode.WALK_INS,
            *came,
        ),
        rows=rows,
        first_line=first_line(table.total.counts),
        filters=filter_words(table.filters, table.unit, whole=True),
        remarks=(of_day_remark(table.filters), _("签到方式相加等于到场人次。")),
        chart=FigureCode.ATTENDANCE_RATE,
        of_attempts=False,
        query=table.filters.as_query() | ({"unit": str(table.unit.id)} if table.unit else {}),
    )


def _table_row(row: SessionRow, table: SessionTable) -> TableRow:
    counts = row.counts
    values = {
        FigureCode.EXPECTED: counts.expected,
        FigureCode.EXPECTED_CAME: counts.expected_came,
        FigureCode.REGISTERED: counts.registered,
        FigureCode.ATTENDED: counts.attended,
        FigureCode.ATTENDED_PERSONS: row.persons,
        FigureCode.WALK_INS: counts.walk_ins,
        FigureCode.CHECKED_ROTATING: counts.rotating,
        FigureCode.CHECKED_POSTER: counts.poster,
        FigureCode.CHECKED_PERSONAL: counts.personal,
        FigureCode.CHECKED_BY_HAND: counts.by_hand,
        FigureCode.CHECKED_BACK_FILLED: counts.back_filled,
    }
    if table.filters.by is UnitBy.HOLDER:
        values[FigureCode.SESSIONS] = counts.sessions
    cells = {
        code: Cell(value, records=records_of(code, row, table) if value else None) for code, value in values.items()
    }
    cells[FigureCode.ATTENDANCE_RATE] = Cell(counts.rate)
    opens = url_for("reports.sessions", **_with(table.filters.as_query(), unit=row.unit.id)) if row.unit else None
    return TableRow(
        key=row.unit.code if row.unit else row.kind.value,
        label=label_of(row, table),
        cells=cells,
        total=row.kind is RowKind.TOTAL,
        notes=notes_of(row),
        unit_code=row.unit.code if row.unit else None,
        opens=opens if row.opens else None,
    )


def label_of(row: SessionRow, table: SessionTable) -> str:
    """What stands in the first cell."""
    if row.kind is RowKind.OWN and table.filters.by is UnitBy.HOLDER:
        return str(_("本级举办"))
    return row_name(row, table)


def notes_of(row: SessionRow) -> tuple[str, ...]:
    """What is said beside a unit's name."""
    if row.moved:
        return (str(_("已移走，按当天的单位计")),)
    return (str(_("已停用")),) if row.unit is not None and row.unit.closed_at is not None else ()


def of_day_remark(filters: SessionFilters) -> str:
    """To which unit a session or a person counts."""
    holder = filters.by is UnitBy.HOLDER
    return str(_("举办单位按场次当天所在的位置。") if holder else _("人按当天的单位，没有单位的归举办单位。"))


def records_of(code: FigureCode, row: SessionRow, table: SessionTable) -> str:
    """The address of what stands behind a number."""
    query: dict[str, Any] = _with(table.filters.as_query(), figure=code.value)
    if table.unit is not None:
        query["unit"] = table.unit.id
    if row.kind in (RowKind.OWN, RowKind.NO_UNIT):
        query["part"] = row.kind.value
    elif row.kind is RowKind.UNIT:
        query["at"] = row.path
    return url_for("reports.session_records", **query)


def first_line(counts: SessionCounts) -> str:
    """Of whom the figures are."""
    if counts.expected:
        numbers = {"came": format_number(counts.expected_came), "expected": format_number(counts.expected)}
        return str(_("到场者中（应到 %(expected)s 人次，到了 %(came)s 人次）", **numbers))
    return str(_("到场者中，这些场次没有名册，也没有报名"))


def filter_words(
    filters: SessionFilters, unit: OrgUnit | None = None, *, whole: bool = False
) -> tuple[tuple[str, str], ...]:
    """What a table is of, as (name, value), its time first; of a `whole` table the unit before it."""
    views = dict(view_words())
    return (
        *(((_("单位"), unit_name(unit) if unit else _("全部单位")),) if whole else ()),
        (_("时间"), _period(filters)),
        (_("种类"), str(KIND_WORDS[filters.kind]) if filters.kind else _("全部场次")),
        (_("汇总"), views[filters.by]),
    )


def _row_words(query: Mapping[str, str]) -> list[tuple[str, str]]:
    """The unit of the row that was opened, where the reader sees it today."""
    asked = query.get("at", "").strip("/").rpartition("/")[2] or query.get("unit", "")
    unit = get_db().get(OrgUnit, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else None
    if unit is None or not get_scope().covers(Permission.EXPORT_FIGURES, unit.path):
        return []
    return [(_("单位"), unit_name(unit))]


def session_views(query: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The pages of sessions, each with the filters that are on: code, address, word."""
    asked: dict[str, Any] = dict(query)
    return [
        *((one.value, url_for("reports.sessions", **_with(asked, by=one.value)), word) for one, word in view_words()),
        ("months", url_for("reports.session_months_page", **asked), str(_("按月"))),
        ("comparison", url_for("reports.session_comparison", **asked), str(_("两个时间比"))),
    ]


def view_words() -> list[tuple[UnitBy, str]]:
    """To which unit a line belongs, in words."""
    return [(UnitBy.HOLDER, str(_("按举办单位"))), (UnitBy.PEOPLE, str(_("按人的单位")))]


def _period(filters: SessionFilters) -> str:
    first, last = format_day(filters.first_day, words=False), format_day(filters.last_day, words=False)
    return str(_("%(start)s 至 %(end)s", start=first, end=last))


def _methods(figures: FigureTable) -> list[FigureCode]:
    return [code for code in figures.columns if code in METHODS]


def _with(query: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**query, **more}
