"""Closing an attempt: by its taker, by the clock, or by a job. Score and pass are written in the same transaction."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from quizapp.quizzes.models import Attempt, AttemptState, Delivery, Paper
from quizapp.quizzes.queries.taking import PaperCache, answers_of
from quizapp.quizzes.scoring import score
from quizapp.quizzes.services.first_attempts import lock_persons, settle_first

# Written once: putting a query together costs as much as running it.
_PERSON_WHEN_OVER = select(Attempt.person_id).where(
    Attempt.id == bindparam("id"), Attempt.state == AttemptState.OPEN, Attempt.accepts_until < bindparam("now")
)
_FOR_UPDATE = (
    select(Attempt)
    .where(Attempt.id == bindparam("id"))
    .with_for_update(of=Attempt)
    .execution_options(populate_existing=True)
)
_RULES = (
    select(Paper.scoring_revision, Delivery.pass_score)
    .join(Delivery, Delivery.id == Paper.delivery_id)
    .where(Paper.id == bindparam("id"))
)


def submit_attempt(db: Session, attempt_id: int, *, papers: PaperCache, now_ms: int) -> Attempt:
    """Close an attempt for its taker. Sent twice it is the same: a closed attempt is given back as it is.

    The attempt's row is taken for update, so that every save before is in the score and every save after is refused.
    """
    attempt = _lock(db, attempt_id, now_ms)
    if attempt.state == AttemptState.OPEN:
        _close(db, attempt, papers, now_ms, by_taker=now_ms <= attempt.accepts_until)
    return attempt


def close_if_over(db: Session, attempt_id: int, *, papers: PaperCache, now_ms: int) -> Attempt:
    """Close an attempt whose time is over with what was saved; leave any other alone."""
    attempt = _lock(db, attempt_id, now_ms)
    if attempt.state == AttemptState.OPEN and now_ms > attempt.accepts_until:
        _close(db, attempt, papers, now_ms, by_taker=False)
    return attempt


def overdue_attempts(db: Session, now_ms: int, limit: int = 200, without: Collection[int] = ()) -> list[int]:
    """Ids of open attempts whose time is over, but for those `without` which the caller cannot close."""
    return list(
        db.scalars(
            select(Attempt.id)
            .where(
                Attempt.state == AttemptState.OPEN,
                Attempt.deadline_at < now_ms,
                Attempt.accepts_until < now_ms,
                Attempt.id.not_in(without),
            )
            .order_by(Attempt.deadline_at)
            .limit(limit)
        )
    )


def _lock(db: Session, attempt_id: int, now_ms: int) -> Attempt:
    """Take the attempt's row for update; before it the person's, where the clock may make the attempt void and move the first flag."""
    lock_persons(db, db.scalar(_PERSON_WHEN_OVER, {"id": attempt_id, "now": now_ms}))
    return db.scalars(_FOR_UPDATE, {"id": attempt_id}).one()


def _close(db: Session, attempt: Attempt, papers: PaperCache, now_ms: int, *, by_taker: bool) -> None:
    answers = answers_of(db, attempt.id)
    if not by_taker and not any(answers.values()):
        # nothing was saved and nobody handed it in: it counts as never taken
        attempt.state = AttemptState.VOID
        attempt.closed_at = attempt.deadline_at
        db.flush()
        if attempt.person_id is not None:
            settle_first(db, attempt.delivery_id, attempt.person_id, now_ms=now_ms)
        return
    revision, pass_score = db.execute(_RULES, {"id": attempt.paper_id}).one()
    result = score(papers.keys(db, attempt.paper_id, revision), answers)
    attempt.state = AttemptState.SUBMITTED if by_taker else AttemptState.EXPIRED
    attempt.closed_at = now_ms if by_taker else attempt.deadline_at
    attempt.score = result.points
    attempt.right_count = result.right
    attempt.answered_count = result.answered
    attempt.passed = result.points >= pass_score
    attempt.scoring_revision = revision
    db.flush()
