"""What staff read of attempts and of what happened to their results, within their scope."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from quizapp.banks.models import Item, ItemVersion
from quizapp.core.errors import NotFound
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit, Person, name_key
from quizapp.quizzes.models import (
    CLOSED_STATES,
    Attempt,
    AttemptState,
    Delivery,
    IdentityLevel,
    LateResponse,
    Paper,
    PaperItem,
)
from quizapp.quizzes.rescoring.models import ExtraTime, KeyCorrection, ResultChange, Voiding

#: Rows on one page.
PAGE_SIZE = 50
#: What staff read of a single attempt's result: nothing while the delivery holds it back.
SHOWN_SCORE: Any = case((Delivery.scores_held.is_(True), None), else_=Attempt.score)
SHOWN_PASSED: Any = case((Delivery.scores_held.is_(True), None), else_=Attempt.passed)


@dataclass(frozen=True)
class AttemptRow:
    """An attempt with whose it is and the unit of its day, as far as known."""

    attempt: Attempt
    person: Person | None
    unit: OrgUnit | None
    #: None: there is none yet, or it is held back.
    score: int | None
    passed: bool | None


@dataclass(frozen=True)
class LiveRow:
    """One unit while a delivery runs: 人次."""

    unit: OrgUnit | None
    started: int
    answering: int
    submitted: int


def _mine(scope: Scope) -> ColumnElement[bool]:
    return scope.condition(Permission.MANAGE_DELIVERIES, OrgUnit.path, Attempt.industry_id)


def _seen(statement: Any, scope: Scope) -> Any:
    """Attempts by the place today of their unit, or of the delivery's where they have none."""
    return (
        statement.join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(OrgUnit, OrgUnit.id == func.coalesce(Attempt.unit_id, Delivery.unit_id))
        .where(_mine(scope))
    )


def get_attempt_in_scope(db: Session, scope: Scope, public_id: str) -> Attempt:
    """An attempt of the scope's units. Raises NotFound."""
    statement = _seen(select(Attempt), scope).where(Attempt.public_id == public_id)
    attempt: Attempt | None = db.scalar(statement.options(joinedload(Attempt.delivery)))
    if attempt is None:
        raise NotFound
    return attempt


def find_attempts_of_delivery(
    db: Session, scope: Scope, delivery_id: int, *, text: str, keys: Keys, page: int
) -> tuple[list[AttemptRow], int]:
    """The attempts of a delivery by a part of the name or a whole phone number, the latest first; one page, and how many there are."""
    statement = _seen(select(Attempt.id), scope).outerjoin(Person, Person.id == Attempt.person_id)
    statement = statement.where(Attempt.delivery_id == delivery_id)
    if text:
        statement = statement.where(_about(text, keys))
    total = db.scalar(select(func.count()).select_from(statement.subquery())) or 0
    ids = db.scalars(
        statement.order_by(Attempt.started_at.desc(), Attempt.id.desc()).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    ).all()
    rows = db.execute(
        select(Attempt, Person, OrgUnit, SHOWN_SCORE, SHOWN_PASSED)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .outerjoin(Person, Person.id == Attempt.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attempt.unit_id)
        .where(Attempt.id.in_(ids))
        .order_by(Attempt.started_at.desc(), Attempt.id.desc())
    )
    return [AttemptRow(*row) for row in rows], total


def _about(text: str, keys: Keys) -> ColumnElement[bool]:
    typed = unicodedata.normalize("NFKC", text).strip()
    by_name = Person.name_key.contains(name_key(typed), autoescape=True) if name_key(typed) else false()
    try:
        return Person.phone_hash == keys.phone_hash(normalize_phone(typed))
    except PhoneInvalid:
        return or_(by_name, Attempt.public_id == typed)


def whose(db: Session, attempt: Attempt) -> AttemptRow:
    """An attempt with its person and unit."""
    person = db.get(Person, attempt.person_id) if attempt.person_id is not None else None
    unit = db.get(OrgUnit, attempt.unit_id) if attempt.unit_id is not None else None
    result = select(SHOWN_SCORE, SHOWN_PASSED).join(Delivery, Delivery.id == Attempt.delivery_id)
    score, passed = db.execute(result.where(Attempt.id == attempt.id)).one()
    return AttemptRow(attempt, person, unit, score, passed)


def late_answers(db: Session, attempt_id: int) -> Sequence[LateResponse]:
    """What came too late, in the order of the positions."""
    return db.scalars(
        select(LateResponse).where(LateResponse.attempt_id == attempt_id).order_by(LateResponse.position)
    ).all()


def is_held(attempt: Attempt, delivery: Delivery) -> bool:
    """Whether a result is shown to nobody yet: it was made by a card, which others have in their hands, too."""
    return delivery.scores_held and attempt.identity_level == IdentityLevel.INVITED


