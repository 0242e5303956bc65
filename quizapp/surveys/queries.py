"""What is read of surveys: within the scope of those who manage deliveries, or by the secret of a card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope, below
from quizapp.core.tokens import digest
from quizapp.measurement.survey.standards import ADULT
from quizapp.organisation.models import OrgUnit, Person, PersonSource
from quizapp.organisation.people import AGE_BANDS
from quizapp.quizzes.models import (
    CLOSED_STATES,
    Attempt,
    AttemptState,
    Delivery,
    DeliveryState,
    FieldDemand,
    IdentityLevel,
    QuizBlueprint,
)
from quizapp.quizzes.queries.deliveries import standard_of
from quizapp.surveys.models import Survey, SurveyInvitation

#: Invitations on one page.
PAGE_SIZE = 50
#: Band of ages → its youngest age.
YOUNGEST = {band: first for first, band in AGE_BANDS}
#: The bands of those who stand in a literacy rate.
ADULT_BANDS = tuple(band for band, first in YOUNGEST.items() if first >= ADULT)


@dataclass(frozen=True)
class SurveyRow:
    """A survey with how many were drawn and how many of them answered."""

    survey: Survey
    drawn: int
    answered: int


@dataclass(frozen=True)
class Member:
    """Somebody of a frame: keys alone."""

    person_id: int
    unit_id: int
    path: str


@dataclass(frozen=True)
class RosterFrame:
    """The people of a roster from whom is drawn, and how many are left out, by reason."""

    members: tuple[Member, ...]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Place:
    """An invitation with what became of it."""

    invitation: SurveyInvitation
    attempt: Attempt | None

    @property
    def answered(self) -> bool:
        """Whether there is a score."""
        return self.attempt is not None and self.attempt.state in CLOSED_STATES


def asks_age(delivery: Delivery) -> bool:
    """Whether the year of birth must be given."""
    return delivery.fields.get("birth_year") == FieldDemand.REQUIRED


def list_surveys(db: Session, scope: Scope) -> list[SurveyRow]:
    """The surveys of the scope's units, newest first."""
    surveys = db.scalars(
        select(Survey)
        .join(OrgUnit, OrgUnit.id == Survey.unit_id)
        .where(scope.condition(Permission.MANAGE_DELIVERIES, OrgUnit.path))
        .order_by(Survey.created_at.desc(), Survey.id.desc())
        .options(joinedload(Survey.unit), joinedload(Survey.delivery))
    ).all()
    return [
        SurveyRow(survey, survey.counts.get("drawn", 0), sum(place.answered for place in places_of(db, survey)))
        for survey in surveys
    ]


def get_survey(db: Session, scope: Scope, survey_id: int) -> Survey:
    """A survey of a unit in the scope. Raises NotFound."""
    survey = db.scalar(
        select(Survey)
        .join(OrgUnit, OrgUnit.id == Survey.unit_id)
        .where(Survey.id == survey_id, scope.condition(Permission.MANAGE_DELIVERIES, OrgUnit.path))
        .options(joinedload(Survey.unit), joinedload(Survey.delivery).joinedload(Delivery.blueprint))
    )
    if survey is None:
        raise NotFound
    return survey


def surveys_of_delivery(db: Session, delivery_id: int) -> Sequence[Survey]:
    """The surveys that use a test."""
    return db.scalars(select(Survey).where(Survey.delivery_id == delivery_id).order_by(Survey.id)).all()


def holds_scores(db: Session, delivery_id: int) -> bool:
    """Whether a survey that was drawn and never closed uses a test."""
    going_on = select(Survey.id).where(
        Survey.delivery_id == delivery_id, Survey.drawn_at.is_not(None), Survey.first_closed_at.is_(None)
    )
    return db.scalar(going_on.limit(1)) is not None


def choosable_deliveries(db: Session, scope: Scope, now_ms: int) -> list[Delivery]:
    """Tests with a literacy standard that are not over, in the scope, newest first."""
    rows = db.scalars(
        select(Delivery)
        .join(OrgUnit, OrgUnit.id == Delivery.unit_id)
        .join(QuizBlueprint, QuizBlueprint.id == Delivery.blueprint_id)
        .where(
            scope.condition(Permission.MANAGE_DELIVERIES, OrgUnit.path),
            Delivery.closes_at > now_ms,
            Delivery.state != DeliveryState.FAILED,
        )
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .options(joinedload(Delivery.blueprint), joinedload(Delivery.unit))
    )
    return [delivery for delivery in rows if standard_of(delivery) is not None]


