"""The second factor: asked after the password, set up with an app, taken away or given new recovery codes by its owner."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, cast

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import services, throttle
from quizapp.accounts.errors import FactorCodeWrong, FactorNeeded, TriesLocked
from quizapp.accounts.forms import CodeForm
from quizapp.accounts.lock import check_lock, lock_after_failure
from quizapp.accounts.models import Account
from quizapp.accounts.services import second_factor as factors
from quizapp.accounts.totp import new_totp_secret, provisioning_uri, shown_secret
from quizapp.accounts.views import bp
from quizapp.accounts.views.signing import welcome
from quizapp.accounts.web import (
    Pending,
    factor_mode,
    find_pending,
    new_sign_in,
    own_sign_in,
    throttle_subjects,
)
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound, TooMany
from quizapp.core.qr import qr_svg
from quizapp.core.tokens import SealBroken, group_code
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, public, signed_in
from quizapp.organisation.models import Person
from quizapp.ui.preferences import safe_next


@bp.route("/sign-in/code", methods=["GET", "POST"])
@public
def second_factor() -> str | BaseResponse | tuple[str, int]:
    """Take the code of the app, or a recovery code, from whoever has just given the right password."""
    found = find_pending()
    if found is None:
        return _to_sign_in()
    pending, account = found
    form = CodeForm()

    def check() -> Response:
        db, now = get_db(), get_now()
        with transaction(db):
            factors.check_second_factor(db, keys=get_keys(), account=account, code=form.code.data or "", now=now)
            services.complete_sign_in(db, verified=services.Verified(account, None), now=now)
            secret = new_sign_in(account, remember=pending.remember, second_factor=True)
        return _in(pending, account, secret)

    return _guarded(
        form, account, check, lambda wait: render_template("accounts/sign_in_code.html", form=form, wait=wait)
    )


@bp.route("/me/account/second-factor", methods=["GET", "POST"])
@public
def new_second_factor() -> str | BaseResponse | tuple[str, int]:
    """Set up an app: by whoever is signed in, or between password and sign-in where the installation asks all staff for it."""
    db = get_db()
    found = find_pending()
    actor = get_actor()
    account = found[1] if found else db.get(Account, actor.account_id) if actor.account_id is not None else None
    if account is None:
        return _to_sign_in()
    if factor_mode() == "off" or not factors.is_staff(db, account.id) or factors.has_second_factor(db, account.id):
        return _go(url_for("accounts.second_factor" if found else "accounts.security"))
    form = CodeForm()
    secret = _unseal(form.sealed.data, account)
    form.sealed.data = _seal(secret, account)

    def enrol() -> BaseResponse:
        now, own = get_now(), own_sign_in()
        with transaction(db):
            codes = factors.enrol(
                db, keys=get_keys(), account=account, secret=secret, code=form.code.data or "", now=now
            )
            if found is not None:
                services.complete_sign_in(db, verified=services.Verified(account, None), now=now)
                opened = new_sign_in(account, remember=found[0].remember, second_factor=True)
            elif own is not None:  # whoever signed in elsewhere did so without it
                services.end_other_sessions(db, kept_id=own.id, actor=get_actor(), now=now)
                services.prove_session(db, session_id=own.id)
        page = _codes_page(codes, found[0].go_on if found else None)
        if found is not None:
            response = _in(found[0], account, opened)
            page.headers.extend([("Set-Cookie", value) for value in response.headers.getlist("Set-Cookie")])
        return page

    def shown(wait: int) -> str:
        address = provisioning_uri(secret, name=_name_of(account), issuer=_issuer())
        return render_template(
            "accounts/new_second_factor.html",
            form=form,
            wait=wait,
            qr=Markup(qr_svg(address)),  # noqa: S704 # our own drawing of our own text
            secret=shown_secret(secret),
            required=found is not None,
        )

    return _private(_guarded(form, account, enrol, shown))


@bp.post("/me/account/second-factor/remove")
@signed_in
def remove_second_factor() -> BaseResponse | str | tuple[str, int]:
    """Take it away, with a code of it."""
    account, form = _own_account(), CodeForm()

    def remove() -> BaseResponse:
        if factor_mode() == "required":
            raise FactorNeeded
        db = get_db()
        with transaction(db):
            factors.remove_second_factor(db, keys=get_keys(), account=account, code=form.code.data or "", now=get_now())
        flash(_("两步验证已关闭"), "success")
        return _go(url_for("accounts.security"))

    return _from_own_page(form, account, remove)


@bp.post("/me/account/second-factor/codes")
@signed_in
def renew_codes() -> BaseResponse | str | tuple[str, int]:
    """Ten new recovery codes, with a code of the app."""
    account, form = _own_account(), CodeForm()

    def renew() -> BaseResponse:
        db = get_db()
        with transaction(db):
            codes = factors.renew_recovery_codes(
                db, keys=get_keys(), account=account, code=form.code.data or "", now=get_now()
            )
        return _codes_page(codes, None)

    return _from_own_page(form, account, renew)


def _guarded(
    form: CodeForm, account: Account, act: Callable[[], BaseResponse], page: Callable[[int], str]
) -> str | BaseResponse | tuple[str, int]:
    """Do something with a code that was typed; wrong ones are counted for the account, slow the next try, and in the end close it."""
    db, now = get_db(), get_now()
    owner = throttle.Subject("account", factors.guess_subject(db, account))
    kind: dict[str, Any] = {"keys": get_keys(), "kind": "second_factor"}
    guesses = {**kind, "subjects": [*throttle_subjects(), owner]}
    delay: throttle.Delay | None = None
    status = 200
    try:
        check_lock(db, **kind, subject=owner, now=now)
    except TriesLocked as error:
        form.code.data = ""
        form.show(error)
        return page(0), error.status
    if form.validate_on_submit():
        try:
            throttle.check(db, **guesses, token=form.not_before.data, now=now)
            return act()
        except TooMany as error:
            delay = throttle.Delay(cast("int", error.data["wait_seconds"]), cast("str", error.data["token"]))
            form.show(error)
            status = 429
        except FactorCodeWrong as error:
            form.show(error)
            with transaction(db):
                factors.record_refused_code(db, account_id=account.id, now=now)
            delay = throttle.record_failure(db, **guesses, token=form.not_before.data, now=now)
            if lock_after_failure(db, **kind, subject=owner, now=now):
                with transaction(db):
                    factors.record_lock(db, account_id=account.id, now=now)
            status = 422
        except DomainError as error:
            form.show(error)
            status = error.status
    elif form.is_submitted():
        status = 422
    delay = delay or throttle.delay(db, **guesses, now=now)
    form.not_before.data = delay.token or ""
    form.code.data = ""
    return page(delay.wait_seconds), status


def _from_own_page(
    form: CodeForm, account: Account, act: Callable[[], BaseResponse]
) -> BaseResponse | str | tuple[str, int]:
    from quizapp.accounts.views.own import security_page  # it shows this form, and leads here

    return _guarded(form, account, act, lambda wait: security_page(form, wait))


def _own_account() -> Account:
    account = get_db().get(Account, get_actor().account_id or 0)
    if account is None or factor_mode() == "off":
        raise NotFound
    return account


def _in(pending: Pending, account: Account, secret: str) -> Response:
    go_on = safe_next(pending.go_on, url_for("portal.home"))
    return welcome(account, secret, login=pending.login, remember=pending.remember, go_on=go_on)


def _codes_page(codes: list[str], go_on: str | None) -> BaseResponse:
    """The codes, once."""
    return _private(
        render_template(
            "accounts/recovery_codes.html",
            codes=[group_code(code) for code in codes],
            go_on=safe_next(go_on, url_for("accounts.security")) if go_on else url_for("accounts.security"),
        )
    )


def _private(page: str | BaseResponse | tuple[str, int]) -> BaseResponse:
    """A page that no cache keeps."""
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _seal(secret: str, account: Account) -> str:
    """A secret on its way through the form: only this account's form brings it back."""
    return base64.urlsafe_b64encode(get_keys().seal(secret.encode(), f"enrol {account.id}")).decode()


def _unseal(text: str | None, account: Account) -> str:
    """The secret of the form, or a new one."""
    try:
        stored = base64.urlsafe_b64decode(text or "")
        return get_keys().unseal(stored, f"enrol {account.id}").decode()
    except (SealBroken, ValueError):
        return new_totp_secret()


def _issuer() -> str:
    """What the app shows above the code: our host, so that two installations are told apart."""
    return get_runtime().settings.public_url.partition("://")[2]


def _name_of(account: Account) -> str:
    if account.username:
        return account.username
    person = get_db().get(Person, account.person_id)
    return person.name if person is not None and person.name else str(account.id)


def _to_sign_in() -> Response:
    return _go(url_for("accounts.sign_in"))


def _go(address: str) -> Response:
    return cast("Response", redirect(address, 303))
