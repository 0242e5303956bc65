"""The pictures of items. A picture is named by its content, so it never changes and phones keep it."""

from __future__ import annotations

from flask import Response

from quizapp.banks.formats.pictures import in_language
from quizapp.banks.queries import find_picture
from quizapp.banks.views import bp
from quizapp.core.errors import NotFound
from quizapp.core.web import get_db, public

_YEAR = 365 * 24 * 3600


@bp.get("/pictures/<sha256>.<any(zh, en):language>.svg")
@public
def picture(sha256: str, language: str) -> Response:
    """The drawing with the words of one language; nobody finds it who was not shown its item."""
    svg = find_picture(get_db(), sha256)
    if svg is None:
        raise NotFound
    response = Response(in_language(svg, language), mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response
