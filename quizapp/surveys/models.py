"""Surveys and their invitations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quizapp.core.db import Base, BigId, Json, UtcDateTime
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Delivery


class Design(StrEnum):
    """How a sample is drawn."""

    #: Singly, of all.
    SIMPLE = "simple"
    #: Singly in each unit directly below the survey's, in proportion to its size.
    STRATIFIED = "stratified"
    #: Units first, then people in each of them.
    TWO_STAGE = "two_stage"
    #: The same within each unit directly below the survey's, which shares the units to draw by how many it has.
    STRATIFIED_TWO_STAGE = "stratified_two_stage"

    @property
    def in_strata(self) -> bool:
        """Whether each unit directly below the survey's is drawn from by itself."""
        return self in (Design.STRATIFIED, Design.STRATIFIED_TWO_STAGE)

    @property
    def by_units(self) -> bool:
        """Whether units are drawn first."""
        return self in (Design.TWO_STAGE, Design.STRATIFIED_TWO_STAGE)


class FrameKind(StrEnum):
    """What is known of those from whom is drawn."""

    #: The people of the roster.
    ROSTER = "roster"
    #: Units with how many people each has; a card then says which place of the unit's own list is meant.
    UNITS = "units"


class Outcome(StrEnum):
    """What became of an invitation; whether somebody answered is told by the attempt."""

    INVITED = "invited"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    #: Moved away, died, not 18: never belonged to the population.
    INELIGIBLE = "ineligible"


class Survey(Base):
    """A survey of the people of a unit and all below it, planned, then drawn, then closed. After the draw it stays."""

    __tablename__ = "survey"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The unit whose people, with those of all units below, are the population.
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_unit.id"), index=True)
    #: What it is called on pages and cards.
    title: Mapped[str] = mapped_column(String(120))
    #: The test that those who are drawn take; its standard says who is literate.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    #: `Design`.
    design: Mapped[str] = mapped_column(String(24))
    #: `FrameKind`.
    frame_kind: Mapped[str] = mapped_column(String(10))
    #: Numbers of the plan: rate (None: unknown), margin, confidence, response, per_unit, likeness; shares as fractions.
    plan: Mapped[dict[str, Any]] = mapped_column(Json)
    #: Key of a unit, as text → its people, where the frame is a list of units.
    unit_sizes: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    #: Public text from which the draw follows; where the list was announced, what was announced followed by what came out.
    seed: Mapped[str] = mapped_column(String(200))
    #: Every announcement of the list before the draw, oldest first: at (ms), list (its SHA-256), people, seed, left_out; a withdrawn one
    #: has withdrawn_at. Anybody sees them all.
    announcements: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    #: What the draw found and did: people, units, strata, left_out, drawn, answers …
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: The list from which was drawn (ids, keys of units), compressed, so that the draw can be checked later.
    frame: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    #: SHA-256 of that list as a file.
    frame_digest: Mapped[str | None] = mapped_column(String(64))
    #: SHA-256 of what was drawn.
    drawn_digest: Mapped[str | None] = mapped_column(String(64))
    #: How answers are weighted: margins, cap.
    weighting: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: The last estimate with everything that it says; a job makes it.
    estimate: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: When that was.
    estimated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When it was drawn.
    drawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Until when answers were taken.
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When it was closed for the first time: since then the scores of single people can be read, and nobody who has answered is struck
    #: out any more, also where it was opened again.
    first_closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The account that planned it.
    created_by: Mapped[int | None] = mapped_column(BigId)
    #: When.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: The unit's row.
    unit: Mapped[OrgUnit] = relationship()
    #: The test's row.
    delivery: Mapped[Delivery] = relationship()

    @property
    def announced(self) -> dict[str, Any] | None:
        """The announcement that holds; None: there is none, or it was withdrawn."""
        last = self.announcements[-1] if self.announcements else None
        return None if last is None or "withdrawn_at" in last else last


class SurveyInvitation(Base):
    """One place of the sample: somebody of the roster, or a place of a unit's own list. Its stratum and weight are those of the draw."""

    __tablename__ = "survey_invitation"
    __table_args__ = (UniqueConstraint("survey_id", "number"), UniqueConstraint("survey_id", "person_id"))

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The survey.
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    #: Its place in what was drawn, from 1; printed on the card.
    number: Mapped[int]
    #: Who was drawn; None: the place of a unit's list.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    #: Place in the unit's own list, where no person is known.
    place: Mapped[int | None]
    #: Key of the stratum's unit at the draw, as text; "" where there are no strata.
    stratum: Mapped[str] = mapped_column(String(20))
    #: Key of the unit at the draw, as text: the first stage where units were drawn, else where the person was.
    home: Mapped[str] = mapped_column(String(20))
    #: `Residence` of that unit at the draw; None: nobody had said.
    residence: Mapped[str | None] = mapped_column(String(8))
    #: People for whom this one stands: 1/probability of being drawn.
    weight: Mapped[float]
    #: Population sizes of the stages.
    populations: Mapped[list[int]] = mapped_column(Json)
    #: SHA-256 of the secret in the card's QR code; None: the card opens nothing any more.
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    #: `Outcome`.
    outcome: Mapped[str] = mapped_column(String(12), default=Outcome.INVITED)
    #: The account that noted the outcome.
    noted_by: Mapped[int | None] = mapped_column(BigId)
    #: When.
    noted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The attempt that the card started.
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"), index=True)
    #: Who, as a row.
    person: Mapped[Person | None] = relationship()
