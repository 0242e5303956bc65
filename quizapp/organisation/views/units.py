"""The public unit search, and the staff's pages for units and industries."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, public, requires
from quizapp.organisation import queries, services
from quizapp.organisation.errors import UnitIsMerged
from quizapp.organisation.forms import IndustryForm, UnitForm
from quizapp.organisation.models import Industry, OrgUnit, Residence, UnitKind
from quizapp.organisation.tree import find_standing_merge, reaches_above
from quizapp.organisation.views import bp
from quizapp.organisation.web import hit_data, kind_word
from quizapp.ui.words import words_for


@bp.get("/units/search")
@public
def unit_search() -> Response:
    """Open units by name, initials or code, from the second character on; `within` is the key of the unit to stay in."""
    db, within, path = get_db(), request.args.get("within", ""), None
    if within:
        unit = queries.find_open_unit(db, int(within)) if within.isdecimal() and len(within) < 12 else None
        if unit is None:
            return jsonify([])
        path = unit.path
    return jsonify([hit_data(hit) for hit in queries.search_units(db, request.args.get("q", "")[:60], path)])


@bp.get("/admin/units")
@requires(Permission.MANAGE_UNITS)
def units() -> str:
    """The own units as an unfolding tree, or a search through them."""
    db, scope = get_db(), get_scope()
    text = request.args.get("q", "").strip()
    opened = {int(part) for part in request.args.get("open", "").split(".") if part.isdecimal() and len(part) < 12}
    rows = (
        queries.search_own_units(db, scope, text) if text else queries.list_units(db, scope, opened=sorted(opened)[:50])
    )
    shallowest = min((row.unit.path.count("/") for row in rows), default=0)
    return render_template(
        "organisation/units.html",
        rows=[
            {
                "unit": row.unit,
                "kind": kind_word(row.unit),
                "children": row.children,
                "depth": 0 if text else min(row.unit.path.count("/") - shallowest, 6),
                "opened": row.unit.id in opened,
                "toggle": ".".join(str(i) for i in sorted(opened ^ {row.unit.id})),
            }
            for row in rows
        ],
        text=text,
        top_allowed=scope.covers(Permission.MANAGE_UNITS, None),
    )


@bp.route("/admin/units/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def new_unit() -> str | BaseResponse | tuple[str, int]:
    """A new unit below `parent`, or at the top."""
    db = get_db()
    parent_id = request.args.get("parent", None, type=int)
    parent = queries.get_unit(db, get_scope(), parent_id) if parent_id is not None else None
    form = UnitForm()
    _offer_industries(form, None)
    if form.validate_on_submit():
        try:
            with transaction(db):
                unit = services.create_unit(
                    db,
                    parent=parent,
                    name=form.name.data or "",
                    name_en=form.name_en.data,
                    kind=UnitKind(form.kind.data),
                    code=form.code.data,
                    industry=_industry(form),
                    residence=Residence(form.residence.data) if form.residence.data else None,
                    actor=get_actor(),
                    now=get_now(),
                )
        except DomainError as error:
            if error.status == 403:
                raise
            form.show(error)
        else:
            flash(_("已新建“%(name)s”", name=unit.name), "success")
            return redirect(_shown(unit), 303)
    page = render_template("organisation/unit.html", form=form, unit=None, parent=parent)
    return (page, 422) if form.errors else page


@bp.route("/admin/units/<int:unit_id>", methods=["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def unit(unit_id: int) -> str | BaseResponse | tuple[str, int]:
    """Change a unit's name, kind, code, industry or residence."""
    db = get_db()
    found = queries.get_unit(db, get_scope(), unit_id)
    form = UnitForm(obj=found)
    _offer_industries(form, found)
    if form.validate_on_submit():
        try:
            with transaction(db):
                services.edit_unit(
                    db,
                    unit=queries.get_unit(db, get_scope(), unit_id),
                    name=form.name.data or "",
                    name_en=form.name_en.data,
                    kind=UnitKind(form.kind.data),
                    code=form.code.data or "",
                    industry=_industry(form),
                    residence=Residence(form.residence.data) if form.residence.data else None,
                    actor=get_actor(),
                    now=get_now(),
                )
        except DomainError as error:
            form.show(error)
            found = queries.get_unit(db, get_scope(), unit_id)
        else:
            flash(_("已保存“%(name)s”", name=found.name), "success")
            return redirect(_shown(found), 303)
    page = render_template(
        "organisation/unit.html",
        form=form,
        unit=found,
        parent=db.get(OrgUnit, found.parent_id or 0),
        merge=find_standing_merge(db, unit_id),
        movable=reaches_above(db, get_actor(), found),
    )
    return (page, 422) if form.errors else page


