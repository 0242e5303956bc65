"""Staff pages: the list of deliveries, publishing one, its page with link, code and poster, and changing it."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import Invalid, NotFound
from quizapp.core.qr import qr_svg
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_runtime, get_scope, requires
from quizapp.jobs.models import Job
from quizapp.jobs.views import JobWords
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.queries import search_own_units, units_to_choose
from quizapp.quizzes.forms.deliveries import ChangeForm, DeliveryForm, RulesForm, default_values, local_time
from quizapp.quizzes.models import Delivery, DeliveryState, QuizBlueprint
from quizapp.quizzes.posters import poster_pdf
from quizapp.quizzes.queries.deliveries import (
    count_attempts,
    find_blueprint,
    get_delivery_in_scope,
    is_started,
    list_blueprints,
    list_deliveries,
)
from quizapp.quizzes.services.assembly import PATIENCE_MS, TASK, ask_again
from quizapp.quizzes.services.deliveries import create_delivery, update_delivery
from quizapp.quizzes.services.publish_checks import CheckState, publish_checks
from quizapp.quizzes.views import bp
from quizapp.quizzes.views.delivery_words import (
    blueprint_title,
    chance_words,
    check_words,
    delivery_title,
    failure_words,
    poster_of,
    public_url,
    state_words,
)
from quizapp.ui.words import words_for

_OWN = Permission.MANAGE_DELIVERIES
#: Units that the picker shows.
_MOST_UNITS = 8


@bp.get("/deliveries")
@requires(_OWN)
def deliveries() -> str:
    """The deliveries of one's own units, newest first."""
    page = list_deliveries(get_db(), get_scope(), page=request.args.get("page", 1, type=int))
    return render_template(
        "quizzes/staff/deliveries.html", page=page, state_words=state_words, delivery_title=delivery_title
    )


@bp.route("/deliveries/new", methods=["GET", "POST"])
@requires(_OWN)
def new_delivery() -> str | BaseResponse | tuple[str, int]:
    """One page: the form at the left, what to know before publishing at the right.

    An amber check asks once, a red one refuses; without scripts a button brings the checks up to date.
    """
    db, now = get_db(), get_now()
    blueprints = list_blueprints(db)
    if not blueprints:
        return render_template("quizzes/staff/no_blueprints.html")
    form = _new_form(db, list(blueprints))
    chosen = _chosen_blueprint(db, form, list(blueprints))
    if request.method == "GET":
        return _new_page(db, form, chosen)
    shown = find_blueprint(db, form.blueprint_shown.data or "")
    brought = form.take_figures(shown, chosen) if shown is None or shown.id != chosen.id else False
    action = request.form.get("action", "")
    if action != "publish" or "unit_id_search" in request.form:
        return _new_page(db, form, chosen)
    if not form.validate():
        return _new_page(db, form, chosen), 422
    if brought:
        return _new_page(db, form, chosen, note=_("换了测验，名称、时限和合格线已经跟着改。看一看再发布。"))
    if not (form.unit_id.data or "").isdecimal():
        form.unit_id.errors = [_("请选择由谁举办")]
        return _new_page(db, form, chosen), 422
    states = {check.state for check in _checks(db, form, chosen)}
    if CheckState.STOP in states:
        return _new_page(db, form, chosen), 422
    if CheckState.LOOK in states and request.form.get("confirmed") != _signature(form):
        return _new_page(db, form, chosen, confirm=_signature(form))
    try:
        with transaction(db):
            delivery = create_delivery(
                db,
                blueprint_code=chosen.code,
                unit_id=int(form.unit_id.data),
                paper_count=form.paper_count.data or 1,
                actor=get_actor(),
                now=now,
                **form.changes(),
            )
    except (Invalid, NotFound) as refusal:
        if isinstance(refusal, NotFound):
            form.unit_id.errors = [_("请在自己的单位里选一个")]
        elif not form.show(refusal, words_for(refusal)):
            raise
        return _new_page(db, form, chosen), 422
    return redirect(url_for("quizzes.delivery", delivery_id=delivery.id), 303)


