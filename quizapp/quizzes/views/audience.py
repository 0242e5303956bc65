"""The units that a taker can choose: those of the delivery's audience, searched or step by step."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.core.web import get_db, public
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.queries import UnitRow, ancestors_of, children_of, search_units
from quizapp.organisation.web import hit_data
from quizapp.quizzes.forms.profile import ProfileForm
from quizapp.quizzes.models import Delivery
from quizapp.quizzes.queries.taking import get_delivery
from quizapp.quizzes.services.audience import in_reach, reach_condition, tops_of
from quizapp.quizzes.views import bp


def unit_results(db: Session, delivery: Delivery, form: ProfileForm) -> dict[str, Any]:
    """The unit picker's state: what was searched, what was found, what is chosen."""
    query = (form.unit_query.data or "").strip()
    chosen = None
    if (form.unit_id.data or "").isdecimal():
        unit = db.get(OrgUnit, int(form.unit_id.data))
        if unit is not None and in_reach(delivery, unit):
            chosen = unit
    hits = search_units(db, query, within=reach_condition(delivery))
    results = [{"id": h.unit.id, "name": h.unit.name, "path": h.parent or "", "kind": ""} for h in hits]
    return {"query": query, "results": results, "chosen": chosen and {"id": chosen.id, "name": chosen.name}}


@bp.get("/q/<code>/units/search")
@public
def unit_search(code: str) -> Response:
    """Open units of the audience by name, initials or code, from the second character on."""
    db = get_db()
    delivery = get_delivery(db, code)
    hits = search_units(db, request.args.get("q", "")[:60], within=reach_condition(delivery))
    return jsonify([hit_data(hit) for hit in hits])


@bp.get("/q/<code>/units")
@public
def units(code: str) -> str:
    """Choose a unit step by step, from the audience's own units down."""
    db = get_db()
    delivery = get_delivery(db, code)
    tops = tops_of(delivery)
    parent = db.get(OrgUnit, request.args.get("parent", 0, type=int)) if "parent" in request.args else None
    if parent is None and "parent" not in request.args and len(tops) == 1:
        parent = tops[0]
    if "parent" in request.args and (parent is None or not in_reach(delivery, parent)):
        raise NotFound
    first = [UnitRow(top, len(children_of(db, top.id))) for top in tops] if parent is None else []
    return render_template(
        "quizzes/units.html",
        delivery=delivery,
        parent=parent,
        several=len(tops) > 1,
        trail=[unit for unit in ancestors_of(db, parent) if in_reach(delivery, unit)] if parent else [],
        children=children_of(db, parent.id) if parent else first,
    )


def audience_words(delivery: Delivery) -> str:
    """Whom a limited delivery is for, in one line; empty for one that everybody may take."""
    if not delivery.limited:
        return ""
    english = str(get_locale()).startswith("en")
    words = []
    for line in delivery.audience:
        unit = (line.unit.name_en if english else None) or line.unit.name
        industry = (line.industry.name_en if english else line.industry.name) if line.industry is not None else None
        words.append(
            f"{unit}（{industry}）" if industry and not english else f"{unit} ({industry})" if industry else unit
        )
    return str(_("、")).join(words)
