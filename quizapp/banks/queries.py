"""What other features read of the banks. Items are public knowledge: no scope limits who may practise them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from quizapp.banks.models import (
    FEWEST_FOR_FLAGS,
    Benchmark,
    BenchmarkPoint,
    Item,
    ItemBank,
    ItemCalibration,
    ItemFigure,
    ItemPicture,
    ItemState,
    ItemUse,
    ItemVersion,
    Topic,
)
from quizapp.banks.parsed import (
    EXPECTED_SHARE,
    Option,
    ParsedBanks,
    ParsedBenchmark,
    ParsedItem,
    ParsedTopic,
    Picture,
    reading_length,
)
from quizapp.measurement.assembly import PoolItem


@dataclass(frozen=True)
class AssemblyPool:
    """The items that a test may draw: for the solver by item code, and the version behind each code."""

    items: tuple[PoolItem, ...]
    version_ids: dict[str, int]
    #: Options of each item, for the chance of guessing; None for true/false.
    option_counts: dict[str, int | None]


def published_versions(
    db: Session, *, bank: str | None = None, topic: str | None = None, use: ItemUse | None = None
) -> list[ItemVersion]:
    """The versions that are served now, by item code; `use` practice or test leaves out what is for the other only.

    Item and topic of each are loaded with it.
    """
    return list(db.scalars(_published(bank, topic, use).order_by(Item.code)))


def _published(bank: str | None, topic: str | None, use: ItemUse | None) -> Select[ItemVersion]:
    query = (
        select(ItemVersion)
        .join(Item, Item.current_version_id == ItemVersion.id)
        .join(Topic, Topic.id == Item.topic_id)
        .join(ItemBank, ItemBank.id == Topic.bank_id)
        .where(Item.state == ItemState.APPROVED)
        .options(contains_eager(ItemVersion.item).contains_eager(Item.topic))
    )
    if bank is not None:
        query = query.where(ItemBank.code == bank)
    if topic is not None:
        query = query.where(Topic.code == topic)
    if use is not None:
        query = query.where(ItemVersion.use.in_([use, ItemUse.BOTH]))
    return query


def assembly_pool(db: Session, bank: str, uses: Mapping[int, int] | None = None) -> AssemblyPool:
    """The items of a bank that a test may draw. `uses`: item id → how often earlier papers drew it."""
    benchmark_of = dict(db.execute(select(BenchmarkPoint.number, BenchmarkPoint.benchmark_number)).all())
    versions = published_versions(db, bank=bank, use=ItemUse.TEST)
    shares = expected_shares(db, {version.id: version.difficulty for version in versions})
    curves = calibrated(db, shares)
    items = tuple(
        PoolItem(
            id=version.item.code,
            type=version.type,
            topic=version.item.topic.code,
            benchmark=benchmark_of.get(version.point_number) if version.point_number else None,
            point=version.point_number,
            dimension=version.dimension,
            difficulty=shares[version.id],
            fact=version.fact,
            uses=(uses or {}).get(version.item_id, 0),
            level=estimate_of(version.difficulty),
            audience=tuple(version.audience),
            characters=reading_length(version.stem, version.options),
            a=curves[version.id].a if version.id in curves else None,
            b=curves[version.id].b if version.id in curves else None,
        )
        for version in versions
    )
    return AssemblyPool(
        items=items,
        version_ids={version.item.code: version.id for version in versions},
        option_counts={v.item.code: None if v.type == "true_false" else len(v.options) for v in versions},
    )


#: Measured items from which it is told by how much the authors' estimates of the others are off.
_FEWEST_MEASURED = 20
#: Nobody can say of an item more than this, or less than what is left of one.
_MOST_EXPECTED = 0.98


#: A slope below this says that those who know answer hardly better: such a calibration is no ground for papers.
_FLATTEST = 0.2


def calibrated(db: Session, version_ids: Collection[int]) -> dict[int, ItemCalibration]:
    """Version → its calibration, of those that papers can stand on."""
    rows = db.scalars(select(ItemCalibration).where(ItemCalibration.a >= _FLATTEST))
    return {row.item_version_id: row for row in rows if row.item_version_id in version_ids}


def expected_shares(db: Session, estimates: Mapping[int, float]) -> dict[int, float]:
    """The share of right answers to expect of versions: by the model where they are calibrated, so whoever was asked them; as measured,
    where enough people were asked; else as the author estimates.

    `estimates`: version → the author's share. Estimates are moved by what those of the measured items were off on average, so that
    measured and estimated items can be weighed against each other.
    """
    measured = {
        figure.item_version_id: float(figure.figures["difficulty"])
        for figure in db.scalars(select(ItemFigure).where(ItemFigure.asked >= FEWEST_FOR_FLAGS))
        if figure.item_version_id in estimates and figure.figures["difficulty"] is not None
    } | {version_id: row.share for version_id, row in calibrated(db, estimates).items()}
    off = fmean(share - estimates[id] for id, share in measured.items()) if len(measured) >= _FEWEST_MEASURED else 0.0
    moved = {id: min(_MOST_EXPECTED, max(1 - _MOST_EXPECTED, share + off)) for id, share in estimates.items()}
    return {**moved, **measured}


def loaded_banks(db: Session) -> ParsedBanks:
    """The banks as the database has them, the items that are served alone: what the files would say. Blueprints are not of the banks."""
    return _banks_of(db, published_versions(db))


def known_banks(db: Session) -> tuple[ParsedBanks, frozenset[str]]:
    """The banks with all items that the files have, served or not, and the ids of those that they have no more."""
    query = (
        select(ItemVersion)
        .join(Item, Item.current_version_id == ItemVersion.id)
        .join(Topic, Topic.id == Item.topic_id)
        .where(Item.state != ItemState.RETIRED)
        .options(contains_eager(ItemVersion.item).contains_eager(Item.topic))
        .order_by(Item.code)
    )
    gone = db.scalars(select(Item.code).where(Item.state == ItemState.RETIRED))
    return _banks_of(db, list(db.scalars(query))), frozenset(gone)


def topic_list(db: Session) -> list[tuple[str, str, dict[str, str]]]:
    """Bank, code and title of each topic that has items, and of no other."""
    query = (
        select(ItemBank.code, Topic.code, Topic.title)
        .join(Topic, Topic.bank_id == ItemBank.id)
        .where(Topic.id.in_(select(Item.topic_id).where(Item.state != ItemState.RETIRED)))
        .order_by(ItemBank.code, Topic.code)
    )
    return [(bank, code, title) for bank, code, title in db.execute(query)]


def point_list(db: Session) -> dict[int, dict[str, str]]:
    """The benchmark points by number."""
    return dict(db.execute(select(BenchmarkPoint.number, BenchmarkPoint.text)).all())


def _banks_of(db: Session, versions: Sequence[ItemVersion]) -> ParsedBanks:
    """The banks with these versions of their items."""
    banks = {bank.id: bank.code for bank in db.scalars(select(ItemBank))}
    pictures = dict(db.execute(select(ItemPicture.sha256, ItemPicture.svg)).all())
    of_topic: dict[int, list[ParsedItem]] = {}
    for version in versions:
        bank = banks[version.item.topic.bank_id]
        of_topic.setdefault(version.item.topic_id, []).append(_parsed(version, bank, pictures))
    topics = [
        ParsedTopic(banks[topic.bank_id], topic.code, topic.title, tuple(of_topic[topic.id]))
        for topic in db.scalars(select(Topic))
        if topic.id in of_topic
    ]
    points: dict[int, list[BenchmarkPoint]] = {}
    for point in db.scalars(select(BenchmarkPoint).order_by(BenchmarkPoint.number)):
        points.setdefault(point.benchmark_number, []).append(point)
    benchmarks = [
        ParsedBenchmark(
            number=b.number,
            name=b.name,
            title=b.title,
            points={point.number: point.text for point in points.get(b.number, ())},
            title_seen=b.title_seen,
            range_seen=b.range_seen,
            points_seen=frozenset(point.number for point in points.get(b.number, ()) if point.seen),
            unsure=frozenset(point.number for point in points.get(b.number, ()) if point.unsure),
        )
        for b in db.scalars(select(Benchmark).order_by(Benchmark.number))
    ]
    return ParsedBanks(tuple(sorted(topics, key=lambda t: (t.bank, t.code))), tuple(benchmarks))


def estimate_of(expected_share: float) -> int:
    """The author's estimate, 1 to 5, whose expected share of right answers is nearest."""
    return min(EXPECTED_SHARE, key=lambda level: abs(EXPECTED_SHARE[level] - expected_share))


def find_picture(db: Session, sha256: str) -> str | None:
    """The picture of this content, with both languages; None where no item has or had it."""
    return db.scalar(select(ItemPicture.svg).where(ItemPicture.sha256 == sha256))


def _parsed(version: ItemVersion, bank: str, pictures: Mapping[str, str]) -> ParsedItem:
    return ParsedItem(
        code=version.item.code,
        bank=bank,
        topic=version.item.topic.code,
        type=version.type,
        use=version.use,
        dimension=version.dimension,
        difficulty=estimate_of(version.difficulty),
        fact=version.fact,
        point=version.point_number,
        objective=version.objective,
        stem=version.stem,
        options=tuple(Option(o["id"], o["zh"], o["en"]) for o in version.options if "zh" in o),
        ordered=version.ordered,
        key=tuple(version.key),
        rationale=version.rationale,
        citation=version.citation,
        review_by=version.review_by,
        state=version.item.state,
        tags=tuple(version.tags),
        audience=tuple(version.audience),
        stimulus=version.stimulus,
        image=_picture(version.image, pictures),
    )


def _picture(image: dict[str, Any] | None, pictures: Mapping[str, str]) -> Picture | None:
    return Picture(image["file"], image["alt"], pictures[image["sha256"]]) if image else None
