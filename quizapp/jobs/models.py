"""Work that must not sit in a request."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, BigId, Json, UtcDateTime


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """One piece of background work, written in the transaction of its cause."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_state_id", "state", "id"),)

    #: Key; jobs start in this order.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Unguessable name in links.
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: Name of the registered task.
    name: Mapped[str] = mapped_column(String(60))
    #: Its arguments.
    arguments: Mapped[dict[str, Any]] = mapped_column(Json)
    #: `JobState`.
    state: Mapped[str] = mapped_column(String(10), default=JobState.WAITING)
    #: Who asked for it; None for the system.
    account_id: Mapped[int | None] = mapped_column(BigId)
    #: Steps done.
    done: Mapped[int] = mapped_column(default=0)
    #: Steps in all; 0 while unknown.
    total: Mapped[int] = mapped_column(default=0)
    #: What the task gave back (codes and numbers).
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: Code of the refusal, or "crashed".
    error: Mapped[str | None] = mapped_column(String(60))
    #: How often it was started; a worker that dies leaves it for another try, three in all.
    tries: Mapped[int] = mapped_column(default=0)
    #: When it was asked for.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it may start.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it started last.
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Last sign of life of the worker that runs it.
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When it ended.
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
