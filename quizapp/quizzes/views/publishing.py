"""Staff pages on which a delivery is made, from nothing or as a copy: the form, and what to know before publishing beside it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.db import transaction
from quizapp.core.errors import Invalid, NotFound
from quizapp.core.web import get_actor, get_db, get_now, get_runtime, get_scope, requires
from quizapp.organisation.queries import units_to_choose
from quizapp.quizzes.forms.deliveries import DeliveryForm, default_values, delivery_data, local_time
from quizapp.quizzes.models import Delivery, QuizBlueprint
from quizapp.quizzes.queries.deliveries import find_blueprint, get_delivery_in_scope, list_blueprints
from quizapp.quizzes.services.deliveries import create_delivery
from quizapp.quizzes.services.publish_checks import CheckState
from quizapp.quizzes.views import bp
from quizapp.quizzes.views.delivery_forms import (
    OWN,
    check_values,
    chosen_blueprint,
    fill_choices,
    find_units,
    mark_stops,
    own_audience,
    own_unit_of,
    run_checks,
    signature,
    whole_page,
)
from quizapp.quizzes.views.delivery_words import delivery_title, refusal_words


@bp.route("/deliveries/new", methods=["GET", "POST"])
@requires(OWN)
def new_delivery() -> str | BaseResponse | tuple[str, int]:
    """One page: the form at the left, what to know before publishing at the right. `?copy=` fills it from a delivery of one's own.

    An amber check asks once, a red one refuses; without scripts a button brings the checks up to date.
    """
    db, now = get_db(), get_now()
    blueprints = list(list_blueprints(db))
    if not blueprints:
        return render_template("quizzes/staff/no_blueprints.html")
    source = _source(db, request.args.get("copy") or request.form.get("copied_from"))
    form = _new_form(db, blueprints, source)
    chosen = chosen_blueprint(db, form, blueprints[0])
    if request.method == "GET":
        return _page(db, form, chosen, source)
    shown = find_blueprint(db, form.blueprint_shown.data or "")
    brought = form.take_figures(shown, chosen) if shown is None or shown.id != chosen.id else False
    if request.form.get("action") != "publish" or {"unit_id_search", "audience_unit_search"} & set(request.form):
        return _page(db, form, chosen, source)
    if not form.validate():
        return _page(db, form, chosen, source), 422
    if brought:
        note = _("换了测验，名称、时限和合格线已经跟着改。看一看再发布。")
        return _page(db, form, chosen, source, note=note)
    if own_unit_of(db, form.unit_id.data) is None:
        chosen_one = (form.unit_id.data or "").isdecimal()
        form.unit_id.errors = [_("请在自己的单位里选一个") if chosen_one else _("请选择由谁举办")]
        return _page(db, form, chosen, source), 422
    checks = run_checks(db, form, chosen, None)
    states = {check.state for check in checks}
    if CheckState.STOP in states:
        mark_stops(form, checks)
        return _page(db, form, chosen, source), 422
    if CheckState.LOOK in states and request.form.get("confirmed") != signature(form):
        return _page(db, form, chosen, source, confirm=signature(form))
    try:
        with transaction(db):
            delivery = create_delivery(
                db, actor=get_actor(), now=now, copied_from=source.id if source else None, **form.changes()
            )
    except (Invalid, NotFound) as refusal:
        if isinstance(refusal, NotFound) or not form.show(refusal, refusal_words(refusal)):
            raise
        return _page(db, form, chosen, source), 422
    return redirect(url_for("quizzes.delivery", delivery_id=delivery.id), 303)


@bp.post("/deliveries/checks")
@requires(OWN)
def delivery_checks() -> str:
    """The list of checks alone, for the script that keeps it up to date."""
    db = get_db()
    blueprints = list(list_blueprints(db))
    if not blueprints:
        raise NotFound
    form = _new_form(db, blueprints, None)
    chosen = chosen_blueprint(db, form, blueprints[0])
    return render_template("quizzes/staff/_checks.html", **check_values(db, form, chosen))


@bp.get("/deliveries/units")
@requires(OWN)
def delivery_units() -> Response:
    """Units of one's own scope by name, initials or code, for the pickers."""
    return jsonify(find_units(get_db(), request.args.get("q", "")[:60]))


def _source(db: Session, value: str | None) -> Delivery | None:
    """The delivery that is copied. Raises NotFound for one that is not one's own."""
    if not value:
        return None
    if not value.isdecimal() or len(value) > 11:
        raise NotFound
    return get_delivery_in_scope(db, get_scope(), int(value))


def _new_form(db: Session, blueprints: list[QuizBlueprint], source: Delivery | None) -> DeliveryForm:
    form = DeliveryForm(data=_copied(db, source) if source is not None else _defaults(db, blueprints))
    fill_choices(db, form)
    return form


def _defaults(db: Session, blueprints: list[QuizBlueprint]) -> dict[str, Any]:
    settings = get_runtime().settings
    units = units_to_choose(db, get_scope(), OWN)
    own = units[0] if len(units) == 1 else None
    return default_values(
        next((row for row in blueprints if row.code == request.args.get("blueprint")), blueprints[0]),
        unit_id=own.id if own else None,
        keeper=settings.data_keeper or (own.name if own else ""),
        contact=settings.data_contact,
        now=get_now(),
    )


def _copied(db: Session, source: Delivery) -> dict[str, Any]:
    """Everything of a delivery but its window, which is as long and begins now; and but what has been closed since."""
    begin = get_now().astimezone(LOCAL_ZONE).replace(tzinfo=None, second=0, microsecond=0)
    length = local_time(source.closes_at) - local_time(source.opens_at)
    days = max(1, round(length / timedelta(days=1)))
    end = datetime.combine(begin.date() + timedelta(days=days), local_time(source.closes_at).time())
    open_lines = [line for line in own_audience(db, source) if _is_open(db, line.unit_id)]
    return {
        **delivery_data(source, open_lines),
        "opens_at": begin,
        "closes_at": end.replace(second=0, microsecond=0),
        "unit_id": str(source.unit_id) if source.unit.closed_at is None else None,
        "copied_from": str(source.id),
        "revision": None,
    }


def _is_open(db: Session, unit_id: int) -> bool:
    unit = own_unit_of(db, str(unit_id))
    return unit is not None and unit.closed_at is None


def _page(
    db: Session,
    form: DeliveryForm,
    chosen: QuizBlueprint,
    source: Delivery | None,
    *,
    confirm: str | None = None,
    note: str | None = None,
) -> str:
    return render_template(
        "quizzes/staff/new.html",
        confirm=confirm,
        note=note,
        source=source,
        source_title=delivery_title(source) if source else None,
        **whole_page(db, form, chosen, None),
    )
