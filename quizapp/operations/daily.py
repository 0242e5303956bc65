"""What operations do by themselves: dealing with data whose term is over, once a day."""

from __future__ import annotations

from typing import Any

from quizapp.core.registry import task
from quizapp.jobs.periodic import every
from quizapp.jobs.worker import JobContext
from quizapp.operations.retention import RULES, apply_retention

#: Seconds between two turns.
DAY_SECONDS = 24 * 3600


@every(DAY_SECONDS)
@task("apply_retention")
def apply_retention_daily(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Deal with what is due. A turn that breaks off is done again, and finds the rest."""
    with context.session() as db:
        return apply_retention(
            db, context.settings.terms, context.now(), on_batch=lambda: context.progress(0, len(RULES))
        )
