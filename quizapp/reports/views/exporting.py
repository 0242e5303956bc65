"""Any table of figures as a file: the page that asks how, the job that writes it, the download."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request, url_for
from flask import redirect as redirect_to
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Kind
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.files.queries import get_own_result
from quizapp.files.services import read_file
from quizapp.jobs.models import Job
from quizapp.jobs.queries import get_own_job
from quizapp.jobs.views import JobWords
from quizapp.reports.errors import ExportReasonMissing
from quizapp.reports.exports import AT_ONCE, TASK, Format, Plan, Reason, ask_for_export, check_grants, note_export
from quizapp.reports.figure_words import RULES, heading, kind_of_column
from quizapp.reports.forms.exports import ExportForm
from quizapp.reports.record_sources import SOURCES
from quizapp.reports.record_words import record_columns, record_words
from quizapp.reports.tables import FigureTable, Hidden, TableRow
from quizapp.reports.views import bp
from quizapp.ui.filters import format_moment, is_english
from quizapp.ui.words import words_for

#: The most dots that a chart of a file has: more is a cloud.
MOST_POINTS = 60


@dataclass(frozen=True)
class Exportable:
    """A table that can be exported: made from the query of an address, within a permission."""

    make: Callable[[Mapping[str, str], Permission], FigureTable]
    #: The page that shows it.
    endpoint: str
    #: The records that can go along.
    records: Records | None = None


@dataclass(frozen=True)
class Records:
    """What the records of a table are, and their words."""

    #: Of `record_sources.SOURCES`.
    source: str
    title: LazyString
    #: Heading, kind and width of each column; column → code → word.
    columns: Callable[[], list[tuple[str, str, int]]]
    words: Callable[[], dict[str, dict[str, str]]]


ATTEMPTS: Records = Records("attempts", _l("答卷明细"), record_columns, record_words)


#: The tables by name; each page of figures brings its own.
EXPORTABLE: dict[str, Exportable] = {}


@bp.route("/reports/export/<name>", methods=["GET", "POST"])
@requires(Permission.EXPORT_FIGURES)
def export(name: str) -> BaseResponse | str | tuple[str, int]:
    """How it shall be exported; then the file at once, or a job that writes it."""
    db, scope = get_db(), get_scope()
    exportable = _find(name)
    table = exportable.make(request.args.to_dict(), Permission.EXPORT_FIGURES)
    kept = exportable.records
    form = ExportForm(may_have_records=kept is not None)
    records = SOURCES[kept.source].count(db, scope, table.query, get_now()) if kept else None
    if form.validate_on_submit():
        try:
            return _export(name, table, Format(form.format.data), form.reason_code())
        except ExportReasonMissing as refusal:
            form.reason.errors = [words_for(refusal)]
    page = render_template(
        "reports/export.html",
        table=table,
        form=form,
        records=records,
        back=address(exportable.endpoint, table.query),
    )
    return (page, 422) if form.errors else page


@bp.get("/reports/export/<name>/<form>")
@requires(Permission.EXPORT_FIGURES)
def export_at_once(name: str, form: str) -> BaseResponse:
    """The table alone as a file: the short way from a page."""
    if form not in tuple(Format):
        raise NotFound
    table = _find(name).make(request.args.to_dict(), Permission.EXPORT_FIGURES)
    return _export(name, table, Format(form), None)


def _find(name: str) -> Exportable:
    if name not in EXPORTABLE:
        raise NotFound
    return EXPORTABLE[name]


def _export(name: str, table: FigureTable, form: Format, reason: Reason | bool | None) -> BaseResponse:
    """`reason` False: records are wanted, but nobody said why."""
    db, actor, now = get_db(), get_actor(), get_now()
    plan = plan_of(table, _find(name).records if reason is not None else None)
    log_query = {"figures": name, **table.query}
    unit_id = int(table.query["unit"]) if "unit" in table.query else None
    if reason is None and len(plan.rows) <= AT_ONCE:
        content = plan.write(form)
        with transaction(db):
            note_export(db, query=log_query, form=form, unit_id=unit_id, rows=len(plan.rows), actor=actor, now=now)
        return file_response(content, form.media_type, f"{plan.name}.{form.value}")
    with transaction(db):
        job = ask_for_export(
            db,
            plan=plan,
            form=form,
            query=log_query,
            unit_id=unit_id,
            reason=reason if isinstance(reason, Reason) else None,
            actor=actor,
            now=now,
        )
    return redirect_to(url_for("jobs.job", public_id=job.public_id), 303)


@bp.get("/reports/exports/<public_id>")
@requires(Permission.EXPORT_FIGURES)
def exported(public_id: str) -> BaseResponse:
    """A written file, for whoever asked for it and may still have it."""
    db, actor, now = get_db(), get_actor(), get_now()
    job = get_own_job(db, public_id, actor)
    if job.name != TASK or not job.result:
        raise NotFound
    check_grants(job, actor)
    file = get_own_result(db, job.result["file"], actor, now)
    return file_response(read_file(db, file.id, keys=get_keys(), now=now), file.media_type, file.name)


def file_response(content: bytes, media_type: str, name: str) -> Response:
    """A file to keep, which no cache keeps."""
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of an export."""
    if job.name != TASK:
        return None
    name = job.arguments["query"]["figures"]
    if job.result:
        return JobWords(_l("导出"), _l("下载文件（保留一天）"), url_for("reports.exported", public_id=job.public_id))
    query = {key: value for key, value in job.arguments["query"].items() if key != "figures"}
    return JobWords(_l("导出"), _l("回到导出"), address("reports.export", {"name": name, **query}))


