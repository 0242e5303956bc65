"""A unit's liaison: coming sessions that take registrations, and one's own people to choose from."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.organisation.models import JobRole, OrgUnit
from quizapp.organisation.queries import get_unit
from quizapp.organisation.web import JOB_ROLE_WORDS
from quizapp.trainings.errors import NobodyChosen
from quizapp.trainings.forms import EmptyForm, NewPersonForm
from quizapp.trainings.models import Registration, RegistrationMode, TrainingSession
from quizapp.trainings.queries.liaison import (
    Choice,
    coming_open_sessions,
    count_candidates,
    get_open_session,
    list_candidates,
    units_of_liaison,
)
from quizapp.trainings.queries.registrations import audience_of, place_in_line, places_of
from quizapp.trainings.services.liaison import cancel_people, register_new_person, register_people
from quizapp.trainings.views import bp
from quizapp.trainings.views.registration import registration_state
from quizapp.trainings.views.words import masked_phone
from quizapp.ui.words import words_for

PAGE_SIZE = 50
#: Names that a message lists before "and n more".
NAMED = 12


@bp.get("/registrations")
@requires(Permission.REGISTER_OTHERS)
def liaison_sessions() -> str:
    """Coming sessions that take registrations from one's own units."""
    return render_template(
        "trainings/liaison_sessions.html",
        rows=coming_open_sessions(get_db(), get_scope(), to_ms(get_now())),
    )


@bp.route("/registrations/<int:session_id>", methods=["GET", "POST"])
@requires(Permission.REGISTER_OTHERS)
def liaison_people(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """Choose people of one's own units; one press registers those who fit and says who waits."""
    db, scope, now = get_db(), get_scope(), get_now()
    session = get_open_session(db, scope, session_id)
    refusal = None
    if request.method == "POST" and EmptyForm().validate():
        chosen = list(dict.fromkeys(request.form.getlist("person", type=int)))
        try:
            with transaction(db):
                if request.form.get("action") == "cancel":
                    struck = cancel_people(db, session=session, person_ids=chosen, actor=get_actor(), now=now)
                    message = _("取消了 %(count)s 人的报名", count=len(struck)), "success"
                else:
                    done = register_people(db, session=session, person_ids=chosen, actor=get_actor(), now=now)
                    message = _done_words(db, done.registered, done.waiting, done.again)
        except NobodyChosen:
            flash(_("先在名字前打勾，再按按钮。"), "attention")
            return redirect(_back(session_id), 303)
        except DomainError as error:
            if error.status != 409:
                raise
            refusal = words_for(error)
        else:
            flash(*message)
            return redirect(_back(session_id), 303)
    page = _list_page(db, session, refusal)
    return (page, 409) if refusal else page


@bp.route("/registrations/<int:session_id>/new", methods=["GET", "POST"])
@requires(Permission.REGISTER_OTHERS)
def liaison_new_person(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """Register somebody of one's own unit who is not on the list."""
    db, scope, now = get_db(), get_scope(), get_now()
    session = get_open_session(db, scope, session_id)
    units = units_of_liaison(db, scope)
    form = NewPersonForm()
    form.unit_id.choices = [SelectChoice(str(unit.id), unit.name) for unit in units]
    form.job_role.choices = [
        SelectChoice("", _l("不填")),
        *(SelectChoice(role.value, word) for role, word in JOB_ROLE_WORDS.items()),
    ]
    refusal = None
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                done = register_new_person(
                    db,
                    session=session,
                    name=form.name.data or "",
                    phone=form.phone.data or "",
                    unit_id=int(form.unit_id.data),
                    job_role=JobRole(form.job_role.data) if form.job_role.data else None,
                    actor=get_actor(),
                    keys=get_keys(),
                    now=now,
                )
                row = done.registration
                message = (
                    (_("%(name)s 已经报过名", name=form.name.data), "attention")
                    if done.again
                    else _done_words(db, *(([row], []) if row.state == "registered" else ([], [row])), [])
                )
        except DomainError as error:
            if not form.show(error):
                if error.status != 409:
                    raise
                refusal = words_for(error)
        else:
            flash(*message)
            return redirect(url_for("trainings.liaison_people", session_id=session_id), 303)
    page = render_template("trainings/liaison_new_person.html", session=session, form=form, refusal=refusal)
    return (page, 409) if refusal else (page, 422) if form.errors else page


def _list_page(db: Session, session: TrainingSession, refusal: str | None) -> str:
    scope, keys = get_scope(), get_keys()
    unit = _chosen_unit(db)
    state = request.args.get("state", "")
    choice = Choice(
        text=request.args.get("q", "").strip()[:40],
        unit_path=unit.path if unit else None,
        state=state if state in ("none", "standing") else "",
    )
    total = count_candidates(db, session, scope, choice, keys)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    rows = list_candidates(db, session, scope, choice, keys, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    shut, _error = registration_state(session)
    return render_template(
        "trainings/liaison_people.html",
        session=session,
        places=places_of(db, session),
        audience=audience_of(db, session.id) if session.registration == RegistrationMode.AUDIENCE else [],
        rows=[
            (row, masked_phone(row.person), place_in_line(db, row.registration) if row.registration else None)
            for row in rows
        ],
        units=units_of_liaison(db, scope),
        unit=unit,
        choice=choice,
        page=page,
        pages=pages,
        total=total,
        shut=shut,
        begun=session.starts_at <= to_ms(get_now()),
        refusal=refusal,
        query={"q": choice.text or None, "unit": unit.id if unit else None, "state": choice.state or None},
    )


def _chosen_unit(db: Session) -> OrgUnit | None:
    unit_id = request.args.get("unit", type=int)
    if unit_id is None:
        return None
    return get_unit(db, get_scope(), unit_id, Permission.REGISTER_OTHERS)


def _back(session_id: int) -> str:
    """The same part of the list."""
    kept: dict[str, Any] = {
        name: request.args[name] for name in ("q", "unit", "state", "page") if request.args.get(name)
    }
    return url_for("trainings.liaison_people", session_id=session_id, **kept)


def _done_words(
    db: Session, registered: list[Registration], waiting: list[Registration], again: list[Registration]
) -> tuple[str, str]:
    """What one submit did, and the banner's kind."""
    parts: list[Any] = []
    if registered:
        parts.append(_("%(count)s 人报上了名", count=len(registered)))
    if waiting:
        first = waiting[:NAMED]
        names = _("、").join(
            _("%(name)s（第 %(place)s 位）", name=row.person.name, place=place_in_line(db, row)) for row in first
        )
        parts.append(_("名额已满，%(count)s 人候补：%(names)s", count=len(waiting), names=names))
    if again:
        parts.append(_("%(count)s 人早已报过", count=len(again)))
    return _("；").join(parts), "attention" if waiting or not registered else "success"
