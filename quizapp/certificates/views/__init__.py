"""Pages of certificates: the issuer's, the holder's, and the one that anybody opens to check."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask

from quizapp.core.web import Runtime

bp = Blueprint("certificates", "quizapp.certificates", template_folder="templates")


def register(app: Flask) -> None:
    """Stand on the page of a run, and say what the progress page says of a file."""
    runtime = cast("Runtime", app.extensions["quizapp"])
    runtime.registry.fill("run_actions", runs.run_action)
    runtime.registry.fill("job", files.job_words)


from quizapp.certificates.views import checking, files, own, runs, words  # noqa: E402 # they hang their pages on `bp`

__all__ = ["bp", "checking", "files", "own", "register", "runs", "words"]