def count_late(db: Session, attempt_id: int) -> int:
    """How many answers came too late."""
    return db.scalar(select(func.count()).where(LateResponse.attempt_id == attempt_id)) or 0


def voidings_of(db: Session, attempt_id: int) -> Sequence[Voiding]:
    """The proposals to make an attempt void, the latest first."""
    return db.scalars(select(Voiding).where(Voiding.attempt_id == attempt_id).order_by(Voiding.id.desc())).all()


def is_voided(db: Session, attempt_id: int) -> bool:
    """Whether two persons made an attempt void."""
    return (
        db.scalar(select(Voiding.id).where(Voiding.attempt_id == attempt_id, Voiding.state == "confirmed").limit(1))
        is not None
    )


def changes_of_attempt(db: Session, attempt_id: int) -> Sequence[ResultChange]:
    """How the result of an attempt changed, the latest first; none while the delivery holds results back."""
    rows = select(ResultChange).join(Delivery, Delivery.id == ResultChange.delivery_id)
    rows = rows.where(ResultChange.attempt_id == attempt_id, Delivery.scores_held.is_(False))
    return db.scalars(rows.order_by(ResultChange.id.desc())).all()


def extra_time_of(db: Session, attempt: Attempt) -> ExtraTime | None:
    """The extra time of an attempt's person at its delivery."""
    if attempt.person_id is None:
        return None
    mine = (ExtraTime.delivery_id == attempt.delivery_id, ExtraTime.person_id == attempt.person_id)
    return db.scalar(select(ExtraTime).where(*mine))


def list_changes(
    db: Session, scope: Scope, delivery_id: int, *, page: int | None = 1
) -> tuple[list[tuple[ResultChange, AttemptRow]], int]:
    """Whose result changed at a delivery, as far as the scope shows them, the latest first; one page, or all.

    Nobody's while the delivery holds results back.
    """
    statement = _seen(select(ResultChange.id).join(Attempt, Attempt.id == ResultChange.attempt_id), scope)
    statement = statement.where(ResultChange.delivery_id == delivery_id, Delivery.scores_held.is_(False))
    total = db.scalar(select(func.count()).select_from(statement.subquery())) or 0
    ids = statement.order_by(ResultChange.id.desc())
    if page is not None:
        ids = ids.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    rows = db.execute(
        select(ResultChange, Attempt, Person, OrgUnit, SHOWN_SCORE, SHOWN_PASSED)
        .join(Attempt, Attempt.id == ResultChange.attempt_id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .outerjoin(Person, Person.id == Attempt.person_id)
        .outerjoin(OrgUnit, OrgUnit.id == Attempt.unit_id)
        .where(
            ResultChange.id.in_(ids.subquery().select()) if page is None else ResultChange.id.in_(db.scalars(ids).all())
        )
        .order_by(ResultChange.id.desc())
    )
    return [(change, AttemptRow(*row)) for change, *row in rows], total


def corrections_of(db: Session, delivery_id: int) -> Sequence[KeyCorrection]:
    """The corrections of a delivery, the latest first."""
    rows = (
        select(KeyCorrection).where(KeyCorrection.delivery_id == delivery_id).options(joinedload(KeyCorrection.version))
    )
    return db.scalars(rows.order_by(KeyCorrection.id.desc())).all()


def items_of_delivery(db: Session, delivery_id: int) -> list[tuple[ItemVersion, str]]:
    """The items of a delivery's papers with their codes, each once."""
    used = (
        select(PaperItem.item_version_id)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .where(Paper.delivery_id == delivery_id)
    )
    rows = db.execute(
        select(ItemVersion, Item.code)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(ItemVersion.id.in_(used))
        .order_by(Item.code)
    )
    return [(version, code) for version, code in rows]


def live_rows(db: Session, scope: Scope, delivery_id: int, now_ms: int) -> list[LiveRow]:
    """Started, now answering, submitted, by the unit of the day, the busiest first. Void ones do not count."""
    answering = and_(Attempt.state == AttemptState.OPEN, Attempt.accepts_until > now_ms)
    statement = _seen(
        select(
            Attempt.unit_id,
            func.count(),
            func.sum(case((answering, 1), else_=0)),
            func.sum(case((Attempt.state.in_(CLOSED_STATES), 1), else_=0)),
        ).select_from(Attempt),
        scope,
    )
    rows = db.execute(
        statement.where(Attempt.delivery_id == delivery_id, Attempt.state != AttemptState.VOID)
        .group_by(Attempt.unit_id)
        .order_by(func.count().desc(), Attempt.unit_id)
    ).all()
    units = {unit.id: unit for unit in db.scalars(select(OrgUnit).where(OrgUnit.id.in_([row[0] for row in rows])))}
    return [LiveRow(units.get(unit_id), started, now, done) for unit_id, started, now, done in rows]
