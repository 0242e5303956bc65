"""Corrections, decisions by two persons, and how results changed. Papers and item versions stay as they are.

Instants are integer milliseconds UTC, as on the attempts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.banks.models import ItemVersion
from quizapp.core.db import Base, BigId, Json
from quizapp.quizzes.models import Attempt


class ProposalState(StrEnum):
    """Where a proposal stands that takes a second person."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    #: Taken back by whoever proposed it.
    WITHDRAWN = "withdrawn"


class KeyCorrection(Base):
    """A proposal to accept other answers for an item at one delivery, on all its papers."""

    __tablename__ = "key_correction"
    __table_args__ = (
        # one at a time for an item
        Index(
            "uq_key_correction_proposed",
            "delivery_id",
            "item_version_id",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    #: The item as it was asked.
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"))
    #: The answers that are right, each a sorted list of option ids: [["b"], ["d"]].
    accepted: Mapped[list[list[str]]] = mapped_column(Json)
    #: Why, in words.
    reason: Mapped[str] = mapped_column(String(300))
    #: `ProposalState`.
    state: Mapped[str] = mapped_column(String(10), default=ProposalState.PROPOSED)
    #: The account that proposed it.
    proposed_by: Mapped[int] = mapped_column(BigId)
    #: When.
    proposed_at: Mapped[int] = mapped_column(BigId)
    #: The other account that decided.
    decided_by: Mapped[int | None] = mapped_column(BigId)
    #: When.
    decided_at: Mapped[int | None] = mapped_column(BigId)
    #: The item's row.
    version: Mapped[ItemVersion] = relationship()


class CorrectedKey(Base):
    """What is right at one position of a paper from a scoring revision on."""

    __tablename__ = "corrected_key"

    #: The paper.
    paper_id: Mapped[int] = mapped_column(ForeignKey("paper.id"), primary_key=True)
    #: The position.
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The scoring revision of the paper from which it holds.
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: As in `KeyCorrection`.
    accepted: Mapped[list[list[str]]] = mapped_column(Json)
    #: Where it comes from.
    correction_id: Mapped[int] = mapped_column(ForeignKey("key_correction.id"), index=True)


class Voiding(Base):
    """A proposal to make an attempt void."""

    __tablename__ = "voiding"
    __table_args__ = (
        Index(
            "uq_voiding_proposed",
            "attempt_id",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The attempt.
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), index=True)
    #: Why, in words; emptied with the person's data.
    reason: Mapped[str] = mapped_column(String(300))
    #: `ProposalState`.
    state: Mapped[str] = mapped_column(String(10), default=ProposalState.PROPOSED)
    #: The account that proposed it.
    proposed_by: Mapped[int] = mapped_column(BigId)
    #: When.
    proposed_at: Mapped[int] = mapped_column(BigId)
    #: The other account that decided.
    decided_by: Mapped[int | None] = mapped_column(BigId)
    #: When.
    decided_at: Mapped[int | None] = mapped_column(BigId)
    #: The attempt's row.
    attempt: Mapped[Attempt] = relationship()


class ExtraTime(Base):
    """More time for one person at a delivery: known beforehand, or given while they answer."""

    __tablename__ = "extra_time"
    __table_args__ = (UniqueConstraint("delivery_id", "person_id"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: The person.
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: Seconds beyond the time limit, and beyond the end of the window.
    seconds: Mapped[int]
    #: The account that gave it.
    given_by: Mapped[int] = mapped_column(BigId)
    #: When.
    given_at: Mapped[int] = mapped_column(BigId)


class ChangeCause(StrEnum):
    """Why a result changed."""

    CORRECTION = "correction"
    EXTENSION = "extension"
    VOIDED = "voided"


class ResultChange(Base):
    """One attempt whose result is another one than before: the old one is kept."""

    __tablename__ = "result_change"
    __table_args__ = (Index("ix_result_change_delivery_id_id", "delivery_id", "id"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: The attempt.
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), index=True)
    #: `ChangeCause`.
    cause: Mapped[str] = mapped_column(String(12))
    #: {"state", "score", "passed", "right_count", "revision"} before.
    before: Mapped[dict[str, Any]] = mapped_column(Json)
    #: The same after.
    after: Mapped[dict[str, Any]] = mapped_column(Json)
    #: Who caused it.
    account_id: Mapped[int | None] = mapped_column(BigId)
    #: When.
    at: Mapped[int] = mapped_column(BigId)
    #: The attempt's row.
    attempt: Mapped[Attempt] = relationship()
