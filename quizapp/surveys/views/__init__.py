"""Pages of surveys: the coordinator's, and the one that a card opens."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime

bp = Blueprint("surveys", "quizapp.surveys", template_folder="templates")


def register(app: Flask) -> None:
    """Fill the navigation, and the places of pages below."""
    runtime = cast("Runtime", app.extensions["quizapp"])
    runtime.registry.fill("job", job_words.job_words)
    runtime.registry.fill("delivery_links", took_part.delivery_links)
    runtime.registry.fill("literacy_links", took_part.literacy_links)
    runtime.registry.add_navigation(
        NavigationEntry("surveys.surveys", _l("抽样调查"), "users", _l("测验"), Permission.MANAGE_DELIVERIES, order=42)
    )


from quizapp.surveys.views import (  # noqa: E402 # they need `bp`
    card,  # noqa: F401
    drawing,  # noqa: F401
    estimate,  # noqa: F401
    job_words,
    plans,  # noqa: F401
    printing,  # noqa: F401
    response,  # noqa: F401
    took_part,
)

__all__ = ["bp", "register"]
