"""The pages of figures."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime

bp = Blueprint("reports", "quizapp.reports", template_folder="templates")


def register(app: Flask) -> None:
    """Fill the navigation, and bring the tables that can be exported."""
    runtime = cast("Runtime", app.extensions["quizapp"])
    runtime.registry.fill("job", exporting.job_words)
    runtime.registry.fill("job", years.job_words)
    for entry in (
        NavigationEntry("reports.overview", _l("总览"), "chart-column", _l("工作"), Permission.SEE_FIGURES, order=10),
        NavigationEntry(
            "reports.pass_rates", _l("参与与合格率"), "users", _l("工作"), Permission.SEE_FIGURES, order=20
        ),
        NavigationEntry(
            "reports.sessions", _l("场次与到场"), "calendar-check", _l("工作"), Permission.EXPORT_FIGURES, order=25
        ),
    ):
        runtime.registry.add_navigation(entry)


from quizapp.reports.views import (  # noqa: E402 # they hang their pages on `bp`
    exporting,
    groups,
    items,
    leader,
    overview,
    pass_rates,
    records,
    session_trends,
    sessions,
    words,
    years,
)

__all__ = [
    "bp",
    "groups",
    "items",
    "leader",
    "overview",
    "pass_rates",
    "records",
    "register",
    "session_trends",
    "sessions",
    "years",
]

bp.add_app_template_global(exporting.hidden_words)
bp.add_app_template_global(words.delivery_title)
bp.add_app_template_global(words.unit_name)
bp.add_app_template_global(words.usual_periods)
exporting.EXPORTABLE["groups"] = exporting.Exportable(groups.group_figures, "reports.groups", exporting.ATTEMPTS)
exporting.EXPORTABLE["comparison"] = exporting.Exportable(groups.comparison_figures, "reports.comparison")
exporting.EXPORTABLE["pass_rates"] = exporting.Exportable(
    pass_rates.figure_table, "reports.pass_rates", exporting.ATTEMPTS
)
exporting.EXPORTABLE["session_months"] = exporting.Exportable(
    session_trends.month_figures, "reports.session_months_page", sessions.LINES
)
exporting.EXPORTABLE["session_comparison"] = exporting.Exportable(
    session_trends.comparison_figures, "reports.session_comparison"
)
exporting.EXPORTABLE["sessions"] = exporting.Exportable(sessions.figure_table, "reports.sessions", sessions.LINES)
