"""New scores for closed attempts: after a corrected key, and after more time took late answers in.

It may run twice, or stop half-way and begin again: each attempt is brought to what its answers and its paper's newest keys give, and a
row says what it was before wherever that is something else. A submit reads the revision in its own transaction: what it scored with an
older one is brought up here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from quizapp.quizzes.models import Attempt, AttemptState, Delivery, LateResponse, Paper, Response
from quizapp.quizzes.queries.taking import PaperCache, answers_of
from quizapp.quizzes.rescoring.models import ChangeCause, ResultChange
from quizapp.quizzes.scoring import score
from quizapp.quizzes.services.deadlines import deadline_of
from quizapp.quizzes.services.first_attempts import lock_persons, settle_first

#: The job that does it for a whole delivery.
TASK = "rescore_delivery"
#: Attempts in one transaction.
BATCH = 50


def attempts_to_rescore(db: Session, delivery_id: int, after_id: int = 0, limit: int = BATCH) -> list[int]:
    """Ids of the attempts of a delivery that may get another result, in their order: closed ones, and those that the clock made void."""
    wanted = (Attempt.delivery_id == delivery_id, Attempt.id > after_id, Attempt.state != AttemptState.OPEN)
    return list(db.scalars(select(Attempt.id).where(*wanted).order_by(Attempt.id).limit(limit)))


def count_to_rescore(db: Session, delivery_id: int) -> int:
    """How many those are."""
    wanted = (Attempt.delivery_id == delivery_id, Attempt.state != AttemptState.OPEN)
    return db.scalar(select(func.count()).where(*wanted)) or 0


def rescore_attempt(
    db: Session, attempt_id: int, *, papers: PaperCache, cause: ChangeCause, account_id: int | None, now_ms: int
) -> ResultChange | None:
    """Take in what came late but in time by today's end, score with the newest keys, and keep what was before where it changed."""
    lock_persons(db, db.scalar(select(Attempt.person_id).where(Attempt.id == attempt_id)))
    query = select(Attempt).where(Attempt.id == attempt_id).with_for_update(of=Attempt)
    attempt = db.scalars(query.execution_options(populate_existing=True)).one()
    delivery = db.get_one(Delivery, attempt.delivery_id)
    if attempt.state == AttemptState.OPEN or (attempt.state == AttemptState.VOID and attempt.score is not None):
        return None  # still answering, or made void by two persons
    before = result_of(attempt)
    if attempt.state != AttemptState.SUBMITTED:
        take_in_late(db, attempt, delivery)
    if attempt.state == AttemptState.VOID and not any(answers_of(db, attempt.id).values()):
        return None
    _score(db, attempt, delivery, papers)
    if before["state"] == AttemptState.VOID:
        attempt.state = AttemptState.EXPIRED
        db.flush()
        if attempt.person_id is not None:
            settle_first(db, attempt.delivery_id, attempt.person_id, now_ms=now_ms)
    return note_change(db, attempt, before, cause=cause, account_id=account_id, now_ms=now_ms)


def result_of(attempt: Attempt) -> dict[str, Any]:
    """What a result is, as it is kept when it changes."""
    return {
        "state": str(attempt.state),
        "score": attempt.score,
        "passed": attempt.passed,
        "right_count": attempt.right_count,
        "revision": attempt.scoring_revision,
    }


def note_change(
    db: Session, attempt: Attempt, before: dict[str, Any], *, cause: ChangeCause, account_id: int | None, now_ms: int
) -> ResultChange | None:
    """Keep the old result where the new one differs in more than the revision."""
    db.flush()
    after = result_of(attempt)
    if all(before[name] == after[name] for name in ("state", "score", "passed", "right_count")):
        return None
    change = ResultChange(
        delivery_id=attempt.delivery_id,
        attempt_id=attempt.id,
        cause=cause,
        before=before,
        after=after,
        account_id=account_id,
        at=now_ms,
    )
    db.add(change)
    db.flush()
    return change


def take_in_late(db: Session, attempt: Attempt, delivery: Delivery) -> None:
    """The deadline as the delivery's end gives it today, never an earlier one, and the late answers that came before it."""
    deadline = deadline_of(delivery, attempt.started_at, attempt.extra_s)
    if deadline > attempt.deadline_at:
        attempt.deadline_at, attempt.accepts_until = deadline, deadline + delivery.grace_s * 1000
        if attempt.closed_at is not None:
            attempt.closed_at = deadline
    late = db.scalars(
        select(LateResponse).where(
            LateResponse.attempt_id == attempt.id, LateResponse.received_at <= attempt.accepts_until
        )
    ).all()
    for one in late:
        values = {
            "attempt_id": attempt.id,
            "position": one.position,
            "answer": one.answer,
            "sequence": one.sequence,
            "saved_at": one.received_at,
        }
        stored = db.get(Response, (attempt.id, one.position), populate_existing=True)
        if stored is None:
            db.add(Response(**values))
        elif stored.sequence < one.sequence:
            db.execute(
                update(Response)
                .where(Response.attempt_id == attempt.id, Response.position == one.position)
                .values(answer=one.answer, sequence=one.sequence, saved_at=one.received_at)
            )
        db.delete(one)
    db.flush()


def _score(db: Session, attempt: Attempt, delivery: Delivery, papers: PaperCache) -> None:
    revision = db.scalars(select(Paper.scoring_revision).where(Paper.id == attempt.paper_id)).one()
    result = score(papers.keys(db, attempt.paper_id, revision), answers_of(db, attempt.id))
    attempt.score = result.points
    attempt.right_count = result.right
    attempt.answered_count = result.answered
    attempt.passed = result.points >= delivery.pass_score
    attempt.scoring_revision = revision
