"""The page on the wall of the hall."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template, request, url_for
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.scope import Permission
from quizapp.core.tokens import group_code
from quizapp.core.web import get_db, get_keys, get_now, get_runtime, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.matrices import matrix_path, matrix_text
from quizapp.trainings.models import CodeMode, TrainingSession
from quizapp.trainings.rotating import AHEAD_MS, SLOT_MS, slot_of, token_of
from quizapp.trainings.views import bp
from quizapp.trainings.views.words import check_in_address, session_state
from quizapp.ui.filters import format_clock, masked_name

#: Names on the projector.
LAST = 3
#: Codes in one reply: about 60 ms of work for the thread that also takes check-ins.
CHUNK = 12


@bp.get("/sessions/<int:session_id>/projector")
@requires(Permission.RUN_SESSIONS)
def projector(session_id: int) -> Response:
    """The page for the hall: what this is, how one checks in, the code, and how many are in."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    now_ms = to_ms(get_now())
    rotating = found.code_mode == CodeMode.ROTATING
    slot = slot_of(now_ms)
    typed = token_of(get_keys(), found.code, slot) if rotating else found.code
    width, path = matrix_path(_address(found, typed) if rotating else check_in_address(found))
    left = SLOT_MS - now_ms % SLOT_MS
    page = render_template(
        "trainings/projector.html",
        session=found,
        rotating=rotating,
        address=get_runtime().settings.public_url.split("//")[-1] + url_for("trainings.enter_code"),
        typed=group_code(typed),
        qr_width=width,
        qr_path=path,
        slot_ms=SLOT_MS,
        ahead=AHEAD_MS // SLOT_MS,
        chunk=CHUNK,
        now_ms=now_ms,
        seconds_left=-(-left // 1000),
        **_latest(db, found),
    )
    return Response(page, headers={"Cache-Control": "no-store"})


@bp.get("/sessions/<int:session_id>/arrivals")
@requires(Permission.RUN_SESSIONS)
def latest(session_id: int) -> Response:
    """How many are in, and the last names: what the projector page asks every five seconds."""
    db = get_db()
    response = jsonify(_latest(db, queries.get_session(db, get_scope(), session_id)) | {"now": to_ms(get_now())})
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/sessions/<int:session_id>/codes")
@requires(Permission.RUN_SESSIONS)
def codes(session_id: int) -> Response:
    """The codes of the slots from `from` on, a few minutes of them: `{"now", "from", "codes": [[typed, modules] …]}`.

    No page gets codes further ahead than it needs to go on without a network.
    """
    found = queries.get_session(get_db(), get_scope(), session_id)
    now_ms = to_ms(get_now())
    now = slot_of(now_ms)
    asked = request.args.get("from", "")
    first = max(now, int(asked)) if asked.isdecimal() and len(asked) < 12 else now
    last = min(first + CHUNK, now + AHEAD_MS // SLOT_MS + 1) if found.code_mode == CodeMode.ROTATING else first
    tokens = [token_of(get_keys(), found.code, slot) for slot in range(first, last)]
    rows = [[group_code(token), matrix_text(_address(found, token))] for token in tokens]
    response = jsonify({"now": now_ms, "from": first, "codes": rows})
    response.headers["Cache-Control"] = "no-store"
    return response


def _address(found: TrainingSession, token: str) -> str:
    return f"{get_runtime().settings.public_url}{url_for('trainings.opened', code=found.code, token=token)}"


def _latest(db: Session, found: TrainingSession) -> dict[str, Any]:
    registered = queries.count_registered(db, found.id)
    return {
        "count": queries.count_arrivals(db, found.id),
        "registered": registered.registered,
        "all_here": registered.all_here,
        "state": session_state(found),
        "last": [
            {
                "name": row.person.name if found.full_names else masked_name(row.person.name),
                "time": format_clock(row.attendance.at_ms),
            }
            for row in queries.arrivals(db, found.id, limit=LAST)
        ],
    }
