"""What staff read of deliveries, within their scope; and which items the open tests use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, exists, false, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from quizapp.accounts.models import Account
from quizapp.audit.models import AuditEvent
from quizapp.banks.models import ItemVersion
from quizapp.core.clock import to_ms
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope, below
from quizapp.measurement.survey.standards import STANDARDS, Standard
from quizapp.organisation.models import OrgUnit, Person, PersonSource
from quizapp.quizzes.models import (
    CLOSED_STATES,
    Attempt,
    AttemptState,
    Delivery,
    DeliveryState,
    Paper,
    PaperItem,
    QuizBlueprint,
)

#: Deliveries on one page of the list.
PAGE_SIZE = 50


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery with how many attempts were started and how many are closed; void ones do not count."""

    delivery: Delivery
    started: int
    closed: int


@dataclass(frozen=True)
class DeliveryPage:
    """One page of the list."""

    rows: tuple[DeliveryRow, ...]
    page: int
    pages: int
    total: int


def list_deliveries(db: Session, scope: Scope, *, page: int = 1) -> DeliveryPage:
    """The deliveries of the scope's units, newest first."""
    mine = scope.condition(Permission.MANAGE_DELIVERIES, OrgUnit.path)
    query = select(Delivery).join(OrgUnit, OrgUnit.id == Delivery.unit_id).where(mine)
    total = db.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    deliveries = db.scalars(
        query.order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
        .options(joinedload(Delivery.unit), joinedload(Delivery.blueprint))
    ).all()
    counts = count_attempts(db, [d.id for d in deliveries])
    rows = tuple(DeliveryRow(d, *counts.get(d.id, (0, 0))) for d in deliveries)
    return DeliveryPage(rows, page, pages, total)


def get_delivery_in_scope(db: Session, scope: Scope, delivery_id: int) -> Delivery:
    """A delivery of a unit in the scope. Raises NotFound."""
    delivery = db.scalar(
        select(Delivery)
        .join(OrgUnit, OrgUnit.id == Delivery.unit_id)
        .where(Delivery.id == delivery_id, scope.condition(Permission.MANAGE_DELIVERIES, OrgUnit.path))
        .options(joinedload(Delivery.unit), joinedload(Delivery.blueprint).joinedload(QuizBlueprint.bank))
    )
    if delivery is None:
        raise NotFound
    return delivery


def count_attempts(db: Session, delivery_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Delivery id → (started, closed) attempts, without the void ones."""
    if not delivery_ids:
        return {}
    closed = func.sum(case((Attempt.state.in_(CLOSED_STATES), 1), else_=0))
    rows = db.execute(
        select(Attempt.delivery_id, func.count(), closed)
        .where(Attempt.delivery_id.in_(delivery_ids), Attempt.state != AttemptState.VOID)
        .group_by(Attempt.delivery_id)
    )
    return {delivery_id: (started, int(done)) for delivery_id, started, done in rows}


@dataclass(frozen=True)
class LastChange:
    """Who changed a delivery last, and when."""

    name: str
    at: datetime


def last_change(db: Session, delivery_id: int) -> LastChange | None:
    """The last change of a delivery by a person; None where nobody has changed it."""
    row = db.execute(
        select(Person.name, AuditEvent.at)
        .join(Account, Account.id == AuditEvent.account_id)
        .join(Person, Person.id == Account.person_id)
        .where(
            AuditEvent.object_type == "delivery",
            AuditEvent.object_id == delivery_id,
            AuditEvent.action.in_(("delivery_changed", "delivery_closed_early", "delivery_extended")),
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).first()
    return LastChange(row.name, row.at) if row is not None else None


def running_count(db: Session, delivery_id: int) -> int:
    """How many are answering."""
    return (
        db.scalar(select(func.count()).where(Attempt.delivery_id == delivery_id, Attempt.state == AttemptState.OPEN))
        or 0
    )


def rostered_count(db: Session, lines: Iterable[tuple[str, int | None]]) -> int:
    """People on a roster of these (unit path, industry), each once."""
    parts = [
        and_(below(OrgUnit.path, path), Person.industry_id == industry_id if industry_id is not None else true())
        for path, industry_id in lines
    ]
    people = select(func.count(Person.id)).join(OrgUnit, OrgUnit.id == Person.unit_id)
    rostered = (Person.source == PersonSource.ROSTER, Person.merged_into_id.is_(None))
    return db.scalar(people.where(*rostered, or_(*parts, false()))) or 0


def is_started(db: Session, delivery_id: int) -> bool:
    """Whether anybody has started it, void attempts included: from then on its rules stand."""
    return bool(db.scalar(select(exists().where(Attempt.delivery_id == delivery_id))))


def list_blueprints(db: Session) -> Sequence[QuizBlueprint]:
    """All blueprints, the literacy test first, then in the order in which they were loaded."""
    return db.scalars(
        select(QuizBlueprint)
        .order_by(case((QuizBlueprint.code.startswith("literacy"), 0), else_=1), QuizBlueprint.id)
        .options(joinedload(QuizBlueprint.bank))
    ).all()


def find_blueprint(db: Session, code: str) -> QuizBlueprint | None:
    """The blueprint of a code."""
    return db.scalar(select(QuizBlueprint).where(QuizBlueprint.code == code).options(joinedload(QuizBlueprint.bank)))


def items_in_open_tests(db: Session, now: datetime) -> set[int]:
    """Ids of the items that a test open now uses, in whatever version: they are out of practice until its window ends."""
    now_ms = to_ms(now)
    return set(
        db.scalars(
            select(ItemVersion.item_id)
            .join(PaperItem, PaperItem.item_version_id == ItemVersion.id)
            .join(Paper, Paper.id == PaperItem.paper_id)
            .join(Delivery, Delivery.id == Paper.delivery_id)
            .where(Delivery.state == DeliveryState.READY, Delivery.opens_at <= now_ms, Delivery.closes_at > now_ms)
            .distinct()
        )
    )


#: So long after the window an item counts as not used: the next year's papers then share some with this year's, and only through common
#: questions can two years be compared (`reports.years`).
RESTED_DAYS = 300


def item_uses(db: Session, bank_id: int, now: datetime) -> dict[int, int]:
    """Item id → in how many papers of the bank's blueprints it stands, in whatever version; of windows that closed long ago none."""
    rows = db.execute(
        select(ItemVersion.item_id, func.count())
        .join(PaperItem, PaperItem.item_version_id == ItemVersion.id)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .join(Delivery, Delivery.id == Paper.delivery_id)
        .join(QuizBlueprint, QuizBlueprint.id == Delivery.blueprint_id)
        .where(QuizBlueprint.bank_id == bank_id, Delivery.closes_at > to_ms(now - timedelta(days=RESTED_DAYS)))
        .group_by(ItemVersion.item_id)
    )
    return dict(rows.all())


def standard_of(delivery: Delivery | None) -> Standard | None:
    """The standard that a delivery's score is of; None for a test that follows none, or has other points than it."""
    standard = STANDARDS.get(delivery.blueprint.rules.get("standard", "")) if delivery is not None else None
    return standard if delivery is not None and standard and standard.points == delivery.max_score else None


def paper_count(db: Session, delivery_id: int) -> int:
    """How many papers stand."""
    return db.scalar(select(func.count()).where(Paper.delivery_id == delivery_id)) or 0
