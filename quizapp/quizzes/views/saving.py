"""The answers of a phone: no session, no account, one round trip to the database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Response, current_app, request

from quizapp.core.clock import to_ms
from quizapp.core.hot import HotConnections
from quizapp.core.tokens import digest
from quizapp.core.web import get_runtime, public
from quizapp.quizzes.errors import AnswerMalformed, FormExpired
from quizapp.quizzes.services.saving import SaveReply, SaveResult, SaveStatus, parse_items, save_answers
from quizapp.quizzes.views import bp, quizzes_runtime
from quizapp.quizzes.views.access import cookie_name, same_origin

#: Where the answers' door leaves what went wrong with a request that it had read, for `save` to raise.
FAILURE = "quizapp.answers_failure"


def answers_reply(hot: HotConnections, public_id: str, secret: str | None, payload: Any, now: datetime) -> bytes:
    """Store the answers of a payload for whoever has the secret, and give the reply's body. Raises AnswerMalformed."""
    items, now_ms = parse_items(payload), to_ms(now)
    if not secret:
        reply = SaveReply([SaveResult(item.position, SaveStatus.NOT_YOURS) for item in items], 0)
    else:
        # several answers in one request are stored together: one write lock, one flush to the disk
        with hot.run(together=len(items) > 1) as run:
            reply = save_answers(run, attempt=public_id, secret_hash=digest(secret), items=items, now_ms=now_ms)
    body = {
        "results": [
            {"position": r.position, "status": r.status, "answer": r.answer, "sequence": r.stored_sequence}
            for r in reply.results
        ],
        "highest": reply.highest,
        "now": now_ms,
    }
    return json.dumps(body).encode()


@bp.post("/q/<code>/a/<public_id>/answers")
@public
def save(code: str, public_id: str) -> Response:  # noqa: ARG001 # the code only gives the cookie its path
    """Store answers: `{"items": [{"position", "answer", "sequence"}]}` → `{"results": […], "highest", "now"}`."""
    failure = request.environ.get(FAILURE)
    if failure is not None:
        raise failure
    if request.mimetype != "application/json":
        raise AnswerMalformed
    if not same_origin():
        raise FormExpired
    secret = request.cookies.get(cookie_name(public_id))
    payload = request.get_json(silent=True)
    body = answers_reply(quizzes_runtime(current_app).hot, public_id, secret, payload, get_runtime().clock())
    return Response(body, mimetype="application/json", headers={"Cache-Control": "no-store"})
