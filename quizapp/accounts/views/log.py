"""The audit page: it stands here because accounts know the names."""

from __future__ import annotations

from datetime import date, datetime

from flask import render_template, request

from quizapp.accounts import queries
from quizapp.accounts.log_words import ACTION_WORDS, OBJECT_WORDS
from quizapp.accounts.views import bp
from quizapp.audit.queries import actions
from quizapp.core.clock import day_after, day_start
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_scope, requires


@bp.get("/admin/audit")
@requires(Permission.SEE_AUDIT)
def log() -> str:
    """Who did what to which object in the own units, newest first."""
    db, args = get_db(), request.args
    first, last = _day(args.get("from")), _day(args.get("to"))
    found = queries.search_audit(
        db,
        get_scope(),
        username=args.get("account", ""),
        action=args.get("action") or None,
        object_type=args.get("object") or None,
        object_id=args.get("id", None, type=int),
        start=first,
        end=day_start(day_after(date.fromisoformat(args["to"]))) if last else None,
        before_id=args.get("before", None, type=int),
        limit=queries.PAGE + 1,
    )
    rows = found[: queries.PAGE]
    return render_template(
        "accounts/log.html",
        rows=rows,
        more=rows[-1].event.id if len(found) > queries.PAGE else None,
        actions=actions(db),
        words=ACTION_WORDS,
        objects=OBJECT_WORDS,
        args=args,
    )


def _day(text: str | None) -> datetime | None:
    """The beginning of a local day in the address; None for anything else."""
    try:
        return day_start(date.fromisoformat(text)) if text else None
    except ValueError:
        return None
