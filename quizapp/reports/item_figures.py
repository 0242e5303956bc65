"""How the questions of one delivery were answered: the share that is right, and the wrong option that most people chose.

Counted are closed first attempts, as for the pass rate. Right is what the key says today: after a correction of the key the figures are
those of the corrected one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import Item, ItemVersion, Topic
from quizapp.core.scope import Permission, Scope
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.measurement.intervals import wilson
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import CLOSED_STATES, Attempt, Delivery, Paper, PaperItem, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.scoring import PositionKey, is_right


@dataclass(frozen=True)
class ItemRow:
    """One question of the delivery, over all its papers. Shares are fractions; None where fewer than ten were asked."""

    version: ItemVersion
    code: str
    topic: dict[str, str]
    #: 人次: closed first attempts whose paper has it.
    asked: int
    #: Of those, answered at all.
    answered: int
    #: Of those asked, right.
    right: int
    rate: float | None
    low: float | None
    high: float | None
    #: Of those asked, left open.
    omitted_rate: float | None
    #: The wrong answer that most gave: ids of its options; None where nobody was wrong.
    wrong: tuple[str, ...] | None
    #: Of those asked, that gave it.
    wrong_rate: float | None


@dataclass
class _Tally:
    asked: int = 0
    right: int = 0
    answers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def item_rows(
    db: Session, scope: Scope, delivery: Delivery, permission: Permission = Permission.EXPORT_FIGURES
) -> list[ItemRow]:
    """The questions of a delivery as the scope's people answered them, the hardest first; those with too few answers last."""
    counted = (
        Attempt.delivery_id == delivery.id,
        Attempt.is_first.is_(True),
        Attempt.state.in_(CLOSED_STATES),
        scope.condition(permission, OrgUnit.path, Attempt.industry_id),
    )
    unit = OrgUnit.id == func.coalesce(Attempt.unit_id, delivery.unit_id)
    asked = db.execute(
        select(Attempt.paper_id, func.count()).join(OrgUnit, unit).where(*counted).group_by(Attempt.paper_id)
    )
    versions = _versions_by_place(db, delivery)
    tallies = _tally_papers(versions, dict(asked.all()))
    keys = _keys(db, delivery)
    given = db.execute(
        select(Attempt.paper_id, Response.position, Response.answer, func.count())
        .select_from(Attempt)
        .join(OrgUnit, unit)
        .join(Response, Response.attempt_id == Attempt.id)
        .where(*counted, Response.answer != "")
        .group_by(Attempt.paper_id, Response.position, Response.answer)
    )
    for paper_id, position, answer, count in given:
        tally = tallies[versions[paper_id, position]]
        tally.answers[answer] += count
        key = keys[paper_id][position]
        if is_right(answer, key.key, key.more):
            tally.right += count
        else:
            tally.wrong[answer] += count
    rows = _rows(db, tallies)
    return sorted(rows, key=lambda row: (row.rate is None, row.rate or 0.0, row.code))


def _versions_by_place(db: Session, delivery: Delivery) -> dict[tuple[int, int], int]:
    rows = db.execute(
        select(PaperItem.paper_id, PaperItem.position, PaperItem.item_version_id)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .where(Paper.delivery_id == delivery.id)
    )
    return {(paper_id, position): version_id for paper_id, position, version_id in rows}


def _tally_papers(versions: dict[tuple[int, int], int], asked: dict[int, int]) -> dict[int, _Tally]:
    """An empty tally for each item version, with how many were asked it."""
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for (paper_id, _position), version_id in versions.items():
        tallies[version_id].asked += asked.get(paper_id, 0)
    return tallies


def _keys(db: Session, delivery: Delivery) -> dict[int, dict[int, PositionKey]]:
    papers = PaperCache()
    revisions = db.execute(select(Paper.id, Paper.scoring_revision).where(Paper.delivery_id == delivery.id))
    return {paper_id: papers.keys(db, paper_id, revision) for paper_id, revision in revisions}


def _rows(db: Session, tallies: dict[int, _Tally]) -> list[ItemRow]:
    found = db.execute(
        select(ItemVersion, Item.code, Topic.title)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(Topic, Topic.id == Item.topic_id)
        .where(ItemVersion.id.in_(tallies))
    )
    return [_row(version, code, topic, tallies[version.id]) for version, code, topic in found]


def _row(version: ItemVersion, code: str, topic: dict[str, str], tally: _Tally) -> ItemRow:
    answered = sum(tally.answers.values())
    worst = max(tally.wrong, key=lambda answer: (tally.wrong[answer], answer), default=None)
    shown = tally.asked >= FEWEST_ANSWERS
    interval = wilson(tally.right, tally.asked) if shown else None
    return ItemRow(
        version=version,
        code=code,
        topic=topic,
        asked=tally.asked,
        answered=answered,
        right=tally.right,
        rate=tally.right / tally.asked if shown else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        omitted_rate=(tally.asked - answered) / tally.asked if shown else None,
        wrong=tuple(worst.split(",")) if worst and shown else None,
        wrong_rate=tally.wrong[worst] / tally.asked if worst and shown else None,
    )
