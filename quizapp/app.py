"""The application: settings in, features wired, nothing else."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from flask import Flask

import quizapp.parts  # noqa: F401 # whoever merges two persons needs every feature's part
from quizapp.config import Settings, read_settings
from quizapp.core.clock import Clock, system_clock
from quizapp.core.db import Database
from quizapp.core.proxies import TrustedProxies
from quizapp.core.tokens import Keys
from quizapp.core.web import Runtime, init_web

#: Features in the order in which they are wired: a lower one first.
FEATURES = (
    "quizapp.ui.setup",
    "quizapp.jobs.views",
    "quizapp.accounts.views",
    "quizapp.organisation.views",
    "quizapp.banks.views",
    "quizapp.quizzes.views",
    "quizapp.practice.views",
    "quizapp.trainings.views",
    "quizapp.surveys.views",
    "quizapp.certificates.views",
    "quizapp.reports.views",
    "quizapp.portal.views",
    "quizapp.operations.views",
    "quizapp.demo.views",
)


def create_app(
    settings: Settings | None = None, *, clock: Clock = system_clock, database: Database | None = None, **config: Any
) -> Flask:
    """Make the application of one installation. `config` overrides Flask's configuration (tests)."""
    settings = settings or read_settings()
    keys = Keys.load(settings.keys_folder)
    app = Flask("quizapp", static_folder=None, template_folder=None)
    app.config.update(
        SECRET_KEY=keys.session,
        SESSION_COOKIE_NAME="session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        JSON_AS_ASCII=False,
    )
    app.config.update(config)
    init_web(app, Runtime(settings, database or Database(settings.database_url), keys, clock))
    for name in FEATURES:
        module = import_module(name)
        if hasattr(module, "bp"):
            app.register_blueprint(module.bp)
        if hasattr(module, "register"):
            module.register(app)
    app.wsgi_app = TrustedProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign] # Flask's own way
    return app