def roster_frame(db: Session, unit: OrgUnit, today: date) -> RosterFrame:
    """The people on the roster of a unit and all below it who are 18 for certain or whose age nobody knows: keys alone, in order.

    Of whom the year of birth alone is known is not 18 for certain in the year in which they turn 18.
    """
    rows = db.execute(
        select(Person.id, OrgUnit.id, OrgUnit.path, Person.birth_year, OrgUnit.closed_at)
        .join(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(
            below(OrgUnit.path, unit.path),
            Person.source == PersonSource.ROSTER,
            Person.merged_into_id.is_(None),
            Person.erased_at.is_(None),
        )
        .order_by(Person.id)
    )
    members: list[Member] = []
    left_out = {"minor": 0, "closed_unit": 0}
    for person_id, unit_id, path, birth_year, closed_at in rows:
        if closed_at is not None:
            left_out["closed_unit"] += 1
        elif birth_year is not None and today.year - birth_year <= ADULT:
            left_out["minor"] += 1
        else:
            members.append(Member(person_id, unit_id, path))
    return RosterFrame(tuple(members), left_out)


def units_below(db: Session, unit: OrgUnit) -> dict[str, OrgUnit]:
    """The open units below one, and itself, by code and by name (a name that two have is left out)."""
    rows = db.scalars(select(OrgUnit).where(below(OrgUnit.path, unit.path), OrgUnit.closed_at.is_(None))).all()
    names: dict[str, OrgUnit | None] = {}
    for row in rows:
        names[row.name] = None if row.name in names else row
    return {**{name: row for name, row in names.items() if row is not None}, **{row.code: row for row in rows}}


def unit_names(db: Session, keys: Iterable[str]) -> dict[str, str]:
    """Key of a unit, as text → its name today."""
    ids = {int(key) for key in keys if key}
    rows = db.execute(select(OrgUnit.id, OrgUnit.name).where(OrgUnit.id.in_(ids)))
    return {str(unit_id): name for unit_id, name in rows}


def paths_of(db: Session, keys: Iterable[str]) -> dict[str, str]:
    """Key of a unit, as text → its path today."""
    rows = db.execute(select(OrgUnit.id, OrgUnit.path).where(OrgUnit.id.in_({int(key) for key in keys})))
    return {str(unit_id): path for unit_id, path in rows}


def places_of(db: Session, survey: Survey, *, people: bool = False) -> list[Place]:
    """All invitations with the attempt that counts for each: the one of its card, else the proved first one of its person.

    `people`: with the persons' rows.
    """
    invitations = db.scalars(
        select(SurveyInvitation)
        .where(SurveyInvitation.survey_id == survey.id)
        .order_by(SurveyInvitation.number)
        .options(*([joinedload(SurveyInvitation.person)] if people else []))
    ).all()
    by_card = select(SurveyInvitation.attempt_id).where(SurveyInvitation.survey_id == survey.id)
    own = select(SurveyInvitation.person_id).where(
        SurveyInvitation.survey_id == survey.id, SurveyInvitation.attempt_id.is_(None)
    )
    attempts = {
        attempt.id: attempt
        for attempt in db.scalars(select(Attempt).where(Attempt.id.in_(by_card), Attempt.state != AttemptState.VOID))
    }
    proved = {
        attempt.person_id: attempt
        for attempt in db.scalars(
            select(Attempt).where(
                Attempt.delivery_id == survey.delivery_id,
                Attempt.is_first,
                Attempt.person_id.in_(own),
                Attempt.identity_level.in_((IdentityLevel.SIGNED_IN, IdentityLevel.INVITED)),
            )
        )
        # of two places that turned out to be one person's, one was answered
        if attempt.id not in attempts
    }
    return [
        Place(one, attempts.get(one.attempt_id) if one.attempt_id is not None else proved.get(one.person_id))
        for one in invitations
    ]


def proved_attempt(db: Session, delivery_id: int, person_id: int) -> Attempt | None:
    """The first attempt of a person at a test, where it is proved whose it is."""
    return db.scalar(
        select(Attempt).where(
            Attempt.delivery_id == delivery_id,
            Attempt.person_id == person_id,
            Attempt.is_first,
            Attempt.identity_level.in_((IdentityLevel.SIGNED_IN, IdentityLevel.INVITED)),
        )
    )


def get_invitation(db: Session, survey_id: int, invitation_id: int) -> SurveyInvitation:
    """An invitation of a survey. Raises NotFound."""
    found = db.scalar(
        select(SurveyInvitation).where(SurveyInvitation.id == invitation_id, SurveyInvitation.survey_id == survey_id)
    )
    if found is None:
        raise NotFound
    return found


def find_invitation(db: Session, secret: str) -> SurveyInvitation | None:
    """The invitation of a card."""
    if len(secret) != 22:
        return None
    return db.scalar(select(SurveyInvitation).where(SurveyInvitation.secret_hash == digest(secret)))
