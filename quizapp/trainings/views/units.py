"""The unit picker of the forms here: it knows the units where one runs sessions, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission
from quizapp.core.web import get_scope
from quizapp.organisation.models import OrgUnit
from quizapp.organisation.queries import search_own_units, units_to_choose
from quizapp.trainings.forms import TrainingForm


@dataclass(frozen=True)
class OwnUnit:
    """What a form's unit picker holds."""

    unit_id: int | None
    chosen: dict[str, Any] | None
    query: str
    results: list[dict[str, Any]]


def read_unit(db: Session, form: TrainingForm) -> OwnUnit:
    """The chosen unit, or a search that was asked for without scripts. Who has one topmost unit alone begins with it."""
    field = form["unit_id"]
    if request.method == "GET" and not (field.data or "").strip("0"):
        tops = units_to_choose(db, get_scope(), Permission.RUN_SESSIONS)
        field.data = str(tops[0].id) if len(tops) == 1 else ""
    if "unit_id_search" in request.form:
        field.data = ""
    text = str(field.data or "")
    unit = db.get(OrgUnit, int(text)) if text.isdecimal() and len(text) < 12 else None
    own = unit is not None and get_scope().covers(Permission.RUN_SESSIONS, unit.path)
    typed = request.form.get("unit_id_query", "").strip()[:60]
    return OwnUnit(
        unit_id=int(text) if unit is not None else None,
        chosen={"id": unit.id, "name": unit.name, "path": ""} if unit is not None and own else None,
        query=typed,
        results=found_units(db, typed) if typed and not own else [],
    )


def found_units(db: Session, typed: str) -> list[dict[str, Any]]:
    """Open units of one's own by name part, initials or code, as the picker shows them."""
    found = search_own_units(db, get_scope(), typed, Permission.RUN_SESSIONS, limit=8)
    return [
        {"id": row.unit.id, "name": row.unit.name, "path": row.unit.code, "kind": ""}
        for row in found
        if row.unit.closed_at is None
    ]
