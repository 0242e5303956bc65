"""One's own personal code, held up at a door."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.qr import qr_svg
from quizapp.core.web import get_actor, get_db, get_now, signed_in
from quizapp.organisation.models import Person
from quizapp.organisation.personal_codes import card_text, issue_code, kept_person, replace_code
from quizapp.trainings.forms import EmptyForm
from quizapp.trainings.views import bp


def _self() -> Person:
    db, actor = get_db(), get_actor()
    person = db.get(Person, actor.person_id) if actor.person_id is not None else None
    if person is None:
        raise NotFound
    return kept_person(db, person)


@bp.get("/me/code")
@signed_in
def my_code() -> BaseResponse:
    """The code to hold up; made at the first visit."""
    db = get_db()
    person = _self()
    with transaction(db):
        code = issue_code(db, person, now=get_now())
    response = make_response(
        render_template(
            "trainings/my_code.html",
            person=person,
            code=code,
            form=EmptyForm(),
            qr=Markup(qr_svg(card_text(code))),  # noqa: S704 # our own drawing of our own text
        )
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/me/code")
@signed_in
def replace_my_code() -> BaseResponse:
    """A new code in place of one that was lost or copied."""
    db = get_db()
    person = _self()
    with transaction(db):
        replace_code(db, person, actor=get_actor(), now=get_now())
    flash(_("换好了，旧的码从现在起不能用。"), "success")
    return redirect(url_for("trainings.my_code"), 303)
