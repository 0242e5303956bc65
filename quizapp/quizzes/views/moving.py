"""Going on in another browser: a one-time code, typed there."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import throttle
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import TooMany
from quizapp.core.tokens import group_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, public, signed_in
from quizapp.quizzes.errors import AttemptNotYours, CodeUnknown
from quizapp.quizzes.forms.profile import ContinueForm
from quizapp.quizzes.models import AttemptState
from quizapp.quizzes.queries.taking import find_attempt, get_delivery
from quizapp.quizzes.services.moving import TRANSFER_MS, make_transfer_code, take_over, take_over_own
from quizapp.quizzes.views import bp
from quizapp.quizzes.views.access import check_form, guess_subjects, keep_secret
from quizapp.quizzes.views.taking import attempt_page, running
from quizapp.ui.words import words_for


@bp.post("/q/<code>/a/<public_id>/move")
@public
def move(code: str, public_id: str) -> str | BaseResponse:
    """Show the one-time code. From its use on this browser only reads."""
    db, now_ms = get_db(), to_ms(get_now())
    access = running(db, code, public_id)
    if isinstance(access, BaseResponse):
        return access
    check_form(access)
    with transaction(db):
        typed = make_transfer_code(db, access.attempt, keys=get_keys(), now_ms=now_ms)
    return attempt_page(
        "quizzes/move.html",
        access,
        position=1,
        typed=group_code(typed),
        minutes=TRANSFER_MS // 60_000,
        target=url_for("quizzes.continue_here", code=code, _external=False),
    )


@bp.route("/q/<code>/continue", methods=["GET", "POST"])
@public
def continue_here(code: str) -> str | BaseResponse | tuple[str, int]:
    """Type the code that the other browser shows; the attempt goes on here."""
    db, now, keys = get_db(), get_now(), get_keys()
    delivery = get_delivery(db, code)
    form = ContinueForm()
    guesses: dict[str, Any] = {"keys": keys, "kind": "transfer", "subjects": guess_subjects(form.code.data or "")}
    wait = None
    if form.validate_on_submit():
        try:
            throttle.check(db, **guesses, token=request.form.get("not_before"), now=now)
            with transaction(db):
                attempt, secret = take_over(
                    db, delivery_id=delivery.id, code=form.code.data or "", keys=keys, now_ms=to_ms(now)
                )
        except CodeUnknown as refusal:
            wait = throttle.record_failure(db, **guesses, token=request.form.get("not_before"), now=now)
            form.code.errors = [*form.code.errors, words_for(refusal)]
        except TooMany as refusal:
            form.code.errors = [*form.code.errors, words_for(refusal)]
        else:
            response = redirect(url_for("quizzes.question", code=code, public_id=attempt.public_id, position=1), 303)
            keep_secret(response, delivery, attempt, secret, to_ms(now))
            return response
    wait = wait or throttle.delay(db, **guesses, now=now)
    page = render_template("quizzes/continue.html", delivery=delivery, form=form, wait=wait)
    return (page, 422) if form.errors else page


@bp.post("/q/<code>/a/<public_id>/take-over")
@signed_in
def take_over_here(code: str, public_id: str) -> BaseResponse:
    """An account's own open attempt goes on in the browser where it is signed in."""
    db, now_ms = get_db(), to_ms(get_now())
    delivery = get_delivery(db, code)
    attempt = find_attempt(db, delivery.id, public_id)
    account_id = get_actor().account_id
    if attempt is None or account_id is None or attempt.account_id != account_id:
        raise AttemptNotYours(poster_code=delivery.poster_code)
    if attempt.state != AttemptState.OPEN:
        return redirect(url_for("quizzes.result", code=code, public_id=public_id), 303)
    with transaction(db):
        moved, secret = take_over_own(db, attempt_id=attempt.id, account_id=account_id)
    response = redirect(url_for("quizzes.question", code=code, public_id=public_id, position=1), 303)
    keep_secret(response, delivery, moved, secret, now_ms)
    return response
