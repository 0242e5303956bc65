"""The trainer's pages: sessions, a new one, one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.queries import search_own_units, units_to_choose
from quizapp.trainings import queries
from quizapp.trainings.forms import EmptyForm, SessionForm
from quizapp.trainings.models import CheckInMethod
from quizapp.trainings.services import close_session, open_session, reopen_session
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import check_in_address, masked_phone, session_state

#: Sessions on one page of the list, arrivals on the session's page before "all".
PAGE_SIZE = 50


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
