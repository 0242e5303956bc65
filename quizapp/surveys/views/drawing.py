"""The draw: a page that asks once more, and one that shows everybody how it was drawn."""

from __future__ import annotations

from shlex import quote

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, public, requires
from quizapp.surveys.forms import EmptyForm
from quizapp.surveys.models import Design, Survey
from quizapp.surveys.queries import get_survey, unit_names
from quizapp.surveys.services.drawing import draw_survey, frame_file, sizes_today
from quizapp.surveys.views import bp
from quizapp.surveys.views.words import DESIGN_WORDS
from quizapp.ui.words import words_for


@bp.route("/surveys/<int:survey_id>/draw", methods=["GET", "POST"])
@requires(Permission.MANAGE_DELIVERIES)
def draw(survey_id: int) -> str | BaseResponse:
    """Who could be drawn today, and by which seed; then the draw, which nobody takes back."""
    db, now = get_db(), get_now()
    survey = get_survey(db, get_scope(), survey_id)
    if survey.drawn_at is not None:
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    form = EmptyForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                draw_survey(db, survey=survey, keys=get_keys(), actor=get_actor(), now=now)
        except DomainError as refusal:
            flash(words_for(refusal), "attention")
        else:
            flash(_("抽好了，共 %(count)s 人", count=survey.counts["drawn"]), "success")
        return redirect(url_for("surveys.survey", survey_id=survey_id), 303)
    try:
        sizes, left_out = sizes_today(db, survey, now)
    except DomainError as refusal:
        flash(words_for(refusal), "attention")
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    return render_template(
        "surveys/draw.html",
        survey=survey,
        sizes=sizes,
        left_out=left_out,
        names=unit_names(db, [name for name, _there, _drawn in sizes.strata]),
        design_word=DESIGN_WORDS[Design(survey.design)],
        form=form,
    )


@bp.get("/surveys/<int:survey_id>/drawn")
@public
def drawn(survey_id: int) -> str:
    """How it was drawn, for everybody: seed, numbers, fingerprints, and the command that draws it again. No person is named."""
    survey = get_db().get(Survey, survey_id)
    if survey is None or survey.drawn_at is None:
        raise NotFound
    people = survey.plan["per_unit"] if Design(survey.design).by_units else survey.counts["wanted"]
    command = f"quizapp analyse draw frame.csv --seed {quote(survey.seed)} --people {people}"
    if survey.counts.get("units") is not None:
        command += f" --units {survey.counts['units']}"
    return render_template(
        "surveys/drawn.html",
        survey=survey,
        command=command,
        design_word=DESIGN_WORDS[Design(survey.design)],
        mine=get_scope().covers(Permission.MANAGE_DELIVERIES, survey.unit.path),
    )


@bp.get("/surveys/<int:survey_id>/frame.csv")
@requires(Permission.MANAGE_DELIVERIES)
def frame(survey_id: int) -> Response:
    """The list from which was drawn: numbers of people and units, no names."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    content = frame_file(survey)
    with transaction(db):
        record(
            db,
            actor=get_actor(),
            action="survey_rows_exported",
            object_type="survey",
            object_id=survey.id,
            unit_id=survey.unit_id,
            details={"format": "csv", "rows": content.count("\n") - 1},
            now=get_now(),
        )
    return send_text(content, f"frame-{survey.id}.csv", "text/csv")


def send_text(content: str, name: str, media_type: str) -> Response:
    """A text to keep, which no cache keeps."""
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
