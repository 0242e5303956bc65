"""Staff pages on which a delivery is changed or ended early; and what happens when two change it at once.

A form carries the revision that it was opened with, and the values that it showed. Where somebody else was faster, nothing is stored:
what the other changed and this editor did not touch is taken over, what was typed stays, and the page says both.
"""

from __future__ import annotations

import json
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import from_ms
from quizapp.core.db import transaction
from quizapp.core.errors import Invalid
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.quizzes.errors import DeliveryEdited, DeliveryStarted
from quizapp.quizzes.forms.deliveries import NOT_VALUES, ChangeForm, DeliveryForm, delivery_data, local_time
from quizapp.quizzes.models import Delivery
from quizapp.quizzes.queries.deliveries import (
    count_attempts,
    find_blueprint,
    get_delivery_in_scope,
    is_started,
    last_change,
    running_count,
)
from quizapp.quizzes.services.deliveries import close_early, update_delivery
from quizapp.quizzes.services.publish_checks import CheckState
from quizapp.quizzes.views import bp
from quizapp.quizzes.views.delivery_forms import (
    OWN,
    audience_page,
    chosen_blueprint,
    fill_choices,
    mark_stops,
    own_audience,
    own_unit_of,
    run_checks,
    signature,
    whole_page,
)
from quizapp.quizzes.views.delivery_words import delivery_title, refusal_words, state_words
from quizapp.quizzes.views.value_words import changed_words, fixed_facts, late_words


@bp.route("/deliveries/<int:delivery_id>/edit", methods=["GET", "POST"])
@requires(OWN)
def edit_delivery(delivery_id: int) -> str | BaseResponse | tuple[str, int]:
    """Change a delivery: everything before the first start, the end, the audience and what is shown after it."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    # a form that was opened before the first start and comes after it is whole: the service says what of it is too late
    whole = not is_started(db, found.id) or "title" in request.form
    form = _form(db, found, whole=whole)
    if request.method == "GET":
        return _page(db, form, found)
    if isinstance(form, DeliveryForm):
        refused = _look(db, form, found)
        if refused is not None:
            return refused
    elif request.form.get("action") != "save" or "audience_unit_search" in request.form:
        return _page(db, form, found)
    elif not form.validate():
        return _page(db, form, found), 422
    typed = form.revision.data or ""
    revision = int(typed) if typed.isdecimal() and len(typed) < 10 else 0
    try:
        with transaction(db):
            changes = _exact(form.changes(), found)
            update_delivery(db, found.id, changes=changes, actor=get_actor(), now=get_now(), revision=revision)
    except DeliveryEdited:
        return _other_was_faster(db, form, delivery_id)
    except DeliveryStarted as refusal:
        return _too_late(db, delivery_id, refusal)
    except Invalid as refusal:
        if not form.show(refusal, refusal_words(refusal)):
            raise
        return _page(db, form, get_delivery_in_scope(db, get_scope(), delivery_id)), 422
    flash(_("已保存"), "success")
    return redirect(url_for("quizzes.delivery", delivery_id=delivery_id), 303)


@bp.route("/deliveries/<int:delivery_id>/close", methods=["GET", "POST"])
@requires(OWN)
def close_delivery(delivery_id: int) -> str | BaseResponse:
    """Ask once, saying whom it meets; then end the delivery now."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    if request.method == "POST":
        with transaction(db):
            cut = close_early(db, found.id, actor=get_actor(), now=get_now())
        words = _("已截止。正在答的 %(count)s 份按存下的答案交卷。", count=cut) if cut else _("已截止。")
        flash(words, "success")
        return redirect(url_for("quizzes.delivery", delivery_id=delivery_id), 303)
    started, closed = count_attempts(db, [found.id]).get(found.id, (0, 0))
    return render_template(
        "quizzes/staff/close.html",
        delivery=found,
        title=delivery_title(found),
        state=state_words(found)[0],
        started=started,
        closed=closed,
        running=running_count(db, found.id),
    )


def _form(db: Session, found: Delivery, *, whole: bool) -> ChangeForm:
    form = (DeliveryForm if whole else ChangeForm)(data=delivery_data(found, own_audience(db, found)))
    fill_choices(db, form)
    if request.method == "GET":
        form.base.data = json.dumps(form.values(), ensure_ascii=False)
    return form


