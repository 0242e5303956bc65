"""Practice of people with an account; a guest's days live in a signed cookie."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, BigId


class PracticeAnswer(Base):
    """One answer given in practice."""

    __tablename__ = "practice_answer"
    __table_args__ = (
        Index("ix_practice_answer_account_id_item_id", "account_id", "item_id"),
        # A form sent twice is one answer.
        UniqueConstraint("account_id", "round_key"),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Whose.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    #: Where it was asked: the round's seed and the place in it, "k3v9x2-4"; the daily quiz has its date, "2026-11-23-0".
    round_key: Mapped[str] = mapped_column(String(40))
    #: Which item.
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    #: In which version.
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"))
    #: Chosen option ids, sorted, joined by commas.
    answer: Mapped[str] = mapped_column(String(40))
    #: Whether it was right.
    right: Mapped[bool]
    #: When, ms UTC.
    at_ms: Mapped[int] = mapped_column(BigId)


class WrongBookEntry(Base):
    """An item that comes back until it was answered right twice in a row."""

    __tablename__ = "wrong_book_entry"

    #: Whose.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    #: Which item.
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    #: Right answers in a row since the last wrong one.
    right_in_a_row: Mapped[int] = mapped_column(default=0)
    #: When it was last answered wrong, ms UTC.
    wrong_at: Mapped[int] = mapped_column(BigId)


class DailyResult(Base):
    """One person's daily quiz."""

    __tablename__ = "daily_result"

    #: Whose.
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    #: Local day.
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    #: Questions answered so far.
    answered: Mapped[int] = mapped_column(default=0)
    #: Right ones.
    right: Mapped[int] = mapped_column(default=0)
