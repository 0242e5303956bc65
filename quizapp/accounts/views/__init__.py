"""Pages of accounts: `signing`, `second_factor`, `own` (where one is signed in), `staff` (accounts, grants), `log` (the audit page)."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask

from quizapp.accounts.web import init_sign_in
from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime

bp = Blueprint("accounts", "quizapp.accounts", template_folder="templates")


def register(app: Flask) -> None:
    """Know the visitors, keep their preferences, fill the navigation."""
    from flask_babel import lazy_gettext as _l

    init_sign_in(app)
    registry = cast("Runtime", app.extensions["quizapp"]).registry
    registry.fill("preferences_changed", signing.keep_preferences)
    registry.fill("unit_access", staff.unit_access)
    group: Any = _l("管理")
    registry.add_navigation(
        NavigationEntry("accounts.accounts", _l("账号和授权"), "user", group, Permission.MANAGE_ACCOUNTS, order=82)
    )
    registry.add_navigation(
        NavigationEntry("accounts.log", _l("操作记录"), "history", group, Permission.SEE_AUDIT, order=83)
    )


from quizapp.accounts.views import log, own, second_factor, signing, staff  # noqa: E402, F401 # they need `bp`
