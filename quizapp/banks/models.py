"""Item banks: items, their frozen versions, and the literacy standard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.core.db import Base, BigId, Json, UtcDateTime


class ItemType(StrEnum):
    """The types that are served."""

    TRUE_FALSE = "true_false"
    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"


class ItemState(StrEnum):
    """The life of an item."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RETIRED = "retired"


class ItemUse(StrEnum):
    """Where an item may appear."""

    PRACTICE = "practice"
    TEST = "test"
    BOTH = "both"


class ItemBank(Base):
    """A collection: safety, energy_environment, health, literacy."""

    __tablename__ = "item_bank"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Name of its folder.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    #: {"zh", "en"}.
    title: Mapped[dict[str, str]] = mapped_column(Json)
    #: What its readers found, as `banks.reviews.BankReviews` says it; None where nobody reviewed it.
    reviews: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Topic(Base):
    """A part of a bank: one file."""

    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("bank_id", "code"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Its bank.
    bank_id: Mapped[int] = mapped_column(ForeignKey("item_bank.id"), index=True)
    #: Short code within the bank.
    code: Mapped[str] = mapped_column(String(40))
    #: {"zh", "en"}.
    title: Mapped[dict[str, str]] = mapped_column(Json)


class Benchmark(Base):
    """One of the 26 benchmarks of the literacy standard."""

    __tablename__ = "benchmark"

    #: Number, 1 to 26.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Short name {"zh", "en"}.
    name: Mapped[dict[str, str]] = mapped_column(Json)
    #: Title {"zh", "en"}.
    title: Mapped[dict[str, str]] = mapped_column(Json)


class BenchmarkPoint(Base):
    """One of the 132 points."""

    __tablename__ = "benchmark_point"

    #: Number, 1 to 132.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Its benchmark.
    benchmark_number: Mapped[int] = mapped_column(ForeignKey("benchmark.number"), index=True)
    #: Our paraphrase {"zh", "en"}.
    text: Mapped[dict[str, str]] = mapped_column(Json)


class Item(Base):
    """One question over its life."""

    __tablename__ = "item"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Its id in the files, never reused.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    #: Its topic.
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"), index=True)
    #: `ItemState`.
    state: Mapped[str] = mapped_column(String(20), default=ItemState.APPROVED)
    #: The version that is served now (no foreign key: the two tables would point at each other).
    current_version_id: Mapped[int | None] = mapped_column(BigId)
    #: The topic's row.
    topic: Mapped[Topic] = relationship()


class ItemVersion(Base):
    """The frozen text, options and key of an item. Never updated."""

    __tablename__ = "item_version"
    __table_args__ = (UniqueConstraint("item_id", "number"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Its item.
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)
    #: 1, 2, 3 …
    number: Mapped[int]
    #: `ItemType`.
    type: Mapped[str] = mapped_column(String(20))
    #: `ItemUse`.
    use: Mapped[str] = mapped_column(String(10))
    #: knowledge, method, spirit, application.
    dimension: Mapped[str] = mapped_column(String(20))
    #: The share of right answers that the author expects, 0 to 1: `EXPECTED_SHARE` of the estimate 1 to 5.
    difficulty: Mapped[float]
    #: Code of the fact it asks.
    fact: Mapped[str] = mapped_column(String(40))
    #: Benchmark point, literacy only.
    point_number: Mapped[int | None] = mapped_column(ForeignKey("benchmark_point.number"), index=True)
    #: {"zh", "en"}.
    objective: Mapped[dict[str, str]] = mapped_column(Json)
    #: {"zh", "en"}.
    stem: Mapped[dict[str, str]] = mapped_column(Json)
    #: [{"id", "zh", "en"}]; for true_false [{"id": "t"}, {"id": "f"}] without text.
    options: Mapped[list[dict[str, str]]] = mapped_column(Json)
    #: Whether the options keep their order.
    ordered: Mapped[bool] = mapped_column(default=False)
    #: Sorted ids of the right options: ["b"], ["a", "c"], ["t"].
    key: Mapped[list[str]] = mapped_column(Json)
    #: {"zh", "en"}.
    rationale: Mapped[dict[str, str]] = mapped_column(Json)
    #: {"document", "article", "year", "valid_until"?, "replaces"?}; document, article and replaces are {"zh", "en"}, or plain text in one
    #: language.
    citation: Mapped[dict[str, Any]] = mapped_column(Json)
    #: Month after which it is looked at again, "2028-12".
    review_by: Mapped[str] = mapped_column(String(7))
    #: Subjects, as short codes.
    tags: Mapped[list[str]] = mapped_column(Json, default=list)
    #: Who it is for; empty: for everybody.
    audience: Mapped[list[str]] = mapped_column(Json, default=list)
    #: situation, table, chart or picture to reason from; None for a plain question.
    stimulus: Mapped[str | None] = mapped_column(String(12))
    #: {"file", "alt": {"zh", "en"}, "sha256", "width", "height"} of its picture, or None.
    image: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: SHA-256 of its content, to find what changed.
    content_hash: Mapped[str] = mapped_column(String(64))
    #: When it was loaded.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: The item's row.
    item: Mapped[Item] = relationship(foreign_keys=[item_id])


class ItemPicture(Base):
    """What a picture of an item shows, kept by its content, so that a version that was used keeps the picture that it had."""

    __tablename__ = "item_picture"

    #: SHA-256 of the file.
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: The SVG with both languages.
    svg: Mapped[str] = mapped_column(Text)


class ItemTally(Base):
    """How one position of a paper was answered on one local day, by closed first attempts; written by a job, never by a submit."""

    __tablename__ = "item_tally"
    __table_args__ = (UniqueConstraint("paper_id", "position", "day"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The paper (of `quizzes`, which stands above this feature: no foreign key).
    paper_id: Mapped[int] = mapped_column(BigId)
    #: Position in the paper.
    position: Mapped[int]
    #: Local day of the attempts.
    day: Mapped[date] = mapped_column(Date)
    #: The version at this position.
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), index=True)
    #: Answer ("b", "a,c"; "" for none; "+" for every right one) → right answers in the whole paper, as text → attempts.
    counts: Mapped[dict[str, dict[str, int]]] = mapped_column(Json)
    #: Of the attempts without an answer here, those that answered nothing after it either.
    unreached: Mapped[int]


#: Attempts below which no flag is raised. The standard error of a correlation of so many is 0.1; with a third of them, chance alone would
#: flag one sound item in seven.
FEWEST_FOR_FLAGS = 100


class ItemFigure(Base):
    """What the answers to a version say: `measurement.item_figures`, its flags, and how much harm they do."""

    __tablename__ = "item_figure"

    #: The version.
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), primary_key=True, autoincrement=False)
    #: 人次: closed first attempts whose paper has it.
    asked: Mapped[int]
    #: {"right", "difficulty", "low", "high", "rest", "upper_lower", "omitted", "unreached", "length": questions of its papers on average,
    #: "options": [{"answer", "n", "share", "rest", "key"}]}.
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    #: Codes of `measurement.item_flags`, the most harmful first; none below the fewest attempts.
    flags: Mapped[list[str]] = mapped_column(Json)
    #: By what reviewers' work is ordered; 0 without a flag.
    harm: Mapped[float] = mapped_column(index=True)
    #: When it was counted.
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)


