"""Practice, when a person is erased or asks what is known: the wrong book goes, answers stay with a number that leads to nobody."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from quizapp.banks.models import Item
from quizapp.core.clock import from_ms
from quizapp.core.privacy_parts import (
    ErasePersonPart,
    Erasing,
    Exporting,
    ExportPersonPart,
    ExportSection,
    InventoryEntry,
    InventoryPart,
    add_erase_person,
    add_export_person,
    add_inventory,
)
from quizapp.practice.models import DailyResult, PracticeAnswer, WrongBookEntry


def erase(db: Session, erasing: Erasing) -> None:
    """Delete the wrong book: nobody will open it again."""
    db.execute(delete(WrongBookEntry).where(WrongBookEntry.account_id.in_(erasing.account_ids)))


def export(db: Session, exporting: Exporting) -> list[ExportSection]:
    """Answers, the wrong book, the days."""
    ids = exporting.account_ids
    answers = db.execute(
        select(Item.code, PracticeAnswer.answer, PracticeAnswer.right, PracticeAnswer.at_ms)
        .join(Item, Item.id == PracticeAnswer.item_id)
        .where(PracticeAnswer.account_id.in_(ids))
        .order_by(PracticeAnswer.id)
    )
    wrong = db.execute(
        select(Item.code, WrongBookEntry.right_in_a_row, WrongBookEntry.wrong_at)
        .join(Item, Item.id == WrongBookEntry.item_id)
        .where(WrongBookEntry.account_id.in_(ids))
        .order_by(Item.code)
    )
    days = db.scalars(select(DailyResult).where(DailyResult.account_id.in_(ids)).order_by(DailyResult.day))
    return [
        ExportSection(
            "practice_answer",
            tuple({"item": row[0], "answer": row[1], "right": row[2], "at": from_ms(row[3])} for row in answers),
        ),
        ExportSection(
            "wrong_book",
            tuple({"item": row[0], "right_in_a_row": row[1], "at": from_ms(row[2])} for row in wrong),
        ),
        ExportSection(
            "daily_result",
            tuple({"day": one.day, "answered": one.answered, "right_count": one.right} for one in days),
        ),
    ]


add_erase_person(
    ErasePersonPart(name="practice", empties=(), do=erase, stays={"item_version.content_hash": "of a question"})
)
add_export_person(
    ExportPersonPart(name="practice", reads=("practice_answer", "wrong_book_entry", "daily_result"), do=export)
)
add_inventory(
    InventoryPart(
        name="practice",
        entries=(
            InventoryEntry("practice", ("practice_answer", "wrong_book_entry", "daily_result"), "learning", "person"),
        ),
    )
)
