"""Lists of a session as files."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _

from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Column, Kind, write_xlsx
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.models import CheckInMethod
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import masked_phone, method_word
from quizapp.ui.filters import format_moment, format_period

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/sessions/<int:session_id>/attendance.xlsx")
@requires(Permission.RUN_SESSIONS)
def attendance_list(session_id: int) -> Response:
    """The list as a workbook; kept in the log as an export of personal data."""
    db, now, actor = get_db(), get_now(), get_actor()
    found = queries.get_session(db, get_scope(), session_id)
    rows = list(reversed(queries.arrivals(db, found.id)))
    content = write_xlsx(
        (
            Column(_("序号"), Kind.WHOLE, 6),
            Column(_("姓名"), Kind.TEXT, 14),
            Column(_("手机号"), Kind.TEXT, 16),
            Column(_("单位"), Kind.TEXT, 24),
            Column(_("签到方式"), Kind.TEXT, 12),
            Column(_("签到时间"), Kind.MOMENT, 18),
        ),
        (
            (
                number,
                row.person.name,
                masked_phone(row.person),
                row.unit.name if row.unit else None,
                method_word(row.attendance.method),
                row.attendance.at_ms,
            )
            for number, row in enumerate(rows, start=1)
        ),
        title=_("签到名单"),
        facts_title=_("说明"),
        facts=[
            (_("场次"), found.title),
            (_("主办单位"), found.unit.name),
            (_("地点"), found.place),
            (_("时间"), format_period(found.starts_at, found.ends_at)),
            (_("人数"), _("%(count)s 人，每人只计一次", count=len(rows))),
            (_("其中现场补登"), str(sum(row.attendance.method == CheckInMethod.BY_HAND for row in rows))),
            (_("导出时间"), format_moment(now, words=False)),
            (_("导出人"), actor.name),
            (_("提醒"), _("含个人信息，只用于这一场培训的考勤。")),
        ],
    )
    with transaction(db):
        record(
            db,
            actor=actor,
            action="attendance_exported",
            object_type="training_session",
            object_id=found.id,
            unit_id=found.unit_id,
            details={"code": found.code, "personal_data": True, "rows": len(rows)},
            now=now,
        )
    response = Response(content, mimetype=XLSX)
    response.headers.set("Content-Disposition", "attachment", filename=f"attendance-{found.code}.xlsx")
    response.headers["Cache-Control"] = "private, no-store"
    return response
