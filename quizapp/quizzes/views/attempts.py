"""Staff pages of single attempts, and the live page of a running delivery."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts.queries import names_of
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import Invalid
from quizapp.core.phones import mask_phone
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.quizzes.forms.afterwards import ExtraTimeForm, ReasonForm
from quizapp.quizzes.models import Attempt, AttemptState
from quizapp.quizzes.queries.afterwards import (
    PAGE_SIZE,
    changes_of_attempt,
    extra_time_of,
    find_attempts_of_delivery,
    get_attempt_in_scope,
    late_answers,
    live_rows,
    voidings_of,
    whose,
)
from quizapp.quizzes.queries.deliveries import get_delivery_in_scope
from quizapp.quizzes.services.extending import give_extra_time
from quizapp.quizzes.services.proposals import confirm_voiding, drop_voiding, propose_voiding
from quizapp.quizzes.views import bp
from quizapp.quizzes.views.afterwards import OWN, cause_words, result_words
from quizapp.quizzes.views.delivery_words import delivery_title, state_words


@bp.get("/deliveries/<int:delivery_id>/attempts")
@requires(OWN)
def attempts(delivery_id: int) -> str:
    """The attempts of a delivery, to find one."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    text = request.args.get("q", "").strip()[:40]
    page = max(1, request.args.get("page", 1, type=int))
    rows, total = find_attempts_of_delivery(db, get_scope(), found.id, text=text, keys=get_keys(), page=page)
    return render_template(
        "quizzes/staff/attempts.html",
        delivery=found,
        title=delivery_title(found),
        rows=rows,
        total=total,
        text=text,
        page=page,
        pages=max(1, -(-total // PAGE_SIZE)),
        page_url=lambda number: url_for("quizzes.attempts", delivery_id=delivery_id, q=text or None, page=number),
        attempt_words=attempt_words(),
    )


@bp.get("/attempts/<public_id>")
@requires(OWN)
def attempt(public_id: str) -> str:
    """One attempt: whose, when, what became of it, and what can still be done."""
    return _page(get_attempt_in_scope(get_db(), get_scope(), public_id), ExtraTimeForm(), ReasonForm())


@bp.post("/attempts/<public_id>/extra-time")
@requires(OWN)
def extra_time(public_id: str) -> str | BaseResponse | tuple[str, int]:
    """Give its person more time at this delivery."""
    db = get_db()
    found = get_attempt_in_scope(db, get_scope(), public_id)
    form = ExtraTimeForm()
    if form.validate():
        try:
            with transaction(db):
                give_extra_time(db, attempt=found, minutes=form.minutes.data or 0, actor=get_actor(), now=get_now())
        except Invalid as refusal:
            if not form.show(refusal):
                raise
        else:
            flash(_("已延时。"), "success")
            return redirect(url_for("quizzes.attempt", public_id=public_id), 303)
        found = get_attempt_in_scope(db, get_scope(), public_id)
    return _page(found, form, ReasonForm(formdata=None)), 422


@bp.post("/attempts/<public_id>/void")
@requires(OWN)
def void(public_id: str) -> str | BaseResponse | tuple[str, int]:
    """Propose to make it void."""
    db = get_db()
    found = get_attempt_in_scope(db, get_scope(), public_id)
    form = ReasonForm()
    if form.validate():
        try:
            with transaction(db):
                propose_voiding(db, attempt=found, reason=form.reason.data or "", actor=get_actor(), now=get_now())
        except Invalid as refusal:
            if not form.show(refusal):
                raise
        else:
            flash(_("已提出作废。另一个人复核以后才生效。"), "success")
            return redirect(url_for("quizzes.attempt", public_id=public_id), 303)
        found = get_attempt_in_scope(db, get_scope(), public_id)
    return _page(found, ExtraTimeForm(formdata=None), form), 422


@bp.post("/attempts/<public_id>/void/<int:voiding_id>/<any(confirm, drop):decision>")
@requires(OWN)
def decide_voiding(public_id: str, voiding_id: int, decision: str) -> BaseResponse:
    """Confirm somebody else's proposal, or refuse it; take back one's own."""
    db = get_db()
    found = get_attempt_in_scope(db, get_scope(), public_id)
    decide = confirm_voiding if decision == "confirm" else drop_voiding
    with transaction(db):
        decide(db, voiding_id, attempt=found, actor=get_actor(), now=get_now())
    flash(_("已作废。") if decision == "confirm" else _("没有作废。"), "success")
    return redirect(url_for("quizzes.attempt", public_id=public_id), 303)


def _page(found: Attempt, more_time: ExtraTimeForm, reason: ReasonForm) -> str:
    db = get_db()
    row = whose(db, found)
    voidings, extra = voidings_of(db, found.id), extra_time_of(db, found)
    encrypted = row.person.phone_encrypted if row.person else None
    phone = get_keys().decrypt_phone(encrypted) if encrypted else None
    return render_template(
        "quizzes/staff/attempt.html",
        attempt=found,
        delivery=found.delivery,
        title=delivery_title(found.delivery),
        row=row,
        phone=mask_phone(phone) if phone else None,
        late=late_answers(db, found.id),
        changes=changes_of_attempt(db, found.id),
        voidings=voidings,
        proposed=next((one for one in voidings if one.state == "proposed"), None),
        names=names_of(db, {one for v in voidings for one in (v.proposed_by, v.decided_by)}),
        extra=extra,
        more_time=more_time,
        reason=reason,
        own_id=get_actor().account_id,
        closed=found.state in (AttemptState.SUBMITTED, AttemptState.EXPIRED),
        attempt_words=attempt_words(),
        cause_words=cause_words(),
        result_words=result_words,
        ended=to_ms(get_now()) >= found.delivery.closes_at,
    )


@bp.get("/deliveries/<int:delivery_id>/live")
@requires(OWN)
def live(delivery_id: int) -> str:
    """How a delivery runs now; the figures come anew by themselves where scripts run."""
    found = get_delivery_in_scope(get_db(), get_scope(), delivery_id)
    return render_template(
        "quizzes/staff/live.html",
        delivery=found,
        title=delivery_title(found),
        state=state_words(found),
        figures=_figures(found.id),
    )


@bp.get("/deliveries/<int:delivery_id>/live/figures")
@requires(OWN)
def live_figures(delivery_id: int) -> BaseResponse:
    """The figures alone; a page that has them already gets nothing."""
    found = get_delivery_in_scope(get_db(), get_scope(), delivery_id)
    response = Response(_figures(found.id))
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response.make_conditional(request)


def _figures(delivery_id: int) -> str:
    rows = live_rows(get_db(), get_scope(), delivery_id, to_ms(get_now()))
    return render_template(
        "quizzes/staff/_live.html",
        rows=rows,
        started=sum(row.started for row in rows),
        answering=sum(row.answering for row in rows),
        submitted=sum(row.submitted for row in rows),
    )


def attempt_words() -> dict[str, tuple[str, str]]:
    """State → word and kind of chip."""
    return {
        "open": (_("作答中"), "blue"),
        "submitted": (_("已交卷"), "green"),
        "expired": (_("到时自动交卷"), "green"),
        "void": (_("作废"), "neutral"),
    }
