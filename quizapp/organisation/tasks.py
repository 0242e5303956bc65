"""Background work of the organisation: reading a file of units, and taking it in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.registry import task
from quizapp.core.scope import Actor
from quizapp.jobs.worker import JobContext
from quizapp.organisation.imports.batches import APPLY_TASK, READ_TASK, UNITS
from quizapp.organisation.imports.reach import Reach
from quizapp.organisation.imports.running import run
from quizapp.organisation.imports.unit_imports import apply_import, read_import
from quizapp.organisation.models import ImportBatch, ImportState


@task(READ_TASK[UNITS])
def read_unit_import(context: JobContext, arguments: dict[str, Any]) -> dict[str, str]:
    """Read and check a file, change nothing."""

    def work(db: Session, batch: ImportBatch, reach: Reach, _actor: Actor) -> None:
        read_import(db, batch, reach=reach, keys=context.keys, now=context.now(), on_progress=context.progress)

    return run(context, arguments, ImportState.READING, work)


@task(APPLY_TASK[UNITS])
def apply_unit_import(context: JobContext, arguments: dict[str, Any]) -> dict[str, str]:
    """Make all units of a file, or none."""

    def work(db: Session, batch: ImportBatch, reach: Reach, actor: Actor) -> None:
        progress = context.progress
        apply_import(db, batch, reach=reach, keys=context.keys, actor=actor, now=context.now(), on_progress=progress)

    return run(context, arguments, ImportState.APPLYING, work)
