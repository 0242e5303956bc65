"""Blueprints, deliveries, papers, attempts and responses.

Instants on these tables are integer milliseconds UTC: they are read and written on the hot path.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.banks.models import ItemBank, ItemVersion
from quizapp.core.db import Base, BigId, Json, PathText
from quizapp.organisation.models import Industry, OrgUnit


class DeliveryState(StrEnum):
    """Where a delivery stands; whether its window is open follows from the clock."""

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


class Reveal(StrEnum):
    """What a taker sees after the submit."""

    #: Score and weak topics until the window closes, then everything.
    AFTER_CLOSE = "after_close"
    #: Everything at once.
    AT_ONCE = "at_once"
    #: Score and weak topics, never the keys.
    SCORE_ONLY = "score_only"


class FieldDemand(StrEnum):
    """Whether a delivery asks for a field."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


#: The fields that a delivery can ask, in the order of the page.
PROFILE_FIELDS = ("name", "phone", "unit", "industry", "birth_year", "sex", "education", "key_group")


class AttemptState(StrEnum):
    """Where an attempt stands."""

    OPEN = "open"
    #: The taker submitted it.
    SUBMITTED = "submitted"
    #: Its time ran out; scored with what was saved.
    EXPIRED = "expired"
    #: It does not count: nothing was saved, or two persons decided so.
    VOID = "void"


#: The states in which an attempt has a score.
CLOSED_STATES = (AttemptState.SUBMITTED, AttemptState.EXPIRED)


class IdentityLevel(StrEnum):
    """How sure it is who answered."""

    SIGNED_IN = "signed_in"
    #: By a card that was made for this person alone, or for one place of a sample.
    INVITED = "invited"
    MATCHED = "matched"
    DEVICE = "device"
    NONE = "none"


class UnitKnown(StrEnum):
    """How the unit of an attempt is known."""

    ROSTER = "roster"
    ACCOUNT = "account"
    SELF_DECLARED = "self_declared"
    NONE = "none"


class QuizBlueprint(Base):
    """How a quiz is drawn from a bank."""

    __tablename__ = "blueprint"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Stable name: "literacy_2016", "safety_20".
    code: Mapped[str] = mapped_column(String(40), unique=True)
    #: The bank it draws from.
    bank_id: Mapped[int] = mapped_column(ForeignKey("item_bank.id"))
    #: {"zh", "en"}.
    title: Mapped[dict[str, str]] = mapped_column(Json)
    #: {"zh", "en"}: what is asked.
    description: Mapped[dict[str, str]] = mapped_column(Json)
    #: The rules, as in blueprints.yaml: items, types, topics, points …
    rules: Mapped[dict[str, Any]] = mapped_column(Json)
    #: The bank's row.
    bank: Mapped[ItemBank] = relationship()


class Delivery(Base):
    """A quiz offered to an audience in a window, with its poster code."""

    __tablename__ = "delivery"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Eight characters on the poster: /q/<poster_code>.
    poster_code: Mapped[str] = mapped_column(String(8), unique=True)
    #: The blueprint it was assembled from.
    blueprint_id: Mapped[int] = mapped_column(ForeignKey("blueprint.id"))
    #: Title on the poster.
    title: Mapped[str] = mapped_column(String(120))
    #: English title, where given.
    title_en: Mapped[str | None] = mapped_column(String(160))
    #: The unit that offers it.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: The window, half-open, ms UTC.
    opens_at: Mapped[int] = mapped_column(BigId)
    #: End of the window, ms UTC.
    closes_at: Mapped[int] = mapped_column(BigId)
    #: Seconds to answer; None: until the window closes.
    time_limit_s: Mapped[int | None]
    #: Seconds after the deadline in which an answer on its way is still taken.
    grace_s: Mapped[int] = mapped_column(default=30)
    #: Tries for one person; None: any number.
    tries: Mapped[int | None]
    #: Places in all; None: any number.
    capacity: Mapped[int | None]
    #: Score from which the attempt passes.
    pass_score: Mapped[int]
    #: Highest possible score.
    max_score: Mapped[int]
    #: Number of questions.
    item_count: Mapped[int]
    #: Number of parallel papers.
    paper_count: Mapped[int]
    #: `Reveal`.
    reveal: Mapped[str] = mapped_column(String(20), default=Reveal.AFTER_CLOSE)
    #: Whether people without an account may take it.
    guests: Mapped[bool] = mapped_column(default=True)
    #: Field → `FieldDemand`.
    fields: Mapped[dict[str, str]] = mapped_column(Json)
    #: The data notice: version, purpose, keeper, contact, retention_months.
    notice: Mapped[dict[str, Any]] = mapped_column(Json)
    #: Probability that blind guessing passes.
    guess_pass: Mapped[float]
    #: `DeliveryState`.
    state: Mapped[str] = mapped_column(String(10), default=DeliveryState.PREPARING)
    #: Where the papers could not be assembled: the codes of the demands that conflict, joined by semicolons, or that of the refusal.
    failure: Mapped[str | None] = mapped_column(String(60))
    #: Seed of the assembly.
    seed: Mapped[str] = mapped_column(String(32))
    #: The account that published it.
    created_by: Mapped[int | None] = mapped_column(BigId)
    #: When, ms UTC.
    created_at: Mapped[int] = mapped_column(BigId)
    #: When the papers were last asked for, ms UTC; None: when it was published.
    asked_at: Mapped[int | None] = mapped_column(BigId)
    #: Raised by each change: a form that was opened before it is not stored.
    revision: Mapped[int] = mapped_column(default=1)
    #: Whether somebody was given extra time; the lines need not be read to know.
    extra_time: Mapped[bool] = mapped_column(default=False)
    #: Whether it is for the units of its audience alone; the lines need not be read to know.
    limited: Mapped[bool] = mapped_column(default=False)
    #: Whether nobody of the staff sees the result of a single attempt: a survey that uses it goes on, and who decides whose answer
    #: counts must not know the score.
    scores_held: Mapped[bool] = mapped_column(default=False)
    #: The unit's row.
    unit: Mapped[OrgUnit] = relationship()
    #: The blueprint's row.
    blueprint: Mapped[QuizBlueprint] = relationship()
    #: Whom it is for, where it is limited.
    audience: Mapped[list[DeliveryAudience]] = relationship(order_by="DeliveryAudience.id")


