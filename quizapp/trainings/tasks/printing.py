"""Background work of trainings: printing for many people."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.registry import task
from quizapp.core.scope import Actor
from quizapp.jobs.models import Job
from quizapp.jobs.worker import JobContext
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.services.printing import SIGN_IN_TASK, TASK, keep_print, make_cards, make_sign_in_sheet


@task(TASK)
def print_cards(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Print the personal code cards of a session; the file waits for whoever asked."""
    now = context.now()
    with context.session() as db:
        session, actor = _asked(db, context, arguments)
        content = make_cards(db, session=session, actor=actor, now=now, on_step=context.progress)
        return _keep(db, context, "cards", content, session, actor)


@task(SIGN_IN_TASK)
def print_sign_in_sheet(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Print the sign-in sheet of a session with a long roster; the file waits for whoever asked."""
    with context.session() as db:
        session, actor = _asked(db, context, arguments)
        content = make_sign_in_sheet(db, session=session, url=arguments["url"], actor=actor, now=context.now())
        return _keep(db, context, "sign-in", content, session, actor)


def _asked(db: Session, context: JobContext, arguments: dict[str, Any]) -> tuple[TrainingSession, Actor]:
    session = db.get_one(TrainingSession, int(arguments["session_id"]))
    return session, Actor(account_id=db.get_one(Job, context.job_id).account_id)


def _keep(
    db: Session, context: JobContext, kind: str, content: bytes, session: TrainingSession, actor: Actor
) -> dict[str, Any]:
    with transaction(db):
        file = keep_print(db, content, kind, session=session, keys=context.keys, actor=actor, now=context.now())
    return {"session_id": session.id, "file": file.public_id}
