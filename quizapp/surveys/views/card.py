"""What a card opens: the start of one attempt, and afterwards the way back to it."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from flask import current_app, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import throttle
from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.tokens import digest, new_secret
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public
from quizapp.quizzes.forms.profile import ProfileForm
from quizapp.quizzes.models import Attempt, AttemptState, FieldDemand, IdentityLevel
from quizapp.quizzes.services.moving import take_over_invited
from quizapp.quizzes.services.starting import CARD_FIELDS, check_open
from quizapp.quizzes.services.submitting import close_if_over
from quizapp.quizzes.views import quizzes_runtime
from quizapp.quizzes.views.access import (
    device_token,
    guess_subjects,
    keep_device,
    keep_receipt_right,
    keep_secret,
)
from quizapp.quizzes.views.starting import industry_choices
from quizapp.surveys.errors import CardTakenBack, CardUnknown, CardUsed
from quizapp.surveys.forms import EmptyForm
from quizapp.surveys.models import Survey, SurveyInvitation
from quizapp.surveys.services.answering import attempt_of, card_of, check_card, open_card, start_by_card
from quizapp.surveys.views import bp

#: The secret of the attempt that this browser started with a card, for the address of that card alone.
HERE_COOKIE = "card"


@bp.route("/i/<secret>", methods=["GET", "POST"])
@public
def card(secret: str) -> BaseResponse:
    """Whoever holds the card: start, go on, or see the result."""
    response = _card(secret)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _card(secret: str) -> BaseResponse:
    db = get_db()
    invitation, survey = _opened(db, secret)
    attempt = _standing(db, survey, invitation)
    if attempt is not None:
        return _back_to(survey, attempt, secret)
    return _start(db, survey, invitation, secret)


def _opened(db: Session, secret: str) -> tuple[SurveyInvitation, Survey]:
    """The card's invitation; who guesses is slowed like everybody who guesses codes."""
    try:
        return open_card(db, secret)
    except CardUnknown:
        guesses: dict[str, Any] = {"keys": get_keys(), "kind": "survey_card", "subjects": guess_subjects("")}
        throttle.check(db, **guesses, now=get_now())
        throttle.record_failure(db, **guesses, now=get_now())
        raise


def _standing(db: Session, survey: Survey, invitation: SurveyInvitation) -> Attempt | None:
    """The attempt of the card as it stands now: one whose time is over is closed first."""
    attempt, now_ms = attempt_of(db, survey, invitation), to_ms(get_now())
    if attempt is None or attempt.state != AttemptState.OPEN or now_ms <= attempt.accepts_until:
        return attempt
    attempt_id = attempt.id
    with transaction(db):
        close_if_over(db, attempt_id, papers=quizzes_runtime(current_app).papers, now_ms=now_ms)
    return attempt_of(db, survey, invitation)


def _back_to(survey: Survey, attempt: Attempt, secret: str) -> BaseResponse:
    """To the question where this browser answers; by a button, where another one did; to the result where it was handed in."""
    now_ms = to_ms(get_now())
    code, public_id = survey.delivery.poster_code, attempt.public_id
    if attempt.identity_level != IdentityLevel.INVITED:
        # made while signed in: the account shows it, a card does not
        return make_response(render_template("surveys/card_shut.html", survey=survey, why="answered"))
    if attempt.state != AttemptState.OPEN:
        response = redirect(url_for("quizzes.result", code=code, public_id=public_id), 303)
        keep_receipt_right(response, survey.delivery, attempt, now_ms)
        return response
    if compare_digest(digest(request.cookies.get(HERE_COOKIE, "")), bytes(attempt.secret_hash)):
        return redirect(url_for("quizzes.question", code=code, public_id=public_id, position=1), 303)
    return make_response(
        render_template("surveys/card_elsewhere.html", survey=survey, secret=secret, form=EmptyForm(), attempt=attempt)
    )


def _start(db: Session, survey: Survey, invitation: SurveyInvitation, secret: str) -> BaseResponse:
    delivery, now, actor = survey.delivery, get_now(), get_actor()
    try:
        check_card(survey, invitation)
        check_open(db, delivery, actor, to_ms(now), card_of(survey, invitation))
    except DomainError as refusal:
        return make_response(render_template("surveys/card_shut.html", survey=survey, why=refusal.code), 200)
    industries = industry_choices(db) if delivery.fields.get("industry", FieldDemand.OFF) != FieldDemand.OFF else []
    form = ProfileForm.for_delivery(delivery, industries, local_date(now), without=CARD_FIELDS)
    if not form.ticket.data or len(form.ticket.data) != 22:
        form.ticket.data = new_secret()
    if request.method == "POST" and form.validate():
        token = device_token() or new_secret()
        try:
            with transaction(db):
                started = start_by_card(
                    db,
                    invitation=invitation,
                    profile=form.profile(),
                    actor=actor,
                    device_hash=digest(token),
                    ticket=form.ticket.data,
                    keys=get_keys(),
                    now=now,
                )
        except (CardUsed, CardTakenBack):
            return redirect(url_for("surveys.card", secret=secret), 303)
        except DomainError as refusal:
            if not form.show(refusal):
                return make_response(render_template("surveys/card_shut.html", survey=survey, why=refusal.code), 200)
        else:
            attempt = started.attempt
            response = redirect(
                url_for("quizzes.question", code=delivery.poster_code, public_id=attempt.public_id, position=1), 303
            )
            keep_secret(response, delivery, attempt, started.secret, to_ms(now))
            _keep_here(response, survey, secret, started.secret)
            keep_device(response, token)
            return response
    page = render_template("surveys/card.html", survey=survey, invitation=invitation, delivery=delivery, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/i/<secret>/here")
@public
def card_here(secret: str) -> BaseResponse:
    """Go on in this browser; the one before only reads from now on."""
    db, now_ms = get_db(), to_ms(get_now())
    invitation, survey = _opened(db, secret)
    attempt = _standing(db, survey, invitation)
    if attempt is None or attempt.state != AttemptState.OPEN or not EmptyForm().validate_on_submit():
        return redirect(url_for("surveys.card", secret=secret), 303)
    attempt_id = attempt.id
    with transaction(db):
        attempt, written = take_over_invited(db, attempt_id=attempt_id)
    response = redirect(
        url_for("quizzes.question", code=survey.delivery.poster_code, public_id=attempt.public_id, position=1), 303
    )
    keep_secret(response, survey.delivery, attempt, written, now_ms)
    _keep_here(response, survey, secret, written)
    return response


def _keep_here(response: BaseResponse, survey: Survey, secret: str, written: str) -> None:
    """Let the card know this browser again: the attempt's own cookie is for the addresses of its delivery alone."""
    left = survey.delivery.closes_at - to_ms(get_now())
    response.set_cookie(
        HERE_COOKIE,
        written,
        max_age=max(1, left // 1000),
        path=url_for("surveys.card", secret=secret),
        httponly=True,
        samesite="Lax",
        secure=get_runtime().settings.https,
    )
