"""Security headers on every reply, and the place where browsers report what the content security policy stopped."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request

from quizapp.core.web import public

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
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if response.mimetype == "text/html":
            headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            headers.setdefault("Cache-Control", "private, no-cache")
            response.vary.update(["Cookie", "Accept-Language"])
        return response


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
