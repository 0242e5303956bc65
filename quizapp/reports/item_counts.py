"""How closed first attempts answered their papers: counted here alone, for the page of a delivery and for the statistics that are kept.

Counted are closed first attempts, as for the pass rate. Right is what the key says today: after a correction of the key, by the corrected
one. An answer that was taken back is none. "Not reached" is no answer here and none after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from quizapp.quizzes.models import CLOSED_STATES, Attempt, Paper, PaperItem, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.scoring import is_right

#: The attempts that count.
COUNTED = (Attempt.is_first.is_(True), Attempt.state.in_(CLOSED_STATES))
#: How a right answer is kept, since after a correction several answers may be right; and how none is.
RIGHT, NONE = "+", ""

#: Paper and position.
Place = tuple[int, int]
#: Answer → right answers in the whole paper → attempts.
Counts = dict[str, dict[int, int]]


@dataclass
class Counted:
    """The answers to some papers; only papers that somebody had."""

    #: Paper → (right answers, position of the last answer, attempts).
    people: dict[int, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    #: What was answered, `RIGHT` for all that is right; not those without an answer.
    given: dict[Place, Counts] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    )

    def at(self, place: Place) -> tuple[Counts, int]:
        """The counts of one place with those without an answer under `NONE`, and how many of these did not reach it."""
        paper_id, position = place
        left: dict[int, int] = defaultdict(int)
        for right, _reached, n in self.people[paper_id]:
            left[right] += n
        for by_total in self.given[place].values():
            for right, n in by_total.items():
                left[right] -= n
        counts = {answer: dict(by_total) for answer, by_total in sorted(self.given[place].items())}
        if open_ := {right: n for right, n in left.items() if n}:
            counts[NONE] = open_
        return counts, sum(n for _right, reached, n in self.people[paper_id] if reached < position)


def count_answers(
    db: Session, delivery_id: int, *which: Any, narrow: Callable[[Select[Any]], Select[Any]] | None = None
) -> Counted:
    """The answers of the attempts of a delivery that count and fulfil `which`; `narrow` joins what these conditions need."""
    found = Counted()
    counted = (Attempt.delivery_id == delivery_id, *COUNTED, *which)

    def of_attempts(*columns: Any) -> Select[Any]:
        statement = select(*columns).select_from(Attempt)
        return (narrow(statement) if narrow else statement).where(*counted)

    reached = (
        of_attempts(Attempt.id, func.max(Response.position).label("position"))
        .join(Response, Response.attempt_id == Attempt.id)
        .where(Response.answer != "")
        .group_by(Attempt.id)
        .subquery()
    )
    last = func.coalesce(reached.c.position, 0)
    for paper_id, right, position, n in db.execute(
        of_attempts(Attempt.paper_id, Attempt.right_count, last, func.count())
        .outerjoin(reached, reached.c.id == Attempt.id)
        .group_by(Attempt.paper_id, Attempt.right_count, last)
    ):
        found.people[paper_id].append((right or 0, position, n))
    keys = keys_of(db, sorted(found.people))
    for paper_id, position, answer, right, n in db.execute(
        of_attempts(Attempt.paper_id, Response.position, Response.answer, Attempt.right_count, func.count())
        .join(Response, Response.attempt_id == Attempt.id)
        .where(Response.answer != "")
        .group_by(Attempt.paper_id, Response.position, Response.answer, Attempt.right_count)
    ):
        key = keys[paper_id][position]
        kept = RIGHT if is_right(answer, key.key, key.more) else answer
        found.given[paper_id, position][kept][right or 0] += n
    return found


def versions_of_places(db: Session, delivery_id: int) -> dict[Place, int]:
    """The item version at each place of the papers of a delivery."""
    rows = db.execute(
        select(PaperItem.paper_id, PaperItem.position, PaperItem.item_version_id)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .where(Paper.delivery_id == delivery_id)
    )
    return {(paper_id, position): version_id for paper_id, position, version_id in rows}


def keys_of(db: Session, papers: Sequence[int]) -> Mapping[int, Any]:
    """The keys of papers by position, in their newest scoring revision."""
    cache, found = PaperCache(), {}
    for piece in pieces(papers):
        for paper_id, revision in db.execute(select(Paper.id, Paper.scoring_revision).where(Paper.id.in_(piece))):
            found[paper_id] = cache.keys(db, paper_id, revision)
    return found


def pieces(values: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    """Parts of a sequence, as many values each as a statement may hold."""
    return (values[start : start + size] for start in range(0, len(values), size))
