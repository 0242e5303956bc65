"""Planning a survey: list, form with its calculation, the survey's own page."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.queries import units_to_choose
from quizapp.quizzes.queries.deliveries import standard_of
from quizapp.quizzes.views.delivery_forms import find_units, own_unit_of, unit_row
from quizapp.quizzes.views.delivery_words import delivery_title
from quizapp.surveys.errors import SurveyAnnounced
from quizapp.surveys.forms import OPEN, PlanForm, plan_data
from quizapp.surveys.models import FrameKind, Survey
from quizapp.surveys.queries import choosable_deliveries, get_survey, list_surveys, unit_names
from quizapp.surveys.services.planning import Checked, change_plan, check_plan, drop_plan, plan_survey
from quizapp.surveys.views import bp
from quizapp.surveys.views.asking import Question, ask
from quizapp.surveys.views.response import survey_page
from quizapp.surveys.views.words import STANDARD_WORDS, state_of
from quizapp.ui.filters import format_day
from quizapp.ui.words import words_for

Page = str | BaseResponse | tuple[str, int]


@bp.get("/surveys")
@requires(Permission.MANAGE_DELIVERIES)
def surveys() -> str:
    """The surveys of one's own units."""
    return render_template("surveys/surveys.html", rows=list_surveys(get_db(), get_scope()), state_of=state_of)


@bp.route("/surveys/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_DELIVERIES)
def new_survey() -> Page:
    """Plan a survey: what it needs is worked out on the page before anything is kept."""
    form = PlanForm(data={"delivery_id": request.args.get("delivery", "")} if request.method == "GET" else None)
    return _plan_page(form, None)


@bp.route("/surveys/<int:survey_id>/edit", methods=["GET", "POST"])
@requires(Permission.MANAGE_DELIVERIES)
def edit_survey(survey_id: int) -> Page:
    """Change a plan that was not drawn."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    if survey.drawn_at is not None or survey.announced is not None:
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    form = PlanForm(data=plan_data(survey, _unit_list(db, survey)) if request.method == "GET" else None)
    return _plan_page(form, survey)


def _plan_page(form: PlanForm, survey: Survey | None) -> Page:
    db, now, actor = get_db(), get_now(), get_actor()
    tests = choosable_deliveries(db, get_scope(), to_ms(now))
    form.offer([(str(test.id), _test_words(test)) for test in tests])
    picker = _picker(db, form)
    checked: Checked | None = None
    searching = "unit_id_search" in request.form
    if request.method == "POST" and not searching and form.validate():
        try:
            checked = check_plan(db, form.planned(), actor=actor, now=now)
        except DomainError as refusal:
            if not form.show(refusal):
                raise
        else:
            if request.form.get("action") == "save":
                kept = survey.id if survey is not None else None
                with transaction(db):
                    checked = check_plan(db, form.planned(), actor=actor, now=now)
                    if kept is None:
                        survey = plan_survey(db, checked, actor=actor, now=now)
                    else:
                        survey = change_plan(db, get_survey(db, get_scope(), kept), checked, actor=actor, now=now)
                flash(_("计划存好了，可以抽签"), "success")
                return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    page = render_template(
        "surveys/plan.html",
        form=form,
        survey=survey,
        tests=tests,
        checked=checked,
        strata=unit_names(db, [name for name, _there, _drawn in checked.sizes.strata]) if checked else {},
        open_design=OPEN,
        **picker,
    )
    return (page, 422) if form.errors and not searching else page


def _picker(db: Session, form: PlanForm) -> dict[str, Any]:
    """The unit picker: the chosen unit of one's own, or what was searched; who has one topmost unit alone begins with it."""
    searched = "unit_id_search" in request.form
    query = request.form.get("unit_id_query", "").strip()[:60]
    tops = units_to_choose(db, get_scope(), Permission.MANAGE_DELIVERIES)
    if request.method == "GET" and not form.unit_id.data and len(tops) == 1:
        form.unit_id.data = str(tops[0].id)
    unit = None if searched else own_unit_of(db, form.unit_id.data)
    results = find_units(db, query) if searched and query else []
    if not results and unit is None and not query:
        results = [unit_row(db, top) for top in tops[:8]]
    return {"chosen": unit_row(db, unit) if unit else None, "query": query, "results": results}


def _test_words(test: Any) -> str:
    standard = standard_of(test)
    word = STANDARD_WORDS[standard.code] if standard is not None else ""
    until = _("%(day)s 止", day=format_day(test.closes_at - 1, words=False))
    return f"{delivery_title(test)} · {word} · {until}"


def _unit_list(db: Session, survey: Survey) -> str:
    if survey.frame_kind != FrameKind.UNITS:
        return ""
    codes = {str(unit_id): db.get_one(OrgUnit, int(unit_id)).code for unit_id in survey.unit_sizes}
    return "\n".join(f"{codes[key]},{people}" for key, people in survey.unit_sizes.items())


@bp.get("/surveys/<int:survey_id>")
@requires(Permission.MANAGE_DELIVERIES)
def survey(survey_id: int) -> str:
    """One survey: its plan, or, once drawn, the response."""
    db = get_db()
    found = get_survey(db, get_scope(), survey_id)
    return survey_page(db, found)


@bp.route("/surveys/<int:survey_id>/drop", methods=["GET", "POST"])
@requires(Permission.MANAGE_DELIVERIES)
def drop_survey(survey_id: int) -> str | BaseResponse:
    """Ask once; then give up a plan."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    if request.method == "GET":
        if survey.drawn_at is not None or survey.announcements:
            return redirect(url_for("surveys.survey", survey_id=survey_id), 303)
        return ask(survey, _giving_up(survey))
    try:
        with transaction(db):
            drop_plan(db, survey, actor=get_actor(), now=get_now())
    except SurveyAnnounced as refusal:
        flash(words_for(refusal), "attention")
        return redirect(url_for("surveys.survey", survey_id=survey_id), 303)
    flash(_("计划删掉了"), "note")
    return redirect(url_for("surveys.surveys"), 303)


def _giving_up(survey: Survey) -> Question:
    return Question(
        title=_("删掉这个计划"),
        warning=_("删了就找不回来"),
        follows=_("还没有抽签，没有人收到卡片。测验安排留着，别的调查还能用。"),
        busy=_("正在删"),
        leave=_("不删"),
        facts=((_("答什么"), delivery_title(survey.delivery)), (_("公开的种子"), survey.seed)),
    )
