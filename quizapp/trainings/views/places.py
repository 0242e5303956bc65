"""Pages of kept places."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.forms import EmptyForm, PlaceForm
from quizapp.trainings.services import add_place, edit_place, give_up_place, take_back_place
from quizapp.trainings.views import bp
from quizapp.trainings.views.units import read_unit

Page = str | BaseResponse | tuple[str, int]


@bp.get("/places")
@requires(Permission.RUN_SESSIONS)
def places() -> str:
    """The places that one's own units keep."""
    return render_template("trainings/places.html", rows=queries.list_places(get_db(), get_scope(), closed_too=True))


@bp.route("/places/new", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def new_place() -> Page:
    """Keep a place."""
    db = get_db()
    form = PlaceForm()
    unit = read_unit(db, form)
    searching = "unit_id_search" in request.form
    if request.method == "POST" and not searching and form.validate():
        try:
            with transaction(db):
                add_place(db, unit_id=int(form.unit_id.data), actor=get_actor(), now=get_now(), **form.values())
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            return redirect(url_for("trainings.places"), 303)
    page = render_template("trainings/place_form.html", form=form, unit=unit, place=None)
    return (page, 422) if form.errors and not searching else page


@bp.route("/places/<int:place_id>/edit", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def change_place(place_id: int) -> Page:
    """Change a place."""
    db = get_db()
    found = queries.get_place(db, get_scope(), place_id)
    form = PlaceForm(obj=found)
    del form.unit_id
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                edit_place(db, place=found, actor=get_actor(), now=get_now(), **form.values())
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            return redirect(url_for("trainings.places"), 303)
    page = render_template("trainings/place_form.html", form=form, unit=None, place=found, button_form=EmptyForm())
    return (page, 422) if form.errors else page


@bp.post("/places/<int:place_id>/close")
@requires(Permission.RUN_SESSIONS)
def close_place(place_id: int) -> BaseResponse:
    """Keep a place no longer."""
    db = get_db()
    found = queries.get_place(db, get_scope(), place_id)
    with transaction(db):
        give_up_place(db, place=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.places"), 303)


@bp.post("/places/<int:place_id>/reopen")
@requires(Permission.RUN_SESSIONS)
def reopen_place(place_id: int) -> BaseResponse:
    """Keep it again."""
    db = get_db()
    found = queries.get_place(db, get_scope(), place_id)
    with transaction(db):
        take_back_place(db, place=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.places"), 303)
