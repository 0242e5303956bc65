"""From the poster to the first question: landing and profile."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.tokens import digest, new_secret, normalize_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public
from quizapp.organisation.queries import list_industries
from quizapp.quizzes.errors import (
    DeliveryEnded,
    DeliveryFull,
    DeliveryNotOpen,
    DeliveryNotReady,
    OutsideAudience,
    SignInForDelivery,
    TriesUsedUp,
)
from quizapp.quizzes.forms.profile import ProfileForm
from quizapp.quizzes.models import PROFILE_FIELDS, Attempt, AttemptState, Delivery, FieldDemand
from quizapp.quizzes.queries.afterwards import is_held
from quizapp.quizzes.queries.taking import attempts_of_account, find_attempts, get_delivery
from quizapp.quizzes.services.starting import check_open, start_attempt
from quizapp.quizzes.services.submitting import close_if_over
from quizapp.quizzes.views import bp, quizzes_runtime
from quizapp.quizzes.views.access import Right, attempts_in_browser, device_token, keep_device, keep_secret, right_to
from quizapp.quizzes.views.audience import audience_words, unit_results
from quizapp.ui.page_cache import TICKET_PLACE, no_history

#: Why nobody can start now, for the page: the class of the refusal → the page's word.
_CLOSED = {
    DeliveryNotOpen: "not_open",
    DeliveryEnded: "ended",
    DeliveryFull: "full",
    DeliveryNotReady: "preparing",
    TriesUsedUp: "tries",
    SignInForDelivery: "sign_in",
    OutsideAudience: "outside",
}


def mine(db: Session, delivery: Delivery, now_ms: int) -> list[Attempt]:
    """The attempts that this browser (or its account) may open, newest first; those whose time is over are closed."""
    found = {a.id: a for a in find_attempts(db, delivery.id, attempts_in_browser()) if right_to(a, now_ms)}
    account_id = get_actor().account_id
    if account_id is not None:
        found.update({a.id: a for a in attempts_of_account(db, account_id, delivery.id)})
    over = [a.id for a in found.values() if a.state == AttemptState.OPEN and now_ms > a.accepts_until]
    if over:
        with transaction(db):
            for attempt_id in over:
                found[attempt_id] = close_if_over(
                    db, attempt_id, papers=quizzes_runtime(current_app).papers, now_ms=now_ms
                )
    return sorted(found.values(), key=lambda a: (a.started_at, a.id), reverse=True)


@bp.get("/q/<code>")
@public
def landing(code: str) -> str | BaseResponse:
    """What the poster opens: what this is, how long, what passes, one button; or why not now."""
    if (normal := normalize_code(code)) != code:
        if not normal:
            raise NotFound
        return redirect(url_for("quizzes.landing", code=normal), 302)
    db, now_ms = get_db(), to_ms(get_now())
    delivery = get_delivery(db, code)
    attempts = mine(db, delivery, now_ms)
    closed = None
    try:
        check_open(db, delivery, get_actor(), now_ms)
    except DomainError as refusal:
        closed = _CLOSED.get(type(refusal))
        if closed is None:
            raise
    if closed is None and delivery.limited and "outside" in request.args:
        closed = "outside"  # what a guest declared on the start page

    def draw() -> str:
        return render_template(
            "quizzes/landing.html",
            delivery=delivery,
            closed=closed,
            audience=audience_words(delivery),
            running=[a for a in attempts if a.state == AttemptState.OPEN],
            finished=[
                a
                for a in attempts
                if a.state not in (AttemptState.OPEN, AttemptState.VOID) and not is_held(a, delivery)
            ],
            writes={a.public_id for a in attempts if (found := right_to(a, now_ms)) and found[0] == Right.WRITE},
            now_ms=now_ms,
            asked_words=asked_words,
        )

    if attempts or not no_history():
        return draw()
    return quizzes_runtime(current_app).pages.page(("landing", closed, *_shown_of(delivery, now_ms)), draw)


def _shown_of(delivery: Delivery, now_ms: int) -> tuple[Hashable, ...]:
    """Everything of a delivery that a page before the start shows or follows, and the minute, because words like "today" change."""
    columns = tuple(repr(getattr(delivery, column.key)) for column in Delivery.__mapper__.column_attrs)
    shown = (delivery.unit.name, repr(delivery.blueprint.description), audience_words(delivery))
    return (*columns, *shown, now_ms // 60_000)


@bp.route("/q/<code>/start", methods=["GET", "POST"])
@public
def start(code: str) -> str | BaseResponse | tuple[str, int]:
    """Ask the delivery's fields and the consent, then start: the clock runs from here."""
    db, now, keys = get_db(), get_now(), get_keys()
    delivery = get_delivery(db, code)
    actor = get_actor()
    try:
        check_open(db, delivery, actor, to_ms(now))
    except DomainError:
        return redirect(url_for("quizzes.landing", code=code), 303)
    industries = industry_choices(db) if delivery.fields.get("industry", FieldDemand.OFF) != FieldDemand.OFF else []
    if request.method == "GET" and not request.args and no_history() and not mine(db, delivery, to_ms(now)):
        return _first_form(db, delivery, industries)
    form = ProfileForm.for_delivery(delivery, industries, local_date(now))
    if "unit_id" in form and not form.unit_id.data and "unit" in request.args:
        form.unit_id.data = request.args["unit"]
    if not form.ticket.data or len(form.ticket.data) != 22:
        form.ticket.data = new_secret()
    if request.method == "POST" and "unit_id_search" not in request.form and form.validate():
        token = device_token() or new_secret()
        try:
            with transaction(db):
                started = start_attempt(
                    db,
                    delivery=delivery,  # the service reads it as it stands now
                    profile=form.profile(),
                    actor=actor,
                    device_hash=digest(token),
                    ticket=form.ticket.data,
                    keys=keys,
                    now=now,
                )
        except DomainError as refusal:
            if type(refusal) in _CLOSED:
                # a guest's tries are known only with the name: the landing page cannot see that they are used up
                why = "used" if isinstance(refusal, TriesUsedUp) else None
                outside = "1" if isinstance(refusal, OutsideAudience) else None
                return redirect(url_for("quizzes.landing", code=code, tries=why, outside=outside), 303)
            if not form.show(refusal):
                raise
        else:
            response = redirect(
                url_for("quizzes.question", code=code, public_id=started.attempt.public_id, position=1), 303
            )
            keep_secret(response, delivery, started.attempt, started.secret, to_ms(now))
            keep_device(response, token)
            return response
    page = _profile_page(db, delivery, form)
    return (page, 422) if form.errors else page


