"""What a bank holds today, item by item without the texts: for maps, counts and lists of what is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import (
    BankCalibration,
    Benchmark,
    BenchmarkPoint,
    Item,
    ItemBank,
    ItemCalibration,
    ItemFigure,
    ItemState,
    ItemUse,
    ItemVersion,
    Topic,
)
from quizapp.core.errors import NotFound


@dataclass(frozen=True)
class StockItem:
    """One item as it is served or in work now."""

    code: str
    topic: str
    state: str
    type: str
    use: str
    dimension: str
    #: Share of right answers that the author expects.
    expected: float
    point: int | None
    audience: tuple[str, ...]
    stimulus: str | None
    pictured: bool
    review_by: str

    @property
    def for_test(self) -> bool:
        """Whether a test may draw it."""
        return self.use in (ItemUse.TEST, ItemUse.BOTH)

    @property
    def for_practice(self) -> bool:
        """Whether practice may show it."""
        return self.use in (ItemUse.PRACTICE, ItemUse.BOTH)


def get_bank(db: Session, code: str) -> ItemBank:
    """The bank of this folder. Raises NotFound."""
    bank = db.scalar(select(ItemBank).where(ItemBank.code == code))
    if bank is None:
        raise NotFound
    return bank


def stock_of(db: Session, bank_id: int) -> list[StockItem]:
    """The items of a bank that are not retired, by code."""
    rows = db.execute(
        select(
            Item.code,
            Topic.code,
            Item.state,
            ItemVersion.type,
            ItemVersion.use,
            ItemVersion.dimension,
            ItemVersion.difficulty,
            ItemVersion.point_number,
            ItemVersion.audience,
            ItemVersion.stimulus,
            ItemVersion.image,
            ItemVersion.review_by,
        )
        .join(ItemVersion, ItemVersion.id == Item.current_version_id)
        .join(Topic, Topic.id == Item.topic_id)
        .where(Topic.bank_id == bank_id, Item.state != ItemState.RETIRED)
        .order_by(Item.code)
    )
    return [
        StockItem(
            code=code,
            topic=topic,
            state=state,
            type=kind,
            use=use,
            dimension=dimension,
            expected=expected,
            point=point,
            audience=tuple(audience),
            stimulus=stimulus,
            pictured=image is not None,
            review_by=review_by,
        )
        for code, topic, state, kind, use, dimension, expected, point, audience, stimulus, image, review_by in rows
    ]


def topics_of(db: Session, bank_id: int) -> list[Topic]:
    """The topics of a bank, by code."""
    return list(db.scalars(select(Topic).where(Topic.bank_id == bank_id).order_by(Topic.code)))


def standard_points(db: Session) -> list[tuple[Benchmark, list[BenchmarkPoint]]]:
    """The benchmarks with their points, in order."""
    points: dict[int, list[BenchmarkPoint]] = {}
    for point in db.scalars(select(BenchmarkPoint).order_by(BenchmarkPoint.number)):
        points.setdefault(point.benchmark_number, []).append(point)
    return [(b, points.get(b.number, [])) for b in db.scalars(select(Benchmark).order_by(Benchmark.number))]


@dataclass(frozen=True)
class FoundItem:
    """An item with its present version and what it is about."""

    item: Item
    version: ItemVersion
    topic: Topic
    bank: ItemBank
    point: BenchmarkPoint | None


def _found() -> Any:
    return (
        select(Item, ItemVersion, Topic, ItemBank, BenchmarkPoint)
        .join(ItemVersion, ItemVersion.id == Item.current_version_id)
        .join(Topic, Topic.id == Item.topic_id)
        .join(ItemBank, ItemBank.id == Topic.bank_id)
        .outerjoin(BenchmarkPoint, BenchmarkPoint.number == ItemVersion.point_number)
    )


def items_by_code(db: Session, codes: list[str]) -> list[FoundItem]:
    """These items, by code."""
    return [FoundItem(*row) for row in db.execute(_found().where(Item.code.in_(codes)).order_by(Item.code))]


def get_item(db: Session, code: str) -> FoundItem:
    """The item of this id. Raises NotFound."""
    row = db.execute(_found().where(Item.code == code)).first()
    if row is None:
        raise NotFound
    return FoundItem(*row)


@dataclass(frozen=True)
class WorkItem:
    """An item whose answers say that something is wrong with it."""

    item: Item
    version: ItemVersion
    topic: Topic
    bank: ItemBank
    figure: ItemFigure
    calibration: ItemCalibration | None

    @property
    def flags(self) -> list[str]:
        """Codes of what is odd about it, the most harmful first."""
        return flags_of(self.figure, self.calibration)


def flags_of(figure: ItemFigure | None, calibration: ItemCalibration | None) -> list[str]:
    """What the answers by themselves raise, then what the model raises; a key that is suspect explains a bad fit by itself."""
    plain = figure.flags if figure else []
    return [*plain, *(calibration.flags if calibration and "key_suspect" not in plain else [])]


#: Harm of both kinds of flags.
_HARM = ItemFigure.harm + func.coalesce(ItemCalibration.harm, 0.0)


def work_list(db: Session, *, bank: str | None = None, flag: str | None = None) -> list[WorkItem]:
    """The present versions with a flag, the most harmful first: harm of the flag × people who met it."""
    query = (
        select(Item, ItemVersion, Topic, ItemBank, ItemFigure, ItemCalibration)
        .join(ItemVersion, ItemVersion.id == Item.current_version_id)
        .join(ItemFigure, ItemFigure.item_version_id == ItemVersion.id)
        .outerjoin(ItemCalibration, ItemCalibration.item_version_id == ItemVersion.id)
        .join(Topic, Topic.id == Item.topic_id)
        .join(ItemBank, ItemBank.id == Topic.bank_id)
        .where(_HARM > 0, Item.state != ItemState.RETIRED)
        .order_by(_HARM.desc(), Item.code)
    )
    if bank is not None:
        query = query.where(ItemBank.code == bank)
    rows = [WorkItem(*row) for row in db.execute(query)]
    return [row for row in rows if flag is None or flag in row.flags]


def count_flagged(db: Session) -> int:
    """How many present versions have a flag."""
    flagged = (
        select(func.count())
        .select_from(ItemFigure)
        .join(Item, Item.current_version_id == ItemFigure.item_version_id)
        .outerjoin(ItemCalibration, ItemCalibration.item_version_id == ItemFigure.item_version_id)
    )
    return db.scalar(flagged.where(_HARM > 0, Item.state != ItemState.RETIRED)) or 0


def find_figure(db: Session, version_id: int) -> ItemFigure | None:
    """How a version was answered; None where nobody met it yet."""
    return db.get(ItemFigure, version_id)


def find_calibration(db: Session, version_id: int) -> ItemCalibration | None:
    """Difficulty and discrimination of a version by the model; None where it has none."""
    return db.get(ItemCalibration, version_id)


def find_bank_calibration(db: Session, bank_id: int) -> BankCalibration | None:
    """The last run over a bank; None before the first."""
    return db.get(BankCalibration, bank_id)


def versions_of(db: Session, item_id: int) -> list[ItemVersion]:
    """All versions of an item, newest first."""
    return list(
        db.scalars(select(ItemVersion).where(ItemVersion.item_id == item_id).order_by(ItemVersion.number.desc()))
    )
