"""Pages of courses and their runs."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_runtime, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.forms import CourseForm, EmptyForm, RunForm
from quizapp.trainings.forms.sessions import tenths
from quizapp.trainings.services import (
    add_course,
    add_run,
    close_course,
    edit_course,
    edit_run,
    end_run,
    next_run_number,
    proposed_run_title,
    reopen_course,
    reopen_run,
)
from quizapp.trainings.views import bp
from quizapp.trainings.views.sessions import flat, rows_of
from quizapp.trainings.views.units import read_unit

Page = str | BaseResponse | tuple[str, int]


@bp.get("/courses")
@requires(Permission.RUN_SESSIONS)
def courses() -> str:
    """The courses of one's own units."""
    return render_template("trainings/courses.html", rows=queries.list_courses(get_db(), get_scope()))


@bp.route("/courses/new", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def new_course() -> Page:
    """Offer a course."""
    db = get_db()
    form = CourseForm()
    unit = read_unit(db, form)
    searching = "unit_id_search" in request.form
    if request.method == "POST" and not searching and form.validate():
        with transaction(db):
            course = add_course(db, unit_id=int(form.unit_id.data), actor=get_actor(), now=get_now(), **form.values())
        return redirect(url_for("trainings.course", course_id=course.id), 303)
    page = render_template("trainings/course_form.html", form=form, unit=unit, course=None)
    return (page, 422) if form.errors and not searching else page


@bp.get("/courses/<int:course_id>")
@requires(Permission.RUN_SESSIONS)
def course(course_id: int) -> str:
    """One course with its runs."""
    db, scope = get_db(), get_scope()
    found = queries.get_course(db, scope, course_id)
    runs = queries.list_runs(db, scope, course_id=found.id)
    return render_template("trainings/course.html", course=found, runs=runs, form=EmptyForm())


@bp.route("/courses/<int:course_id>/edit", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def change_course(course_id: int) -> Page:
    """Change what a course says."""
    db = get_db()
    found = queries.get_course(db, get_scope(), course_id)
    form = CourseForm(obj=found)
    del form.unit_id
    if request.method == "POST" and form.validate():
        with transaction(db):
            edit_course(db, course=found, actor=get_actor(), now=get_now(), **form.values())
        return redirect(url_for("trainings.course", course_id=course_id), 303)
    page = render_template("trainings/course_form.html", form=form, unit=None, course=found)
    return (page, 422) if form.errors else page


@bp.post("/courses/<int:course_id>/close")
@requires(Permission.RUN_SESSIONS)
def end_course(course_id: int) -> BaseResponse:
    """Offer a course no longer."""
    db = get_db()
    found = queries.get_course(db, get_scope(), course_id)
    with transaction(db):
        close_course(db, course=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.course", course_id=course_id), 303)


@bp.post("/courses/<int:course_id>/reopen")
@requires(Permission.RUN_SESSIONS)
def offer_course_again(course_id: int) -> BaseResponse:
    """Offer it again."""
    db = get_db()
    found = queries.get_course(db, get_scope(), course_id)
    with transaction(db):
        reopen_course(db, course=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.course", course_id=course_id), 303)


@bp.route("/courses/<int:course_id>/runs/new", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def new_run(course_id: int) -> Page:
    """Begin a run of a course."""
    db = get_db()
    found = queries.get_course(db, get_scope(), course_id)
    form = RunForm(title=proposed_run_title(next_run_number(db, found.id), get_now()))
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                run = add_run(db, course=found, plan=form.plan(), actor=get_actor(), now=get_now())
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            return redirect(url_for("trainings.run", run_id=run.id), 303)
    page = render_template("trainings/run_form.html", form=form, course=found, run=None)
    return (page, 422) if form.errors else page


@bp.get("/runs/<int:run_id>")
@requires(Permission.RUN_SESSIONS)
def run(run_id: int) -> str:
    """One run with its sessions."""
    db, scope = get_db(), get_scope()
    found = queries.get_run(db, scope, run_id)
    return render_template(
        "trainings/run.html",
        run=found,
        rows=rows_of(db, queries.sessions_of_run(db, scope, found.id)),
        actions=flat(get_runtime().registry.collect("run_actions", found)),
        form=EmptyForm(),
    )


@bp.route("/runs/<int:run_id>/edit", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def change_run(run_id: int) -> Page:
    """Change a run."""
    db = get_db()
    found = queries.get_run(db, get_scope(), run_id)
    form = RunForm(
        data={
            "title": found.title,
            "hours": tenths(found.hours_needed_tenths),
            "certificate_months": found.certificate_months,
        }
    )
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                edit_run(db, run=found, plan=form.plan(), actor=get_actor(), now=get_now())
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            return redirect(url_for("trainings.run", run_id=run_id), 303)
    page = render_template("trainings/run_form.html", form=form, course=found.course, run=found)
    return (page, 422) if form.errors else page


@bp.post("/runs/<int:run_id>/close")
@requires(Permission.RUN_SESSIONS)
def close_run(run_id: int) -> BaseResponse:
    """End a run: it takes no further sessions."""
    db = get_db()
    found = queries.get_run(db, get_scope(), run_id)
    with transaction(db):
        end_run(db, run=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.run", run_id=run_id), 303)


@bp.post("/runs/<int:run_id>/reopen")
@requires(Permission.RUN_SESSIONS)
def run_again(run_id: int) -> BaseResponse:
    """Let it take sessions again."""
    db = get_db()
    found = queries.get_run(db, get_scope(), run_id)
    with transaction(db):
        reopen_run(db, run=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.run", run_id=run_id), 303)
