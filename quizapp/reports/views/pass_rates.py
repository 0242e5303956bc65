"""Participation and pass rates by unit: the page, and the table that its files are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from quizapp.core.clock import local_date
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_now, get_runtime, get_scope, requires
from quizapp.quizzes.models import Delivery
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figure_words import RULES, heading, heading_parts
from quizapp.reports.figures import (
    FigureFilters,
    GroupDimension,
    Literacy,
    PassRateTable,
    Row,
    RowKind,
    aggregates_only,
    deliveries_in_reach,
    literacy_of,
    pass_rate_table,
)
from quizapp.reports.forms import TARGETS, Filters
from quizapp.reports.queries import age_bands, quizzes_of
from quizapp.reports.tables import Cell, FigureTable, TableRow
from quizapp.reports.views import bp
from quizapp.reports.views.leader import grid_page, rate_scale
from quizapp.reports.views.literacy import hidden_share_words, level_words, literacy_facts, literacy_records
from quizapp.reports.views.words import (
    delivery_title,
    dimension_words,
    filter_words,
    group_words,
    period_words,
    row_name,
    unit_name,
)
from quizapp.ui.filters import format_number, lang_text

#: Rows on one page.
PAGE_SIZE = 50
#: The columns in their order. What a table has nothing of is left out.
COLUMNS = (
    FigureCode.PERSONS,
    FigureCode.FIRST,
    FigureCode.PASSED,
    FigureCode.PASS_RATE,
    FigureCode.MEAN_SCORE,
    FigureCode.ROSTER,
    FigureCode.COVERAGE,
    FigureCode.STARTED,
    FigureCode.CLOSED,
    FigureCode.VOID,
    FigureCode.UNIDENTIFIED,
)
#: The figures whose attempts can be listed.
WITH_RECORDS = (
    FigureCode.STARTED,
    FigureCode.CLOSED,
    FigureCode.VOID,
    FigureCode.UNIDENTIFIED,
    FigureCode.PERSONS,
    FigureCode.FIRST,
    FigureCode.PASSED,
)


@bp.get("/reports/pass-rates")
@requires(Permission.SEE_FIGURES)
def pass_rates() -> str | tuple[str, int]:
    """Pass rates of a unit and each unit directly below it."""
    db, scope = get_db(), get_scope()
    if aggregates_only(scope):
        return grid_page()
    filters = Filters.read(request.args)
    deliveries = deliveries_in_reach(db, scope)
    table = pass_rate_table(db, scope, asked_figures(filters, deliveries))
    literacy = literacy_in(table)
    figures = figure_table_of(table, literacy)
    parts = list(zip(table.rows[1:], figures.rows[1:], strict=True))
    pages = max(1, -(-len(parts) // PAGE_SIZE))
    page = min(filters.page, pages)
    shown = parts[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    query = filters.as_query()
    content = render_template(
        "reports/pass_rates.html",
        table=table,
        figures=figures,
        literacy=literacy,
        level_words=level_words(),
        hidden_share_words=hidden_share_words,
        literacy_records=lambda code, **more: literacy_records(table, code, **more),
        literacy_links=[
            link for links in get_runtime().registry.collect("literacy_links", table.delivery) for link in links
        ]
        if literacy
        else [],
        columns=[code for code in figures.columns if code is not FigureCode.ROSTER],
        narrowed=table.filters.by_group or table.filters.blueprint_id is not None,
        rows=[(table.total, figures.rows[0]), *shown],
        filters=filters,
        days=(table.filters.first_day, table.filters.last_day),
        deliveries=deliveries,
        targets=TARGETS,
        units=[*table.ancestors, *([table.unit] if table.unit else []), *(r.unit for r, _ in parts if r.unit)],
        choices=choices_of(deliveries, strict=table.aggregates_only),
        scale=rate_scale(figures.rows, filters.target),
        may_export=scope.allows(Permission.EXPORT_FIGURES),
        period_words=period_words(table.filters),
        query=query,
        page=page,
        pages=pages,
        total=len(parts),
        page_url=lambda number: url_for("reports.pass_rates", **dict(query, page=number)),
        heading=lambda code: heading(code, persons_of_one=figures.persons_of_one),
        heading_parts=lambda code: heading_parts(code, persons_of_one=figures.persons_of_one),
        rules=RULES,
    )
    return (content, 422) if filters.wrong_days else content


def asked_figures(filters: Filters, deliveries: Sequence[Delivery]) -> FigureFilters:
    """What was asked, with its days: those asked; else the window of the chosen delivery, else this year so far."""
    today = local_date(get_now())
    first, last = today.replace(month=1, day=1), today
    chosen = next((d for d in deliveries if d.id == filters.figures.delivery_id), None)
    if chosen is not None:
        first, last = local_date(chosen.opens_at), local_date(chosen.closes_at - 1)  # a window that ends at midnight
    return filters.in_period(first, max(first, last))


def choices_of(deliveries: Sequence[Delivery], *, strict: bool) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """The filters by quiz and group: name in the address, label, (value, word). None for whoever sees aggregates only."""
    if strict:
        return []
    db = get_db()
    names = dimension_words()
    quizzes = [(str(quiz.id), lang_text(quiz.title)) for quiz in quizzes_of(db, deliveries)]
    found: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("quiz", str(_("卷种")), quizzes),
        ("industry", names[GroupDimension.INDUSTRY], list(group_words(db, GroupDimension.INDUSTRY).items())),
        ("age", names[GroupDimension.AGE_BAND], [(band, band) for band in age_bands()]),
        ("sex", names[GroupDimension.SEX], list(group_words(db, GroupDimension.SEX).items())),
        ("education", names[GroupDimension.EDUCATION], list(group_words(db, GroupDimension.EDUCATION).items())),
        ("group", names[GroupDimension.KEY_GROUP], list(group_words(db, GroupDimension.KEY_GROUP).items())),
        ("identity", names[GroupDimension.IDENTITY], list(group_words(db, GroupDimension.IDENTITY).items())),
    ]
    return [(name, label, [("", str(_("全部"))), *options]) for name, label, options in found if options]


def figure_table(query: Mapping[str, str], permission: Permission) -> FigureTable:
    """The table of an address, within a permission."""
    db, scope = get_db(), get_scope()
    filters = asked_figures(Filters.read(query), deliveries_in_reach(db, scope, permission))
    table = pass_rate_table(db, scope, filters, permission)
    return figure_table_of(table, literacy_in(table, permission))


def literacy_in(table: PassRateTable, permission: Permission = Permission.SEE_FIGURES) -> Literacy | None:
    """Who is literate, of a delivery that follows a standard; not for whoever sees aggregates only, whose grid has no such cell."""
    if table.aggregates_only:
        return None
    return literacy_of(
        get_db(),
        get_scope(),
        permission,
        table.filters,
        delivery=table.delivery,
        unit=table.unit,
        complete=table.total.complete,
    )


def figure_table_of(table: PassRateTable, literacy: Literacy | None = None) -> FigureTable:
    """The table as page, chart and files show it."""
    rows = tuple(_table_row(row, table) for row in table.rows)
    remarks = [
        _("95% 置信区间：3 个及以上单位合并的，按单位聚类计算；不到 3 个的，用 Wilson 法，看不出单位之间的差别。")
    ]
    if any(row.complete for row in table.rows):
        remarks.append(
            _("名册人数 95% 以上都测了、作答的也几乎都在名册上的，不写区间：名册上几乎人人都在，没有抽样误差。")
        )
    return FigureTable(
        name="pass_rates",
        title=str(_("参与与合格率")),
        row_heading=str(_("单位")),
        columns=tuple(code for code in COLUMNS if code in rows[0].cells or any(code in row.cells for row in rows)),
        rows=rows,
        first_line=first_line(table.total.roster, table.total.covered),
        filters=(
            (_("单位"), unit_name(table.unit) if table.unit else _("全部单位")),
            (_("测验"), delivery_title(table.delivery) if table.delivery else _("全部测验")),
            (_("时间"), period_words(table.filters)),
            *filter_words(get_db(), table.filters),
        ),
        remarks=tuple(remarks),
        facts=literacy_facts(literacy) if literacy else (),
        persons_of_one=table.delivery is not None,
        query=table.filters.as_query() | ({"unit": str(table.unit.id)} if table.unit else {}),
    )


def first_line(roster: int | None, covered: int | None) -> str:
    """Of whom the figures are, with the roster where one says something."""
    if roster and covered is not None:
        numbers = {"covered": format_number(covered), "roster": format_number(roster)}
        return str(_("参加者中（名册 %(roster)s 人中的 %(covered)s 人），不代表全体居民", **numbers))
    return str(_("参加者中，不代表全体居民"))


def _table_row(row: Row, table: PassRateTable) -> TableRow:
    values: dict[FigureCode, int | None] = {
        FigureCode.STARTED: row.started,
        FigureCode.CLOSED: row.closed,
        FigureCode.VOID: row.void,
        FigureCode.UNIDENTIFIED: row.unidentified,
        FigureCode.FIRST: row.first,
        FigureCode.PASSED: row.passed,
    }
    cells = {code: Cell(value, records=_records(code, row, table, value)) for code, value in values.items()}
    if row.persons is not None:
        records = _records(FigureCode.PERSONS, row, table, row.persons)
        cells[FigureCode.PERSONS] = Cell(row.persons, records=records)
    cells[FigureCode.PASS_RATE] = Cell(row.rate, row.low, row.high, row.hidden)
    if not table.aggregates_only:
        cells[FigureCode.MEAN_SCORE] = Cell(row.mean_score)
    if row.roster is not None:
        cells[FigureCode.ROSTER] = Cell(row.roster)
        cells[FigureCode.COVERAGE] = Cell(row.coverage)
    notes = [str(_("已移走，按当天的单位计"))] if row.moved else []
    if row.unit is not None and row.unit.closed_at is not None and not row.moved:
        notes.append(str(_("已停用")))
    return TableRow(
        key=row.unit.code if row.unit else row.kind.value,
        label=row_name(row, table),
        cells=cells,
        total=row.kind is RowKind.TOTAL,
        notes=tuple(notes),
        unit_code=row.unit.code if row.unit else None,
    )


def _records(code: FigureCode, row: Row, table: PassRateTable, value: int | None) -> str | None:
    """The address of the attempts behind a number, for whoever may see them."""
    if (
        table.aggregates_only
        or not value
        or code not in WITH_RECORDS
        or not get_scope().allows(Permission.EXPORT_FIGURES)
    ):
        return None
    query: dict[str, Any] = table.filters.as_query() | {"figure": code.value}
    if table.unit is not None:
        query["unit"] = table.unit.id
    if row.kind in (RowKind.OWN, RowKind.NO_UNIT):
        query["part"] = row.kind.value
    elif row.kind is RowKind.UNIT:
        query["at"] = row.path
    return url_for("reports.records", **query)
