"""What the pages on which a delivery is made and changed share: its pickers, its audience, its checks, what was confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types

from quizapp.core.scope import Permission
from quizapp.core.web import get_now, get_scope
from quizapp.organisation.models import Industry, OrgUnit
from quizapp.organisation.queries import search_own_units, units_to_choose
from quizapp.quizzes.forms.deliveries import ChangeForm, DeliveryForm, line_text
from quizapp.quizzes.models import Delivery, QuizBlueprint
from quizapp.quizzes.queries.deliveries import find_blueprint, list_blueprints
from quizapp.quizzes.services.audience import AudienceLine, lines_of
from quizapp.quizzes.services.publish_checks import Check, CheckState, Planned, publish_checks
from quizapp.quizzes.views.delivery_words import blueprint_title, check_words
from quizapp.quizzes.views.starting import industry_choices

OWN = Permission.MANAGE_DELIVERIES
#: Units that a picker shows.
MOST_UNITS = 8
#: The field at which a red check is mended.
_FIELD_OF = {
    "window_past": "closes_at",
    "window_empty": "closes_at",
    "window_below_limit": "closes_at",
    "audience_unknowable": "audience",
    "audience_closed": "audience",
}


def fill_choices(db: Session, form: ChangeForm) -> None:
    """The choices that come from the database."""
    form.audience_industry.choices = [
        SelectChoice("", _("各行业")),
        *(SelectChoice(*row) for row in industry_choices(db)),
    ]
    if isinstance(form, DeliveryForm):
        form.blueprint.choices = [SelectChoice(row.code, blueprint_title(row.title)) for row in list_blueprints(db)]


def own_unit_of(db: Session, value: str | None) -> OrgUnit | None:
    """The unit of a field, where it lies in the visitor's scope."""
    if not (value or "").isdecimal() or len(value or "") > 11:
        return None
    unit = db.get(OrgUnit, int(value or 0))
    return unit if unit is not None and get_scope().covers(OWN, unit.path) else None


def find_units(db: Session, query: str) -> list[dict[str, Any]]:
    """Open units of one's own scope, as a picker shows them."""
    if len(query.strip()) < 2:
        return []
    rows = search_own_units(db, get_scope(), query, permission=OWN, limit=MOST_UNITS)
    return [unit_row(db, row.unit) for row in rows if row.unit.closed_at is None]


def unit_row(db: Session, unit: OrgUnit) -> dict[str, Any]:
    """A unit as a picker shows it."""
    above = db.get(OrgUnit, unit.parent_id) if unit.parent_id else None
    return {"id": unit.id, "name": unit.name, "path": above.name if above else "", "kind": ""}


def line_words(db: Session, line: AudienceLine) -> str:
    """滨江街道及以下 · 建筑施工."""
    unit = db.get(OrgUnit, line.unit_id)
    words = _("%(unit)s及以下", unit=unit.name if unit else "?")
    industry = db.get(Industry, line.industry_id) if line.industry_id is not None else None
    return words if industry is None else f"{words} · {dict(industry_choices(db)).get(str(industry.id), industry.name)}"


def lines_words(db: Session, lines: Iterable[AudienceLine]) -> str:
    """A whole audience in one line; without lines everybody."""
    return str(_("、")).join(line_words(db, line) for line in lines) or str(_("扫海报的人都能答"))


def audience_page(db: Session, form: ChangeForm, delivery: Delivery | None = None) -> dict[str, Any]:
    """The audience as the page shows it: ticks, the picker of one more line, and what is not the editor's to change."""
    form.take_added()
    form.audience.choices = [SelectChoice(line_text(line), line_words(db, line)) for line in form.lines()]
    query = request.form.get("audience_unit_query", "").strip()[:60]
    searched = "audience_unit_search" in request.form
    mine = form.lines()
    foreign = [line for line in lines_of(delivery) if line not in mine and not _own_line(db, line)] if delivery else []
    return {
        "audience_query": query if searched else "",
        "audience_results": find_units(db, query) if searched else [],
        "audience_foreign": [line_words(db, line) for line in foreign],
    }


def own_audience(db: Session, delivery: Delivery) -> list[AudienceLine]:
    """The lines of a delivery's audience that the visitor may change."""
    return [line for line in lines_of(delivery) if _own_line(db, line)]


def _own_line(db: Session, line: AudienceLine) -> bool:
    return own_unit_of(db, str(line.unit_id)) is not None


def whole_page(db: Session, form: DeliveryForm, chosen: QuizBlueprint, delivery: Delivery | None) -> dict[str, Any]:
    """Everything that the form of a whole delivery shows beside its fields."""
    query = request.form.get("unit_id_query", "").strip()[:60]
    searched = "unit_id_search" in request.form
    unit = own_unit_of(db, form.unit_id.data)
    results = find_units(db, query) if searched and query else []
    if not results and unit is None and not query:
        tops = units_to_choose(db, get_scope(), OWN)
        results = [unit_row(db, top) for top in tops] if len(tops) <= MOST_UNITS else []
    return {
        "form": form,
        "chosen": chosen,
        "chosen_unit": None if searched or unit is None else unit_row(db, unit),
        "query": query,
        "results": results,
        "maximum": int(chosen.rules["items"]) * int(chosen.rules["points_each"]),
        **audience_page(db, form, delivery),
        **check_values(db, form, chosen, delivery),
    }


def chosen_blueprint(db: Session, form: DeliveryForm, otherwise: QuizBlueprint) -> QuizBlueprint:
    """The blueprint that the form names."""
    return find_blueprint(db, form.blueprint.data or "") or otherwise


def run_checks(db: Session, form: DeliveryForm, chosen: QuizBlueprint, delivery: Delivery | None) -> list[Check]:
    """The checks of what is filled in; lines of the audience that are not the editor's to change stand with it."""
    opens_at, closes_at = form.window()
    kept = [line for line in lines_of(delivery) if not _own_line(db, line)] if delivery else []
    known = [line for line in form.lines() if db.get(OrgUnit, line.unit_id) is not None]
    planned = Planned(
        pass_score=form.pass_score.data,
        paper_count=form.paper_count.data,
        guests=bool(form.guests.data),
        fields=form.fields(),
        opens_at=opens_at,
        closes_at=closes_at,
        time_limit_s=form.time_limit(),
        unit=own_unit_of(db, form.unit_id.data),
        audience=[*kept, *known],
    )
    return publish_checks(db, chosen, planned, now=get_now())


def mark_stops(form: DeliveryForm, checks: list[Check]) -> None:
    """Say at its field what a red check says in the list."""
    for check in checks:
        name = _FIELD_OF.get(check.code)
        if name is not None and check.state == CheckState.STOP:
            words = check_words(check)
            form[name].errors = [_("%(what)s。%(cure)s", what=words["text"], cure=words["reason"])]


def check_values(
    db: Session, form: DeliveryForm, chosen: QuizBlueprint, delivery: Delivery | None = None
) -> dict[str, Any]:
    """The list of checks as the page shows it."""
    checks = [check_words(check) for check in run_checks(db, form, chosen, delivery)]
    return {
        "checks": checks,
        "stops": sum(check["state"] == CheckState.STOP for check in checks),
        "looks": sum(check["state"] == CheckState.LOOK for check in checks),
    }


def signature(form: DeliveryForm) -> str:
    """What was confirmed: other values are asked about again."""
    names = ("blueprint", "unit_id", "guests", "pass_score", "paper_count", "opens_at", "closes_at", "minutes")
    values = form.values()
    texts = [str(values[name]) for name in names]
    return ",".join([*texts, *form.fields().values(), *(line_text(line) for line in form.lines())])