def _first_form(db: Session, delivery: Delivery, industries: list[tuple[str, str]]) -> str:
    """The empty form for a guest: the same for everybody but for its tokens."""

    def draw() -> str:
        form = ProfileForm.for_delivery(delivery, industries, local_date(get_now()))
        form.ticket.data = TICKET_PLACE
        return _profile_page(db, delivery, form)

    key = ("start", *industries, *_shown_of(delivery, to_ms(get_now())))
    return quizzes_runtime(current_app).pages.page(key, draw).replace(TICKET_PLACE, new_secret())


def _profile_page(db: Session, delivery: Delivery, form: ProfileForm) -> str:
    """The form, with the units that were searched or opened step by step (for browsers without scripts)."""
    values: dict[str, Any] = {"query": "", "results": [], "chosen": None}
    if "unit_id" in form:
        values.update(unit_results(db, delivery, form))
    settings = get_runtime().settings
    now_ms = to_ms(get_now())
    unfinished = next((a for a in mine(db, delivery, now_ms) if _goes_on(a, now_ms)), None)
    return render_template(
        "quizzes/start.html", delivery=delivery, form=form, settings=settings, unfinished=unfinished, **values
    )


def _goes_on(attempt: Attempt, now_ms: int) -> bool:
    """Whether this browser can go on answering an attempt."""
    found = right_to(attempt, now_ms)
    return attempt.state == AttemptState.OPEN and found is not None and found[0] == Right.WRITE


def industry_choices(db: Session) -> list[tuple[str, str]]:
    """The industries as the form offers them, in the page's language."""
    english = str(get_locale()).startswith("en")
    return [(str(row.id), row.name_en if english else row.name) for row in list_industries(db)]


def asked_words(delivery: Delivery) -> str:
    """What the delivery asks, as one sentence for the landing page."""
    labels = {
        "name": _("姓名"),
        "phone": _("手机号"),
        "unit": _("单位"),
        "industry": _("行业"),
        "birth_year": _("出生年份"),
        "sex": _("性别"),
        "education": _("文化程度"),
        "key_group": _("重点人群"),
    }
    demands = {name: delivery.fields.get(name, FieldDemand.OFF) for name in PROFILE_FIELDS}
    required = [labels[name] for name, demand in demands.items() if demand == FieldDemand.REQUIRED]
    optional = [labels[name] for name, demand in demands.items() if demand == FieldDemand.OPTIONAL]
    comma = _("、")
    if required and optional:
        sentence = _("要填%(must)s；%(may)s可以不填。", must=comma.join(required), may=comma.join(optional))
    elif required:
        sentence = _("要填%(must)s。", must=comma.join(required))
    elif optional:
        sentence = _("%(may)s可以不填。", may=comma.join(optional))
    else:
        sentence = _("什么都不用填。")
    return str(sentence)
