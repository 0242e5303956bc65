"""Writing somebody down by hand."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.tokens import new_secret
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.errors import CheckInClosed
from quizapp.trainings.forms import WalkInForm, offer
from quizapp.trainings.queries.choices import units_at
from quizapp.trainings.services import check_in_by_hand
from quizapp.trainings.views import bp
from quizapp.ui.filters import format_clock


@bp.route("/sessions/<int:session_id>/walk-in", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def walk_in(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """Write down somebody who has no phone at hand; afterwards the empty form for the next one."""
    db, now = get_db(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    form = WalkInForm()
    if not form.ticket.data or len(form.ticket.data) != 22:
        form.ticket.data = new_secret()
    offer(form.unit_id, [("", _("不填")), *((str(unit.id), unit.name) for unit in units_at(db, found))])
    if request.method == "GET":
        form.unit_id.data = request.args.get("unit", "")
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                checked = check_in_by_hand(
                    db,
                    session=found,
                    name=form.name.data or "",
                    phone=form.phone.data,
                    ticket=form.ticket.data,
                    keys=get_keys(),
                    actor=get_actor(),
                    now=now,
                    unit_id=int(unit) if (unit := form.unit_id.data or "").isdecimal() else None,
                )
        except CheckInClosed:
            return redirect(url_for("trainings.session", session_id=session_id), 303)
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            clock = format_clock(checked.attendance.at_ms)
            name = checked.attendance.person.name
            if checked.again:
                flash(_("%(name)s 已经签过到，首次 %(time)s", name=name, time=clock), "attention")
            else:
                flash(_("%(name)s 已补登，%(time)s", name=name, time=clock), "success")
            return redirect(url_for("trainings.walk_in", session_id=session_id, unit=unit or None), 303)
    page = render_template(
        "trainings/walk_in.html",
        session=found,
        form=form,
        count=queries.count_arrivals(db, found.id),
    )
    return (page, 422) if form.errors else page
