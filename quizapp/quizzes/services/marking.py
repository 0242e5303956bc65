"""Marks for later: they help the taker and count for nothing."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.quizzes.models import Attempt, AttemptState


def set_mark(db: Session, attempt_id: int, position: int, *, marked: bool) -> None:
    """Mark a position of an open attempt, or take the mark away."""
    query = select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)
    attempt = db.scalars(query.execution_options(populate_existing=True)).one()
    if attempt.state != AttemptState.OPEN:
        return
    without = [p for p in attempt.marked if p != position]
    attempt.marked = sorted([*without, position]) if marked else without
    db.flush()
