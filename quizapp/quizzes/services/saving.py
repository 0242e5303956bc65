"""Saving answers: the hot path.

One statement checks secret, state and deadline and stores the answer if its sequence is newer. On PostgreSQL it takes the attempt's
row shared, while the submit takes it for update: an answer that meets the submit is in the score, or refused. Nothing written costs one
more read, which says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from quizapp.core.hot import HotStatement, Runner
from quizapp.quizzes.errors import AnswerMalformed
from quizapp.quizzes.models import AttemptState
from quizapp.quizzes.scoring import answer_text, parse_answer

#: Most answers in one request: more than any paper has.
MAX_ITEMS = 200
#: Largest sequence: a JavaScript number.
MAX_SEQUENCE = 2**53 - 1


class SaveStatus(StrEnum):
    """What became of an answer. Only `saved` and `superseded` leave the phone's outbox."""

    SAVED = "saved"
    #: A newer answer to this question stands.
    SUPERSEDED = "superseded"
    #: The attempt was submitted, or declared void in its time.
    CLOSED = "closed"
    #: The time was over: kept, not scored.
    LATE = "late"
    #: The secret opens no attempt of this name, or may only read it.
    NOT_YOURS = "not_yours"


@dataclass(frozen=True)
class AnswerItem:
    """One answer as the phone sends it."""

    position: int
    answer: str
    sequence: int


@dataclass(frozen=True)
class SaveResult:
    """What became of one answer; `answer` and `stored_sequence` are what stands now."""

    position: int
    status: SaveStatus
    answer: str | None = None
    stored_sequence: int | None = None


@dataclass(frozen=True)
class SaveReply:
    """The results in the order of the request, and the attempt's highest sequence."""

    results: list[SaveResult]
    highest: int


SAVE = HotStatement.of(
    """
    INSERT INTO response (attempt_id, position, answer, sequence, saved_at)
    SELECT attempt.id, paper_item.position, :answer, :sequence, :now
    FROM attempt JOIN paper_item ON paper_item.paper_id = attempt.paper_id AND paper_item.position = :position
    WHERE attempt.public_id = :attempt AND attempt.secret_hash = :secret
      AND attempt.state = 'open' AND attempt.accepts_until >= :now
    %lock%
    ON CONFLICT (attempt_id, position) DO UPDATE
    SET answer = excluded.answer, sequence = excluded.sequence, saved_at = excluded.saved_at
    WHERE excluded.sequence > response.sequence
    RETURNING (SELECT max(other.sequence) FROM response AS other WHERE other.attempt_id = response.attempt_id)
    """,
    lock="FOR SHARE OF attempt",
)

#: A form knows no sequence: the statement itself takes the attempt's highest and one more. Of two forms at once, which read the same
#: highest, the later one goes beyond the other's row: it is what the person did last.
SAVE_FORM = HotStatement.of(
    """
    INSERT INTO response (attempt_id, position, answer, sequence, saved_at)
    SELECT attempt.id, paper_item.position, :answer,
           1 + coalesce((SELECT max(other.sequence) FROM response AS other WHERE other.attempt_id = attempt.id), 0), :now
    FROM attempt JOIN paper_item ON paper_item.paper_id = attempt.paper_id AND paper_item.position = :position
    WHERE attempt.public_id = :attempt AND attempt.secret_hash = :secret
      AND attempt.state = 'open' AND attempt.accepts_until >= :now
    %lock%
    ON CONFLICT (attempt_id, position) DO UPDATE
    SET answer = excluded.answer, saved_at = excluded.saved_at,
        sequence = CASE WHEN excluded.sequence > response.sequence THEN excluded.sequence ELSE response.sequence + 1 END
    RETURNING sequence
    """,
    lock="FOR SHARE OF attempt",
)

EXPLAIN = HotStatement.of(
    """
    SELECT attempt.secret_hash, attempt.state, attempt.accepts_until, response.answer, response.sequence,
           (SELECT max(other.sequence) FROM response AS other WHERE other.attempt_id = attempt.id),
           attempt.id, paper_item.position
    FROM attempt
    LEFT JOIN paper_item ON paper_item.paper_id = attempt.paper_id AND paper_item.position = :position
    LEFT JOIN response ON response.attempt_id = attempt.id AND response.position = :position
    WHERE attempt.public_id = :attempt
    """
)

