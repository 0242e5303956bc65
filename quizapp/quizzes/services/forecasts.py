"""What earlier answers to the items say of papers that nobody has taken: expected pass rate and reliability."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.banks.models import ItemFigure, ItemTally, ItemVersion
from quizapp.measurement.forecast import KnownItem, PaperForecast, forecast
from quizapp.quizzes.models import Delivery, Paper, PaperItem
from quizapp.quizzes.services.assembly import Draw, pass_right

#: 人次 from which an item counts as known. One share of so many is off by up to 18 points, the mean of fifty by 2 or 3.
FEWEST_ANSWERS_KNOWN = 30
#: Share of a paper's items that must be known; the others are taken as their author estimates, moved by what the known ones were off.
ENOUGH = 0.8


@dataclass(frozen=True)
class Forecasts:
    """The forecasts of some papers, one each; none where too few of their items are known."""

    papers: tuple[PaperForecast, ...]
    #: Different items, and those that are known.
    items: int
    known: int


@dataclass(frozen=True)
class _Item:
    #: The author's estimate.
    expected: float
    figure: ItemFigure | None
    weight: float = 1.0


def forecast_papers(db: Session, delivery_id: int, pass_score: int) -> Forecasts:
    """Each paper of a delivery."""
    rows = db.execute(
        select(PaperItem.paper_id, PaperItem.points, ItemVersion.id, ItemVersion.difficulty)
        .join(Paper, Paper.id == PaperItem.paper_id)
        .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
        .where(Paper.delivery_id == delivery_id)
    ).all()
    figures = _known_figures(db, {row.id for row in rows})
    papers: dict[int, list[_Item]] = defaultdict(list)
    for row in rows:
        papers[row.paper_id].append(_Item(row.difficulty, figures.get(row.id)))
    if not rows:
        return Forecasts((), 0, 0)
    delivery = db.get_one(Delivery, delivery_id)
    right = pass_right(pass_score, rows[0].points)
    scores = _earlier_scores(db, delivery.blueprint_id, delivery.item_count)
    return _forecasts(list(papers.values()), {row.id for row in rows}, figures, right, scores)


def forecast_draw(db: Session, draw: Draw, blueprint_id: int, pass_score: int, points_each: int) -> Forecasts:
    """A paper as the pool gives it on average: each item counts with the chance by which a question of its type is drawn from it."""
    wanted, have = draw.blueprint.types, Counter(item.type for item in draw.reduced)
    weights = {kind: wanted[kind] / have[kind] for kind in wanted if have[kind]}
    if not wanted:
        weights = dict.fromkeys(have, draw.blueprint.items / len(draw.reduced))
    drawn = [item for item in draw.reduced if item.type in weights]
    ids = {item.id: draw.pool.version_ids[item.id] for item in drawn}
    figures = _known_figures(db, set(ids.values()))
    query = select(ItemVersion.id, ItemVersion.difficulty).where(ItemVersion.id.in_(ids.values()))
    estimates = dict(db.execute(query).all())
    paper = [_Item(estimates[ids[item.id]], figures.get(ids[item.id]), weights[item.type]) for item in drawn]
    scores = _earlier_scores(db, blueprint_id, draw.blueprint.items)
    return _forecasts([paper], set(ids.values()), figures, pass_right(pass_score, points_each), scores)


def _earlier_scores(db: Session, blueprint_id: int, questions: int) -> list[dict[int, int]]:
    """How many people had how many right answers in each earlier paper of the same quiz: kept with every question, read at the first."""
    found: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for paper_id, counts in db.execute(
        select(ItemTally.paper_id, ItemTally.counts)
        .join(Paper, Paper.id == ItemTally.paper_id)
        .join(Delivery, Delivery.id == Paper.delivery_id)
        .where(Delivery.blueprint_id == blueprint_id, Delivery.item_count == questions, ItemTally.position == 1)
    ):
        for by_total in counts.values():
            for total, n in by_total.items():
                found[paper_id][int(total)] += n
    return list(found.values())


def _known_figures(db: Session, version_ids: set[int]) -> dict[int, ItemFigure]:
    query = select(ItemFigure).where(
        ItemFigure.item_version_id.in_(version_ids), ItemFigure.asked >= FEWEST_ANSWERS_KNOWN
    )
    return {figure.item_version_id: figure for figure in db.scalars(query)}


def _forecasts(
    papers: Sequence[Sequence[_Item]],
    drawn: set[int],
    figures: Mapping[int, ItemFigure],
    right: int,
    scores: Sequence[Mapping[int, int]],
) -> Forecasts:
    enough = papers and all(_known_share(paper) >= ENOUGH for paper in papers)
    found = tuple(_forecast(paper, right, scores) for paper in papers) if enough else ()
    return Forecasts(found, len(drawn), len(drawn & set(figures)))


def _known_share(paper: Sequence[_Item]) -> float:
    total = sum(item.weight for item in paper)
    return sum(item.weight for item in paper if item.figure) / total if total else 0.0


def _forecast(paper: Sequence[_Item], right: int, scores: Sequence[Mapping[int, int]]) -> PaperForecast:
    """An item that is not known is as its author says, moved by how far authors were off, and discriminates as the others on average."""
    known = [(item.expected, item.figure.figures) for item in paper if item.figure]
    off = fmean(figures["difficulty"] - expected for expected, figures in known)
    rests = [figures["rest"] for _, figures in known if figures["rest"] is not None]
    rest = fmean(rests) if rests else 0.0
    items = [
        KnownItem(item.figure.figures["difficulty"], item.figure.figures["rest"], item.weight)
        if item.figure
        else KnownItem(min(0.98, max(0.02, item.expected + off)), rest, item.weight)
        for item in paper
    ]
    lengths = [figures["length"] for _, figures in known if figures.get("length")]
    return forecast(items, right, fmean(lengths) if lengths else None, scores)
