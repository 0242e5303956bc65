"""A bank and a blueprint for deliveries: small enough to assemble in a moment."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemVersion
from quizapp.quizzes.models import QuizBlueprint
from tests.factories import make_items


def make_blueprint(db: Session, *, items: int = 30, code: str = "safety_20", drawn: int = 9) -> QuizBlueprint:
    """A blueprint that draws `drawn` of `items` items, a third of each type, 5 points each, pass at 25."""
    versions = make_items(db, items)
    blueprint = QuizBlueprint(
        code=code,
        bank_id=versions[0].item.topic.bank_id,
        title={"zh": "安全知识测试", "en": "Safety quiz"},
        description={"zh": "考安全知识", "en": "About safety"},
        rules={
            "items": drawn,
            "types": dict.fromkeys(("single_choice", "true_false", "multiple_choice"), drawn // 3),
            "points_each": 5,
            "pass_score": 25,
            "minutes": 20,
        },
    )
    db.add(blueprint)
    db.flush()
    return blueprint


def versions_of(db: Session, paper_id: int) -> list[ItemVersion]:
    """The versions of a paper, in the order of its positions."""
    from quizapp.quizzes.models import PaperItem

    return list(
        db.scalars(
            select(ItemVersion)
            .join(PaperItem, PaperItem.item_version_id == ItemVersion.id)
            .where(PaperItem.paper_id == paper_id)
            .order_by(PaperItem.position)
        )
    )
