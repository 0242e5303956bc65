"""Planning a session: the one form for it, its audience, calling it off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import LOCAL_ZONE, to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.organisation.queries import list_industries
from quizapp.trainings import queries
from quizapp.trainings.errors import CheckInClosed, SessionAttended, SessionClosed
from quizapp.trainings.forms import AudienceForm, EmptyForm, SessionForm
from quizapp.trainings.models import CourseRun, Place, SessionKind, TrainingSession
from quizapp.trainings.queries import Clash, Wanted
from quizapp.trainings.services import (
    SessionPlan,
    add_audience_rule,
    call_off,
    check_not_closed,
    copy_audience,
    drop_audience_rule,
    edit_session,
    place_in_words,
    plan_of,
    plan_session,
    reinstate,
)
from quizapp.trainings.views import bp
from quizapp.trainings.views.clashes import clash_token, clash_words
from quizapp.trainings.views.units import found_units, read_unit
from quizapp.trainings.views.words import industry_word
from quizapp.ui.words import words_for

Page = str | BaseResponse | tuple[str, int]


@bp.route("/sessions/new", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def new_session() -> Page:
    """Open a session: from nothing, in a run, or as a copy of another one a week later."""
    db, scope = get_db(), get_scope()
    source, run = None, None
    if (copied := request.args.get("copy", type=int)) is not None:
        source = queries.get_session(db, scope, copied)
    if (run_id := request.args.get("run", type=int)) is not None:
        run = queries.get_run(db, scope, run_id)
    form = SessionForm.of(_proposed(db, source, run))
    return _session_page(form, source=source, run=run)


@bp.route("/sessions/<int:session_id>/edit", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def edit(session_id: int) -> Page:
    """Change a session; a new time or place is told to whoever registered."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    try:
        check_not_closed(found)
    except CheckInClosed as error:
        flash(words_for(SessionClosed() if found.closed_at else error), "attention")
        return redirect(url_for("trainings.session", session_id=session_id), 303)
    form = SessionForm.of(plan_of(db, found))
    del form.unit_id
    return _session_page(form, found=found)


def _proposed(db: Session, source: TrainingSession | None, run: CourseRun | None) -> SessionPlan:
    """What the form says before anybody typed."""
    if source is not None:
        plan = plan_of(db, source).next_week()
        ended = plan.run_id is not None and db.get_one(CourseRun, plan.run_id).closed_at is not None
        return replace(plan, run_id=None) if ended else plan
    begin = get_now().astimezone(LOCAL_ZONE).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    plan = SessionPlan("", 0, begin, begin + timedelta(minutes=90), kind=SessionKind.LECTURE)
    own = get_actor().account_id
    plan = replace(plan, trainers=(own,) if own is not None else None)
    if run is None:
        return plan
    course = run.course
    return replace(
        plan,
        title=course.title,
        subject=course.subject,
        kind=SessionKind(course.kind),
        run_id=run.id,
        unit_id=run.unit_id,
    )


def _session_page(
    form: SessionForm,
    *,
    found: TrainingSession | None = None,
    source: TrainingSession | None = None,
    run: CourseRun | None = None,
) -> Page:
    """The form, sent or not: for a new session, or for one that stands (`found`)."""
    db = get_db()
    _fill_choices(db, form, found)
    unit = read_unit(db, form) if found is None else None
    clashes: list[Clash] = []
    crowded = None
    searching = "unit_id_search" in request.form
    if request.method == "POST" and not searching and form.validate() and _trainers_said(form, found):
        plan = form.plan(found.unit_id if found is not None else int(form.unit_id.data))
        try:
            plan.check()
            clashes = _clashes(db, plan, found)
            crowded = _crowded(db, plan)
            token = clash_token(clashes) + (f"+{crowded}" if crowded else "")
            if not token or form.anyway.data == token:
                return _save(db, plan, found, source)
            form.anyway.data = token
        except DomainError as error:
            if not form.show(error):
                raise
            clashes, crowded = [], None
    asked = bool(clashes or crowded)
    page = render_template(
        "trainings/session_form.html",
        form=form,
        session=found,
        run=run,
        source=source,
        unit=unit,
        asked=asked,
        clashes=clash_words(db, clashes),
        crowded=crowded,
    )
    return (page, 409) if asked else (page, 422) if form.errors and not searching else page


def _trainers_said(form: SessionForm, found: TrainingSession | None) -> bool:
    """A session that stands keeps somebody who teaches it; a new one gets whoever plans it."""
    if found is None or form.trainers.data or not form.trainers.choices:
        return True
    form.trainers.errors = [_("请至少选一位老师")]
    return False


def _clashes(db: Session, plan: SessionPlan, found: TrainingSession | None) -> list[Clash]:
    actor = get_actor()
    trainers = plan.trainers if plan.trainers is not None else ((actor.account_id,) if actor.account_id else ())
    wanted = Wanted(
        to_ms(plan.starts_at),
        to_ms(plan.ends_at),
        trainers,
        plan.unit_id,
        place_in_words(db, plan, found, actor),
        plan.place_id,
        session_id=found.id if found is not None else None,
    )
    return queries.find_conflicts(db, get_scope(), wanted)


def _crowded(db: Session, plan: SessionPlan) -> int | None:
    """How many people the place holds, where the session would take more."""
    room = db.get_one(Place, plan.place_id).capacity if plan.place_id is not None else None
    return room if room is not None and plan.capacity is not None and plan.capacity > room else None


