"""What takes two persons: correcting a key and making an attempt void. One proposes with a reason, another decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.banks.models import ItemType, ItemVersion
from quizapp.core.clock import to_ms
from quizapp.core.db import insert_once
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor
from quizapp.jobs.services import enqueue
from quizapp.quizzes.errors import (
    AcceptedInvalid,
    AttemptNotClosed,
    ProposalDecided,
    ProposalOpen,
    ReasonMissing,
    SecondPersonNeeded,
)
from quizapp.quizzes.models import CLOSED_STATES, Attempt, AttemptState, Delivery, Paper, PaperItem
from quizapp.quizzes.rescoring.models import ChangeCause, CorrectedKey, KeyCorrection, ProposalState, Voiding
from quizapp.quizzes.services.first_attempts import lock_persons, settle_first
from quizapp.quizzes.services.rescoring import TASK, note_change, result_of
from quizapp.quizzes.services.standing import lock_delivery

Proposal = TypeVar("Proposal", KeyCorrection, Voiding)


def propose_correction(
    db: Session,
    *,
    delivery: Delivery,
    item_version_id: int,
    accepted: Sequence[Sequence[str]],
    reason: str,
    actor: Actor,
    now: datetime,
) -> KeyCorrection:
    """Propose which answers shall be right for an item at a delivery. Nothing changes before another person confirms it.

    Raises NotFound for an item that no paper of the delivery has, AcceptedInvalid, ReasonMissing, ProposalOpen.
    """
    version = db.scalar(
        select(ItemVersion)
        .join(PaperItem, PaperItem.item_version_id == ItemVersion.id)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .where(Paper.delivery_id == delivery.id, ItemVersion.id == item_version_id)
        .limit(1)
    )
    if version is None:
        raise NotFound
    answers = _checked(version, accepted, accepted_now(db, delivery.id, version))
    row = _insert(
        db,
        KeyCorrection,
        {
            "delivery_id": delivery.id,
            "item_version_id": version.id,
            "accepted": answers,
            "reason": _reason(reason),
            "state": ProposalState.PROPOSED,
            "proposed_by": actor.account_id,
            "proposed_at": to_ms(now),
        },
        ["delivery_id", "item_version_id"],
    )
    details = {"correction_id": row.id, "item_version_id": version.id, "accepted": answers}
    _log(db, "key_correction_proposed", "delivery", delivery.id, delivery.unit_id, details, actor, now)
    return row


def accepted_now(db: Session, delivery_id: int, version: ItemVersion) -> list[list[str]]:
    """The answers that are right today for an item at a delivery."""
    newest = db.scalar(
        select(KeyCorrection.accepted)
        .where(
            KeyCorrection.delivery_id == delivery_id,
            KeyCorrection.item_version_id == version.id,
            KeyCorrection.state == ProposalState.CONFIRMED,
        )
        .order_by(KeyCorrection.decided_at.desc(), KeyCorrection.id.desc())
        .limit(1)
    )
    return newest if newest is not None else [sorted(version.key)]


def confirm_correction(
    db: Session, correction_id: int, *, delivery: Delivery, actor: Actor, now: datetime
) -> KeyCorrection:
    """Let a correction hold: the keys of each paper with the item get a new scoring revision, and a job scores anew.

    Raises NotFound, SecondPersonNeeded, ProposalDecided.
    """
    lock_delivery(db, delivery.id)  # starts and changes wait, so that no paper is drawn anew under it
    row = _decide(db, KeyCorrection, correction_id, ProposalState.CONFIRMED, actor, now)
    if row.delivery_id != delivery.id:
        raise NotFound
    places = db.execute(
        select(PaperItem.paper_id, PaperItem.position)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .where(Paper.delivery_id == delivery.id, PaperItem.item_version_id == row.item_version_id)
        .order_by(PaperItem.paper_id)
    ).all()
    for paper_id, position in places:
        revision = db.execute(
            update(Paper)
            .where(Paper.id == paper_id)
            .values(scoring_revision=Paper.scoring_revision + 1)
            .returning(Paper.scoring_revision)
            .execution_options(synchronize_session=False)
        ).scalar_one()
        db.add(
            CorrectedKey(
                paper_id=paper_id, position=position, revision=revision, accepted=row.accepted, correction_id=row.id
            )
        )
    db.flush()
    enqueue(db, TASK, {"delivery_id": delivery.id, "cause": ChangeCause.CORRECTION.value}, actor=actor, now=now)
    details = {"correction_id": row.id, "item_version_id": row.item_version_id, "papers": len(places)}
    _log(db, "key_corrected", "delivery", delivery.id, delivery.unit_id, details, actor, now)
    return row


def drop_correction(
    db: Session, correction_id: int, *, delivery: Delivery, actor: Actor, now: datetime
) -> KeyCorrection:
    """Refuse a correction, or take back one's own. Raises NotFound, ProposalDecided."""
    row = _drop(db, KeyCorrection, correction_id, actor, now)
    if row.delivery_id != delivery.id:
        raise NotFound
    details = {"correction_id": row.id, "state": row.state}
    _log(db, "key_correction_dropped", "delivery", delivery.id, delivery.unit_id, details, actor, now)
    return row


