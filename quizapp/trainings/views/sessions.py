"""The trainer's pages: what is on today and coming, one session, closing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_runtime, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.forms import EmptyForm
from quizapp.trainings.models import SessionKind, TrainingSession
from quizapp.trainings.queries import SessionNumbers
from quizapp.trainings.services import close_session, reopen_session
from quizapp.trainings.views import bp
from quizapp.trainings.views.clashes import clash_words
from quizapp.trainings.views.words import check_in_address, masked_phone, session_state

#: Sessions on one page of the past ones.
PAGE_SIZE = 50
#: Arrivals on the session's page before "all".
LATEST = 10


@dataclass(frozen=True)
class SessionRow:
    """A session in a list, with its figures and what of it needs a look."""

    session: TrainingSession
    state: str
    numbers: SessionNumbers
    conflict: bool

    @property
    def over(self) -> bool:
        """Its time is over and nobody closed it."""
        return self.state not in ("closed", "cancelled") and self.session.ends_at <= to_ms(get_now())


def rows_of(db: Session, found: Sequence[TrainingSession]) -> list[SessionRow]:
    """Sessions as lists show them, in a fixed number of queries."""
    ids = [session.id for session in found]
    numbers = queries.numbers_of_many(db, ids)
    now_ms = to_ms(get_now())
    clashing = queries.sessions_in_conflict(db, [session.id for session in found if session.ends_at > now_ms])
    return [
        SessionRow(session, session_state(session), numbers[session.id], session.id in clashing) for session in found
    ]


@bp.get("/sessions")
@requires(Permission.RUN_SESSIONS)
def sessions() -> str:
    """What waits, what is on today, what is coming; the past is a page of its own."""
    db, scope, now = get_db(), get_scope(), get_now()
    coming: dict[Any, list[SessionRow]] = {}
    for row in rows_of(db, queries.list_coming(db, scope, now)):
        coming.setdefault(local_date(row.session.starts_at), []).append(row)
    return render_template(
        "trainings/sessions.html",
        waiting=rows_of(db, queries.list_to_finish(db, scope, now)),
        today=rows_of(db, queries.list_today(db, scope, now)),
        coming=coming,
        past=queries.count_past(db, scope, now),
    )


@bp.get("/sessions/past")
@requires(Permission.RUN_SESSIONS)
def past_sessions() -> str:
    """The sessions before today, the latest first."""
    db, scope, now = get_db(), get_scope(), get_now()
    total = queries.count_past(db, scope, now)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    found = queries.list_past(db, scope, now, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    return render_template("trainings/past_sessions.html", rows=rows_of(db, found), page=page, pages=pages, total=total)


@bp.get("/sessions/<int:session_id>")
@requires(Permission.RUN_SESSIONS)
def session(session_id: int) -> str:
    """One session: how many came, who, and what to do."""
    db, scope = get_db(), get_scope()
    found = queries.get_session(db, scope, session_id)
    over = found.ends_at <= to_ms(get_now())
    clashes = [] if over or found.cancelled_at else queries.find_conflicts(db, scope, queries.wanted_by(db, found))
    limit = None if "all" in request.args else LATEST
    return render_template(
        "trainings/session.html",
        session=found,
        state=session_state(found),
        over=over,
        numbers=queries.numbers_of(db, found.id),
        trainers=queries.trainers_of(db, found.id),
        audience=queries.audience_of(db, found.id),
        has_roster=SessionKind(found.kind).has_roster,
        clashes=clash_words(db, clashes),
        actions=flat(get_runtime().registry.collect("session_actions", found)),
        arrivals=[(row, masked_phone(row.person)) for row in queries.arrivals(db, found.id, limit=limit)],
        form=EmptyForm(),
        address=check_in_address(found),
    )


def flat(given: list[Any]) -> list[tuple[str, str]]:
    """Providers give one (text, address) or a list of them."""
    return [pair for one in given for pair in (one if isinstance(one, list) else [one])]


@bp.post("/sessions/<int:session_id>/close")
@requires(Permission.RUN_SESSIONS)
def close(session_id: int) -> BaseResponse:
    """End the check-in by hand: the list is frozen."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        close_session(db, session=found, actor=get_actor(), now=get_now())
    flash(_("已结束，名单定稿。"), "success")
    return redirect(url_for("trainings.session", session_id=session_id), 303)


@bp.post("/sessions/<int:session_id>/reopen")
@requires(Permission.RUN_SESSIONS)
def reopen(session_id: int) -> BaseResponse:
    """Let people check in again."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    with transaction(db):
        reopen_session(db, session=found, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.session", session_id=session_id), 303)
