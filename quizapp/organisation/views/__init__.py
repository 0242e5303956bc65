"""Pages of units and industries, and of people who stand in the records twice."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime

bp = Blueprint("organisation", "quizapp.organisation", template_folder="templates")


def register(app: Flask) -> None:
    """Fill the navigation."""
    registry = cast("Runtime", app.extensions["quizapp"]).registry
    registry.fill("job", imports.job_words)
    group: Any = _l("管理")
    registry.add_navigation(
        NavigationEntry("organisation.people", _l("人员"), "users", group, Permission.MERGE_PEOPLE, order=79)
    )
    registry.add_navigation(
        NavigationEntry("organisation.units", _l("单位"), "building-2", group, Permission.MANAGE_UNITS, order=80)
    )
    registry.add_navigation(
        NavigationEntry("organisation.industries", _l("行业"), "list-checks", group, Permission.MANAGE_UNITS, order=81)
    )


from quizapp.organisation.views import imports, people, tree, units  # noqa: E402 # they hang their pages on `bp`

__all__ = ["bp", "imports", "people", "register", "tree", "units"]