class DeliveryAudience(Base):
    """One line of an audience: the people of a unit and of all below it, of one industry alone where one is named.

    A delivery without a line is for everybody who scans its poster.
    """

    __tablename__ = "delivery_audience"
    __table_args__ = (
        UniqueConstraint("delivery_id", "unit_id", "industry_id"),
        # where no industry is named, the constraint above finds nothing equal
        Index(
            "uq_delivery_audience_unit",
            "delivery_id",
            "unit_id",
            unique=True,
            sqlite_where=text("industry_id IS NULL"),
            postgresql_where=text("industry_id IS NULL"),
        ),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: The unit.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: The industry; None: any.
    industry_id: Mapped[int | None] = mapped_column(ForeignKey("industry.id"))
    #: The unit's row.
    unit: Mapped[OrgUnit] = relationship(lazy="joined")
    #: The industry's row.
    industry: Mapped[Industry | None] = relationship(lazy="joined")


class Paper(Base):
    """A frozen, assembled form of a delivery."""

    __tablename__ = "paper"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Its delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: 1, 2, 3 …
    number: Mapped[int]
    #: Raised by each key correction.
    scoring_revision: Mapped[int] = mapped_column(default=1)


class PaperItem(Base):
    """One position of a paper."""

    __tablename__ = "paper_item"
    __table_args__ = (UniqueConstraint("paper_id", "item_version_id"),)

    #: The paper.
    paper_id: Mapped[int] = mapped_column(ForeignKey("paper.id"), primary_key=True)
    #: 1 to the number of questions.
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The frozen version.
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), index=True)
    #: Points for a right answer.
    points: Mapped[int]
    #: The version's row.
    version: Mapped[ItemVersion] = relationship()


