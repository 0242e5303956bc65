"""Units that change their place: move, close, merge, each shown with what follows before it is done; and the way back from a merge."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, Forbidden, NotFound
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_runtime, get_scope, requires
from quizapp.organisation import queries, services
from quizapp.organisation.errors import MergeIntoBelow, MergeSameUnit, MoveBelowItself
from quizapp.organisation.forms import PickUnitForm
from quizapp.organisation.merging import UNDO_DAYS
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.tree import move_unit, reaches_above
from quizapp.organisation.unit_merging import (
    facts_of,
    find_obstacle,
    get_unit_merge,
    merge_units,
    undo_unit_merge,
    undo_until,
)
from quizapp.organisation.unit_words import fact_rows, moving
from quizapp.organisation.views import bp
from quizapp.organisation.web import PickedUnit
from quizapp.ui.words import words_for

#: In the address: at the top of the tree, below no unit.
TOP = "top"


@bp.route("/admin/units/<int:unit_id>/move", methods=["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def move(unit_id: int) -> str | BaseResponse | tuple[str, int]:
    """Choose where to (GET), see what follows (GET `to`), do it (POST `to`)."""
    db, scope = get_db(), get_scope()
    found = _leaving(unit_id)
    top_allowed = scope.covers(Permission.MANAGE_UNITS, None)
    if request.method == "POST" and "to" in request.form:
        to = request.form["to"]
        parent = _chosen(to)
        try:
            with transaction(db):
                move_unit(
                    db,
                    unit=queries.get_unit(db, scope, unit_id),
                    parent=parent,
                    actor=get_actor(),
                    now=get_now(),
                )
        except DomainError as error:
            return _refused(error, unit_id)
        flash(_("已移动“%(name)s”和下面各单位", name=found.name), "success")
        return redirect(url_for("organisation.unit", unit_id=unit_id), 303)
    picked = _picked("organisation.move", unit_id, "to")
    if isinstance(picked, BaseResponse):
        return picked
    form, unit = picked
    preview: dict[str, Any] = {}
    if to := request.args.get("to", ""):
        parent = _chosen(to)
        refusal = MoveBelowItself() if parent is not None and parent.path.startswith(found.path) else None
        preview = {
            "to": to,
            "to_name": parent.name if parent else _("最上面的一级"),
            "refusal": words_for(refusal) if refusal else None,
            "same": found.parent_id == (parent.id if parent else None),
            "facts": fact_rows(facts_of(db, found, get_now())),
            "access": _access(found, parent),
        }
    page = render_template(
        "organisation/unit_move.html",
        unit=found,
        above=_above(found),
        form=form,
        picked=unit,
        top=TOP if top_allowed else None,
        **preview,
    )
    return (page, 422) if form.errors else page


@bp.route("/admin/units/<int:unit_id>/close", methods=["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def close_unit(unit_id: int) -> str | BaseResponse:
    """What follows (GET), and the closing itself (POST): no new people, all records stay."""
    db = get_db()
    found = queries.get_unit(db, get_scope(), unit_id)
    if request.method == "GET":
        return render_template(
            "organisation/unit_close.html",
            unit=found,
            facts=fact_rows(facts_of(db, found, get_now(), alone=True)),
            inside=queries.children_of(db, found.id),
        )
    with transaction(db):
        services.close_unit(db, unit=queries.get_unit(db, get_scope(), unit_id), actor=get_actor(), now=get_now())
    flash(_("已停用“%(name)s”", name=found.name), "success")
    return redirect(url_for("organisation.unit", unit_id=unit_id), 303)


@bp.route("/admin/units/<int:unit_id>/merge", methods=["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def merge_into(unit_id: int) -> str | BaseResponse | tuple[str, int]:
    """Choose the unit that stays (GET), see what follows (GET `into`), do it (POST `into`)."""
    db = get_db()
    found = _leaving(unit_id)
    if request.method == "POST" and "into" in request.form:
        kept = _chosen(request.form["into"])
        if kept is None:
            raise NotFound
        try:
            with transaction(db):
                merge = merge_units(
                    db,
                    kept_id=kept.id,
                    merged_id=unit_id,
                    carry_grants="carry_grants" in request.form,
                    actor=get_actor(),
                    now=get_now(),
                )
        except DomainError as error:
            return _refused(error, unit_id)
        flash(_("已合并。%(days)s 天内可以撤销。", days=UNDO_DAYS), "success")
        return redirect(url_for("organisation.unit_merge", merge_id=merge.id), 303)
    picked = _picked("organisation.merge_into", unit_id, "into")
    if isinstance(picked, BaseResponse):
        return picked
    form, unit = picked
    preview: dict[str, Any] = {}
    if into := request.args.get("into", ""):
        kept = _chosen(into)
        if kept is None:
            raise NotFound
        refusal: DomainError | None = None
        if kept.id == found.id:
            refusal = MergeSameUnit()
        elif kept.path.startswith(found.path):
            refusal = MergeIntoBelow()
        facts = facts_of(db, found, get_now(), alone=True)
        preview = {
            "into": kept,
            "refusal": words_for(refusal) if refusal else None,
            "facts": fact_rows(facts),
            "moving": moving([(fact.kind, fact.count) for fact in facts]),
            "inside": queries.children_of(db, found.id),
            "access": _access(found, kept),
            "days": UNDO_DAYS,
        }
    page = render_template("organisation/unit_merge.html", unit=found, form=form, picked=unit, **preview)
    return (page, 422) if form.errors else page


@bp.get("/admin/unit-merges/<int:merge_id>")
@requires(Permission.MANAGE_UNITS)
def unit_merge(merge_id: int) -> str:
    """One merge of units: which into which, what moved, and the way back."""
    return _merge_page(merge_id)


@bp.post("/admin/unit-merges/<int:merge_id>/undo")
@requires(Permission.MANAGE_UNITS)
def undo_merge_of_units(merge_id: int) -> BaseResponse | tuple[str, int]:
    """Take it back."""
    db = get_db()
    merge, _kept, merged = get_unit_merge(db, get_scope().condition(Permission.MANAGE_UNITS, OrgUnit.path), merge_id)
    try:
        with transaction(db):
            undo_unit_merge(db, merge=merge, actor=get_actor(), now=get_now())
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        flash(words_for(error), "error")
        return _merge_page(merge_id), error.status
    flash(_("已撤销，“%(name)s”又是单独的单位了。", name=merged.name), "success")
    return redirect(url_for("organisation.unit_merge", merge_id=merge_id), 303)


def _merge_page(merge_id: int) -> str:
    db, now = get_db(), get_now()
    merge, kept, merged = get_unit_merge(db, get_scope().condition(Permission.MANAGE_UNITS, OrgUnit.path), merge_id)
    obstacle = find_obstacle(db, merge, now) if merge.undone_at is None else None
    return render_template(
        "organisation/unit_merged.html",
        merge=merge,
        kept=kept,
        merged=merged,
        moved=moving([(kind, count) for kind, count in merge.moved["facts"]]),
        children=len(merge.moved["children"]),
        grants=len(merge.moved["parts"].get("accounts", {}).get("account_grant", [])),
        obstacle=words_for(obstacle) if obstacle else None,
        until=undo_until(merge),
    )


def _leaving(unit_id: int) -> OrgUnit:
    """A unit that the visitor may take away from where it is: they are responsible for the unit above it as well."""
    db = get_db()
    found = queries.get_unit(db, get_scope(), unit_id)
    if not reaches_above(db, get_actor(), found):
        raise Forbidden
    return found


def _chosen(text: str) -> OrgUnit | None:
    """The unit of an address or a hidden field; None for the top. Raises NotFound."""
    if text == TOP:
        if not get_scope().covers(Permission.MANAGE_UNITS, None):
            raise NotFound
        return None
    if not text.isdecimal() or len(text) > 11:
        raise NotFound
    return queries.get_unit(get_db(), get_scope(), int(text))


def _picked(endpoint: str, unit_id: int, name: str) -> tuple[PickUnitForm, PickedUnit] | BaseResponse:
    """The picker's form; a choice goes into the address."""
    form = PickUnitForm()
    unit = PickedUnit.read(get_db(), form.unit_id)
    if request.method == "POST" and not unit.searching and form.validate_on_submit():
        if unit.unit_id is None:
            form.unit_id.errors = [*form.unit_id.errors, _("请选一个单位")]
        elif _within(unit.unit_id):
            chosen: dict[str, Any] = {"unit_id": unit_id, name: unit.unit_id}
            return redirect(url_for(endpoint, **chosen), 303)
        else:
            form.unit_id.errors = [*form.unit_id.errors, _("这个单位不归您管，请另选一个")]
    return form, unit


def _within(unit_id: int) -> bool:
    try:
        queries.get_unit(get_db(), get_scope(), unit_id)
    except NotFound:
        return False
    return True


def _refused(error: DomainError, unit_id: int) -> BaseResponse:
    """Back to the unit, with what stood in the way; what is not theirs stays a page of its own."""
    if isinstance(error, (NotFound, Forbidden)):
        raise error
    flash(words_for(error), "error")
    return redirect(url_for("organisation.unit", unit_id=unit_id), 303)


def _above(unit: OrgUnit) -> OrgUnit | None:
    return get_db().get(OrgUnit, unit.parent_id) if unit.parent_id is not None else None


def _access(unit: OrgUnit, parent: OrgUnit | None) -> dict[str, Any]:
    """Whose grants would reach the unit no more, whose would reach it from now on, and whose stand at it (the slot "unit_access")."""
    before = {int(part) for part in unit.path.strip("/").split("/")} - {unit.id}
    after = {int(part) for part in parent.path.strip("/").split("/")} if parent else set()
    lines = get_runtime().registry.collect("unit_access", sorted(before - after), sorted(after - before), [unit.id])
    return lines[0] if lines else {"losing": [], "gaining": [], "own": []}
