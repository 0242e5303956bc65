"""Security headers on every reply, and the place where browsers report what the content security policy stopped."""

from __future__ import annotations

import gzip
import json
import logging
import os
from functools import wraps
from typing import Any, cast

import brotli
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, make_response, request

from quizapp.core.web import View, public

log = logging.getLogger(__name__)

POLICY: dict[str, str] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "font-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "report-uri": "/csp",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{name} {value}" for name, value in POLICY.items())

#: What every reply carries, unless its view says otherwise.
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), microphone=(), geolocation=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
#: Beyond these the work grows faster than the page shrinks.
_BROTLI_QUALITY = 4
_GZIP_LEVEL = 5
_REPORT_LIMIT = 20_000
_KEPT_REPORTS = 200

bp = Blueprint("csp", __name__)


def init_headers(app: Flask) -> None:
    """Add the headers and the report address to an application."""
    app.extensions["csp_reports"] = []
    app.register_blueprint(bp)

    @app.after_request
    def _add(response: Response) -> Response:
        headers = response.headers
        # not four times `setdefault`: each looks through all headers, which an answer's reply would feel
        present = {name.lower() for name, _ in headers}
        headers.extend([pair for pair in ALWAYS if pair[0].lower() not in present])
        if response.mimetype == "text/html":
            headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            headers.setdefault("Cache-Control", "private, no-cache")
            response.vary.update(["Cookie", "Accept-Language"])
        return response


def compact(view: View) -> View:
    """Send a page compressed, for browsers that take it so.

    Only for pages that show nothing of what the address or a form said: beside a secret of the page, whoever can choose such text and
    watch the length of the reply could guess the secret.
    """

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        response = make_response(view(*args, **kwargs))
        if response.status_code == 200 and response.mimetype == "text/html":
            _compress(response)
        return response

    return cast("View", wrapper)


def _compress(response: Response) -> None:
    best = request.accept_encodings.best_match(("br", "gzip"))
    if best == "br":
        response.set_data(brotli.compress(response.get_data(), mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY))
        response.headers["Content-Encoding"] = "br"
    elif best == "gzip":
        response.set_data(gzip.compress(response.get_data(), _GZIP_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")


def _reports_are_kept() -> bool:
    return bool(current_app.testing or os.environ.get("QUIZAPP_CSP_LOG"))


@bp.post("/csp")
@public
def report() -> tuple[str, int]:
    """Log what a browser stopped: directive and address, never the page's content."""
    if (request.content_length or 0) > _REPORT_LIMIT:
        abort(413)
    try:
        content: Any = json.loads(request.get_data(cache=False)[:_REPORT_LIMIT] or b"{}")
    except ValueError:
        return "", 204
    inner = content.get("csp-report", content) if isinstance(content, dict) else {}
    if not isinstance(inner, dict):
        return "", 204
    names = ("effective-directive", "violated-directive", "blocked-uri", "document-uri", "source-file", "line-number")
    kept = {name: str(inner[name])[:300] for name in names if name in inner}
    log.warning("content security policy: %s", kept)
    if _reports_are_kept():
        reports: list[dict[str, str]] = current_app.extensions["csp_reports"]
        reports.append(kept)
        del reports[:-_KEPT_REPORTS]
    return "", 204


@bp.get("/csp")
@public
def reports() -> Response:
    """The reports so far; only in tests and where QUIZAPP_CSP_LOG is set."""
    if not _reports_are_kept():
        abort(404)
    return jsonify(current_app.extensions["csp_reports"])


# A browser sends reports without a form, so there is no token to check.
CSRF_FREE = (report,)
