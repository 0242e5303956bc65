"""Pages of training sessions: the trainer's, and the one that attendees scan."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime

bp = Blueprint("trainings", "quizapp.trainings", template_folder="templates")


def register(app: Flask) -> None:
    """Fill the navigation."""
    runtime = cast("Runtime", app.extensions["quizapp"])
    runtime.registry.add_navigation(
        NavigationEntry("trainings.sessions", _l("培训场次"), "calendar", _l("工作"), Permission.RUN_SESSIONS, order=30)
    )
    runtime.registry.add_navigation(
        NavigationEntry(
            "trainings.liaison_sessions", _l("代单位报名"), "users", _l("工作"), Permission.REGISTER_OTHERS, order=32
        )
    )


from quizapp.trainings.views import (  # noqa: E402 # they hang their pages on `bp`
    attendee,
    by_hand,
    calendars,
    liaison,
    lists,
    projector,
    registration,
    registration_words,
    registrations,
    sessions,
    words,
)

__all__ = [
    "attendee",
    "bp",
    "by_hand",
    "calendars",
    "liaison",
    "lists",
    "projector",
    "register",
    "registration",
    "registration_words",
    "registrations",
    "sessions",
    "words",
]