@bp.post("/admin/units/<int:unit_id>/reopen")
@requires(Permission.MANAGE_UNITS)
def reopen_unit(unit_id: int) -> BaseResponse:
    """Take the closing back."""
    db = get_db()
    try:
        with transaction(db):
            found = queries.get_unit(db, get_scope(), unit_id)
            services.reopen_unit(db, unit=found, actor=get_actor(), now=get_now())
    except UnitIsMerged as error:
        flash(words_for(error), "error")
        return redirect(url_for("organisation.unit", unit_id=unit_id), 303)
    flash(_("已恢复“%(name)s”", name=found.name), "success")
    return redirect(url_for("organisation.unit", unit_id=unit_id), 303)


@bp.get("/admin/industries")
@requires(Permission.MANAGE_UNITS)
def industries() -> str:
    """All industries; a grant over all units may change them."""
    return render_template(
        "organisation/industries.html",
        rows=queries.list_industries(get_db(), closed_too=True),
        editable=get_scope().covers(Permission.MANAGE_UNITS, None),
    )


@bp.route("/admin/industries/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def new_industry() -> str | BaseResponse | tuple[str, int]:
    """A new industry."""
    return _industry_page(None)


@bp.route("/admin/industries/<int:industry_id>", methods=["GET", "POST"])
@requires(Permission.MANAGE_UNITS)
def industry(industry_id: int) -> str | BaseResponse | tuple[str, int]:
    """Change an industry."""
    return _industry_page(queries.get_industry(get_db(), industry_id))


@bp.post("/admin/industries/<int:industry_id>/close")
@requires(Permission.MANAGE_UNITS)
def close_industry(industry_id: int) -> BaseResponse:
    """Offer it for nothing new."""
    db = get_db()
    with transaction(db):
        found = queries.get_industry(db, industry_id)
        services.close_industry(db, industry=found, actor=get_actor(), now=get_now())
    flash(_("已停用“%(name)s”", name=found.name), "success")
    return redirect(url_for("organisation.industries"), 303)


@bp.post("/admin/industries/<int:industry_id>/reopen")
@requires(Permission.MANAGE_UNITS)
def reopen_industry(industry_id: int) -> BaseResponse:
    """Take the closing back."""
    db = get_db()
    with transaction(db):
        found = queries.get_industry(db, industry_id)
        services.reopen_industry(db, industry=found, actor=get_actor(), now=get_now())
    flash(_("已恢复“%(name)s”", name=found.name), "success")
    return redirect(url_for("organisation.industries"), 303)


def _industry_page(found: Industry | None) -> str | BaseResponse | tuple[str, int]:
    db = get_db()
    form = IndustryForm(obj=found)
    if form.validate_on_submit():
        values: dict[str, Any] = {
            "code": form.code.data or "",
            "name": form.name.data or "",
            "name_en": form.name_en.data or "",
            "actor": get_actor(),
            "now": get_now(),
        }
        try:
            with transaction(db):
                if found is None:
                    services.create_industry(db, **values)
                else:
                    services.edit_industry(db, industry=found, **values)
        except DomainError as error:
            if error.status == 403:
                raise
            form.show(error)
        else:
            flash(_("已保存“%(name)s”", name=values["name"]), "success")
            return redirect(url_for("organisation.industries"), 303)
    page = render_template("organisation/industry.html", form=form, industry=found)
    return (page, 422) if form.errors else page


def _offer_industries(form: UnitForm, unit: OrgUnit | None) -> None:
    """The open industries, and the unit's own where that is closed."""
    rows = [
        i
        for i in queries.list_industries(get_db(), closed_too=True)
        if i.closed_at is None or (unit is not None and i.id == unit.industry_id)
    ]
    form.industry_id.choices = [
        SelectChoice("", _("不分行业")),
        *(SelectChoice(str(i.id), i.name) for i in rows),
    ]
    if unit is not None and not form.is_submitted():
        form.industry_id.data = str(unit.industry_id or "")


def _industry(form: UnitForm) -> Industry | None:
    return queries.get_industry(get_db(), int(form.industry_id.data)) if form.industry_id.data else None


def _shown(unit: OrgUnit) -> str:
    """The tree, unfolded to where a unit stands."""
    above = unit.path.strip("/").split("/")[:-1]
    return url_for("organisation.units", open=".".join(above) or None)
