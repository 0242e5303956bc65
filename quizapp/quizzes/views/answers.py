"""The answers' own door: in front of the application, with nothing around the one statement that stores an answer.

Routing among a hundred addresses, the session, the account, the forms' guard and a framework's objects for request and reply cost more
than storing an answer does. What a phone's page sends meets none of them: `AnswersFirst` reads the request as it came. Whatever is
unusual about it (another browser's headers, another form, a refusal, a database that is down) goes to an application with one route and
no hooks, where the same view, the same words and the same headers serve it; everything else goes on to the whole application, which has
the route too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, cast

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin

from quizapp.core.clock import Clock
from quizapp.core.web import Runtime
from quizapp.quizzes.views import QuizzesRuntime, quizzes_runtime
from quizapp.quizzes.views.access import cookie_name
from quizapp.quizzes.views.saving import FAILURE, answers_reply, save
from quizapp.ui.error_pages import init_error_pages
from quizapp.ui.headers import ALWAYS

#: Longest body that is read here, bytes: a whole paper's answers are a tenth of it.
_BODY = 64 * 1024
#: What every reply carries.
_HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *ALWAYS]


class _NoSessions(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        return None

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        return None


class AnswersFirst:
    """WSGI middleware: answers are stored here, unusual ones by their own application; everything else goes to the whole one."""

    def __init__(
        self,
        whole: Callable[..., Iterable[bytes]],
        unusual: Callable[..., Iterable[bytes]],
        runtime: QuizzesRuntime,
        clock: Clock,
    ) -> None:
        self.whole = whole
        self.unusual = unusual
        self.runtime = runtime
        self.clock = clock

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Tell one from the other."""
        if environ["REQUEST_METHOD"] != "POST" or not environ["PATH_INFO"].endswith("/answers"):
            return self.whole(environ, start_response)
        kind = environ.get("CONTENT_TYPE", "")
        if not kind.startswith("application/json"):
            return self.whole(environ, start_response)
        parts = environ["PATH_INFO"].split("/")
        length = environ.get("CONTENT_LENGTH", "")
        if (
            kind != "application/json"
            or environ.get("HTTP_SEC_FETCH_SITE") != "same-origin"
            or len(parts) != 6
            or (parts[0], parts[1], parts[3]) != ("", "q", "a")
            or not length.isdecimal()
            or int(length) > _BODY
        ):
            return self.unusual(environ, start_response)
        try:
            body = self._store(environ, parts[4], int(length))
        except Exception as error:  # noqa: BLE001 # the application words it, or logs it and answers 500
            environ[FAILURE] = error
            return self.unusual(environ, start_response)
        start_response("200 OK", [*_HEADERS, ("Content-Length", str(len(body)))])
        return [body]

    def _store(self, environ: dict[str, Any], public_id: str, length: int) -> bytes:
        content = environ["wsgi.input"].read(length)
        try:
            payload = json.loads(content)
        except ValueError:
            payload = None  # refused like any other content that is no list of answers
        secret = _cookie(environ.get("HTTP_COOKIE", ""), cookie_name(public_id))
        return answers_reply(self.runtime.hot, public_id, secret, payload, self.clock())


def _cookie(cookies: str, name: str) -> str | None:
    """The value of a cookie of ours, which never needs quoting.

    >>> _cookie("device=x; a_1=secret", "a_1")
    'secret'
    """
    for part in cookies.split(";"):
        found, _, value = part.strip().partition("=")
        if found == name:
            return value
    return None


def mount_answers(app: Flask) -> None:
    """Put the answers' door in front of `app`; what is unusual is served on the same runtime."""
    lean = Flask("quizapp.answers", static_folder=None, template_folder=None)
    lean.config.update(app.config)
    lean.extensions = app.extensions
    lean.session_interface = _NoSessions()
    lean.add_url_rule("/q/<code>/a/<public_id>/answers", "quizzes.save", save, methods=["POST"])
    init_error_pages(lean)

    @lean.after_request
    def _headers(response: Response) -> Response:
        response.headers.extend(ALWAYS)
        return response

    clock = cast("Runtime", app.extensions["quizapp"]).clock
    app.wsgi_app = AnswersFirst(app.wsgi_app, lean.wsgi_app, quizzes_runtime(app), clock)  # type: ignore[method-assign] # Flask's own way to add middleware
