"""The trainer's pages: sessions, one session, its projector page, its list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.audit.services import record
from quizapp.core.clock import LOCAL_ZONE, to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.phones import mask_phone
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Column, Kind, write_xlsx
from quizapp.core.tokens import new_secret
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, requires
from quizapp.organisation.models import OrgUnit, Person
from quizapp.organisation.queries import search_own_units, units_to_choose
from quizapp.quizzes.posters import qr_svg
from quizapp.trainings import queries
from quizapp.trainings.errors import CheckInClosed, CheckInEarly, CheckInLate
from quizapp.trainings.forms import EmptyForm, SessionForm, WalkInForm
from quizapp.trainings.models import CheckInMethod, TrainingSession
from quizapp.trainings.services import (
    check_in_by_hand,
    check_window,
    close_session,
    open_session,
    reopen_session,
)
from quizapp.trainings.views import bp
from quizapp.ui.filters import format_clock, format_moment, format_period, masked_name

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Sessions on one page of the list, arrivals on the session's page before "all".
PAGE_SIZE = 50
#: Names on the projector.
LAST = 3


@bp.get("/sessions")
@requires(Permission.RUN_SESSIONS)
def sessions() -> str:
    """The sessions of one's own units, the latest first."""
    db, scope = get_db(), get_scope()
    total = queries.count_sessions(db, scope)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    rows = queries.list_sessions(db, scope, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    return render_template(
        "trainings/sessions.html",
        rows=[(row, session_state(row.session)) for row in rows],
        page=page,
        pages=pages,
        total=total,
    )


@bp.route("/sessions/new", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def new_session() -> str | BaseResponse | tuple[str, int]:
    """Open a session: what, where, when, of which unit."""
    db, now, scope = get_db(), get_now(), get_scope()
    begin = now.astimezone(LOCAL_ZONE).replace(minute=0) + timedelta(hours=1)
    end = begin + timedelta(minutes=90)
    form = SessionForm(
        day=f"{begin:%Y-%m-%d}",
        begins=f"{begin:%H:%M}",
        ends=f"{end:%H:%M}" if end.date() == begin.date() else "23:59",
    )
    tops = units_to_choose(db, scope, Permission.RUN_SESSIONS)
    if request.method == "GET" and len(tops) == 1:
        form.unit_id.data = str(tops[0].id)
    if request.method == "POST" and "unit_id_search" not in request.form and form.validate():
        try:
            with transaction(db):
                session = open_session(
                    db,
                    title=(form.title.data or "").strip(),
                    place=(form.place.data or "").strip(),
                    unit_id=int(form.unit_id.data),
                    starts_at=form.starts_at,
                    ends_at=form.ends_at,
                    actor=get_actor(),
                    now=now,
                )
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            return redirect(url_for("trainings.session", session_id=session.id), 303)
    typed = (form.unit_query.data or "").strip()
    page = render_template(
        "trainings/session_form.html",
        form=form,
        query=typed,
        results=_found_units(db, typed) if typed else [],
        chosen=_chosen_unit(db, form),
    )
    return (page, 422) if form.errors else page


def _chosen_unit(db: Session, form: SessionForm) -> dict[str, Any] | None:
    if not (form.unit_id.data or "").isdecimal():
        return None
    unit = db.get(OrgUnit, int(form.unit_id.data))
    if unit is None or not get_scope().covers(Permission.RUN_SESSIONS, unit.path):
        return None
    return {"id": unit.id, "name": unit.name, "path": ""}


def _found_units(db: Session, typed: str) -> list[dict[str, Any]]:
    found = search_own_units(db, get_scope(), typed, Permission.RUN_SESSIONS, limit=8)
    return [
        {"id": row.unit.id, "name": row.unit.name, "path": row.unit.code, "kind": ""}
        for row in found
        if row.unit.closed_at is None
    ]


@bp.get("/sessions/units")
@requires(Permission.RUN_SESSIONS)
def own_units() -> Response:
    """Units where the trainer may hold sessions, for the picker: name part, pinyin initials or code."""
    typed = request.args.get("q", "").strip()
    return jsonify(_found_units(get_db(), typed) if len(typed) >= 2 else [])


@bp.get("/sessions/<int:session_id>")
@requires(Permission.RUN_SESSIONS)
def session(session_id: int) -> str:
    """One session: how many came, who, and what to do."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    count = queries.count_arrivals(db, found.id)
    limit = None if "all" in request.args else PAGE_SIZE
    return render_template(
        "trainings/session.html",
        session=found,
        state=session_state(found),
        count=count,
        by_hand=queries.count_arrivals(db, found.id, CheckInMethod.BY_HAND),
        arrivals=[(row, masked_phone(row.person)) for row in queries.arrivals(db, found.id, limit=limit)],
        form=EmptyForm(),
        address=check_in_address(found),
    )


@bp.post("/sessions/<int:session_id>/close")
@requires(Permission.RUN_SESSIONS)
def close(session_id: int) -> BaseResponse:
    """End the check-in by hand."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        close_session(db, session=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.session", session_id=session_id), 303)


