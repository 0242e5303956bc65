"""What stands in the papers of a delivery, once they are made: coverage, overlap of each two, expected scores, the chance of guessing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.banks.models import BenchmarkPoint, Item, ItemCalibration, ItemVersion
from quizapp.banks.queries import calibrated, expected_shares
from quizapp.measurement.assembly import PoolItem
from quizapp.measurement.guessing import guess_pass
from quizapp.quizzes.models import Paper, PaperItem
from quizapp.quizzes.services.assembly import pass_right


@dataclass(frozen=True)
class PaperFacts:
    """What the papers of one delivery have in common and in what they differ."""

    papers: int
    items: int
    #: Different items over all papers.
    different: int
    #: Items that the two most alike papers share, and two papers on average.
    most_shared: int
    mean_shared: float
    #: Numbers of the benchmarks that are asked in every paper; empty for a bank without benchmarks.
    benchmarks: frozenset[int]
    #: Different benchmark points over all papers, and topics asked in every paper.
    points: int
    topics: int
    #: Topics over all papers.
    all_topics: int
    #: Expected score of the easiest and of the hardest paper, from the shares that are expected to be right.
    easiest: float
    hardest: float
    #: Of the different items, those that are calibrated.
    calibrated: int = 0
    #: Points and information at the pass mark, by the model; None where too few items are calibrated.
    at_pass: AtPass | None = None


@dataclass(frozen=True)
class AtPass:
    """What whoever stands just at the pass mark is to expect of the papers."""

    #: Points of the easiest paper less those of the hardest.
    spread: float
    #: Least information of a paper as a part of the most.
    exact: float


def paper_facts(db: Session, delivery_id: int, pass_score: int | None = None) -> PaperFacts | None:
    """The facts, or None while no papers stand; with `pass_score`, what is known about that."""
    rows = db.execute(
        select(
            Paper.id,
            ItemVersion.id.label("version_id"),
            ItemVersion.item_id,
            ItemVersion.type,
            ItemVersion.difficulty,
            ItemVersion.point_number,
            BenchmarkPoint.benchmark_number,
            Item.topic_id,
            PaperItem.points,
        )
        .join(PaperItem, PaperItem.paper_id == Paper.id)
        .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .outerjoin(BenchmarkPoint, BenchmarkPoint.number == ItemVersion.point_number)
        .where(Paper.delivery_id == delivery_id)
        .order_by(Paper.number, PaperItem.position)
    ).all()
    if not rows:
        return None
    papers = {paper_id: [row for row in rows if row.id == paper_id] for paper_id in dict.fromkeys(r.id for r in rows)}
    items = [{row.item_id for row in paper} for paper in papers.values()]
    shared = [len(one & other) for one, other in combinations(items, 2)] or [0]
    shares = expected_shares(db, {row.version_id: row.difficulty for row in rows})
    curves = calibrated(db, shares)
    scores = [sum(shares[row.version_id] * row.points for row in paper) for paper in papers.values()]
    benchmarks = [{row.benchmark_number for row in paper} - {None} for paper in papers.values()]
    topics = [{row.topic_id for row in paper} for paper in papers.values()]
    return PaperFacts(
        papers=len(papers),
        items=len(items[0]),
        different=len(set.union(*items)),
        most_shared=max(shared),
        mean_shared=fmean(shared),
        benchmarks=frozenset(set.intersection(*benchmarks)),
        points=len({row.point_number for row in rows} - {None}),
        topics=len(set.intersection(*topics)),
        all_topics=len(set.union(*topics)),
        easiest=max(scores),
        hardest=min(scores),
        calibrated=len({row.version_id for row in rows} & set(curves)),
        at_pass=None if pass_score is None else _at_pass(papers.values(), shares, curves, pass_score),
    )


def _at_pass(
    papers: Iterable[Sequence[Any]], shares: Mapping[int, float], curves: Mapping[int, ItemCalibration], pass_score: int
) -> AtPass | None:
    from quizapp.measurement.pass_mark import pass_mark

    def item(row: Any) -> PoolItem:
        curve = curves.get(row.version_id)
        known = (curve.a, curve.b) if curve else (None, None)
        return PoolItem(str(row.version_id), row.type, difficulty=shares[row.version_id], a=known[0], b=known[1])

    made = [list(paper) for paper in papers]
    points = made[0][0].points
    found = pass_mark([[item(row) for row in paper] for paper in made], pass_right(pass_score, points))
    if found is None:
        return None
    most = max(found.information)
    exact = min(found.information) / most if most else 1.0
    return AtPass((max(found.scores) - min(found.scores)) * points, exact)


def papers_guess_pass(db: Session, delivery_id: int, pass_score: int) -> float | None:
    """The probability that blind guessing passes the paper that is easiest to guess; None while no papers stand."""
    rows = db.execute(
        select(PaperItem.paper_id, PaperItem.points, ItemVersion.type, ItemVersion.options)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
        .where(Paper.delivery_id == delivery_id)
    ).all()
    papers: dict[int, list[tuple[str, int | None]]] = {}
    for row in rows:
        count = None if row.type == "true_false" else len(row.options)
        papers.setdefault(row.paper_id, []).append((row.type, count))
    if not papers:
        return None
    right = pass_right(pass_score, rows[0].points)
    return max(guess_pass(items, right) for items in papers.values())
