"""The trainer's page of a session's registrations: who comes from where, who waits; add, strike."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.forms import EmptyForm, RegisterOtherForm
from quizapp.trainings.models import RegistrationState
from quizapp.trainings.queries.registrations import (
    count_registrations,
    get_registration,
    list_registrations,
    place_in_line,
    places_of,
    units_of_registrations,
)
from quizapp.trainings.services.registering import cancel_by_trainer, register_by_trainer
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import masked_phone
from quizapp.ui.words import words_for

PAGE_SIZE = 50


@bp.get("/sessions/<int:session_id>/registrations")
@requires(Permission.RUN_SESSIONS)
def registrations(session_id: int) -> str:
    """Who registered, by unit, then who waits."""
    return _page(session_id, RegisterOtherForm(formdata=None), None)


@bp.post("/sessions/<int:session_id>/registrations/new")
@requires(Permission.RUN_SESSIONS)
def register_other(session_id: int) -> BaseResponse | tuple[str, int]:
    """Register somebody by name and phone."""
    db, now = get_db(), get_now()
    session = queries.get_session(db, get_scope(), session_id)
    form = RegisterOtherForm()
    refusal = None
    if form.validate_on_submit():
        try:
            with transaction(db):
                done = register_by_trainer(
                    db,
                    session=session,
                    name=form.name.data or "",
                    phone=form.phone.data or "",
                    actor=get_actor(),
                    keys=get_keys(),
                    now=now,
                )
        except DomainError as error:
            if not form.show(error):
                if error.status != 409:
                    raise
                refusal = words_for(error)
        else:
            name, place = form.name.data, place_in_line(db, done.registration)
            if done.again:
                flash(_("%(name)s 已经报过名", name=name), "attention")
            elif place:
                flash(_("%(name)s 候补第 %(place)s 位", name=name, place=place), "attention")
            else:
                flash(_("%(name)s 报上了名", name=name), "success")
            return redirect(url_for("trainings.registrations", session_id=session_id), 303)
    return _page(session_id, form, refusal), 409 if refusal else 422


@bp.post("/sessions/<int:session_id>/registrations/<int:registration_id>/strike")
@requires(Permission.RUN_SESSIONS)
def strike_registration(session_id: int, registration_id: int) -> BaseResponse:
    """Take a registration out; who waits first moves up."""
    db = get_db()
    session = queries.get_session(db, get_scope(), session_id)
    row = get_registration(db, session.id, registration_id)
    name = row.person.name
    if EmptyForm().validate():
        try:
            with transaction(db):
                moved = cancel_by_trainer(
                    db, session=session, registration_id=registration_id, actor=get_actor(), now=get_now()
                )
        except DomainError as error:
            flash(words_for(error), "attention")
        else:
            words = _("已取消 %(name)s 的报名", name=name)
            if moved:
                words += _("；%(count)s 人递补", count=len(moved))
            flash(words, "success")
    return redirect(url_for("trainings.registrations", session_id=session_id), 303)


def _page(session_id: int, form: RegisterOtherForm, refusal: str | None) -> str:
    db = get_db()
    session = queries.get_session(db, get_scope(), session_id)
    state = request.args.get("state", "")
    state = state if state in list(RegistrationState) else ""
    units = units_of_registrations(db, session.id)
    unit_id = request.args.get("unit", type=int)
    unit_id = unit_id if unit_id in {unit.id for unit in units} else None
    total = count_registrations(db, session.id, state=state, unit_id=unit_id)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    rows = list_registrations(
        db, session.id, state=state, unit_id=unit_id, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE
    )
    return render_template(
        "trainings/registrations.html",
        session=session,
        places=places_of(db, session),
        rows=[(row, masked_phone(row.person)) for row in rows],
        units=units,
        state=state,
        unit_id=unit_id,
        page=page,
        pages=pages,
        total=total,
        form=form,
        refusal=refusal,
        frozen=session.closed_at is not None,
    )