@bp.post("/sessions/<int:session_id>/reopen")
@requires(Permission.RUN_SESSIONS)
def reopen(session_id: int) -> BaseResponse:
    """Let people check in again."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        reopen_session(db, session=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.session", session_id=session_id), 303)


@bp.route("/sessions/<int:session_id>/walk-in", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def walk_in(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """Write down somebody who has no phone at hand; afterwards the empty form for the next one."""
    db, now = get_db(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    form = WalkInForm()
    if not form.ticket.data or len(form.ticket.data) != 22:
        form.ticket.data = new_secret()
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                checked = check_in_by_hand(
                    db,
                    session=found,
                    name=form.name.data or "",
                    phone=form.phone.data,
                    ticket=form.ticket.data,
                    keys=get_keys(),
                    actor=get_actor(),
                    now=now,
                )
        except CheckInClosed:
            return redirect(url_for("trainings.session", session_id=session_id), 303)
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            clock = format_clock(checked.attendance.at_ms)
            name = checked.attendance.person.name
            if checked.again:
                flash(_("%(name)s 已经签过到，首次 %(time)s", name=name, time=clock), "attention")
            else:
                flash(_("%(name)s 已补登，%(time)s", name=name, time=clock), "success")
            return redirect(url_for("trainings.walk_in", session_id=session_id), 303)
    page = render_template(
        "trainings/walk_in.html",
        session=found,
        form=form,
        count=queries.count_arrivals(db, found.id),
    )
    return (page, 422) if form.errors else page


@bp.get("/sessions/<int:session_id>/projector")
@requires(Permission.RUN_SESSIONS)
def projector(session_id: int) -> str:
    """The page for the hall: what this is, how one checks in, the code, and how many are in."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    address = check_in_address(found)
    return render_template(
        "trainings/projector.html",
        session=found,
        state=session_state(found),
        address=address,
        qr=Markup(qr_svg(address)),  # noqa: S704 # our own drawing of our own address
        **_latest(db, found),
    )


@bp.get("/sessions/<int:session_id>/arrivals")
@requires(Permission.RUN_SESSIONS)
def latest(session_id: int) -> Response:
    """How many are in, and the last names, masked: what the projector page asks every five seconds."""
    db = get_db()
    response = jsonify(_latest(db, queries.get_session(db, get_scope(), session_id)))
    response.headers["Cache-Control"] = "no-store"
    return response


def _latest(db: Session, found: TrainingSession) -> dict[str, Any]:
    return {
        "count": queries.count_arrivals(db, found.id),
        "last": [
            {"name": masked_name(row.person.name), "time": format_clock(row.attendance.at_ms)}
            for row in queries.arrivals(db, found.id, limit=LAST)
        ],
    }


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


def session_state(found: TrainingSession) -> str:
    """Where a session stands now: "early", "open", "late" or "closed"."""
    try:
        check_window(found, to_ms(get_now()))
    except CheckInClosed:
        return "closed"
    except CheckInEarly:
        return "early"
    except CheckInLate:
        return "late"
    return "open"


def method_word(method: str) -> str:
    """How somebody was checked in."""
    return str({CheckInMethod.POSTER: _("扫码"), CheckInMethod.BY_HAND: _("补登")}[CheckInMethod(method)])


bp.add_app_template_global(method_word)


def masked_phone(person: Person) -> str:
    """A number as trainers see it; empty where none was given."""
    if person.phone_encrypted is None:
        return ""
    return mask_phone(get_keys().decrypt_phone(person.phone_encrypted) or "")


def check_in_address(found: TrainingSession) -> str:
    """What the code says."""
    return f"{get_runtime().settings.public_url}{url_for('trainings.scanned', code=found.code)}"
