"""The list of a session as a trainer works with it: what waits on top, what to look at in words, and the decisions."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.organisation.models import name_key
from quizapp.trainings import queries
from quizapp.trainings.errors import NothingToUndo
from quizapp.trainings.forms import CheckOutForm, DecisionForm, EmptyForm, NoteForm
from quizapp.trainings.models import AttendanceState, Expected
from quizapp.trainings.queries.attendance import Arrival
from quizapp.trainings.queries.lists import full_list, get_attendance
from quizapp.trainings.queries.marks import Mark, marks
from quizapp.trainings.services import (
    check_out_all,
    confirm_attendance,
    note_attendance,
    set_check_out,
    strike_attendance,
    undo_attendance,
)
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import local_moment, masked_phone
from quizapp.ui.filters import format_clock
from quizapp.ui.words import words_for

#: Names on one page of the list.
PAGE_SIZE = 100


@bp.get("/sessions/<int:session_id>/list")
@requires(Permission.RUN_SESSIONS)
def attendances(session_id: int) -> str:
    """Everybody on the list; what waits for a word stands on top. `show` picks some, `q` a name."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    rows = full_list(db, found.id)
    marked = marks(db, found.id)
    groups: dict[str, list[Arrival]] = {
        "all": rows,
        "look": [row for row in rows if _asks_for_a_look(row, marked)],
        "walk_in": [row for row in rows if row.attendance.expected == Expected.WALK_IN],
        "struck": [row for row in rows if row.attendance.state in (AttendanceState.STRUCK, AttendanceState.UNDONE)],
    }
    show = request.args.get("show", "all")
    typed = request.args.get("q", "").strip()
    shown = [row for row in groups.get(show, rows) if name_key(typed) in row.person.name_key]
    pages = max(1, -(-len(shown) // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    states = Counter(row.attendance.state for row in rows)
    return render_template(
        "trainings/attendances.html",
        session=found,
        rows=shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        pending=[row for row in rows if row.attendance.state == AttendanceState.PENDING],
        marks=marked,
        counts={name: len(group) for name, group in groups.items()},
        counted=states[AttendanceState.COUNTED],
        show=show,
        typed=typed,
        page=page,
        pages=pages,
        total=len(shown),
        form=EmptyForm(),
        check_out_form=CheckOutForm(),
        without_check_out=sum(
            row.attendance.state == AttendanceState.COUNTED and row.attendance.checked_out_at is None for row in rows
        ),
    )


def _asks_for_a_look(row: Arrival, marked: dict[int, list[Mark]]) -> bool:
    """Pending, or marked and not yet decided about."""
    attendance = row.attendance
    if attendance.state == AttendanceState.PENDING:
        return True
    return attendance.state == AttendanceState.COUNTED and attendance.decided_at is None and attendance.id in marked


@bp.get("/sessions/<int:session_id>/list/<int:attendance_id>")
@requires(Permission.RUN_SESSIONS)
def attendance(session_id: int, attendance_id: int) -> str:
    """One person on the list: how it is known that they came, and what may be done."""
    return _attendance_page(session_id, attendance_id)


def _attendance_page(session_id: int, attendance_id: int, **forms: Any) -> str:
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    row = get_attendance(db, found.id, attendance_id)
    out = format_clock(row.checked_out_at) if row.checked_out_at else ""
    together = [
        other
        for other in full_list(db, found.id)
        if row.device_hash is not None
        and other.attendance.id != row.id
        and other.attendance.device_hash == row.device_hash
        and other.attendance.state != AttendanceState.UNDONE
    ]
    return render_template(
        "trainings/attendance.html",
        session=found,
        row=row,
        phone=masked_phone(row.person),
        marks=marks(db, found.id).get(row.id, []),
        together=together,
        **{
            "form": DecisionForm(),
            "note_form": NoteForm(note=row.note),
            "check_out_form": CheckOutForm(checked_out=out),
            **forms,
        },
    )


@bp.post("/sessions/<int:session_id>/list/<int:attendance_id>/decide")
@requires(Permission.RUN_SESSIONS)
def decide(session_id: int, attendance_id: int) -> BaseResponse | tuple[str, int]:
    """Confirm, strike or undo; the button's `action` says which. From the list one comes back to the list."""
    db, actor, now = get_db(), get_actor(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    row = get_attendance(db, found.id, attendance_id)
    form = DecisionForm()
    action = form.action.data if form.validate() else ""
    words = {
        "confirm": _("%(name)s：计入", name=row.person.name),
        "strike": _("%(name)s：已划掉", name=row.person.name),
        "undo": _("%(name)s：已撤回", name=row.person.name),
    }
    try:
        with transaction(db):
            if action == "confirm":
                confirm_attendance(db, session=found, attendance=row, actor=actor, now=now)
            elif action == "strike":
                reason = form.reason.data or ""
                strike_attendance(db, session=found, attendance=row, reason=reason, actor=actor, now=now)
            elif action == "undo":
                undo_attendance(db, session=found, attendance=row, actor=actor, now=now)
    except NothingToUndo as error:
        flash(words_for(error), "attention")
    except DomainError as error:
        if not form.show(error):
            raise
        return _attendance_page(session_id, attendance_id, form=form), 422
    else:
        if action in words:
            flash(words[action], "success")
    if "from_list" in request.form:
        return redirect(url_for("trainings.attendances", session_id=session_id), 303)
    return redirect(url_for("trainings.attendance", session_id=session_id, attendance_id=attendance_id), 303)


@bp.post("/sessions/<int:session_id>/list/<int:attendance_id>/note")
@requires(Permission.RUN_SESSIONS)
def note(session_id: int, attendance_id: int) -> BaseResponse | tuple[str, int]:
    """Write something beside a name."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    row = get_attendance(db, found.id, attendance_id)
    form = NoteForm()
    if not form.validate():
        return _attendance_page(session_id, attendance_id, note_form=form), 422
    with transaction(db):
        note_attendance(db, session=found, attendance=row, note=form.note.data or "", actor=get_actor(), now=get_now())
    flash(_("备注已保存"), "success")
    return redirect(url_for("trainings.attendance", session_id=session_id, attendance_id=attendance_id), 303)


@bp.post("/sessions/<int:session_id>/list/<int:attendance_id>/check-out")
@requires(Permission.RUN_SESSIONS)
def check_out_by_hand(session_id: int, attendance_id: int) -> BaseResponse | tuple[str, int]:
    """Set somebody's check-out, or take it away."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    row = get_attendance(db, found.id, attendance_id)
    form = CheckOutForm()
    if form.validate():
        at_ms = local_moment(found, form.time) if form.checked_out.data else None
        try:
            with transaction(db):
                set_check_out(db, session=found, attendance=row, at_ms=at_ms, actor=get_actor(), now=get_now())
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            flash(_("签退时间已保存"), "success")
            return redirect(url_for("trainings.attendance", session_id=session_id, attendance_id=attendance_id), 303)
    return _attendance_page(session_id, attendance_id, check_out_form=form), 422


@bp.post("/sessions/<int:session_id>/list/check-out")
@requires(Permission.RUN_SESSIONS)
def check_out_everybody(session_id: int) -> BaseResponse:
    """Set one time for all who count and have none."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    form = CheckOutForm()
    if form.validate() and form.checked_out.data:
        at_ms = local_moment(found, form.time)
        try:
            with transaction(db):
                number = check_out_all(db, session=found, at_ms=at_ms, actor=get_actor(), now=get_now())
        except DomainError as error:
            if not form.show(error):
                raise
            flash(words_for(error), "attention")
        else:
            flash(_("已给 %(count)s 人填上签退时间", count=number), "success")
    else:
        flash(_("时间写成 14:00 这样"), "attention")
    return redirect(url_for("trainings.attendances", session_id=session_id), 303)
