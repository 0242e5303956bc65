"""More time: a later end for everybody, extra minutes for one person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.scope import Actor
from quizapp.jobs.services import enqueue
from quizapp.quizzes.errors import EndNotLater, ExtraOutOfRange, NobodyKnown
from quizapp.quizzes.models import Attempt, AttemptState, Delivery
from quizapp.quizzes.rescoring.models import ChangeCause, ExtraTime
from quizapp.quizzes.services.rescoring import TASK, take_in_late
from quizapp.quizzes.services.standing import lock_delivery

#: The most extra minutes.
MOST_MINUTES = 24 * 60


def extend_delivery(db: Session, delivery_id: int, *, closes_at: datetime, actor: Actor, now: datetime) -> Delivery:
    """Move the end of the window to later. Running attempts that the window cut get the time; late answers that came before the new end
    are taken in by a job that scores anew. Raises EndNotLater.
    """
    delivery = lock_delivery(db, delivery_id)
    end, before = to_ms(closes_at), delivery.closes_at
    if end <= before or end <= to_ms(now):
        raise EndNotLater(field="closes_at")
    delivery.closes_at = end
    delivery.revision += 1
    db.flush()
    running = db.scalars(
        select(Attempt)
        .where(Attempt.delivery_id == delivery.id, Attempt.state == AttemptState.OPEN)
        .order_by(Attempt.id)
        .with_for_update(of=Attempt)
    ).all()
    for attempt in running:
        take_in_late(db, attempt, delivery)
    enqueue(db, TASK, {"delivery_id": delivery.id, "cause": ChangeCause.EXTENSION.value}, actor=actor, now=now)
    record(
        db,
        actor=actor,
        action="delivery_extended",
        object_type="delivery",
        object_id=delivery.id,
        unit_id=delivery.unit_id,
        details={"before": before, "after": end, "running": len(running)},
        now=now,
    )
    return delivery


def give_extra_time(db: Session, *, attempt: Attempt, minutes: int, actor: Actor, now: datetime) -> ExtraTime:
    """Give the person of an attempt extra minutes at its delivery: for this attempt where it runs, and for each further one.

    Given again it is the new number, never the sum. Raises ExtraOutOfRange, NobodyKnown.
    """
    if not 1 <= minutes <= MOST_MINUTES:
        raise ExtraOutOfRange(field="minutes", most=MOST_MINUTES)
    if attempt.person_id is None:
        raise NobodyKnown
    delivery = lock_delivery(db, attempt.delivery_id)
    row = db.scalar(
        select(ExtraTime).where(ExtraTime.delivery_id == delivery.id, ExtraTime.person_id == attempt.person_id)
    )
    if row is None:
        row = ExtraTime(delivery_id=delivery.id, person_id=attempt.person_id)
        db.add(row)
    row.seconds, row.given_by, row.given_at = minutes * 60, actor.account_id or 0, to_ms(now)
    db.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id)
        .values(extra_time=True)
        .execution_options(synchronize_session=False)
    )
    db.expire(delivery, ["extra_time"])
    running = db.scalars(
        select(Attempt)
        .where(
            Attempt.delivery_id == delivery.id,
            Attempt.person_id == attempt.person_id,
            Attempt.state == AttemptState.OPEN,
        )
        .with_for_update(of=Attempt)
        .execution_options(populate_existing=True)
    ).all()
    for one in running:
        one.extra_s = row.seconds
        take_in_late(db, one, delivery)
    db.flush()
    record(
        db,
        actor=actor,
        action="extra_time_given",
        object_type="attempt",
        object_id=attempt.id,
        unit_id=attempt.unit_id,
        details={"minutes": minutes, "running": len(running)},
        now=now,
    )
    return row
