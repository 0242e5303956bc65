"""The bridge between a request and the plain services: database, clock, actor, and what a view demands of its visitor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, Request, Response, current_app, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from sqlalchemy.orm import Session

from quizapp.config import Settings
from quizapp.core.clock import Clock, system_clock
from quizapp.core.db import Database
from quizapp.core.errors import Forbidden, SignInNeeded
from quizapp.core.registry import Registry
from quizapp.core.scope import GUEST, Actor, Permission, Scope
from quizapp.core.tokens import Keys

View = TypeVar("View", bound=Callable[..., Any])
#: What the words of a form may take beside its files.
FORM_BYTES = 64 * 1024


@dataclass
class Runtime:
    """What one application stands on."""

    settings: Settings
    database: Database
    keys: Keys
    clock: Clock = system_clock
    registry: Registry = field(default_factory=Registry)
    #: Finds the account behind the request; `accounts` sets it.
    load_actor: Callable[[], Actor] = lambda: GUEST


class NoSession(SecureCookieSession):
    """What an answer has in place of a session: empty, and never sent."""


class LazySessions(SecureCookieSessionInterface):
    """Signed-cookie sessions, but none for the answers of a phone: their path is hot and knows no account."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """An empty session for the answers, the cookie's for everything else."""
        if request.method == "POST" and request.path.endswith("/answers"):
            return NoSession()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing for the answers, at no cost: what looks at every reply's session does not make it one."""
        if not isinstance(session, NoSession):
            super().save_session(app, session, response)


def init_web(app: Flask, runtime: Runtime) -> None:
    """Attach the runtime and close each request's session at its end."""
    app.extensions["quizapp"] = runtime
    app.session_interface = LazySessions()

    @app.url_value_preprocessor  # runs before anything reads the form
    def _let_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
        limit = getattr(app.view_functions.get(endpoint or ""), "body_limit", None)
        if limit is not None:
            request.max_content_length = limit

    @app.teardown_appcontext
    def _close(_error: BaseException | None) -> None:
        db = g.pop("db", None)
        if db is not None:
            db.close()


def get_runtime() -> Runtime:
    """The running application's runtime."""
    return cast("Runtime", current_app.extensions["quizapp"])


def get_db() -> Session:
    """The request's session, opened at first use."""
    if "db" not in g:
        g.db = get_runtime().database.session()
    return cast("Session", g.db)


def get_now() -> datetime:
    """The request's instant: one and the same from its first use to its end."""
    if "now" not in g:
        g.now = get_runtime().clock()
    return cast("datetime", g.now)


def get_actor() -> Actor:
    """Who is asking."""
    if "actor" not in g:
        g.actor = get_runtime().load_actor()
    return cast("Actor", g.actor)


def get_scope() -> Scope:
    """What they may see."""
    return get_actor().scope


def get_keys() -> Keys:
    """The installation's keys."""
    return get_runtime().keys.current()


def takes_files(limit: int) -> Callable[[View], View]:
    """Let a view's request be as large as `limit` bytes of files and a form around them; all others keep the application's limit."""

    def decorate(view: View) -> View:
        view.body_limit = limit + FORM_BYTES  # type: ignore[attr-defined] # read before each request
        return view

    return decorate


def public(view: View) -> View:
    """Mark a view that everybody may open."""
    view.access = "public"  # type: ignore[attr-defined] # read by the policy test
    return view


def signed_in(view: View) -> View:
    """A view for any account."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not get_actor().signed_in:
            raise SignInNeeded
        return view(*args, **kwargs)

    wrapper.access = "signed_in"  # type: ignore[attr-defined] # read by the policy test
    return cast("View", wrapper)


def requires(permission: Permission) -> Callable[[View], View]:
    """A view for accounts with a permission; the view's queries still filter by the scope."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            actor = get_actor()
            if not actor.signed_in:
                raise SignInNeeded
            if not actor.scope.allows(permission):
                raise Forbidden
            return view(*args, **kwargs)

        wrapper.access = permission  # type: ignore[attr-defined] # read by the policy test
        return cast("View", wrapper)

    return decorate
