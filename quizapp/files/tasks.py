"""Background work of kept files: deleting those whose term is over."""

from __future__ import annotations

from typing import Any

from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.files.services import delete_expired
from quizapp.jobs.periodic import every
from quizapp.jobs.worker import JobContext

#: Seconds between two looks.
LOOK_SECONDS = 3600


@every(LOOK_SECONDS)
@task("delete_expired_files")
def delete_expired_files(context: JobContext, _arguments: dict[str, Any]) -> dict[str, int]:
    """Delete the files whose term is over, some at a time, so that nobody waits for the whole lot."""
    deleted = 0
    with context.session() as db:
        while True:
            with transaction(db):
                number = delete_expired(db, now=context.now())
            if not number:
                return {"deleted": deleted}
            deleted += number
