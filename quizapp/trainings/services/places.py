"""Kept places."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.errors import PlaceNameTaken, PlanInvalid
from quizapp.trainings.models import Place, TrainingSession
from quizapp.trainings.services.plans import LIMITS


def add_place(
    db: Session, *, name: str, address: str, capacity: int | None, unit_id: int, actor: Actor, now: datetime
) -> Place:
    """Keep a place of a unit. Raises NotFound (a unit where the actor runs no sessions), PlaceNameTaken, PlanInvalid."""
    unit = db.get(OrgUnit, unit_id)
    if unit is None or unit.closed_at is not None or not actor.scope.covers(Permission.RUN_SESSIONS, unit.path):
        raise NotFound
    _check_capacity(capacity)
    name = " ".join(name.split())
    values = {
        "unit_id": unit.id,
        "name": name,
        "address": address.strip(),
        "capacity": capacity,
        "created_at": to_ms(now),
    }
    if not insert_once(db, Place, values, ["unit_id", "name"]):
        raise PlaceNameTaken(field="name")
    place = db.scalars(select(Place).where(Place.unit_id == unit.id, Place.name == name)).one()
    _record(db, place, "place_added", actor, now)
    return place


def edit_place(
    db: Session, *, place: Place, name: str, address: str, capacity: int | None, actor: Actor, now: datetime
) -> None:
    """Change a place. Sessions to come say its new name; they have not moved by that. Raises PlaceNameTaken, PlanInvalid."""
    _check_capacity(capacity)
    old, new = place.name, " ".join(name.split())
    taken = select(Place.id).where(Place.unit_id == place.unit_id, Place.name == new, Place.id != place.id)
    if db.scalar(taken) is not None:
        raise PlaceNameTaken(field="name")
    place.name, place.address, place.capacity = new, address.strip(), capacity
    if new != old:
        coming = select(TrainingSession).where(
            TrainingSession.place_id == place.id,
            TrainingSession.closed_at.is_(None),
            TrainingSession.ends_at > to_ms(now),
        )
        for session in db.scalars(coming):
            if session.place.startswith(old):
                session.place = new + session.place[len(old) :]
    _record(db, place, "place_edited", actor, now)


def give_up_place(db: Session, *, place: Place, actor: Actor, now: datetime) -> None:
    """Keep a place no longer; sessions that have it keep it."""
    if place.closed_at is None:
        place.closed_at = to_ms(now)
        _record(db, place, "place_given_up", actor, now)


def take_back_place(db: Session, *, place: Place, actor: Actor, now: datetime) -> None:
    """Keep it again."""
    if place.closed_at is not None:
        place.closed_at = None
        _record(db, place, "place_taken_back", actor, now)


def _check_capacity(capacity: int | None) -> None:
    low, high = LIMITS["capacity"]
    if capacity is not None and not low <= capacity <= high:
        raise PlanInvalid(field="capacity", low=low, high=high)


def _record(db: Session, place: Place, action: str, actor: Actor, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="place",
        object_id=place.id,
        unit_id=place.unit_id,
        now=now,
    )