def _save(
    db: Session, plan: SessionPlan, found: TrainingSession | None, source: TrainingSession | None
) -> BaseResponse:
    actor, now = get_actor(), get_now()
    if found is None:
        with transaction(db):
            session = plan_session(db, plan=plan, actor=actor, now=now)
            if source is not None:
                copy_audience(db, source=source, target=session, actor=actor)
    else:
        before = found.revision
        with transaction(db):
            session = edit_session(db, session=found, plan=plan, actor=actor, now=now)
        told = queries.numbers_of(db, session.id).unaware if session.revision != before else 0
        flash(_("已保存。报名的 %(count)s 人会看到新的时间和地点。", count=told) if told else _("已保存。"), "success")
    return redirect(url_for("trainings.session", session_id=session.id), 303)


def _fill_choices(db: Session, form: SessionForm, found: TrainingSession | None) -> None:
    actor, scope = get_actor(), get_scope()
    trainers = queries.trainers_to_choose(db, actor, unit_path=found.unit.path if found is not None else None)
    form.trainers.choices = [(trainer.account_id, trainer.name) for trainer in trainers]
    known = {trainer.account_id for trainer in trainers}
    if request.method == "GET":
        form.trainers.data = [account_id for account_id in form.trainers.data or () if account_id in known]
    places = [row.place for row in queries.list_places(db, scope)]
    if found is not None and found.place_id is not None and found.place_id not in {place.id for place in places}:
        places.insert(0, db.get_one(Place, found.place_id))
    form.place_id.choices = [("", _("不在表里，写在下面")), *((str(place.id), _place_word(place)) for place in places)]
    runs = [row.run for row in queries.list_runs(db, scope, open_only=True)]
    if found is not None and found.run is not None and found.run_id not in {run.id for run in runs}:
        runs.insert(0, found.run)
    form.run_id.choices = [("", _("不属于哪一期")), *((str(run.id), f"{run.course.title} {run.title}") for run in runs)]
    if request.method == "GET":
        form.place_id.data = _known(form.place_id.data, [place.id for place in places])
        form.run_id.data = _known(form.run_id.data, [run.id for run in runs])


def _known(chosen: str, ids: list[int]) -> str:
    """A choice that may have gone since."""
    return chosen if chosen in map(str, ids) else ""


def _place_word(place: Place) -> str:
    if place.capacity is None:
        return place.name
    return str(_("%(name)s（%(count)s 人）", name=place.name, count=place.capacity))


@bp.get("/sessions/units")
@requires(Permission.RUN_SESSIONS)
def own_units() -> Response:
    """Units where the trainer may hold sessions, for the picker: name part, pinyin initials or code."""
    typed = request.args.get("q", "").strip()
    return jsonify(found_units(get_db(), typed) if len(typed) >= 2 else [])


@bp.route("/sessions/<int:session_id>/call-off", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def call_session_off(session_id: int) -> Page:
    """Call a session off, after a page that says what that does."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    refusal: DomainError | None = None
    if request.method == "POST" and EmptyForm().validate():
        try:
            with transaction(db):
                call_off(db, session=found, actor=get_actor(), now=get_now())
        except (SessionAttended, SessionClosed) as error:
            refusal = error
        else:
            flash(_("已取消这一场。"), "success")
            return redirect(url_for("trainings.session", session_id=session_id), 303)
    page = render_template(
        "trainings/call_off.html",
        session=found,
        numbers=queries.numbers_of(db, found.id),
        refusal=words_for(refusal) if refusal else None,
    )
    return (page, refusal.status) if refusal else page


@bp.post("/sessions/<int:session_id>/reinstate")
@requires(Permission.RUN_SESSIONS)
def hold_after_all(session_id: int) -> BaseResponse:
    """Hold a session after all that was called off."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        reinstate(db, session=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.session", session_id=session_id), 303)


@bp.route("/sessions/<int:session_id>/audience", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def audience(session_id: int) -> Page:
    """Whom a session is for: its rules in words, and one more."""
    db, scope = get_db(), get_scope()
    found = queries.get_session(db, scope, session_id)
    form = AudienceForm(data={"unit_id": str(found.unit_id)})
    industries = [(str(row.id), industry_word(row)) for row in list_industries(db)]
    form.industry_id.choices = [("", _("所有行业")), *industries]
    whole = scope.covers(Permission.RUN_SESSIONS, None)
    frozen = found.closed_at is not None or found.cancelled_at is not None
    unit = read_unit(db, form)
    searching = "unit_id_search" in request.form
    if request.method == "POST" and not searching and form.validate():
        try:
            with transaction(db):
                add_audience_rule(
                    db,
                    session=found,
                    unit_id=unit.unit_id,
                    industry_id=int(form.industry_id.data) if form.industry_id.data else None,
                    job_role=form.role,
                    actor=get_actor(),
                    now=get_now(),
                )
        except CheckInClosed:
            return redirect(url_for("trainings.audience", session_id=session_id), 303)
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            return redirect(url_for("trainings.audience", session_id=session_id), 303)
    page = render_template(
        "trainings/audience.html",
        session=found,
        rules=queries.audience_of(db, found.id),
        form=form,
        unit=unit,
        whole=whole,
        frozen=frozen,
    )
    return (page, 422) if form.errors else page


@bp.post("/sessions/<int:session_id>/audience/<int:rule_id>/drop")
@requires(Permission.RUN_SESSIONS)
def drop_rule(session_id: int, rule_id: int) -> BaseResponse:
    """Take a rule of the audience away."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        drop_audience_rule(db, session=found, rule_id=rule_id, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.audience", session_id=session_id), 303)