@bp.post("/deliveries/checks")
@requires(_OWN)
def delivery_checks() -> str:
    """The list of checks alone, for the script that keeps it up to date."""
    db = get_db()
    blueprints = list(list_blueprints(db))
    if not blueprints:
        raise NotFound
    form = _new_form(db, blueprints)
    return render_template(
        "quizzes/staff/_checks.html", **_check_values(db, form, _chosen_blueprint(db, form, blueprints))
    )


@bp.get("/deliveries/units")
@requires(_OWN)
def delivery_units() -> Response:
    """Units of one's own scope by name, initials or code, for the picker."""
    return jsonify(_find_units(get_db(), request.args.get("q", "")))


@bp.get("/deliveries/<int:delivery_id>")
@requires(_OWN)
def delivery(delivery_id: int) -> str:
    """Link, code, poster and counts of one delivery; while its papers are being assembled the page loads itself again."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    started, closed = count_attempts(db, [found.id]).get(found.id, (0, 0))
    state, word, kind = state_words(found)
    overdue = found.state == DeliveryState.PREPARING and to_ms(get_now()) - found.created_at >= PATIENCE_MS
    return render_template(
        "quizzes/staff/delivery.html",
        delivery=found,
        title=delivery_title(found),
        state=state,
        state_word=word,
        state_kind=kind,
        overdue=overdue,
        failure=failure_words(found.failure or "") if found.state == DeliveryState.FAILED else None,
        started=started,
        closed=closed,
        url=public_url(found),
        qr=Markup(qr_svg(public_url(found))),  # noqa: S704 # made by us from an address of ours
        chance=chance_words(found.guess_pass),
        blueprint_title=blueprint_title(found.blueprint.title),
    )


@bp.post("/deliveries/<int:delivery_id>/assemble")
@requires(_OWN)
def assemble_again(delivery_id: int) -> BaseResponse:
    """Assemble the papers once more after a failure."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    with transaction(db):
        ask_again(db, found, actor=get_actor(), now=get_now())
    return redirect(url_for("quizzes.delivery", delivery_id=found.id), 303)


@bp.route("/deliveries/<int:delivery_id>/edit", methods=["GET", "POST"])
@requires(_OWN)
def edit_delivery(delivery_id: int) -> str | BaseResponse | tuple[str, int]:
    """Change a delivery: all but quiz, unit and papers before the first start, the window's end and what is shown after it."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    started = is_started(db, found.id)
    form = _change_form(found) if started else RulesForm.for_delivery(found)
    if form.validate_on_submit():
        try:
            with transaction(db):
                update_delivery(db, found.id, changes=form.changes(), actor=get_actor(), now=get_now())
        except Invalid as refusal:
            if not form.show(refusal, words_for(refusal)):
                raise
        else:
            flash(_("已保存"), "success")
            return redirect(url_for("quizzes.delivery", delivery_id=found.id), 303)
    page = render_template(
        "quizzes/staff/edit.html", delivery=found, form=form, started=started, title=delivery_title(found)
    )
    return (page, 422) if form.errors else page


@bp.get("/deliveries/<int:delivery_id>/qr.svg")
@requires(_OWN)
def delivery_qr(delivery_id: int) -> Response:
    """The code alone, for one's own prints."""
    found = get_delivery_in_scope(get_db(), get_scope(), delivery_id)
    return _download(qr_svg(public_url(found)).encode(), "image/svg+xml", f"qr-{found.poster_code}.svg")


