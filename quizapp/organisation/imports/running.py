"""What the jobs of all imports share: opening the batch, telling how far they are, and writing down what did not work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Actor
from quizapp.jobs.worker import JobContext, JobTakenOver
from quizapp.organisation.imports.batches import store_failure
from quizapp.organisation.imports.reach import Reach
from quizapp.organisation.models import ImportBatch, ImportState

#: `on_progress(done, total)`.
Progress = Callable[[int, int], None]


def run(
    context: JobContext,
    arguments: dict[str, Any],
    state: ImportState,
    work: Callable[[Session, ImportBatch, Reach, Actor], None],
) -> dict[str, str]:
    """Do a job of a batch that stands in `state`, with the importer's reach and who they are; gives where the batch stands then.

    A refusal of the file is written into the batch and ends the job well: the batch's page has the words.
    """
    batch_id = int(arguments["batch_id"])
    with context.session() as db:
        batch = db.get(ImportBatch, batch_id)
        if batch is not None and batch.state == state:
            try:
                work(db, batch, arguments["reach"], Actor(account_id=batch.account_id))
            except (DBAPIError, JobTakenOver):
                raise  # tried again, or done by another worker
            except DomainError as error:
                with transaction(db):
                    store_failure(db, batch_id, error)
            except Exception:
                with transaction(db):
                    store_failure(db, batch_id, None)
                raise
        db.rollback()
        return {"state": db.get_one(ImportBatch, batch_id, populate_existing=True).state}