KEEP_LATE = HotStatement.of(
    """
    INSERT INTO late_response (attempt_id, position, answer, sequence, received_at)
    VALUES (:attempt_id, :position, :answer, :sequence, :now)
    ON CONFLICT (attempt_id, position) DO UPDATE
    SET answer = excluded.answer, sequence = excluded.sequence, received_at = excluded.received_at
    WHERE excluded.sequence > late_response.sequence
    RETURNING position
    """
)


def parse_items(payload: Any) -> list[AnswerItem]:
    """The answers of a request body `{"items": [{"position", "answer", "sequence"}]}`. Raises AnswerMalformed."""
    items = payload.get("items") if isinstance(payload, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise AnswerMalformed
    parsed = []
    for item in items:
        if not isinstance(item, dict):
            raise AnswerMalformed
        position, sequence = item.get("position"), item.get("sequence")
        if type(position) is not int or type(sequence) is not int:
            raise AnswerMalformed
        if not (1 <= position <= MAX_ITEMS and 1 <= sequence <= MAX_SEQUENCE):
            raise AnswerMalformed
        parsed.append(AnswerItem(position, answer_text(parse_answer(item.get("answer"))), sequence))
    return parsed


def save_answers(
    run: Runner, *, attempt: str, secret_hash: bytes, items: Sequence[AnswerItem], now_ms: int
) -> SaveReply:
    """Store the newer ones of these answers; `attempt` is the public id, `secret_hash` the digest of the cookie's secret."""
    highest = 0
    results = []
    for item in items:
        values = {
            "answer": item.answer,
            "sequence": item.sequence,
            "position": item.position,
            "now": now_ms,
            "attempt": attempt,
            "secret": secret_hash,
        }
        rows = run(SAVE, values)
        if rows:
            highest = max(highest, rows[0][0] or 0, item.sequence)
            results.append(SaveResult(item.position, SaveStatus.SAVED, item.answer, item.sequence))
        else:
            result, seen = _explain(run, item, values)
            highest = max(highest, seen)
            results.append(result)
    return SaveReply(results, highest)


def save_form_answer(
    run: Runner, *, attempt: str, secret_hash: bytes, position: int, answer: str, now_ms: int
) -> SaveResult:
    """Store the answer of a form, which is the newest whatever stands there; otherwise as `save_answers`."""
    values = {"answer": answer, "position": position, "now": now_ms, "attempt": attempt, "secret": secret_hash}
    if rows := run(SAVE_FORM, values):
        return SaveResult(position, SaveStatus.SAVED, answer, rows[0][0])
    seen = run(EXPLAIN, {"position": position, "attempt": attempt})
    highest = (seen[0][5] or 0) if seen else 0
    return _explain(run, AnswerItem(position, answer, highest + 1), values)[0]


def _explain(run: Runner, item: AnswerItem, values: dict[str, Any]) -> tuple[SaveResult, int]:
    rows = run(EXPLAIN, {"position": item.position, "attempt": values["attempt"]})
    if not rows or bytes(rows[0][0]) != values["secret"]:
        return SaveResult(item.position, SaveStatus.NOT_YOURS), 0
    _, state, accepts_until, stored, stored_sequence, highest, attempt_id, position = rows[0]
    if position is None:
        raise AnswerMalformed
    highest = highest or 0
    over = accepts_until < values["now"]
    # an attempt that the clock made void, because nothing had come from its phone yet, takes late answers like any other
    if state == AttemptState.SUBMITTED or (state == AttemptState.VOID and not over):
        same = stored_sequence == item.sequence and stored == item.answer
        status = SaveStatus.SAVED if same else SaveStatus.CLOSED
        return SaveResult(item.position, status, stored, stored_sequence), highest
    if stored_sequence is not None and stored_sequence >= item.sequence:
        same = stored_sequence == item.sequence and stored == item.answer
        status = SaveStatus.SAVED if same else SaveStatus.SUPERSEDED
        return SaveResult(item.position, status, stored, stored_sequence), highest
    if over or state == AttemptState.EXPIRED:
        run(
            KEEP_LATE,
            {
                "attempt_id": attempt_id,
                "position": item.position,
                "answer": item.answer,
                "sequence": item.sequence,
                "now": values["now"],
            },
        )
        return SaveResult(item.position, SaveStatus.LATE, stored, stored_sequence), highest
    # Between the two statements the attempt was open and the answer newer: only a submit that was then undone could
    # do that, and there is none. Refuse rather than claim.
    return SaveResult(item.position, SaveStatus.CLOSED, stored, stored_sequence), highest