@bp.get("/deliveries/<int:delivery_id>/poster.pdf")
@requires(_OWN)
def poster(delivery_id: int) -> Response:
    """The poster, A4."""
    found = get_delivery_in_scope(get_db(), get_scope(), delivery_id)
    return _download(poster_pdf(poster_of(found)), "application/pdf", f"poster-{found.poster_code}.pdf")


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of an assembly."""
    if job.name != TASK:
        return None
    url = url_for("quizzes.delivery", delivery_id=job.arguments["delivery_id"])
    return JobWords(_("正在组卷"), _("看测验安排"), url)


def _download(content: bytes, kind: str, name: str) -> Response:
    response = current_app.response_class(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _change_form(delivery: Delivery) -> ChangeForm:
    return ChangeForm(data={"closes_at": local_time(delivery.closes_at), "reveal": delivery.reveal})


def _new_form(db: Session, blueprints: list[QuizBlueprint]) -> DeliveryForm:
    settings = get_runtime().settings
    units = units_to_choose(db, get_scope(), _OWN)
    own = units[0] if len(units) == 1 else None
    asked = next((row for row in blueprints if row.code == request.args.get("blueprint")), blueprints[0])
    defaults = default_values(
        asked,
        unit_id=own.id if own else None,
        keeper=settings.data_keeper or (own.name if own else ""),
        contact=settings.data_contact,
        now=get_now(),
    )
    return DeliveryForm.for_blueprints(
        blueprints, {row.code: blueprint_title(row.title) for row in blueprints}, defaults
    )


def _chosen_blueprint(db: Session, form: DeliveryForm, blueprints: list[QuizBlueprint]) -> QuizBlueprint:
    return find_blueprint(db, form.blueprint.data or "") or blueprints[0]


def _new_page(
    db: Session, form: DeliveryForm, chosen: QuizBlueprint, *, confirm: str | None = None, note: str | None = None
) -> str:
    query = request.form.get("unit_id_query", "").strip()
    searched = "unit_id_search" in request.form
    unit = _own_unit(db, form.unit_id.data)
    tops = units_to_choose(db, get_scope(), _OWN)
    results = _find_units(db, query) if searched and query else []
    if not results and unit is None and len(tops) <= _MOST_UNITS and not query:
        results = [_unit_row(db, top) for top in tops]
    return render_template(
        "quizzes/staff/new.html",
        form=form,
        chosen=chosen,
        chosen_unit=None if searched or unit is None else _unit_row(db, unit),
        query=query,
        results=results,
        confirm=confirm,
        note=note,
        maximum=int(chosen.rules["items"]) * int(chosen.rules["points_each"]),
        **_check_values(db, form, chosen),
    )


def _check_values(db: Session, form: DeliveryForm, chosen: QuizBlueprint) -> dict[str, Any]:
    checks = [check_words(check) for check in _checks(db, form, chosen)]
    return {
        "checks": checks,
        "stops": sum(check["state"] == CheckState.STOP for check in checks),
        "looks": sum(check["state"] == CheckState.LOOK for check in checks),
    }


def _checks(db: Session, form: DeliveryForm, chosen: QuizBlueprint) -> list[Any]:
    closes_at = form.changes()["closes_at"] if form.closes_at.data and form.opens_at.data else None
    return publish_checks(
        db,
        chosen,
        pass_score=form.pass_score.data,
        paper_count=form.paper_count.data,
        guests=bool(form.guests.data),
        fields=form.fields(),
        closes_at=closes_at,
        now=get_now(),
    )


def _signature(form: DeliveryForm) -> str:
    """What was confirmed: other values are asked about again."""
    values = [form.blueprint.data, form.guests.data, form.pass_score.data, form.paper_count.data, form.closes_at.data]
    return ",".join(map(str, [*values, *form.fields().values()]))


def _own_unit(db: Session, value: str | None) -> OrgUnit | None:
    if not (value or "").isdecimal():
        return None
    unit = db.get(OrgUnit, int(value or 0))
    return unit if unit is not None and get_scope().covers(_OWN, unit.path) else None


def _find_units(db: Session, query: str) -> list[dict[str, Any]]:
    if len(query.strip()) < 2:
        return []
    rows = search_own_units(db, get_scope(), query, permission=_OWN, limit=_MOST_UNITS)
    return [_unit_row(db, row.unit) for row in rows if row.unit.closed_at is None]


def _unit_row(db: Session, unit: OrgUnit) -> dict[str, Any]:
    above = db.get(OrgUnit, unit.parent_id) if unit.parent_id else None
    return {"id": unit.id, "name": unit.name, "path": above.name if above else "", "kind": ""}
