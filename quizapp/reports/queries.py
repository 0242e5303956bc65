"""What the filters of figures offer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.organisation.people import AGE_BANDS
from quizapp.quizzes.models import Delivery, QuizBlueprint


def quizzes_of(db: Session, deliveries: Sequence[Delivery]) -> Sequence[QuizBlueprint]:
    """The quizzes of some deliveries, each once."""
    ids = {delivery.blueprint_id for delivery in deliveries}
    return db.scalars(select(QuizBlueprint).where(QuizBlueprint.id.in_(ids)).order_by(QuizBlueprint.id)).all()


def age_bands() -> list[str]:
    """The age bands, the youngest first."""
    return [band for _, band in reversed(AGE_BANDS)]