def propose_voiding(db: Session, *, attempt: Attempt, reason: str, actor: Actor, now: datetime) -> Voiding:
    """Propose to make a closed attempt void. Raises AttemptNotClosed, ReasonMissing, ProposalOpen."""
    if attempt.state not in CLOSED_STATES:
        raise AttemptNotClosed
    row = _insert(
        db,
        Voiding,
        {
            "attempt_id": attempt.id,
            "reason": _reason(reason),
            "state": ProposalState.PROPOSED,
            "proposed_by": actor.account_id,
            "proposed_at": to_ms(now),
        },
        ["attempt_id"],
    )
    _log(db, "voiding_proposed", "attempt", attempt.id, attempt.unit_id, {"voiding_id": row.id}, actor, now)
    return row


def confirm_voiding(db: Session, voiding_id: int, *, attempt: Attempt, actor: Actor, now: datetime) -> Voiding:
    """Make the attempt void. Its score stays written, but counts nowhere; the first flag is set anew.

    Raises NotFound, SecondPersonNeeded, ProposalDecided, AttemptNotClosed.
    """
    lock_persons(db, attempt.person_id)
    query = select(Attempt).where(Attempt.id == attempt.id).with_for_update(of=Attempt)
    attempt = db.scalars(query.execution_options(populate_existing=True)).one()
    row = _decide(db, Voiding, voiding_id, ProposalState.CONFIRMED, actor, now)
    if row.attempt_id != attempt.id:
        raise NotFound
    if attempt.state not in CLOSED_STATES:
        raise AttemptNotClosed
    before = result_of(attempt)
    attempt.state = AttemptState.VOID
    db.flush()
    if attempt.person_id is not None:
        settle_first(db, attempt.delivery_id, attempt.person_id, actor=actor, now_ms=to_ms(now))
    else:
        attempt.is_first = False
    note_change(db, attempt, before, cause=ChangeCause.VOIDED, account_id=actor.account_id, now_ms=to_ms(now))
    _log(db, "attempt_voided", "attempt", attempt.id, attempt.unit_id, {"voiding_id": row.id}, actor, now)
    return row


def drop_voiding(db: Session, voiding_id: int, *, attempt: Attempt, actor: Actor, now: datetime) -> Voiding:
    """Refuse to make an attempt void, or take back one's own proposal. Raises NotFound, ProposalDecided."""
    row = _drop(db, Voiding, voiding_id, actor, now)
    if row.attempt_id != attempt.id:
        raise NotFound
    details = {"voiding_id": row.id, "state": row.state}
    _log(db, "voiding_dropped", "attempt", attempt.id, attempt.unit_id, details, actor, now)
    return row


def _insert(db: Session, model: type[Proposal], values: dict[str, object], conflict: list[str]) -> Proposal:
    """The row; of two at once the index lets one through."""
    open_one = model.state == ProposalState.PROPOSED
    same = [getattr(model, name) == values[name] for name in conflict]
    if db.scalar(select(model.id).where(open_one, *same)) is not None:
        raise ProposalOpen
    if not insert_once(db, model, values, conflict=conflict, where=text("state = 'proposed'")):
        raise ProposalOpen
    return db.scalars(select(model).where(open_one, *same)).one()


def _decide(
    db: Session, model: type[Proposal], row_id: int, state: ProposalState, actor: Actor, now: datetime
) -> Proposal:
    """Decide an open proposal of somebody else: the first one wins."""
    row = db.get(model, row_id)
    if row is None:
        raise NotFound
    if row.proposed_by == actor.account_id:
        raise SecondPersonNeeded
    return _settle(db, model, row_id, state, actor, now)


def _drop(db: Session, model: type[Proposal], row_id: int, actor: Actor, now: datetime) -> Proposal:
    row = db.get(model, row_id)
    if row is None:
        raise NotFound
    own = row.proposed_by == actor.account_id
    return _settle(db, model, row_id, ProposalState.WITHDRAWN if own else ProposalState.REFUSED, actor, now)


def _settle(
    db: Session, model: type[Proposal], row_id: int, state: ProposalState, actor: Actor, now: datetime
) -> Proposal:
    done = db.execute(
        update(model)
        .where(model.id == row_id, model.state == ProposalState.PROPOSED)
        .values(state=state, decided_by=actor.account_id, decided_at=to_ms(now))
        .returning(model.id)
        .execution_options(synchronize_session=False)
    ).first()
    if done is None:
        raise ProposalDecided
    return db.scalars(select(model).where(model.id == row_id).execution_options(populate_existing=True)).one()


def _reason(text: str) -> str:
    reason = " ".join(text.split())[:300]
    if len(reason) < 2:
        raise ReasonMissing(field="reason")
    return reason


def _checked(version: ItemVersion, accepted: Sequence[Sequence[str]], current: list[list[str]]) -> list[list[str]]:
    """The accepted answers, each once, as options of the item; something else than what is right today."""
    known = {str(option["id"]) for option in version.options}
    answers = [sorted(set(answer)) for answer in accepted if answer]
    answers = [answer for place, answer in enumerate(answers) if answer not in answers[:place]]
    single = version.type != ItemType.MULTIPLE_CHOICE
    wrong = any(not set(answer) <= known or (single and len(answer) != 1) for answer in answers)
    if not answers or wrong or sorted(answers) == sorted(current):
        raise AcceptedInvalid(field="accepted")
    return answers


def _log(
    db: Session,
    action: str,
    kind: str,
    object_id: int,
    unit_id: int | None,
    details: Mapping[str, object],
    actor: Actor,
    now: datetime,
) -> None:
    record(
        db, actor=actor, action=action, object_type=kind, object_id=object_id, unit_id=unit_id, details=details, now=now
    )
