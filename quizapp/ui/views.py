"""The few pages of the frame itself: preferences, and the service worker at the root."""

from __future__ import annotations

import hashlib
import json

from flask import Blueprint, Response, abort, current_app, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.web import public
from quizapp.ui.assets import get_assets
from quizapp.ui.preferences import save_preferences

bp = Blueprint("ui", __name__, template_folder="templates")


@bp.get("/preferences")
@public
def preferences() -> str:
    """Language, elder edition and text size on one page."""
    return render_template("ui_pages/preferences.html")


@bp.post("/preferences")
@public
def set_preferences() -> BaseResponse:
    """Keep a choice and go back."""
    runtime = current_app.extensions.get("quizapp")
    if runtime:
        runtime.registry.collect("preferences_changed", request.form)
    return save_preferences(secure=bool(runtime and runtime.settings.https))


@bp.get("/sw.js")
@public
def service_worker() -> Response:
    """The service worker, with the names of this build in place of its `__ASSETS__` and `__VERSION__`."""
    assets = get_assets()
    path = assets.dist / "sw.js"
    if not path.is_file():
        abort(404)
    names = [assets.url(name) for name in sorted(assets.manifest) if name.endswith((".css", ".js", ".svg", ".wasm"))]
    version = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:12]
    text = path.read_text(encoding="utf-8").replace("__ASSETS__", json.dumps(names)).replace("__VERSION__", version)
    response = Response(text, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/"
    return response
