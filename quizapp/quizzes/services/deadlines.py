"""When an attempt's time is over: its limit from the start, the end of the window, and the extra time of whoever was given some."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.quizzes.models import Delivery
from quizapp.quizzes.rescoring.models import ExtraTime


def deadline_of(delivery: Delivery, started_at: int, extra_s: int = 0) -> int:
    """The last instant at which an answer counts, ms UTC. Extra time lies beyond the limit and beyond the window."""
    end = delivery.closes_at + extra_s * 1000
    if delivery.time_limit_s is None:
        return end
    return min(end, started_at + (delivery.time_limit_s + extra_s) * 1000)


def extra_seconds(db: Session, delivery: Delivery, person_id: int | None) -> int:
    """The extra time of a person at a delivery. It costs a read only where anybody was given some."""
    if not delivery.extra_time or person_id is None:
        return 0
    mine = (ExtraTime.delivery_id == delivery.id, ExtraTime.person_id == person_id)
    return db.scalar(select(ExtraTime.seconds).where(*mine)) or 0
