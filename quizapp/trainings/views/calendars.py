"""Sessions for calendar programs: one file per session, and a feed per account under a secret address."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts.models import Account
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.tokens import digest
from quizapp.core.web import get_actor, get_db, get_now, get_runtime, public, signed_in
from quizapp.trainings.calendar import CalendarEntry, build_calendar
from quizapp.trainings.forms import EmptyForm
from quizapp.trainings.models import RegistrationState, TrainingSession
from quizapp.trainings.queries.registrations import (
    find_feed,
    find_feed_by_hash,
    get_by_page,
    registrations_of_person,
    sessions_taught,
)
from quizapp.trainings.services.feeds import renew_feed
from quizapp.trainings.views import bp

#: A feed keeps sessions for so long after their end.
LOOK_BACK = timedelta(days=90)


@bp.get("/t/<code>/calendar.ics")
@public
def session_calendar(code: str) -> Response:
    """One session for a calendar."""
    session = get_by_page(get_db(), code)
    response = _ics(build_calendar([_entry(session)], name=session.title))
    response.headers.set("Content-Disposition", "attachment", filename=f"training-{session.page_code}.ics")
    return response


@bp.get("/calendar/<secret>.ics")
@public
def calendar_feed(secret: str) -> Response:
    """An account's sessions: those that it is registered for, and those that it teaches."""
    db = get_db()
    feed = find_feed_by_hash(db, digest(secret))
    account = db.get(Account, feed.account_id) if feed is not None else None
    if account is None or account.suspended_at is not None:
        raise NotFound
    return _ics(build_calendar(_entries(db, account), name=_("我的培训")))


@bp.route("/me/calendar", methods=["GET", "POST"])
@signed_in
def calendar_page() -> str | BaseResponse:
    """The address of one's own feed: made, or made anew; it is shown once, because only its hash is kept."""
    db, actor = get_db(), get_actor()
    account_id, link, form = actor.account_id or 0, None, EmptyForm()
    if request.method == "POST" and form.validate():
        with transaction(db):
            secret = renew_feed(db, account_id=account_id, now=get_now())
        link = f"{get_runtime().settings.public_url}{url_for('trainings.calendar_feed', secret=secret)}"
    page = make_response(
        render_template("trainings/calendar.html", feed=find_feed(db, account_id), link=link, form=form)
    )
    page.headers["Cache-Control"] = "no-store"
    return page


def _entries(db: Session, account: Account) -> list[CalendarEntry]:
    since = to_ms(get_now() - LOOK_BACK)
    entries = {
        row.session.id: _entry(row.session, waiting=row.state == RegistrationState.WAITING)
        for row in registrations_of_person(db, account.person_id, since)
    }
    for session in sessions_taught(db, account.id, since):
        entries[session.id] = _entry(session, teaching=True)
    return sorted(entries.values(), key=lambda entry: (entry.starts_at, entry.code))


def _entry(session: TrainingSession, *, waiting: bool = False, teaching: bool = False) -> CalendarEntry:
    title = session.title
    if waiting:
        title = _("（候补）%(title)s", title=title)
    elif teaching:
        title = _("（授课）%(title)s", title=title)
    url = f"{get_runtime().settings.public_url}{url_for('trainings.public_session', code=session.page_code)}"
    lines = [session.subject, _("主办：%(unit)s", unit=session.unit.name), url]
    return CalendarEntry(
        code=session.page_code,
        title=title,
        place=session.place,
        text="\n".join(line for line in lines if line),
        url=url,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        revision=session.revision,
        changed_at=session.cancelled_at or session.moved_at or session.created_at,
        cancelled=session.cancelled_at is not None,
        tentative=waiting,
    )


def _ics(content: bytes) -> Response:
    response = Response(content, content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    return response