#: A look holds until so many times as many people answered as when it was taken.
LOOK_AGAIN = 2


def look_holds(then: tuple[Sequence[str], int], now: tuple[Sequence[str], int]) -> bool:
    """Whether a look still stands for what the answers say: no new flag, and not yet twice as many answers. Each: (flags, 人次)."""
    return set(now[0]) <= set(then[0]) and now[1] < LOOK_AGAIN * then[1]


class ItemLook(Base):
    """A reviewer looked at a version with flags and found nothing wrong. One stands at a time; those that ended are the item's history.

    Whether the one that stands still holds follows from what the answers say today: see `holds`.
    """

    __tablename__ = "item_look"
    __table_args__ = (
        Index(
            "uq_item_look_standing",
            "item_version_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The version that was looked at.
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), index=True)
    #: The flags that stood.
    flags: Mapped[list[str]] = mapped_column(Json)
    #: 人次 that had answered.
    asked: Mapped[int]
    #: Why it is fine, in the reviewer's words.
    note: Mapped[str | None] = mapped_column(String(300))
    #: The account that looked.
    looked_by: Mapped[int | None] = mapped_column(BigId)
    #: When.
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was taken back, or another took its place; None while it stands. That of its own time: it came second, with words of its own.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The account that took it back.
    taken_back_by: Mapped[int | None] = mapped_column(BigId)

    def new_flags(self, flags: Sequence[str]) -> list[str]:
        """What the answers show now and did not show then."""
        return [flag for flag in flags if flag not in self.flags]

    def holds(self, flags: Sequence[str], asked: int) -> bool:
        """Whether it still stands for what the answers say."""
        return look_holds((self.flags, self.asked), (flags, asked))


class ItemCalibration(Base):
    """Difficulty and discrimination of a version by `measurement.calibration`, on its bank's scale: ability 0 ± 1 in all who answered."""

    __tablename__ = "item_calibration"

    #: The version.
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), primary_key=True, autoincrement=False)
    #: Slope: how steeply the chance of a right answer rises with ability.
    a: Mapped[float]
    #: The ability at which half are right.
    b: Mapped[float]
    #: Standard error of the slope; None where it has none.
    se_a: Mapped[float | None]
    #: Standard error of the place; None where it has none.
    se_b: Mapped[float | None]
    #: Whether the slope is its own, or that of all items with fewer people together.
    own_slope: Mapped[bool]
    #: 人次 that it is estimated from.
    n: Mapped[int]
    #: Mean square of people near the item's place, 1 where they answer as the model says.
    infit: Mapped[float]
    #: Mean square of everybody.
    outfit: Mapped[float]
    #: Distance of the shares right, at equal scores, from the model's, as a fraction; None where too few took one paper.
    off: Mapped[float | None]
    #: Share right that is expected of all who answered.
    share: Mapped[float]
    #: ["misfit"] or nothing.
    flags: Mapped[list[str]] = mapped_column(Json)
    #: By what reviewers' work is ordered, added to that of `ItemFigure`; 0 without a flag.
    harm: Mapped[float]
    #: When it was estimated.
    calibrated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BankCalibration(Base):
    """The last run over a bank: what it stands on, so that the next one comes when there is something new."""

    __tablename__ = "bank_calibration"

    #: The bank.
    bank_id: Mapped[int] = mapped_column(ForeignKey("item_bank.id"), primary_key=True, autoincrement=False)
    #: Changes whenever an attempt that counts comes, goes, or is scored anew.
    mark: Mapped[str] = mapped_column(String(80))
    #: Attempts that counted then.
    attempts: Mapped[int]
    #: Those of them that went into the model.
    people: Mapped[int]
    #: Versions with answers enough, whose papers share too few items with the others'.
    apart: Mapped[list[int]] = mapped_column(Json)
    #: When it was.
    calibrated_at: Mapped[datetime] = mapped_column(UtcDateTime)
