"""The roster of a session: who should come, who of them came, somebody more, somebody less."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.organisation.models import JobRole, OrgUnit
from quizapp.trainings import queries
from quizapp.trainings.errors import RosterFrozen, RosterNotKept
from quizapp.trainings.forms import EmptyForm
from quizapp.trainings.forms.rosters import RemovalForm, RosterEntryForm
from quizapp.trainings.models import RemovalReason, TrainingSession
from quizapp.trainings.queries import rosters as roster_queries
from quizapp.trainings.queries.rosters import RosterFilter
from quizapp.trainings.services import rosters as services
from quizapp.trainings.views import bp
from quizapp.trainings.views.units import found_units
from quizapp.trainings.views.words import masked_phone
from quizapp.ui.words import words_for

_OWN = Permission.RUN_SESSIONS
PAGE_SIZE = 50
#: Up to so many units are offered as a filter; beyond, the page of units leads there.
MOST_UNITS = 40


@bp.get("/sessions/<int:session_id>/roster")
@requires(_OWN)
def roster(session_id: int) -> str:
    """Who should come, with when they came."""
    db, scope = get_db(), get_scope()
    found = queries.get_session(db, scope, session_id)
    text, wanted = _wanted()
    total = roster_queries.count_roster(db, found.id, wanted)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    rows = roster_queries.list_roster(db, found.id, wanted, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    units = roster_queries.coverage_by_unit(db, found.id)
    whole = roster_queries.coverage(db, found.id)
    rules = roster_queries.rules_of(db, found.id)
    return render_template(
        "trainings/roster.html",
        session=found,
        refusal=_refusal(found),
        rows=[(row, masked_phone(row.person)) for row in rows],
        coverage=whole,
        units=units if 1 < len(units) <= MOST_UNITS else [],
        has_units=len(units) > 1,
        filter={"q": text, "unit": request.args.get("unit", ""), "came": request.args.get("came", "")},
        filtered=bool(text) or wanted.unit_id is not None or wanted.came is not None,
        audience=roster_queries.count_audience(db, found.id, scope) if rules else None,
        total=total,
        page=page,
        pages=pages,
        form=EmptyForm(),
    )


@bp.get("/sessions/<int:session_id>/roster/units")
@requires(_OWN)
def roster_units(session_id: int) -> str:
    """How much of the roster came, by unit."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    return render_template(
        "trainings/roster_units.html",
        session=found,
        coverage=roster_queries.coverage(db, found.id),
        rows=roster_queries.coverage_by_unit(db, found.id),
    )


@bp.post("/sessions/<int:session_id>/roster/refresh")
@requires(_OWN)
def refresh_roster(session_id: int) -> BaseResponse:
    """Add whom the audience rules name."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    try:
        with transaction(db):
            added = services.refresh_roster(db, session=found, actor=get_actor(), now=get_now())
    except (RosterFrozen, RosterNotKept) as error:
        flash(words_for(error), "attention")
    else:
        flash(_("名册加了 %(count)s 人", count=added), "success" if added else "note")
    return redirect(url_for("trainings.roster", session_id=session_id), 303)


@bp.route("/sessions/<int:session_id>/roster/add", methods=["GET", "POST"])
@requires(_OWN)
def add_to_roster(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """Somebody more, by hand."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    form = RosterEntryForm()
    searching = "unit_id_search" in request.form
    if request.method == "POST" and not searching and form.validate():
        try:
            with transaction(db):
                entry, again = services.add_by_hand(
                    db,
                    session=found,
                    name=form.name.data or "",
                    phone=form.phone.data,
                    unit_id=int(form.unit_id.data) if (form.unit_id.data or "").isdecimal() else None,
                    job_role=JobRole(form.job_role.data) if form.job_role.data else None,
                    keys=get_keys(),
                    actor=get_actor(),
                    now=get_now(),
                )
        except (RosterFrozen, RosterNotKept) as error:
            flash(words_for(error), "attention")
            return redirect(url_for("trainings.roster", session_id=session_id), 303)
        except NotFound:
            form.unit_id.errors = [_("请在自己的单位里选一个")]
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            name = entry.person.name
            flash(
                _("%(name)s 已经在名册上", name=name) if again else _("%(name)s 已加入名册", name=name),
                "attention" if again else "success",
            )
            return redirect(url_for("trainings.add_to_roster", session_id=session_id), 303)
    query = request.form.get("unit_id_query", "").strip()[:60]
    page = render_template(
        "trainings/roster_add.html",
        session=found,
        refusal=_refusal(found),
        form=form,
        query=query,
        results=found_units(db, query) if searching and query else [],
        chosen=None if searching else _chosen(db, form),
    )  # fmt: skip
    return (page, 422) if form.errors else page


@bp.route("/sessions/<int:session_id>/roster/<int:entry_id>/remove", methods=["GET", "POST"])
@requires(_OWN)
def remove_from_roster(session_id: int, entry_id: int) -> str | BaseResponse | tuple[str, int]:
    """Somebody less, with the reason."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    row = roster_queries.get_entry(db, found.id, entry_id)
    form = RemovalForm()
    if form.validate_on_submit():
        try:
            with transaction(db):
                services.remove_entry(
                    db,
                    session=found,
                    row=roster_queries.get_entry(db, found.id, entry_id),
                    reason=RemovalReason(form.reason.data),
                    actor=get_actor(),
                    now=get_now(),
                )
        except DomainError as error:
            flash(words_for(error), "attention")
        else:
            flash(_("%(name)s 已移出名册", name=row.person.name), "success")
        return redirect(url_for("trainings.roster", session_id=session_id), 303)
    page = render_template(
        "trainings/roster_remove.html", session=found, row=row, phone=masked_phone(row.person), form=form
    )
    return (page, 422) if form.errors else page


def _wanted() -> tuple[str, RosterFilter]:
    """What the address asks for. A whole phone number finds its person, and is not shown again."""
    text = request.args.get("q", "").strip()[:40]
    phone_hash = None
    try:
        phone_hash = get_keys().phone_hash(normalize_phone(text))
        text = ""
    except PhoneInvalid:
        pass
    unit, came = request.args.get("unit", ""), request.args.get("came", "")
    return text, RosterFilter(
        text=text,
        phone_hash=phone_hash,
        unit_id=int(unit) if unit.isdecimal() and len(unit) < 12 else None,
        came={"1": True, "0": False}.get(came),
    )


def _refusal(found: TrainingSession) -> str | None:
    """Why the roster cannot be changed."""
    try:
        services.check_roster(found)
    except (RosterFrozen, RosterNotKept) as error:
        return words_for(error)
    return None


def _chosen(db: Session, form: RosterEntryForm) -> dict[str, Any] | None:
    text = form.unit_id.data or ""
    unit = db.get(OrgUnit, int(text)) if text.isdecimal() and len(text) < 12 else None
    if unit is None or not get_scope().covers(_OWN, unit.path):
        return None
    return {"id": unit.id, "name": unit.name, "path": ""}
