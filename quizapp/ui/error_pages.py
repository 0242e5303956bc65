"""Errors as pages (what failed, what is safe, what to do) or, to scripts, as JSON."""

from __future__ import annotations

import logging
import secrets
import sqlite3

import psycopg
import psycopg_pool
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException

from quizapp.core.errors import DomainError
from quizapp.core.scope import GUEST
from quizapp.ui.words import STATUS_WORDS, words_for

log = logging.getLogger(__name__)

#: A database that is down, full, locked for too long, or gave a statement up: nothing was written, another try may work.
STORE_ERRORS: tuple[type[Exception], ...] = (
    exc.OperationalError,
    exc.TimeoutError,
    sqlite3.OperationalError,
    psycopg.OperationalError,
    psycopg_pool.PoolTimeout,
)
#: Seconds after which a phone may try again.
RETRY_SECONDS = 5


def wants_json() -> bool:
    """Whether the asker is a script: an API path, a JSON body, or JSON preferred to HTML."""
    if request.path.startswith("/api/") or request.is_json:
        return True
    accept = request.accept_mimetypes
    return bool(accept) and accept["application/json"] > accept["text/html"]


def error_reply(status: int, *, code: str, message: str | None = None, number: str | None = None) -> Response:
    """One error in the form the asker reads. `number` is what a person can say on the telephone."""
    title, general = STATUS_WORDS.get(status, STATUS_WORDS[400 if status < 500 else 500])
    text = message or str(general)
    if status >= 500:
        # The page's frame asks who is signed in; with the database down that must not fail a second time.
        g.setdefault("actor", GUEST)
    if wants_json():
        response = jsonify({"error": {"code": code, "message": text}})
    else:
        response = make_response(
            render_template("ui_pages/error.html", status=status, title=title, text=text, number=number, code=code)
        )
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def init_error_pages(app: Flask) -> None:
    """Word every refusal and every HTTP error of an application."""

    @app.errorhandler(DomainError)
    def _refused(error: DomainError) -> Response:
        response = error_reply(error.status, code=error.code, message=words_for(error))
        wait = error.data.get("wait_seconds")
        if error.status in (429, 503) and isinstance(wait, int):
            response.headers["Retry-After"] = str(wait)
        return response

    def _unavailable(error: Exception) -> Response:
        log.error("the database does not answer on %s: %s", request.endpoint, error)
        response = error_reply(503, code="unavailable")
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response

    for store_error in STORE_ERRORS:
        app.register_error_handler(store_error, _unavailable)

    @app.errorhandler(CSRFError)
    def _stale_form(_error: CSRFError) -> Response:
        return error_reply(400, code="form_expired")

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response | HTTPException:
        status = error.code or 500
        if status < 400:
            return error
        message = None
        if status == 413 and request.max_content_length:
            limit = request.max_content_length // 1024 // 1024
            message = _("没有收下：最大 %(limit)s MB。换一个小一些的，或分成几份再传。", limit=limit)
        name = (error.name or "error").lower().replace(" ", "_")
        response = error_reply(status, code=name, message=message, number=_number(error) if status >= 500 else None)
        for header, value in error.get_headers():
            if header in ("Allow", "Retry-After"):
                response.headers[header] = value
        return response


def _number(error: HTTPException) -> str:
    """A short number in the log and on the page, by which one finds the other."""
    number = secrets.token_hex(2).upper()
    log.error(
        "error number %s on %s: %r", number, request.endpoint, getattr(error, "original_exception", None) or error
    )
    return number
