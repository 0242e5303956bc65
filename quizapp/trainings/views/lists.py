"""Lists of a session as files: who came, and the sheet that people sign, as workbook and on paper.

Each is personal data that leaves the house: the log keeps who took it, with how many rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Column, Kind, Sheet, write_xlsx
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.trainings import queries, sheets
from quizapp.trainings.hours import hours_earned
from quizapp.trainings.models import Attendance, AttendanceState, CheckInMethod, TrainingSession
from quizapp.trainings.queries.attendance import Arrival
from quizapp.trainings.queries.lists import UnitFigures, expected_people, full_list, unit_figures
from quizapp.trainings.queries.numbers import SessionNumbers, numbers_of
from quizapp.trainings.services.printing import head_of
from quizapp.trainings.views import bp
from quizapp.trainings.views.printing import send_file
from quizapp.trainings.views.words import masked_phone, method_word, reason_word, way_word
from quizapp.ui.filters import NOTHING, format_moment, format_percent, format_period

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
#: The language of paper.
PAPER = "zh_Hans_CN"


@bp.get("/sessions/<int:session_id>/attendance.xlsx")
@requires(Permission.RUN_SESSIONS)
def attendance_list(session_id: int) -> BaseResponse:
    """Who came, by unit, and who does not count, as a workbook."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    everybody = full_list(db, found.id)
    came, others = split_list(everybody)
    numbers = numbers_of(db, found.id)
    units = unit_figures(expected_people(db, found.id), everybody)
    out = (Column(_("签退时间"), Kind.MOMENT, 18),) if found.check_out else ()
    content = write_xlsx(
        (
            Column(_("序号"), Kind.WHOLE, 6),
            Column(_("姓名"), Kind.TEXT, 14),
            Column(_("手机号"), Kind.TEXT, 16),
            Column(_("单位"), Kind.TEXT, 24),
            Column(_("签到方式"), Kind.TEXT, 16),
            Column(_("签到时间"), Kind.MOMENT, 18),
            *out,
            Column(_("学时"), Kind.DECIMAL, 8),
            Column(_("备注"), Kind.TEXT, 30),
        ),
        (
            (
                number,
                row.person.name,
                masked_phone(row.person),
                row.unit.name if row.unit else None,
                way_word(row.attendance),
                row.attendance.at_ms,
                *((row.attendance.checked_out_at,) if found.check_out else ()),
                hours_of(found, row.attendance) / 10,
                row.attendance.note or None,
            )
            for number, row in enumerate(came, start=1)
        ),
        title=_("签到名单"),
        facts_title=_("说明"),
        facts=[*_facts(found), *figure_words(numbers), *_who_and_when()],
        more=(_units_sheet(units), _struck_sheet(others)),
    )
    _log(found, "attendance_exported", "xlsx", len(everybody))
    return send_file(content, XLSX, f"attendance-{found.code}.xlsx")


@bp.get("/sessions/<int:session_id>/attendance.pdf")
@requires(Permission.RUN_SESSIONS)
def attendance_paper(session_id: int) -> BaseResponse:
    """The same on paper."""
    db, now, actor = get_db(), get_now(), get_actor()
    found = queries.get_session(db, get_scope(), session_id)
    everybody = full_list(db, found.id)
    came, others = split_list(everybody)
    numbers = numbers_of(db, found.id)
    units = unit_figures(expected_people(db, found.id), everybody)
    with force_locale(PAPER):
        paper = sheets.AttendancePaper(
            head=head_of(found),
            figures=figure_words(numbers),
            units=[
                (
                    one.unit.name if one.unit else _("单位不详"),
                    str(one.expected),
                    str(one.came_expected),
                    str(one.came),
                    format_percent(one.coverage, 0),
                )
                for one in units
            ],
            rows=[_paper_row(found, row, row.attendance.note) for row in came],
            struck=[_paper_row(found, row, _why(row)) for row in others],
            check_out=found.check_out,
            printed=_("%(when)s 由 %(name)s 导出", when=format_moment(now, words=False), name=actor.name),
        )
    content = sheets.attendance_pdf(paper)
    _log(found, "attendance_exported", "pdf", len(everybody))
    return send_file(content, PDF, f"attendance-{found.code}.pdf")


@bp.get("/sessions/<int:session_id>/sign-in-sheet.xlsx")
@requires(Permission.RUN_SESSIONS)
def sign_in_list(session_id: int) -> BaseResponse:
    """The sheet that people sign as a workbook, for whoever prints it their own way."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    people = expected_people(db, found.id)
    content = write_xlsx(
        (
            Column(_("序号"), Kind.WHOLE, 6),
            Column(_("单位"), Kind.TEXT, 28),
            Column(_("姓名"), Kind.TEXT, 14),
            Column(_("手机号"), Kind.TEXT, 18),
            Column(_("签名"), Kind.TEXT, 24),
        ),
        (
            (number, one.unit.name if one.unit else None, one.person.name, None, None)
            for number, one in enumerate(people, start=1)
        ),
        title=_("签到表"),
        facts_title=_("说明"),
        facts=[*_facts(found), (_("应到"), _("%(count)s 人", count=len(people))), *_who_and_when()],
    )
    _log(found, "sign_in_sheet_exported", "xlsx", len(people))
    return send_file(content, XLSX, f"sign-in-{found.code}.xlsx")


def split_list(rows: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Those who count, and all others but those that were taken back as never written."""
    came = [row for row in rows if row.attendance.state == AttendanceState.COUNTED]
    others = [row for row in rows if row.attendance.state in (AttendanceState.PENDING, AttendanceState.STRUCK)]
    return came, others


