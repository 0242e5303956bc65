"""Giving a session its tests before and after."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.scope import Actor
from quizapp.quizzes.models import Delivery
from quizapp.trainings.errors import TestsNotParallel, TestsSame
from quizapp.trainings.models import SessionTests, TrainingSession


def set_tests(
    db: Session, *, session: TrainingSession, before: Delivery, after: Delivery, actor: Actor, now: datetime
) -> SessionTests:
    """Say which tests stand before and after a session. Raises TestsSame, TestsNotParallel.

    Both are deliveries of one quiz: their papers then obey one blueprint and are equally hard on the whole, so points can be compared.
    """
    if before.id == after.id:
        raise TestsSame(field="after")
    if before.blueprint_id != after.blueprint_id or before.max_score != after.max_score:
        raise TestsNotParallel(field="after")
    found = db.merge(SessionTests(session_id=session.id, before_id=before.id, after_id=after.id))
    record(
        db,
        actor=actor,
        action="session_tests_set",
        object_type="training_session",
        object_id=session.id,
        unit_id=session.unit_id,
        details={"code": session.code},
        now=now,
    )
    return found
