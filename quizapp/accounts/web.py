"""The signed-in visitor: Flask-Login keeps the cookie, the database says at each request who that still is.

The session holds the account's key and its epoch. A new password or a suspension raises the epoch and ends every older sign-in.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, Response, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from quizapp.accounts.models import Account
from quizapp.accounts.queries import find_actor
from quizapp.accounts.throttle import Subject
from quizapp.core.scope import GUEST, Actor
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime, get_db, get_keys, get_runtime

#: The cookie by which a browser that signed in before is not slowed by what others try with the same name.
KNOWN_COOKIE = "known"
_KNOWN_SECONDS = 180 * 24 * 3600
_YEAR = 365 * 24 * 3600


class SignedIn(UserMixin):  # type: ignore[misc] # Flask-Login has no types
    """An account as Flask-Login carries it."""

    def __init__(self, account_id: int, session_epoch: int, actor: Actor) -> None:
        self.account_id = account_id
        self.session_epoch = session_epoch
        self.actor = actor

    def get_id(self) -> str:
        """What the session keeps: key and epoch."""
        return f"{self.account_id}.{self.session_epoch}"


def init_sign_in(app: Flask) -> None:
    """Let the application know its visitors."""
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False  # a remembered sign-in lasts a month from its beginning
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)
    manager.session_protection = None  # phones change their address between two questions
    manager.user_loader(_load)
    cast("Runtime", app.extensions["quizapp"]).load_actor = load_actor


def load_actor() -> Actor:
    """Who is asking. A request without a session costs no query."""
    if "_user_id" not in session:
        return GUEST
    return current_user.actor if current_user.is_authenticated else GUEST


def keep_sign_in(account: Account, *, remember: bool = False) -> None:
    """Sign this browser in, until it closes or (`remember`) for a month."""
    actor = find_actor(get_db(), account.id, account.session_epoch) or GUEST
    login_user(SignedIn(account.id, account.session_epoch, actor))
    session.permanent = remember
    g.actor = actor


def end_sign_in() -> None:
    """Sign this browser out."""
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


def _load(user_id: str) -> SignedIn | None:
    account_id, _, epoch = user_id.partition(".")
    if not account_id.isdecimal() or not epoch.isdecimal():
        return None
    actor = find_actor(get_db(), int(account_id), int(epoch))
    return SignedIn(int(account_id), int(epoch), actor) if actor else None


def _set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="Lax", secure=get_runtime().settings.https
    )
