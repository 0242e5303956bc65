"""Pages of the banks: what each covers, its items, and the pictures of items."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from quizapp.banks.stock import count_waiting
from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime

bp = Blueprint("banks", "quizapp.banks", template_folder="templates")


def register(app: Flask) -> None:
    """Fill the navigation."""
    group: Any = _l("出题")
    cast("Runtime", app.extensions["quizapp"]).registry.add_navigation(
        NavigationEntry("banks.banks", _l("题库"), "library", group, Permission.READ_BANKS, order=30)
    )
    cast("Runtime", app.extensions["quizapp"]).registry.add_navigation(
        NavigationEntry(
            "banks.work", _l("要看的题"), "flag", group, Permission.READ_BANKS, order=31, waiting=count_waiting
        )
    )


from quizapp.banks.views import items, looks, maps, pictures, sheets  # noqa: E402 # they hang their pages on `bp`

__all__ = ["bp", "items", "looks", "maps", "pictures", "register", "sheets"]