class Attempt(Base):
    """One person's work on one paper, with a snapshot of who they were that day."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index(
            "uq_attempt_first",
            "delivery_id",
            "person_id",
            unique=True,
            sqlite_where=text("is_first"),
            postgresql_where=text("is_first"),
        ),
        Index("ix_attempt_delivery_id_unit_path", "delivery_id", "unit_path"),
        Index("ix_attempt_delivery_id_local_date", "delivery_id", "local_date"),
        Index(
            "ix_attempt_repeated",
            "delivery_id",
            "person_id",
            sqlite_where=text("is_first = 0"),
            postgresql_where=text("NOT is_first"),
        ),
        Index("ix_attempt_local_date_unit_id_person_id", "local_date", "unit_id", "person_id"),
        Index("ix_attempt_state_deadline_at", "state", "deadline_at"),
        Index("ix_attempt_delivery_id_device_hash", "delivery_id", "device_hash"),
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Name in the address; opens nothing by itself.
    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    #: Its delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: Its paper.
    paper_id: Mapped[int] = mapped_column(ForeignKey("paper.id"), index=True)
    #: Who, as far as known.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    #: The account that was signed in, or claimed it.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    #: SHA-256 of the secret in the browser that answers.
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    #: SHA-256 of the secret in the browser that answered before "go on in another browser": may only read.
    reader_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Hash of the browser's device token.
    device_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Keyed hash of the receipt code (with the last four digits of the phone, where one was given).
    receipt_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    #: Seed and version of the rule that orders the options.
    order_seed: Mapped[str] = mapped_column(String(32))
    #: Version of the rule.
    order_version: Mapped[int] = mapped_column(default=1)
    #: `AttemptState`.
    state: Mapped[str] = mapped_column(String(10), default=AttemptState.OPEN)
    #: When it was started, ms UTC.
    started_at: Mapped[int] = mapped_column(BigId)
    #: Last instant at which an answer counts (before grace), ms UTC.
    deadline_at: Mapped[int] = mapped_column(BigId)
    #: deadline_at + grace: the hot path compares one number.
    accepts_until: Mapped[int] = mapped_column(BigId)
    #: Seconds of extra time that are in the deadline.
    extra_s: Mapped[int] = mapped_column(default=0)
    #: When it was submitted or closed, ms UTC.
    closed_at: Mapped[int | None] = mapped_column(BigId)
    #: Local day of the start.
    local_date: Mapped[date] = mapped_column(Date)
    #: Which try of this person it is, from 1.
    try_number: Mapped[int] = mapped_column(default=1)
    #: Earliest started attempt per person and delivery that is not void.
    is_first: Mapped[bool] = mapped_column(default=False)
    #: `IdentityLevel`.
    identity_level: Mapped[str] = mapped_column(String(10))
    #: Unit of the day.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_unit.id"))
    #: That unit's path of the day.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: `UnitKnown`.
    unit_known: Mapped[str] = mapped_column(String(15))
    #: Industry of the day.
    industry_id: Mapped[int | None] = mapped_column(ForeignKey("industry.id"))
    #: Age band of the day: "18-29" …
    age_band: Mapped[str | None] = mapped_column(String(10))
    #: `organisation.Sex`.
    sex: Mapped[str | None] = mapped_column(String(10))
    #: `organisation.Education`.
    education: Mapped[str | None] = mapped_column(String(20))
    #: `organisation.KeyGroup`.
    key_group: Mapped[str | None] = mapped_column(String(20))
    #: A guardian agreed for a child under 14.
    guardian: Mapped[bool] = mapped_column(default=False)
    #: Version of the data notice that was agreed to.
    notice_version: Mapped[str] = mapped_column(String(20))
    #: Positions marked for later, sorted.
    marked: Mapped[list[int]] = mapped_column(Json, default=list)
    #: Points, once closed.
    score: Mapped[int | None]
    #: Right answers, once closed.
    right_count: Mapped[int | None]
    #: Answers given, once closed.
    answered_count: Mapped[int | None]
    #: Whether it passed, once closed.
    passed: Mapped[bool | None]
    #: Scoring revision of the paper with which it was scored.
    scoring_revision: Mapped[int | None]
    #: The delivery's row.
    delivery: Mapped[Delivery] = relationship()


class Response(Base):
    """The newest answer at one position. Written by the hot path alone."""

    __tablename__ = "response"
    #: One tree instead of two: the primary key is the row.
    __table_args__ = ({"sqlite_with_rowid": False},)

    #: The attempt.
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    #: Position in the paper.
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Chosen option ids, sorted, joined by commas; empty when taken back.
    answer: Mapped[str] = mapped_column(Text)
    #: Rises with each answer of the attempt; an older one never replaces a newer one.
    sequence: Mapped[int] = mapped_column(BigId)
    #: When the server stored it, ms UTC.
    saved_at: Mapped[int] = mapped_column(BigId)


class LateResponse(Base):
    """An answer that came after the deadline and its grace: kept, visible, not scored."""

    __tablename__ = "late_response"

    #: The attempt.
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    #: Position in the paper.
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: As in `Response`.
    answer: Mapped[str] = mapped_column(Text)
    #: As in `Response`.
    sequence: Mapped[int] = mapped_column(BigId)
    #: When it arrived, ms UTC.
    received_at: Mapped[int] = mapped_column(BigId)


class TransferCode(Base):
    """The one-time code of "go on in another browser"."""

    __tablename__ = "transfer_code"

    #: Keyed hash of the typed code.
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    #: The attempt that moves.
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), index=True)
    #: Ten minutes after it was made, ms UTC.
    expires_at: Mapped[int] = mapped_column(BigId)
    #: When it was used, ms UTC.
    used_at: Mapped[int | None] = mapped_column(BigId)