def address(endpoint: str, query: Mapping[str, Any]) -> str:
    """The address of a page with its filters."""
    return url_for(endpoint, **dict(query))


def plan_of(table: FigureTable, records: Records | None = None) -> Plan:
    """A table with all its words in the reader's language."""
    columns, rows = columns_of(table), [cells_of(table, row) for row in table.rows]
    return Plan(
        name=file_name(table),
        title=table.title,
        facts_title=_("说明"),
        facts=facts_of(table),
        columns=columns,
        rows=rows,
        chart=chart_of(table),
        records={
            "source": records.source,
            "title": str(records.title),
            "columns": records.columns(),
            "words": records.words(),
            "english": is_english(),
        }
        if records
        else None,
    )


def columns_of(table: FigureTable) -> list[tuple[str, str, int]]:
    """Names, unit codes, the figures each with its interval, remarks."""
    columns: list[tuple[str, str, int]] = [(table.row_heading, Kind.TEXT.value, 28)]
    if table.second_heading:
        columns.append((table.second_heading, Kind.TEXT.value, 18))
    if _has_codes(table):
        columns.append((_("单位码"), Kind.TEXT.value, 14))
    for code in table.columns:
        columns.append((heading(code, persons_of_one=table.persons_of_one), kind_of_column(code).value, 14))
        if code is table.chart and table.of_attempts:
            columns.append((_("95% 区间下限"), Kind.PERCENT.value, 14))
            columns.append((_("95% 区间上限"), Kind.PERCENT.value, 14))
    return [*columns, (_("备注"), Kind.TEXT.value, 34)]


def cells_of(table: FigureTable, row: TableRow) -> list[str | int | float | None]:
    """A row of the file."""
    cells: list[str | int | float | None] = [row.label]
    if table.second_heading:
        cells.append(row.second)
    if _has_codes(table):
        cells.append(row.unit_code)
    notes = list(row.notes)
    for code in table.columns:
        cell = row.cells.get(code)
        cells.append(cell.value if cell else None)
        if code is table.chart and table.of_attempts:
            cells += [cell.low if cell else None, cell.high if cell else None]
        if cell and cell.hidden and (words := hidden_words(cell.hidden)) not in notes:
            notes.append(words)
    return [*cells, "；".join(notes) or None]


def _has_codes(table: FigureTable) -> bool:
    return any(row.unit_code for row in table.rows)


def facts_of(table: FigureTable) -> list[tuple[str, str]]:
    """What the table is of: filters, definitions, time, who."""
    return [
        (_("范围"), table.first_line),
        *table.filters,
        *((heading(code, persons_of_one=table.persons_of_one), str(RULES[code])) for code in table.columns),
        *table.facts,
        *((_("说明"), remark) for remark in table.remarks),
        *(_of_attempts() if table.of_attempts else ()),
        (_("导出时间"), format_moment(get_now(), words=False)),
        (_("导出人"), get_actor().name),
    ]


def _of_attempts() -> list[tuple[str, str]]:
    return [
        (_("不显示"), _("作答不足 10 人的合格率不显示；能由它推算的另一行也不显示。")),
        (_("单位归属"), _("按作答当天的单位汇总。")),
    ]


def chart_of(table: FigureTable) -> dict[str, Any] | None:
    """The chart's dots; None where the table has none to draw."""
    if table.chart is None:
        return None
    found = [(row, row.cells.get(table.chart)) for row in table.rows]
    points = [(_point_name(row), c.value, c.low, c.high) for row, c in found if c is not None and c.value is not None]
    if not points:
        return None
    name = heading(table.chart)
    return {
        "title": _("%(figure)s图", figure=name),
        "headings": [table.row_heading, name, _("95% 区间下限"), _("95% 区间上限"), _("到下限"), _("到上限")],
        "points": points[:MOST_POINTS],
        "over_time": table.over_time,
    }


def _point_name(row: TableRow) -> str:
    return f"{row.label} · {row.second}" if row.second else row.label


def hidden_words(hidden: Hidden) -> str:
    """Why there is no figure, as a sentence in a cell."""
    words = {
        Hidden.EMPTY: _("还没有人作答"),
        Hidden.FEW: _("作答不足 10 人，不显示"),
        Hidden.SMALL: _("人少，或能推算出人少的一格，不显示"),
        Hidden.PROTECTS: _("能推算出人数少的一行，不显示"),
        Hidden.NARROW: _("三种以上分组叠在一起，不显示"),
    }
    return str(words[hidden])


def file_name(table: FigureTable) -> str:
    """ASCII, by what the table is and what it is of."""
    parts = [table.name.replace("_", "-"), *(f"{key}-{value}" for key, value in table.query.items())]
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in "-".join(parts))
    return safe[:80]
