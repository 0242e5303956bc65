"""Filling in a paper sign-in sheet by keyboard: one line for each name, whoever is known is found while one types."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.tokens import new_secret
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.errors import NothingToUndo
from quizapp.trainings.forms import BackFillForm, EmptyForm, offer
from quizapp.trainings.models import AttendanceState, CheckInMethod, TrainingSession
from quizapp.trainings.queries.choices import units_at
from quizapp.trainings.queries.lists import evidence_of, full_list, get_attendance
from quizapp.trainings.queries.people import MOST_PRELOADED, Candidate, candidates, search
from quizapp.trainings.services import BackFilled, back_fill, undo_back_fill
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import local_moment
from quizapp.ui.filters import format_clock
from quizapp.ui.words import words_for

#: Lines that the page shows of what was filled in before.
LAST = 20


@bp.route("/sessions/<int:session_id>/back-fill", methods=["GET", "POST"], endpoint="back_fill")
@requires(Permission.RUN_SESSIONS)
def fill(session_id: int) -> str | BaseResponse | tuple[str, int] | tuple[Response, int]:
    """One line of the sheet. A script sends it with `Accept: application/json` and gets what became of it."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    form = BackFillForm()
    if not form.ticket.data or len(form.ticket.data) != 22:
        form.ticket.data = new_secret()
    by_script = request.accept_mimetypes.best == "application/json"
    if request.method == "GET":
        form.unit_id.data, form.evidence_id.data = request.args.get("unit", ""), request.args.get("evidence")
        return _page(found, form, [])
    if not form.validate():
        if by_script:
            (first, *_rest) = (error for errors in form.errors.values() for error in errors)
            return jsonify({"error": {"code": "invalid", "message": str(first)}}), 422
        return _page(found, form, []), 422
    hits: list[Candidate] = []
    person = form.person.data or ""
    if not person:
        hits = search(candidates(db, found, get_scope(), get_keys()), form.name.data or "")
        same = [one for one in hits if one.name == (form.name.data or "").strip()]
        if len(hits) > 1 and len(same) != 1:
            return _page(found, form, hits), 422
        if not hits and _is_no_name(form.name.data or ""):
            form.name.errors = [*form.name.errors, _("没有找到，请写名字")]
            return _page(found, form, []), 422
        person = str((same or hits)[0].person_id) if hits else "new"
    try:
        with transaction(db):
            filled = _store(found, form, int(person) if person.isdecimal() else None)
    except DomainError as error:
        if by_script or not form.show(error):
            raise
        return _page(found, form, []), 422
    if by_script:
        return jsonify(_said(filled)), 200
    said = _said(filled)
    flash(f"{said['name']} · {said['word']}", "success" if filled.outcome == "in" else "attention")
    unit = filled.attendance.unit_id or form.unit_id.data or None
    evidence = form.evidence_id.data or None
    return redirect(url_for("trainings.back_fill", session_id=session_id, unit=unit, evidence=evidence), 303)


def _is_no_name(text: str) -> bool:
    """Digits or initials: what one types to find somebody."""
    typed = text.strip()
    return typed.isascii() and (typed.isdecimal() or (typed.isalpha() and typed.islower()))


def _store(found: TrainingSession, form: BackFillForm, person_id: int | None) -> BackFilled:
    return back_fill(
        get_db(),
        session=found,
        person_id=person_id,
        name=form.name.data or "",
        phone=form.phone.data or None,
        unit_id=form.number("unit_id"),
        arrived_at=local_moment(found, form.time) if form.arrived.data else None,
        evidence_id=form.number("evidence_id"),
        ticket=form.ticket.data or "",
        keys=get_keys(),
        actor=get_actor(),
        now=get_now(),
    )


def _said(filled: BackFilled) -> dict[str, Any]:
    """What the line says afterwards."""
    row = filled.attendance
    clock = format_clock(row.at_ms)
    words = {
        "in": _("已补录"),
        "again": _("已经在名单里，%(time)s", time=clock),
        "struck": _("之前划掉了，没有补录；要恢复请到名单里"),
    }
    if filled.outcome == "again" and row.state == AttendanceState.PENDING:
        words["again"] = _("已经记下，还要到名单里确认")
    return {
        "outcome": filled.outcome,
        "word": words[filled.outcome],
        "attendance": row.id,
        "name": row.person.name,
        "unit_id": row.unit_id,
        "unit": row.unit.name if row.unit else "",
        "time": clock,
    }


def _page(found: TrainingSession, form: BackFillForm, hits: list[Candidate]) -> str:
    db = get_db()
    sheets = [one for one in evidence_of(db, found.id) if one.kind == "sheet"]
    offer(form.unit_id, [("", _("不填")), *((str(unit.id), unit.name) for unit in units_at(db, found))])
    photos = [(str(one.id), _("签到表照片 %(number)s", number=len(sheets) - place)) for place, one in enumerate(sheets)]
    offer(form.evidence_id, [*photos, ("", _("没有照片"))])
    if form.evidence_id.data is None:
        form.evidence_id.data = photos[0][0] if photos else ""
    filled = [row for row in full_list(db, found.id) if row.attendance.method == CheckInMethod.BACK_FILLED]
    counted = [row for row in filled if row.attendance.state == AttendanceState.COUNTED]
    counted.sort(key=lambda row: -row.attendance.id)
    return render_template(
        "trainings/back_fill.html",
        session=found,
        form=form,
        hits=hits,
        rows=counted[:LAST],
        total=len(counted),
        with_evidence=sum(row.attendance.evidence_id is not None for row in counted),
        sheets=sheets,
        undo_form=EmptyForm(),
    )


@bp.get("/sessions/<int:session_id>/back-fill/people")
@requires(Permission.RUN_SESSIONS)
def back_fill_people(session_id: int) -> Response:
    """The people whom the page's script finds while one types: all at once, or with `q` the best hits for a text."""
    db, scope, keys = get_db(), get_scope(), get_keys()
    found = queries.get_session(db, scope, session_id)
    typed = request.args.get("q", "").strip()
    known = candidates(db, found, scope, keys)
    complete = len(known) < MOST_PRELOADED
    if typed:
        beyond = [] if complete else candidates(db, found, scope, keys, text=typed, limit=50)
        known = search({one.person_id: one for one in [*known, *beyond]}.values(), typed)
    rows = [
        [
            one.person_id,
            one.name,
            one.initials,
            one.tail,
            one.unit_id,
            one.unit_name,
            one.rank,
            format_clock(one.at_ms) if one.state in (AttendanceState.COUNTED, AttendanceState.PENDING) else "",
        ]
        for one in known
    ]
    response = jsonify({"people": rows, "complete": complete})
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/sessions/<int:session_id>/back-fill/<int:attendance_id>/undo")
@requires(Permission.RUN_SESSIONS)
def undo_line(session_id: int, attendance_id: int) -> BaseResponse | tuple[Response, int]:
    """Take a line back that was filled in by mistake."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    row = get_attendance(db, found.id, attendance_id)
    by_script = request.accept_mimetypes.best == "application/json"
    try:
        with transaction(db):
            undo_back_fill(db, session=found, attendance=row, actor=get_actor(), now=get_now())
    except NothingToUndo as error:
        if by_script:
            raise
        flash(words_for(error), "attention")
    else:
        if by_script:
            return jsonify({"outcome": "undone", "word": _("已撤回")}), 200
        flash(_("%(name)s：已撤回", name=row.person.name), "success")
    return redirect(url_for("trainings.back_fill", session_id=session_id), 303)
