"""The answers' own door: a Flask application with one route and no hooks, in front of the whole one.

Routing among a hundred addresses, the session, the account and the forms' guard cost more than storing an answer does. A request that
posts JSON to an attempt's answers meets none of them; the same view, the same refusals and the same headers serve it. Everything else,
also an answer in another form, goes on to the whole application, which has the route too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin

from quizapp.quizzes.views.saving import save
from quizapp.ui.error_pages import init_error_pages
from quizapp.ui.headers import ALWAYS


class _NoSessions(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        return None

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        return None


class AnswersFirst:
    """WSGI middleware: answers to their own application, everything else to the whole one."""

    def __init__(self, whole: Callable[..., Iterable[bytes]], answers: Callable[..., Iterable[bytes]]) -> None:
        self.whole = whole
        self.answers = answers

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Tell one from the other."""
        if (
            environ["REQUEST_METHOD"] == "POST"
            and environ["PATH_INFO"].endswith("/answers")
            and environ.get("CONTENT_TYPE", "").startswith("application/json")
        ):
            return self.answers(environ, start_response)
        return self.whole(environ, start_response)


def mount_answers(app: Flask) -> None:
    """Put the answers' application in front of `app`; it stands on the same runtime."""
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

    app.wsgi_app = AnswersFirst(app.wsgi_app, lean.wsgi_app)  # type: ignore[method-assign] # Flask's own way to add middleware
