"""The page on the wall of the hall."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_scope, requires
from quizapp.quizzes.posters import qr_svg
from quizapp.trainings import queries
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import check_in_address, session_state
from quizapp.ui.filters import format_clock, masked_name

#: Names on the projector.
LAST = 3


@bp.get("/sessions/<int:session_id>/projector")
@requires(Permission.RUN_SESSIONS)
def projector(session_id: int) -> str:
    """The page for the hall: what this is, how one checks in, the code, and how many are in."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    address = check_in_address(found)
    return render_template(
        "trainings/projector.html",
        session=found,
        state=session_state(found),
        address=address,
        qr=Markup(qr_svg(address)),  # noqa: S704 # our own drawing of our own address
        **_latest(db, found),
    )


@bp.get("/sessions/<int:session_id>/arrivals")
@requires(Permission.RUN_SESSIONS)
def latest(session_id: int) -> Response:
    """How many are in, and the last names, masked: what the projector page asks every five seconds."""
    db = get_db()
    response = jsonify(_latest(db, queries.get_session(db, get_scope(), session_id)))
    response.headers["Cache-Control"] = "no-store"
    return response


def _latest(db: Session, found: TrainingSession) -> dict[str, Any]:
    return {
        "count": queries.count_arrivals(db, found.id),
        "last": [
            {"name": masked_name(row.person.name), "time": format_clock(row.attendance.at_ms)}
            for row in queries.arrivals(db, found.id, limit=LAST)
        ],
    }
