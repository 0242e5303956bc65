"""Pages of deliveries and attempts, one module per page family."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from flask import Blueprint, Flask, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.hot import HotConnections
from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.core.web import Runtime
from quizapp.quizzes.errors import AttemptNotYours
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.ui.page_cache import PageCache
from quizapp.ui.setup import csrf

bp = Blueprint("quizzes", "quizapp.quizzes", template_folder="templates")


@dataclass
class QuizzesRuntime:
    """What the taking pages keep per process: plain connections for answers, and papers."""

    hot: HotConnections
    papers: PaperCache = field(default_factory=PaperCache)
    #: Pages that are the same for every guest.
    pages: PageCache = field(default_factory=PageCache)


def quizzes_runtime(app: Flask) -> QuizzesRuntime:
    """The running application's `QuizzesRuntime`."""
    return cast("QuizzesRuntime", app.extensions["quizzes"])


def register(app: Flask) -> None:
    """Attach the runtime, free the attempts' own forms from the session's token, and fill the navigation."""
    from flask_babel import lazy_gettext as _l

    runtime = cast("Runtime", app.extensions["quizapp"])
    app.extensions["quizzes"] = QuizzesRuntime(HotConnections(runtime.database))
    for view in (saving.save, taking.question, taking.mark, taking.grid, results.submit, moving.move):
        csrf.exempt(view)  # they carry a signature of attempt and secret, or check where the request comes from
    app.register_error_handler(AttemptNotYours, _show_start_page)
    answers.mount_answers(app)
    runtime.registry.fill("job", deliveries.job_words)
    runtime.registry.add_navigation(
        NavigationEntry(
            "quizzes.deliveries", _l("测验安排"), "send", _l("测验"), Permission.MANAGE_DELIVERIES, order=40
        )
    )


def _show_start_page(refusal: AttemptNotYours) -> BaseResponse:
    """A forwarded, forged or expired link shows the delivery's start page and nothing of the attempt."""
    return redirect(url_for("quizzes.landing", code=refusal.data["poster_code"], link="foreign"), 303)


from quizapp.quizzes.views import (  # noqa: E402 # they need `bp`
    afterwards,  # noqa: F401
    answers,
    attempts,  # noqa: F401
    audience,  # noqa: F401
    deliveries,
    editing,  # noqa: F401
    moving,
    publishing,  # noqa: F401
    results,
    saving,
    starting,  # noqa: F401
    taking,
)
