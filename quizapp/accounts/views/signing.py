"""Signing in and out, signing up, setting a password with a one-time link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import queries, services, throttle
from quizapp.accounts.errors import SignInFailed
from quizapp.accounts.forms import PASSWORD_HELPER, SetUpForm, SignInForm, SignUpForm
from quizapp.accounts.models import Account
from quizapp.accounts.passwords import check_password, hash_password
from quizapp.accounts.views import bp
from quizapp.accounts.web import (
    end_sign_in,
    factor_due,
    keep_known,
    keep_pending,
    keep_sign_in,
    new_sign_in,
    restore_preferences,
    throttle_subjects,
)
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, TooMany
from quizapp.core.phones import normalize_phone
from quizapp.core.web import get_actor, get_db, get_keys, get_now, public
from quizapp.organisation.web import PickedUnit
from quizapp.ui.preferences import TEXT_SIZES, safe_next
from quizapp.ui.words import words_for


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> str | BaseResponse | tuple[str, int]:
    """Come in by phone number or sign-in name. Every refusal reads alike."""
    db, now, keys = get_db(), get_now(), get_keys()
    form = SignInForm(next=request.args.get("next", ""))
    login = services.normalize_login(form.login.data)[1] if form.login.data else None
    guesses: dict[str, Any] = {"keys": keys, "kind": "sign_in", "subjects": throttle_subjects(login)}
    delay: throttle.Delay | None = None
    refusal: DomainError | None = None
    if form.validate_on_submit():
        try:
            throttle.check(db, **guesses, token=form.not_before.data, now=now)
            verified = services.verify_sign_in(
                db, keys=keys, login=form.login.data or "", password=form.password.data or ""
            )
        except TooMany as error:
            refusal = error
            delay = throttle.Delay(cast("int", error.data["wait_seconds"]), cast("str", error.data["token"]))
        except SignInFailed as error:
            refusal = error
            with transaction(db):
                services.record_failed_sign_in(db, error=error, now=now)
            delay = throttle.record_failure(db, **guesses, token=form.not_before.data, now=now)
        else:
            go_on = safe_next(form.next.data, url_for("portal.home"))
            return enter(verified, login=login or "", remember=bool(form.remember.data), go_on=go_on)
    elif request.method == "GET" and get_actor().signed_in:
        return _go(safe_next(form.next.data, url_for("portal.home")))
    delay = delay or throttle.delay(db, **guesses, now=now)
    form.not_before.data = delay.token or ""
    page = render_template(
        "accounts/sign_in.html", form=form, refusal=words_for(refusal) if refusal else None, wait=delay.wait_seconds
    )
    return (page, 422 if not isinstance(refusal, TooMany) else 429) if form.errors or refusal else page


@bp.post("/sign-out")
@public
def sign_out() -> BaseResponse:
    """Leave."""
    end_sign_in()
    flash(_("已退出登录"), "success")
    return _go(url_for("accounts.sign_in"))


@bp.route("/sign-up", methods=["GET", "POST"])
@public
def sign_up() -> str | BaseResponse | tuple[str, int]:
    """Make an account. A known phone number gets the same answer, and keeps its account and password."""
    db, now = get_db(), get_now()
    form = SignUpForm(next=request.args.get("next", ""))
    unit = PickedUnit.read(db, form.unit_id)
    if not unit.searching and form.validate_on_submit():
        try:
            phone = normalize_phone(form.phone.data or "")
            check_password(form.password.data or "", phone, form.name.data or "")
            hashed = hash_password(form.password.data or "")
            with transaction(db):
                services.sign_up(
                    db,
                    keys=get_keys(),
                    phone=phone,
                    password_hash=hashed,
                    name=form.name.data or "",
                    unit_id=unit.unit_id,
                    now=now,
                )
        except DomainError as error:
            form.show(error)
        else:
            return _go(url_for("accounts.sign_in", signed_up=1, next=form.next.data or None))
    page = render_template("accounts/sign_up.html", form=form, unit=unit, helper=PASSWORD_HELPER)
    return (page, 422) if form.errors else page


@bp.route("/set-up/<secret>", methods=["GET", "POST"])
@public
def set_up(secret: str) -> str | BaseResponse | tuple[str, int]:
    """Set a password (and the sign-in name) with a one-time link."""
    db, now = get_db(), get_now()
    account = queries.find_set_up(db, secret, now)
    by_name = account.phone_hash is None
    form = SetUpForm.asking(for_name=by_name, username=account.username or "")
    if form.validate_on_submit():
        try:
            if by_name:
                services.normalize_username(form.username.data or "")
            check_password(form.password.data or "", form.username.data or "")
            if form.password.data != form.repeated.data:
                form.repeated.errors = [*form.repeated.errors, _("两次输的密码不一样")]
            else:
                hashed = hash_password(form.password.data or "")
                with transaction(db):
                    account = services.use_set_up_link(
                        db,
                        secret=secret,
                        username=(form.username.data or "") if by_name else None,
                        password_hash=hashed,
                        now=now,
                    )
                flash(_("密码已设好"), "success")
                verified = services.Verified(account, None)
                return enter(verified, login=account.username or "", remember=False, go_on=url_for("portal.home"))
        except DomainError as error:
            form.show(error)
    page = render_template("accounts/set_up.html", form=form, by_name=by_name, helper=PASSWORD_HELPER)
    return (page, 422) if form.errors else page


def enter(verified: services.Verified, *, login: str, remember: bool, go_on: str) -> BaseResponse:
    """The password was right: in, or on to the second factor."""
    db, account = get_db(), verified.account
    due = factor_due(account)
    if due is not None:
        with transaction(db):
            services.keep_new_hash(db, verified=verified)
        keep_pending(account, login=login, remember=remember, go_on=go_on)
        return _go(url_for("accounts.second_factor" if due == "check" else "accounts.new_second_factor"))
    with transaction(db):
        account = services.complete_sign_in(db, verified=verified, now=get_now())
        secret = new_sign_in(account, remember=remember)
    return welcome(account, secret, login=login, remember=remember, go_on=go_on)


def welcome(account: Account, secret: str, *, login: str, remember: bool, go_on: str) -> Response:
    """Sign this browser in and lead where its visitor wanted to go."""
    keep_sign_in(secret, remember=remember)
    response = _go(go_on)
    if login:
        keep_known(response, login)
    restore_preferences(response, account)
    return response


def keep_preferences(choices: Mapping[str, str]) -> None:
    """Remember what a signed-in visitor chose in the three switches (the slot "preferences_changed")."""
    actor = get_actor()
    if actor.account_id is None:
        return
    elder, language, size = choices.get("elder"), choices.get("lang"), choices.get("text")
    db = get_db()
    with transaction(db):
        services.keep_preferences(
            db,
            account_id=actor.account_id,
            elder=elder == "1" if elder in ("0", "1") else None,
            language=language if language in ("zh", "en") else None,
            text_size=size if size in TEXT_SIZES else None,
        )


def _go(address: str) -> Response:
    return cast("Response", redirect(address, 303))
