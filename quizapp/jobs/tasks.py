"""The job table's own housekeeping."""

from __future__ import annotations

from typing import Any

from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.jobs.periodic import every
from quizapp.jobs.services import forget_finished
from quizapp.jobs.worker import JobContext


@every(24 * 60 * 60)
@task("forget_finished_jobs")
def forget_finished_jobs(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Delete jobs that ended a month ago."""
    with context.session() as db, transaction(db):
        return {"deleted": forget_finished(db, now=context.now())}
