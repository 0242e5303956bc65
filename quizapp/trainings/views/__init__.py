"""Pages of training sessions: the trainer's, and the one that attendees scan."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime
from quizapp.ui.setup import csrf

bp = Blueprint("trainings", "quizapp.trainings", template_folder="templates")


def register(app: Flask) -> None:
    """Fill the navigation, and put the check-in's own door in front."""
    runtime = cast("Runtime", app.extensions["quizapp"])
    runtime.registry.fill("job", roster_imports.job_words)
    runtime.registry.fill("job", printing.job_words)
    for view in scan.CSRF_FREE:
        csrf.exempt(view)
    csrf.exempt(attendee.check_in_by_right)  # its form carries the signature of the right
    app.wsgi_app = door.DoorFirst(app.wsgi_app, runtime)  # type: ignore[method-assign] # Flask's own way to add middleware
    runtime.registry.add_navigation(
        NavigationEntry("trainings.sessions", _l("培训场次"), "calendar", _l("工作"), Permission.RUN_SESSIONS, order=30)
    )
    runtime.registry.add_navigation(
        NavigationEntry("trainings.courses", _l("课程"), "library", _l("工作"), Permission.RUN_SESSIONS, order=31)
    )
    runtime.registry.add_navigation(
        NavigationEntry("trainings.places", _l("场地"), "building-2", _l("工作"), Permission.RUN_SESSIONS, order=33)
    )
    runtime.registry.add_navigation(
        NavigationEntry(
            "trainings.liaison_sessions", _l("代单位报名"), "users", _l("工作"), Permission.REGISTER_OTHERS, order=32
        )
    )


from quizapp.trainings.views import (  # noqa: E402, F401 # they hang their pages on `bp`
    attendee,
    back_fill,
    by_hand,
    calendars,
    courses,
    deciding,
    devices,
    door,
    evidence,
    gains,
    liaison,
    lists,
    my_code,
    places,
    planning,
    printing,
    projector,
    registration,
    registration_words,
    registrations,
    roster_imports,
    rosters,
    scan,
    sessions,
    summary,
    words,
)

__all__ = ["bp", "register"]
