"""Reads of the job table."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor
from quizapp.jobs.models import Job, JobState


def get_own_job(db: Session, public_id: str, actor: Actor) -> Job:
    """The job of this name that the actor asked for. Somebody else's job is not there: NotFound."""
    job = db.scalar(select(Job).where(Job.public_id == public_id))
    if job is None or job.account_id is None or job.account_id != actor.account_id:
        raise NotFound
    return job


def find_due(db: Session, now: datetime) -> int | None:
    """The id of the oldest job that waits and may start, without any lock."""
    return db.scalar(select(Job.id).where(Job.state == JobState.WAITING, Job.due_at <= now).order_by(Job.id).limit(1))


def find_silent(db: Session, since: datetime) -> bool:
    """Whether a running job has given no sign of life since that instant."""
    return db.scalar(select(Job.id).where(Job.state == JobState.RUNNING, Job.seen_at < since).limit(1)) is not None
