"""The answers of a bank's tests as a table for the model, and whether there is anything new in them.

Counted are closed first attempts, as for all item statistics (`item_counts`): no answer is a wrong one. Somebody who took several tests
stands in each as another row: within a test nobody stands twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemVersion
from quizapp.quizzes.models import Attempt, Delivery, PaperItem, QuizBlueprint, Response
from quizapp.quizzes.scoring import PositionKey, is_right
from quizapp.reports.item_counts import COUNTED, keys_of, pieces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Attempts of a bank that go into the model at most: it takes seconds with them, and more would hardly narrow an error.
MOST_PEOPLE = 8000


@dataclass(frozen=True)
class Counted:
    """The attempts of a bank that count: how many, and a mark that changes whenever one comes, goes or is scored anew."""

    attempts: int
    mark: str


@dataclass(frozen=True)
class AnswerTable:
    """`responses` (attempts, versions): 1 right, 0 wrong, −1 not on the paper; `groups`: the delivery of each, numbered from 0."""

    versions: tuple[int, ...]
    responses: NDArray[np.int8]
    groups: NDArray[np.intp]


def counted_attempts(db: Session) -> dict[int, Counted]:
    """Bank → what counts of it; banks without attempts are left out."""
    rows = db.execute(
        select(
            QuizBlueprint.bank_id,
            func.count(),
            func.sum(Attempt.id),
            func.sum(func.coalesce(Attempt.right_count, 0)),
            func.sum(Attempt.scoring_revision),
        )
        .select_from(Attempt)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(QuizBlueprint, QuizBlueprint.id == Delivery.blueprint_id)
        .where(*COUNTED)
        .group_by(QuizBlueprint.bank_id)
    )
    return {bank_id: Counted(n, ":".join(map(str, (n, *sums)))[:80]) for bank_id, n, *sums in rows}


def answer_table(db: Session, bank_id: int) -> AnswerTable:
    """The answers of at most `MOST_PEOPLE` attempts, as many of each paper as there is room for, drawn by their random names."""
    import numpy as np

    drawn = _drawn(db, bank_id)
    papers = sorted({paper_id for _, paper_id, _ in drawn})
    columns, places = _places(db, papers)
    deliveries: dict[int, int] = {}
    table = np.full((len(drawn), len(columns)), -1, dtype=np.int8)
    row_of = {attempt_id: row for row, (attempt_id, _, _) in enumerate(drawn)}
    paper_of = {attempt_id: paper_id for attempt_id, paper_id, _ in drawn}
    for row, (_, paper_id, _) in enumerate(drawn):
        table[row, [column for column, _ in places[paper_id].values()]] = 0
    for piece in pieces([attempt_id for attempt_id, _, _ in drawn]):
        found = select(Response.attempt_id, Response.position, Response.answer).where(Response.attempt_id.in_(piece))
        for attempt_id, position, answer in db.execute(found):
            place = places[paper_of[attempt_id]].get(position)
            if place is not None:
                table[row_of[attempt_id], place[0]] = is_right(answer, place[1].key)
    groups = [deliveries.setdefault(delivery_id, len(deliveries)) for _, _, delivery_id in drawn]
    return AnswerTable(columns, table, np.array(groups, dtype=np.intp))


def _drawn(db: Session, bank_id: int) -> list[tuple[int, int, int]]:
    """(attempt, paper, delivery)."""
    of_paper: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    rows = db.execute(
        select(Attempt.id, Attempt.paper_id, Attempt.delivery_id, Attempt.public_id)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .join(QuizBlueprint, QuizBlueprint.id == Delivery.blueprint_id)
        .where(QuizBlueprint.bank_id == bank_id, *COUNTED)
    )
    for attempt_id, paper_id, delivery_id, name in rows:
        of_paper[paper_id].append((name, attempt_id, delivery_id))
    room = _room(sorted(len(attempts) for attempts in of_paper.values()))
    return [
        (attempt_id, paper_id, delivery_id)
        for paper_id, attempts in sorted(of_paper.items())
        for _, attempt_id, delivery_id in sorted(attempts)[:room]
    ]


def _room(sizes: Sequence[int]) -> int:
    """The most attempts of one paper with which all papers together stay below the limit; `sizes` ascending."""
    left = MOST_PEOPLE
    for number, size in enumerate(sizes):
        if size * (len(sizes) - number) > left:
            return left // (len(sizes) - number)
        left -= size
    return MOST_PEOPLE


def _places(
    db: Session, papers: Sequence[int]
) -> tuple[tuple[int, ...], dict[int, dict[int, tuple[int, PositionKey]]]]:
    """The versions of the columns, and paper → position → (column, key).

    A corrected key makes another question of a version: such a place is left out, the version's own key being what new papers go by.
    """
    keys = keys_of(db, papers)
    numbers: dict[int, int] = {}
    places: dict[int, dict[int, tuple[int, PositionKey]]] = {paper_id: {} for paper_id in papers}
    for piece in pieces(papers):
        rows = db.execute(
            select(PaperItem.paper_id, PaperItem.position, ItemVersion.id, ItemVersion.key)
            .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
            .where(PaperItem.paper_id.in_(piece))
            .order_by(PaperItem.paper_id, PaperItem.position)
        )
        for paper_id, position, version_id, own in rows:
            key = keys[paper_id][position]
            if key.key == tuple(sorted(own)) and not key.more:
                places[paper_id][position] = (numbers.setdefault(version_id, len(numbers)), key)
    return tuple(numbers), places
