"""What practice writes, for people with an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemVersion
from quizapp.core.db import insert_once
from quizapp.practice.models import DailyResult, PracticeAnswer, WrongBookEntry
from quizapp.practice.rounds import DAILY_COUNT

#: Right answers in a row after which an item leaves the wrong book.
RIGHT_TO_LEAVE = 2


@dataclass(frozen=True)
class Recorded:
    """The answer that counts for a place of a round: the first that came."""

    answer: str
    right: bool


def record_answer(
    db: Session, *, account_id: int, seed: str, place: int, version: ItemVersion, answer: str, right: bool, now_ms: int
) -> Recorded:
    """Keep one answer of a round and move the wrong book. Sent twice, the first counts and is given back."""
    key = f"{seed}-{place}"
    values = {
        "account_id": account_id,
        "round_key": key,
        "item_id": version.item_id,
        "item_version_id": version.id,
        "answer": answer,
        "right": right,
        "at_ms": now_ms,
    }
    if not insert_once(db, PracticeAnswer, values, ["account_id", "round_key"]):
        stored = db.scalars(
            select(PracticeAnswer).where(PracticeAnswer.account_id == account_id, PracticeAnswer.round_key == key)
        ).one()
        return Recorded(stored.answer, stored.right)
    if right:
        note_right(db, account_id, version.item_id)
    else:
        note_wrong(db, account_id, version.item_id, now_ms)
    return Recorded(answer, right)


def record_daily_answer(
    db: Session, *, account_id: int, day: date, place: int, version: ItemVersion, answer: str, right: bool, now_ms: int
) -> Recorded:
    """Keep one answer of the daily quiz. Answering a question twice counts once; wrong ones that come back do not count."""
    insert_once(
        db, DailyResult, {"account_id": account_id, "day": day, "answered": 0, "right": 0}, ["account_id", "day"]
    )
    # the day's row is taken before the answer is written: two presses at once come here one after the other
    result = db.scalars(
        select(DailyResult)
        .where(DailyResult.account_id == account_id, DailyResult.day == day)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    recorded = record_answer(
        db,
        account_id=account_id,
        seed=day.isoformat(),
        place=place,
        version=version,
        answer=answer,
        right=right,
        now_ms=now_ms,
    )
    if place < DAILY_COUNT and result.answered == place:
        result.answered = place + 1
        result.right += recorded.right
        db.flush()
    return recorded


def note_wrong(db: Session, account_id: int, item_id: int, now_ms: int) -> None:
    """Put an item into the wrong book, or begin anew with one that stands there."""
    values = {"account_id": account_id, "item_id": item_id, "right_in_a_row": 0, "wrong_at": now_ms}
    if not insert_once(db, WrongBookEntry, values, ["account_id", "item_id"]):
        db.execute(
            update(WrongBookEntry)
            .where(WrongBookEntry.account_id == account_id, WrongBookEntry.item_id == item_id)
            .values(right_in_a_row=0, wrong_at=now_ms)
        )


def note_right(db: Session, account_id: int, item_id: int) -> None:
    """Count a right answer; the second in a row takes the item out of the wrong book."""
    here = (WrongBookEntry.account_id == account_id, WrongBookEntry.item_id == item_id)
    db.execute(update(WrongBookEntry).where(*here).values(right_in_a_row=WrongBookEntry.right_in_a_row + 1))
    db.execute(delete(WrongBookEntry).where(*here, WrongBookEntry.right_in_a_row >= RIGHT_TO_LEAVE))
