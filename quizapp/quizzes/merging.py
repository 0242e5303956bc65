"""Attempts, when two persons are merged: all go to the one who stays, their snapshots of the day as they are, and the first of each
delivery is found anew. Deliveries, when two units are merged: those that have not ended go to the unit that stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.registry import (
    MergeFact,
    MergePersonPart,
    MergeUnitPart,
    PersonMerging,
    UnitFact,
    UnitMerging,
    add_merge_person,
    add_merge_unit,
)
from quizapp.organisation.unit_merging import move_rows, return_rows
from quizapp.quizzes.models import Attempt, Delivery, DeliveryAudience
from quizapp.quizzes.rescoring.models import ExtraTime
from quizapp.quizzes.services.first_attempts import settle_first


def preview(db: Session, kept_id: int, merged_id: int) -> list[MergeFact]:
    """How many attempts each has; `both`: at how many deliveries two first attempts meet."""
    kept, merged = (
        db.scalar(select(func.count()).where(Attempt.person_id == person_id)) or 0 for person_id in (kept_id, merged_id)
    )
    first = select(Attempt.delivery_id).where(Attempt.is_first)
    meet = first.where(Attempt.person_id == kept_id).intersect(first.where(Attempt.person_id == merged_id))
    both = db.scalar(select(func.count()).select_from(meet.subquery())) or 0
    return [MergeFact("attempts", kept, merged, both)]


def do(db: Session, merging: PersonMerging) -> dict[str, Any]:
    """Move them, and set the first flags anew."""
    return {
        "attempts": _move(db, merging, Attempt.person_id == merging.merged_id, merging.kept_id),
        "extra_time": _move_extra_time(db, merging),
    }


def undo(db: Session, merging: PersonMerging, moved: dict[str, Any]) -> None:
    """Move those back that are still with the one who stayed: somebody may have claimed one since."""
    mine = and_(Attempt.id.in_(moved["attempts"]), Attempt.person_id == merging.kept_id)
    _move(db, merging, mine, merging.merged_id)
    back = and_(ExtraTime.id.in_(moved.get("extra_time", [])), ExtraTime.person_id == merging.kept_id)
    db.execute(update(ExtraTime).where(back).values(person_id=merging.merged_id))


def _move_extra_time(db: Session, merging: PersonMerging) -> list[int]:
    """Extra time goes along to deliveries where the one who stays has none."""
    theirs = select(ExtraTime.delivery_id).where(ExtraTime.person_id == merging.kept_id)
    moved = db.execute(
        update(ExtraTime)
        .where(ExtraTime.person_id == merging.merged_id, ExtraTime.delivery_id.not_in(theirs))
        .values(person_id=merging.kept_id)
        .returning(ExtraTime.id)
        .execution_options(synchronize_session=False)
    )
    return list(moved.scalars())


def _move(db: Session, merging: PersonMerging, which: ColumnElement[bool], to: int) -> list[int]:
    """Give attempts to the other person. Their flags are cleared first, so that two firsts of one delivery never stand together."""
    rows = db.execute(select(Attempt.id, Attempt.delivery_id).where(which).order_by(Attempt.id).with_for_update()).all()
    if not rows:
        return []
    ids, deliveries = [row.id for row in rows], sorted({row.delivery_id for row in rows})
    people = (merging.kept_id, merging.merged_id)
    before = _firsts(db, deliveries, people)
    db.execute(update(Attempt).where(Attempt.id.in_(ids)).values(person_id=to, is_first=False))
    moved_firsts = {attempt_id for attempt_id in before if attempt_id in set(ids)}
    for delivery_id in deliveries:
        for person_id in people:
            settle_first(db, delivery_id, person_id, actor=merging.actor, now_ms=to_ms(merging.now))
    after = _firsts(db, deliveries, people)
    # settling records what it took a flag from; what was cleared here is recorded here
    for attempt_id in sorted(moved_firsts - after.keys()):
        delivery_id = before[attempt_id]
        record(
            db,
            actor=merging.actor,
            action="first_attempt_moved",
            object_type="attempt",
            object_id=attempt_id,
            unit_id=db.scalar(select(Delivery.unit_id).where(Delivery.id == delivery_id)),
            details={"before": attempt_id, "after": next((a for a, d in after.items() if d == delivery_id), None)},
            now=merging.now,
        )
    return ids


def _firsts(db: Session, deliveries: list[int], people: tuple[int, int]) -> dict[int, int]:
    """The flagged attempts of the two at these deliveries: id → delivery."""
    rows = db.execute(
        select(Attempt.id, Attempt.delivery_id).where(
            Attempt.is_first, Attempt.delivery_id.in_(deliveries), Attempt.person_id.in_(people)
        )
    )
    return {row.id: row.delivery_id for row in rows}


add_merge_person(
    MergePersonPart(
        name="quizzes", moves=("attempt.person_id", "extra_time.person_id"), preview=preview, do=do, undo=undo
    )
)


def preview_units(db: Session, units: Select[int], now: datetime) -> list[UnitFact]:
    """How many deliveries of the units run or are to come."""
    count = select(func.count()).where(Delivery.unit_id.in_(units), Delivery.closes_at > to_ms(now))
    return [UnitFact("deliveries", db.scalar(count) or 0)]


def move_deliveries(db: Session, merging: UnitMerging) -> dict[str, list[int]]:
    """Who may take them is said by their unit, to which all people go: those that have not ended follow. Ended ones are history."""
    running = Delivery.closes_at > to_ms(merging.now)
    lines = select(DeliveryAudience.delivery_id).where(DeliveryAudience.unit_id == merging.kept_id)
    of_running = DeliveryAudience.delivery_id.in_(select(Delivery.id).where(running))
    return {
        "delivery": move_rows(db, Delivery.unit_id, merging, running),
        # where the unit that stays has a line already, its people are in anyway
        "delivery_audience": move_rows(
            db, DeliveryAudience.unit_id, merging, and_(of_running, DeliveryAudience.delivery_id.not_in(lines))
        ),
    }


def return_deliveries(db: Session, merging: UnitMerging, moved: dict[str, list[int]]) -> None:
    """Give them back."""
    return_rows(db, Delivery.unit_id, merging, moved["delivery"])
    return_rows(db, DeliveryAudience.unit_id, merging, moved["delivery_audience"])


add_merge_unit(
    MergeUnitPart(
        name="quizzes",
        moves=("delivery.unit_id", "delivery_audience.unit_id"),
        stays={
            "attempt.unit_id": "the unit of the day",
            "attempt.unit_path": "the unit's path of the day, by which figures roll up",
        },
        preview=preview_units,
        do=move_deliveries,
        undo=return_deliveries,
    )
)
