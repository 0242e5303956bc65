"""The audit page and its files: they stand here because accounts know the names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import queries
from quizapp.accounts.log_details import LogNames, details_text
from quizapp.accounts.log_words import ACTION_WORDS, OBJECT_WORDS
from quizapp.accounts.queries import AuditRow, AuditSearch
from quizapp.accounts.views import bp
from quizapp.audit.queries import actions
from quizapp.audit.services import record
from quizapp.core.clock import day_after, day_start
from quizapp.core.db import transaction
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Column, Kind, Value, write_csv, write_xlsx
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.organisation.queries import list_industries
from quizapp.ui.filters import format_moment

#: Rows of a file at most: it is made while its asker waits.
MOST_ROWS = 20_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The names of the filters in the address.
FILTERS = ("account", "action", "object", "id", "from", "to")


@bp.get("/admin/audit")
@requires(Permission.SEE_AUDIT)
def log() -> str:
    """Who did what to which object in the own units, newest first."""
    db, args = get_db(), request.args
    found = queries.search_audit(
        db, get_scope(), _wanted(), before_id=args.get("before", None, type=int), limit=queries.PAGE + 1
    )
    rows, names = found[: queries.PAGE], _names()
    return render_template(
        "accounts/log.html",
        rows=[(row, details_text(row, names)) for row in rows],
        more=rows[-1].event.id if len(found) > queries.PAGE else None,
        actions=sorted(((str(ACTION_WORDS.get(code, code)), code) for code in actions(db)), key=lambda one: one[0]),
        words=ACTION_WORDS,
        objects=OBJECT_WORDS,
        args=args,
        filters=_filters(),
    )


@bp.get("/admin/audit.xlsx")
@requires(Permission.SEE_AUDIT)
def log_xlsx() -> BaseResponse:
    """What was found, as a workbook; logged."""
    return _file("xlsx")


@bp.get("/admin/audit.csv")
@requires(Permission.SEE_AUDIT)
def log_csv() -> BaseResponse:
    """What was found, as CSV; logged."""
    return _file("csv")


def _file(form: str) -> BaseResponse:
    db, now = get_db(), get_now()
    rows = queries.search_audit(db, get_scope(), _wanted(), limit=MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        flash(_("超过 %(most)s 行，请把时间缩短一些再导出", most=MOST_ROWS), "error")
        return redirect(url_for("accounts.log", **_filters()), 303)
    columns = [
        Column(_("时间"), Kind.MOMENT, 18),
        Column(_("谁"), width=14),
        Column(_("登录名"), width=14),
        Column(_("操作"), width=18),
        Column(_("对象"), width=22),
        Column(_("单位"), width=20),
        Column(_("细节"), width=48),
    ]
    table = list(_table(rows))
    title = _("操作记录")
    if form == "xlsx":
        content = write_xlsx(columns, table, title=title, facts=_facts(len(table)), facts_title=_("说明"))
    else:
        content = write_csv(columns, table)
    with transaction(db):
        record(
            db,
            actor=get_actor(),
            action="audit_exported",
            object_type="audit_event",
            details={"format": form, "rows": len(table), "fields": sorted(_filters()), "personal_data": True},
            now=now,
        )
    response: Response = make_response(content)
    response.headers["Content-Type"] = _XLSX if form == "xlsx" else "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{now:%Y%m%d}.{form}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _table(rows: list[AuditRow]) -> Iterator[list[Value]]:
    names = _names()
    for row in rows:
        event = row.event
        yield [
            event.at,
            who(row),
            row.username or "",
            str(ACTION_WORDS.get(event.action, event.action)),
            what(row),
            row.unit or "",
            details_text(row, names),
        ]


def who(row: AuditRow) -> str:
    """Who acted, as a page names them."""
    if row.event.account_id is None:
        return str(_("系统"))
    return row.name or row.username or str(_("账号 %(id)s", id=row.event.account_id))


def what(row: AuditRow) -> str:
    """What it was done to: the kind with the name, or with the number where it has none."""
    kind = str(OBJECT_WORDS.get(row.event.object_type, _("其他")))
    if row.object_name:
        return f"{kind} {row.object_name}"
    return kind if row.event.object_id is None else f"{kind} {row.event.object_id}"


def _facts(count: int) -> list[tuple[str, str]]:
    """The first sheet: who looked for what, when, and how many lines that gave."""
    args = request.args
    shown = {
        _("操作人"): args.get("account", ""),
        _("操作"): str(ACTION_WORDS.get(args.get("action", ""), args.get("action", ""))),
        _("对象"): str(OBJECT_WORDS.get(args.get("object", ""), "")),
        _("编号"): args.get("id", ""),
        _("从"): args.get("from", ""),
        _("到"): args.get("to", ""),
    }
    return [
        *((term, text) for term, text in shown.items() if text),
        (_("行数"), str(count)),
        (_("导出人"), get_actor().name),
        (_("导出时间"), format_moment(get_now())),
        (_("范围"), _("导出人的授权能看到的记录")),
    ]


def _wanted() -> AuditSearch:
    args = request.args
    last = _day(args.get("to"))
    return AuditSearch(
        who=args.get("account", "")[:60],
        action=args.get("action") or None,
        object_type=args.get("object") or None,
        object_id=args.get("id", None, type=int),
        start=_start(_day(args.get("from"))),
        end=_start(day_after(last)) if last else None,
    )


def _filters() -> dict[str, Any]:
    """The filters of the address that say something, to be carried on."""
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def _names() -> LogNames:
    return LogNames({i.id: i.name for i in list_industries(get_db(), closed_too=True)}, format_moment)


def _day(text: str | None) -> date | None:
    """A local day in the address; None for anything else."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _start(day: date | None) -> datetime | None:
    return day_start(day) if day else None