def hours_of(found: TrainingSession, row: Attendance) -> int:
    """Training hours that somebody earned, in tenths."""
    return hours_earned(
        found.hours_tenths,
        check_out=found.check_out,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        in_at=row.at_ms,
        out_at=row.checked_out_at,
    )


def figure_words(numbers: SessionNumbers) -> list[tuple[str, str]]:
    """The figures of a session, each with its word: who was expected, who came, and how that is known."""
    by_way = numbers.by_method
    evident = numbers.back_filled_with_evidence
    rows = [
        (_("名册"), numbers.rostered),
        (_("报名人数"), numbers.registered),
        (_("到场"), numbers.came),
        (_("应到未到"), numbers.no_shows),
        (_("现场来的"), numbers.walk_ins),
        (_("不计入"), numbers.pending + numbers.struck),
        *((method_word(way), by_way[way]) for way in CheckInMethod if way is not CheckInMethod.BACK_FILLED),
        (_("补录（有佐证）"), evident),
        (_("补录（无佐证）"), by_way[CheckInMethod.BACK_FILLED] - evident),
    ]
    return [(word, _("%(count)s 人", count=count)) for word, count in rows]


def _facts(found: TrainingSession) -> list[tuple[str, str]]:
    return [
        (_("场次"), found.title),
        (_("主办单位"), found.unit.name),
        (_("地点"), found.place),
        (_("时间"), format_period(found.starts_at, found.ends_at)),
    ]


def _who_and_when() -> list[tuple[str, str]]:
    return [
        (_("怎么数的"), _("每人只计一次；待确认、划掉的不计入到场")),
        (_("导出时间"), format_moment(get_now(), words=False)),
        (_("导出人"), get_actor().name),
        (_("提醒"), _("含个人信息，只用于这一场培训的考勤。")),
    ]


def _units_sheet(units: Sequence[UnitFigures]) -> Sheet:
    return Sheet(
        _("各单位"),
        (
            Column(_("单位"), Kind.TEXT, 28),
            Column(_("应到（人）"), Kind.WHOLE, 12),
            Column(_("应到的来了（人）"), Kind.WHOLE, 16),
            Column(_("应到未到（人）"), Kind.WHOLE, 14),
            Column(_("共到（人）"), Kind.WHOLE, 12),
            Column(_("到场率"), Kind.PERCENT, 10),
        ),
        [
            (
                one.unit.name if one.unit else _("单位不详"),
                one.expected,
                one.came_expected,
                one.no_shows,
                one.came,
                one.coverage,
            )
            for one in units
        ],
    )


def _struck_sheet(others: Sequence[Arrival]) -> Sheet:
    return Sheet(
        _("不计入的签到"),
        (
            Column(_("序号"), Kind.WHOLE, 6),
            Column(_("姓名"), Kind.TEXT, 14),
            Column(_("手机号"), Kind.TEXT, 16),
            Column(_("单位"), Kind.TEXT, 24),
            Column(_("签到方式"), Kind.TEXT, 16),
            Column(_("签到时间"), Kind.MOMENT, 18),
            Column(_("原因"), Kind.TEXT, 30),
        ),
        [
            (
                number,
                row.person.name,
                masked_phone(row.person),
                row.unit.name if row.unit else None,
                way_word(row.attendance),
                row.attendance.at_ms,
                _why(row),
            )
            for number, row in enumerate(others, start=1)
        ],
    )


def _why(row: Arrival) -> str:
    """Why somebody does not count, with the trainer's note."""
    waits = _("待确认") if row.attendance.state == AttendanceState.PENDING else ""
    return " · ".join(part for part in (waits, reason_word(row.attendance.reason), row.attendance.note) if part)


def _paper_row(found: TrainingSession, row: Arrival, note: str) -> sheets.ListRow:
    attendance = row.attendance
    return sheets.ListRow(
        name=row.person.name,
        unit=row.unit.name if row.unit else NOTHING,
        phone=masked_phone(row.person),
        way=way_word(attendance),
        came=sheets.clock_words(attendance.at_ms),
        left=sheets.clock_words(attendance.checked_out_at),
        hours=f"{hours_of(found, attendance) / 10:g}",
        note=note,
    )


def _log(found: TrainingSession, action: str, kind: str, rows: int) -> None:
    db = get_db()
    with transaction(db):
        record(
            db,
            actor=get_actor(),
            action=action,
            object_type="training_session",
            object_id=found.id,
            unit_id=found.unit_id,
            details={"code": found.code, "personal_data": True, "format": kind, "rows": rows},
            now=get_now(),
        )
