"""Background work of trainings: printing many cards."""

from __future__ import annotations

from typing import Any

from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.core.scope import Actor
from quizapp.jobs.models import Job
from quizapp.jobs.worker import JobContext
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.services.printing import TASK, keep_cards, make_cards


@task(TASK)
def print_cards(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Print the personal code cards of a session; the file waits for whoever asked."""
    now = context.now()
    with context.session() as db:
        session = db.get_one(TrainingSession, int(arguments["session_id"]))
        actor = Actor(account_id=db.get_one(Job, context.job_id).account_id)
        content = make_cards(db, session=session, actor=actor, now=now, on_step=context.progress)
        with transaction(db):
            file = keep_cards(db, content, session=session, keys=context.keys, actor=actor, now=now)
        return {"session_id": session.id, "file": file.public_id}
