"""The signed-in visitor: Flask-Login keeps the cookie, the database says at each request who that still is.

The cookie's session holds the secret of a row (`AccountSession`): a sign-in that was ended elsewhere, a new password or a suspension is
felt at the next request. Between password and second factor it holds a `Pending` in place of it, which opens nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import cast

from flask import Flask, Response, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy.exc import DBAPIError

from quizapp.accounts import services
from quizapp.accounts.devices import device_of
from quizapp.accounts.models import Account
from quizapp.accounts.queries import SignIn, find_sign_in
from quizapp.accounts.services.second_factor import has_second_factor, is_staff
from quizapp.accounts.throttle import Subject
from quizapp.core.clock import from_ms, to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import GUEST, Actor
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime, get_db, get_keys, get_now, get_runtime

#: The cookie by which a browser that signed in before is not slowed by what others try with the same name.
KNOWN_COOKIE = "known"
_KNOWN_SECONDS = 180 * 24 * 3600
_YEAR = 365 * 24 * 3600


#: How long one may take between password and second factor.
_PENDING_LIFE = timedelta(minutes=10)
_PENDING = "pending_sign_in"


class SignedIn(UserMixin):  # type: ignore[misc] # Flask-Login has no types
    """A sign-in as Flask-Login carries it."""

    def __init__(self, secret: str, sign_in: SignIn) -> None:
        self.secret = secret
        self.sign_in = sign_in
        self.actor = sign_in.actor

    def get_id(self) -> str:
        """What the cookie keeps."""
        return self.secret


@dataclass(frozen=True)
class Pending:
    """Somebody whose password was right and whose second factor is still to come. It stands in the signed cookie and opens nothing."""

    account_id: int
    epoch: int
    at_ms: int
    login: str
    remember: bool
    go_on: str


def init_sign_in(app: Flask) -> None:
    """Let the application know its visitors."""
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False  # a remembered sign-in lasts a month from its beginning
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)
    manager.session_protection = None  # phones change their address between two questions
    manager.user_loader(_load)
    cast("Runtime", app.extensions["quizapp"]).load_actor = load_actor
    app.after_request(_note_use)


def load_actor() -> Actor:
    """Who is asking. A request without a session costs no query."""
    if "_user_id" not in session:
        return GUEST
    return current_user.actor if current_user.is_authenticated else GUEST


def factor_mode() -> str:
    """ "off", "optional" or "required"; the demo has no passwords, so that nothing is asked there."""
    settings = get_runtime().settings
    return "off" if settings.demo else settings.second_factor


def factor_due(account: Account) -> str | None:
    """What an account still owes after its password: "check" its second factor, "enrol" one, or nothing."""
    mode, db = factor_mode(), get_db()
    if mode == "off" or not is_staff(db, account.id):
        return None
    if has_second_factor(db, account.id):
        return "check"
    return "enrol" if mode == "required" else None


def new_sign_in(account: Account, *, remember: bool = False, second_factor: bool = False) -> str:
    """A row for this browser, in the caller's transaction; gives its secret for `keep_sign_in`."""
    return services.open_session(
        get_db(),
        account=account,
        device=device_of(request.user_agent.string),
        remember=remember,
        second_factor=second_factor,
        now=get_now(),
    )


def keep_sign_in(secret: str, *, remember: bool = False) -> None:
    """Sign this browser in, until it closes or (`remember`) for a month."""
    session.pop(_PENDING, None)
    found = find_sign_in(get_db(), secret, get_now())
    if found is None:
        return
    login_user(SignedIn(secret, found))
    session.permanent = remember
    g.actor = found.actor


def keep_pending(account: Account, *, login: str, remember: bool, go_on: str) -> None:
    """Remember between two pages that the password was right."""
    now_ms = to_ms(get_now())
    session[_PENDING] = asdict(Pending(account.id, account.session_epoch, now_ms, login, remember, go_on))


def find_pending() -> tuple[Pending, Account] | None:
    """Who stands between password and second factor in this browser; None after ten minutes, a suspension or a new password."""
    values = session.get(_PENDING)
    if not values:
        return None
    pending = Pending(**values)
    account = get_db().get(Account, pending.account_id)
    if (
        account is None
        or account.suspended_at is not None
        or account.session_epoch != pending.epoch
        or get_now() - from_ms(pending.at_ms) > _PENDING_LIFE
    ):
        return None
    return pending, account


def own_sign_in() -> SignIn | None:
    """The row of this browser."""
    return current_user.sign_in if "_user_id" in session and current_user.is_authenticated else None


def end_sign_in() -> None:
    """Sign this browser out."""
    found = own_sign_in()
    if found is not None:
        db = get_db()
        with transaction(db):
            services.leave(db, session_id=found.id, now=get_now())
    logout_user()
    session.clear()
    g.actor = GUEST


def restore_preferences(response: Response, account: Account) -> None:
    """Bring the choices that the account keeps into this browser."""
    kept = {
        "elder": "1" if account.elder else None,
        "lang": account.language,
        "text": account.text_size if account.text_size != "normal" else None,
    }
    for name, value in kept.items():
        if value:
            _set_cookie(response, name, value, _YEAR)


def throttle_subjects(login: str | None = None) -> list[Subject]:
    """What failures of this request are counted for: the name that was typed, this browser's session, and (only slowed) the address.

    A browser that signed in by this name before has a count of its own: whoever guesses elsewhere cannot keep the owner waiting.
    """
    subjects = [Subject("address", request.remote_addr or "")]
    if token := session.get("csrf_token"):
        subjects.append(Subject("session", str(token)))
    if login:
        mark = _known_mark(get_keys(), login)
        known = mark in request.cookies.get(KNOWN_COOKIE, "").split(".")
        subjects.append(Subject("account", f"{login}/{mark}" if known else login))
    return subjects


def keep_known(response: Response, login: str) -> None:
    """Mark this browser as one where `login` signed in; it remembers the last five names."""
    mark = _known_mark(get_keys(), login)
    others = [m for m in request.cookies.get(KNOWN_COOKIE, "").split(".") if m and m != mark]
    _set_cookie(response, KNOWN_COOKIE, ".".join([mark, *others][:5]), _KNOWN_SECONDS)


def _known_mark(keys: Keys, login: str) -> str:
    return keys.sign("known-browser", login)


def _load(secret: str) -> SignedIn | None:
    found = find_sign_in(get_db(), secret, get_now())
    if found is None:
        return None
    if factor_mode() == "required" and found.actor.scope.grants and not found.second_factor:
        return None  # signed in before it was asked of them, or before they had a grant
    g.sign_in = found
    return SignedIn(secret, found)


def _note_use(response: Response) -> Response:
    """Write down now and then that a sign-in is used; on a connection of its own, after the page is made, and never at its cost."""
    found: SignIn | None = g.pop("sign_in", None)
    if found is not None and get_now() - found.seen_at >= services.SEEN_STEP:
        try:
            with get_runtime().database.session() as db, transaction(db):
                services.touch_session(db, session_id=found.id, remember=session.permanent, now=get_now())
        except DBAPIError:
            pass  # the next page tries again
    return response


def _set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="Lax", secure=get_runtime().settings.https
    )
