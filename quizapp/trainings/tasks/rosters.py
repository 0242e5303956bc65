"""Background work of rosters: reading a file of people, and taking it in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.registry import task
from quizapp.core.scope import Actor
from quizapp.jobs.worker import JobContext
from quizapp.organisation.imports.batches import APPLY_TASK, READ_TASK, ROSTER
from quizapp.organisation.imports.reach import Reach
from quizapp.organisation.imports.running import run
from quizapp.organisation.models import ImportBatch, ImportState
from quizapp.trainings.services.roster_imports import apply_import, read_import


@task(READ_TASK[ROSTER])
def read_roster_import(context: JobContext, arguments: dict[str, Any]) -> dict[str, str]:
    """Read and check a file, change nothing."""

    def work(db: Session, batch: ImportBatch, reach: Reach, _actor: Actor) -> None:
        read_import(db, batch, reach=reach, keys=context.keys, now=context.now(), on_progress=context.progress)

    return run(context, arguments, ImportState.READING, work)


@task(APPLY_TASK[ROSTER])
def apply_roster_import(context: JobContext, arguments: dict[str, Any]) -> dict[str, str]:
    """Take everybody of a file in, or nobody."""

    def work(db: Session, batch: ImportBatch, reach: Reach, actor: Actor) -> None:
        progress = context.progress
        apply_import(db, batch, reach=reach, keys=context.keys, actor=actor, now=context.now(), on_progress=progress)

    return run(context, arguments, ImportState.APPLYING, work)
