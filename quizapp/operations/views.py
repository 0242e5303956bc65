"""What the site answers for its operators: verification files at its root, the doctor's question, and what is kept for how long."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, render_template, request
from flask.blueprints import BlueprintSetupState
from flask_babel import lazy_gettext as _l
from werkzeug.routing import BaseConverter

from quizapp import __version__
from quizapp.core.clock import to_ms
from quizapp.core.errors import NotFound
from quizapp.core.privacy_parts import INVENTORY
from quizapp.core.proxies import SOCKET_ADDRESS, TRUSTED_PEER
from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_keys, get_now, get_runtime, public, requires
from quizapp.operations import inventory_words as words
from quizapp.operations import root_files
from quizapp.operations.probe import is_doctor
from quizapp.operations.retention import last_turns, preview

bp = Blueprint("operations", __name__, template_folder="templates")


def register(app: Flask) -> None:
    """Stand in the staff navigation, beside the log."""
    group: Any = _l("管理")
    app.extensions["quizapp"].registry.add_navigation(
        NavigationEntry("operations.data", _l("数据清单"), "list-checks", group, Permission.SEE_AUDIT, order=84)
    )


@bp.get("/admin/data")
@requires(Permission.SEE_AUDIT)
def data() -> str:
    """What is kept, why, how long and where; and what is due."""
    db, terms = get_db(), get_runtime().settings.terms
    return render_template(
        "operations/data.html",
        entries=[entry for part in INVENTORY.values() for entry in part.entries],
        dues=preview(db, terms, get_now()),
        turns=last_turns(db),
        terms=terms,
        words=words,
    )


@bp.get("/privacy/kept")
@public
def kept() -> str:
    """The same in plain words, for everybody."""
    entries = [entry for part in INVENTORY.values() for entry in part.entries]
    return render_template("operations/kept.html", entries=entries, terms=get_runtime().settings.terms, words=words)


class RootFileConverter(BaseConverter):
    """A name of a file at the root: any other address is not even looked for."""

    regex = root_files.NAME
    part_isolating = True


@bp.record_once
def _know_root_files(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["root_file"] = RootFileConverter


@bp.get("/<root_file:name>")
@public
def root_file(name: str) -> Response:
    """A verification file, as plain as it is: nothing in it runs."""
    text = root_files.read_root_file(get_runtime().settings.instance, name)
    if text is None:
        raise NotFound
    response = Response(text, mimetype="text/html" if name.endswith(".html") else "text/plain")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/doctor/<int:at_ms>/<signature>")
@public
def probe(at_ms: int, signature: str) -> Response:
    """What arrives here of a request, for the doctor who holds our keys."""
    if not is_doctor(get_keys(), at_ms, signature, to_ms(get_now())):
        raise NotFound
    chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    return jsonify(
        version=__version__,
        peer=request.environ.get(SOCKET_ADDRESS, ""),
        trusted=request.environ.get(TRUSTED_PEER, False),
        visitor=request.remote_addr or "",
        scheme=request.scheme,
        host=request.host,
        forwarded_for=chain,
        forwarded_proto=request.headers.get("X-Forwarded-Proto", ""),
    )
