"""The draw: a page that asks once more, and one that shows everybody how it was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, public, requires
from quizapp.surveys.errors import SurveyAnnounced, SurveyDrawn
from quizapp.surveys.forms import DrawForm
from quizapp.surveys.models import Design, Survey
from quizapp.surveys.queries import get_survey, unit_names
from quizapp.surveys.services.announcing import announce_survey, frame_file, frame_today, withdraw_announcement
from quizapp.surveys.services.drawing import draw_survey
from quizapp.surveys.views import bp
from quizapp.surveys.views.asking import Question, ask
from quizapp.surveys.views.words import DESIGN_WORDS
from quizapp.ui.filters import format_moment, format_number
from quizapp.ui.words import words_for


@bp.route("/surveys/<int:survey_id>/draw", methods=["GET", "POST"])
@requires(Permission.MANAGE_DELIVERIES)
def draw(survey_id: int) -> str | BaseResponse | tuple[str, int]:
    """Who could be drawn today, and by which seed; then the draw, which nobody takes back."""
    db, now = get_db(), get_now()
    survey = get_survey(db, get_scope(), survey_id)
    if survey.drawn_at is not None:
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    form = DrawForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                draw_survey(
                    db,
                    survey=survey,
                    keys=get_keys(),
                    actor=get_actor(),
                    now=now,
                    came_out=form.came_out.data or "",
                )
        except DomainError as refusal:
            survey = get_survey(db, get_scope(), survey_id)
            if not form.show(refusal):
                flash(words_for(refusal), "attention")
                return redirect(url_for("surveys.survey", survey_id=survey_id), 303)
        else:
            flash(_("抽好了，共 %(count)s 人", count=survey.counts["drawn"]), "success")
            return redirect(url_for("surveys.survey", survey_id=survey_id), 303)
    try:
        _frame, sizes, left_out = frame_today(db, survey, now)
    except DomainError as refusal:
        flash(words_for(refusal), "attention")
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    page = render_template(
        "surveys/draw.html",
        survey=survey,
        sizes=sizes,
        left_out=left_out,
        names=unit_names(db, [name for name, _there, _drawn in sizes.strata]),
        design_word=DESIGN_WORDS[Design(survey.design)],
        form=form,
    )
    return (page, 422) if form.errors else page


@bp.post("/surveys/<int:survey_id>/announce")
@requires(Permission.MANAGE_DELIVERIES)
def announce(survey_id: int) -> BaseResponse:
    """Fix the list and make its fingerprint known."""
    db = get_db()
    try:
        with transaction(db):
            announce_survey(db, survey=get_survey(db, get_scope(), survey_id), actor=get_actor(), now=get_now())
    except SurveyAnnounced:  # pressed twice
        return redirect(url_for("surveys.drawn", survey_id=survey_id), 303)
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        flash(words_for(refusal), "attention")
        return redirect(url_for("surveys.survey", survey_id=survey_id), 303)
    flash(_("名单定下来了，这一页谁都能看"), "success")
    return redirect(url_for("surveys.drawn", survey_id=survey_id), 303)


@bp.route("/surveys/<int:survey_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.MANAGE_DELIVERIES)
def withdraw(survey_id: int) -> str | BaseResponse:
    """Ask once, saying what everybody will see; then take the announced list back."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    if request.method == "POST":
        try:
            with transaction(db):
                withdraw_announcement(db, survey=survey, actor=get_actor(), now=get_now())
        except SurveyDrawn as refusal:
            flash(words_for(refusal), "attention")
        else:
            flash(_("名单收回了，计划又可以改"), "note")
    elif survey.drawn_at is None and survey.announced is not None:
        return ask(survey, _withdrawal(survey, survey.announced))
    return redirect(url_for("surveys.survey", survey_id=survey_id), 303)


def _withdrawal(survey: Survey, announced: Mapping[str, Any]) -> Question:
    return Question(
        title=_("收回公布的名单"),
        warning=_("收回了，谁都看得到"),
        follows=_("公告页还列着这次公布，注明什么时候收回。收回以后计划又能改；再公布的是那一天的名单，指纹会变。"),
        helper=_("号码已经开出来的，不要收回：别人会以为有人挑人。"),
        busy=_("正在收回"),
        leave=_("不收回"),
        facts=(
            (_("公布的时间"), format_moment(announced["at"], words=False)),
            (_("名单上的人"), _("%(count)s 人", count=format_number(announced["people"]))),
            (_("公布的文字"), survey.seed),
        ),
    )


@bp.get("/surveys/<int:survey_id>/drawn")
@public
def drawn(survey_id: int) -> str:
    """How it is drawn, for everybody, from the announcement on: seed, numbers, fingerprints, the command. No person is named."""
    survey = get_db().get(Survey, survey_id)
    if survey is None or (survey.drawn_at is None and not survey.announcements):
        raise NotFound
    mine = get_scope().covers(Permission.MANAGE_DELIVERIES, survey.unit.path)
    return render_template(
        "surveys/drawn.html",
        survey=survey,
        command=_command(survey) if survey.drawn_at is not None else None,
        design_word=DESIGN_WORDS[Design(survey.design)],
        mine=mine,
    )


def _command(survey: Survey) -> str:
    """What draws it again."""
    people = survey.plan["per_unit"] if Design(survey.design).by_units else survey.counts["wanted"]
    command = f"quizapp analyse draw frame.csv --seed {quote(survey.seed)} --people {people}"
    if survey.counts.get("units") is not None:
        command += f" --units {survey.counts['units']}"
    return command


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