def _look(db: Session, form: DeliveryForm, found: Delivery) -> str | tuple[str, int] | None:
    """The looks before a whole form is stored, as when it was published; the page to show, or None to go on."""
    chosen = chosen_blueprint(db, form, found.blueprint)
    shown = find_blueprint(db, form.blueprint_shown.data or "")
    brought = form.take_figures(shown, chosen) if shown is None or shown.id != chosen.id else False
    if request.form.get("action") != "save" or {"unit_id_search", "audience_unit_search"} & set(request.form):
        return _page(db, form, found)
    if not form.validate():
        return _page(db, form, found), 422
    if brought:
        return _page(db, form, found, note=_("换了测验，名称、时限和合格线已经跟着改。看一看再保存。"))
    if own_unit_of(db, form.unit_id.data) is None:
        form.unit_id.errors = [_("请在自己的单位里选一个")]
        return _page(db, form, found), 422
    if is_started(db, found.id) or form.revision.data != str(found.revision):
        return None  # the service has the word
    checks = run_checks(db, form, chosen, found)
    states = {check.state for check in checks}
    if CheckState.STOP in states:
        mark_stops(form, checks)
        return _page(db, form, found), 422
    if CheckState.LOOK in states and request.form.get("confirmed") != signature(form):
        return _page(db, form, found, confirm=signature(form))
    return None


def _exact(changes: dict[str, Any], found: Delivery) -> dict[str, Any]:
    """A time that was left alone keeps its seconds, which the box does not show."""
    for name in ("opens_at", "closes_at"):
        stands = getattr(found, name)
        if name in changes and changes[name].timestamp() * 1000 // 60_000 == stands // 60_000:
            changes[name] = from_ms(stands)
    return changes


def _other_was_faster(db: Session, form: ChangeForm, delivery_id: int) -> tuple[str, int]:
    """Take over what the other changed and nobody here touched; keep what was typed; show both."""
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    theirs = type(form)(formdata=None, data=delivery_data(found, own_audience(db, found)))
    fill_choices(db, theirs)
    mine, stands = form.values(), theirs.values()
    base = _base(form)
    rows = []
    for name in form.compared:
        before = base.get(name, stands[name])
        if stands[name] == before or not _alike(before, stands[name]):
            continue
        kept = mine[name] not in (before, stands[name])
        rows.append(changed_words(db, theirs, name, before, stands[name], mine[name] if kept else None))
        if not kept:
            form.put(name, stands[name])
    form.revision.data, form.revision.raw_data = str(found.revision), None
    form.base.data, form.base.raw_data = json.dumps(stands, ensure_ascii=False), None
    return _page(db, form, found, edited={"rows": rows, "by": last_change(db, found.id)}), 409


def _alike(before: Any, after: Any) -> bool:
    """Whether two values are of one kind; a value that no page of ours has shown is not."""
    return before is None or after is None or type(before) is type(after)


def _base(form: ChangeForm) -> dict[str, Any]:
    """The values that the page showed when it was opened. Whoever forges them deceives only themselves."""
    try:
        base = json.loads(form.base.data or "{}")
    except ValueError:
        return {}
    return base if isinstance(base, dict) else {}


def _too_late(db: Session, delivery_id: int, refusal: DeliveryStarted) -> tuple[str, int]:
    """Somebody has started meanwhile: say what was not stored, and offer a copy that has it."""
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    late = _form(db, found, whole=False)
    late.base.data, late.base.raw_data = json.dumps(late.values(), ensure_ascii=False), None
    typed = [(name, value) for name, value in request.form.items(multi=True) if name not in NOT_VALUES]
    fields = refusal.data["fields"]
    refused = late_words(fields if isinstance(fields, list) else [])
    return _page(db, late, found, refused=refused, typed=[pair for pair in typed if pair[0] != "action"]), 409


def _page(db: Session, form: ChangeForm, found: Delivery, **values: Any) -> str:
    common = {"delivery": found, "title": delivery_title(found), "edited": None, "refused": None, **values}
    if isinstance(form, DeliveryForm):
        chosen = chosen_blueprint(db, form, found.blueprint)
        common.setdefault("confirm", None)
        common.setdefault("note", None)
        if request.method == "GET":
            common["confirmed"] = signature(form)
        return render_template("quizzes/staff/edit.html", **common, **whole_page(db, form, chosen, found))
    return render_template(
        "quizzes/staff/edit_started.html",
        form=form,
        facts_rows=fixed_facts(found),
        earliest=local_time(found.closes_at),
        **common,
        **audience_page(db, form, found),
    )
