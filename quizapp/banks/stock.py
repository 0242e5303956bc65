"""What a bank holds today, item by item without the texts: for maps, counts and lists of what is due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import (
    BankCalibration,
    Benchmark,
    BenchmarkPoint,
    Item,
    ItemBank,
    ItemCalibration,
    ItemFigure,
    ItemLook,
    ItemState,
    ItemUse,
    ItemVersion,
    Topic,
    look_holds,
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
    #: The newest look that nobody took back, whether or not it still holds.
    look: ItemLook | None

    @property
    def flags(self) -> list[str]:
        """Codes of what is odd about it, the most harmful first."""
        return flags_of(self.figure, self.calibration)

    @property
    def looked_at(self) -> bool:
        """Whether a reviewer found it fine as it is today."""
        return self.look is not None and self.look.holds(self.flags, self.figure.asked)


def flags_of(figure: ItemFigure | None, calibration: ItemCalibration | None) -> list[str]:
    """What the answers by themselves raise, then what the model raises; a key that is suspect explains a bad fit by itself."""
    return _together(figure.flags if figure else [], calibration.flags if calibration else [])


def _together(plain: list[str], modelled: list[str]) -> list[str]:
    return plain if "key_suspect" in plain else [*plain, *modelled]


#: Harm of both kinds of flags.
_HARM = ItemFigure.harm + func.coalesce(ItemCalibration.harm, 0.0)


def _flagged(query: Any) -> Any:
    """Of `query`, which selects from items, the present versions with a flag, the most harmful first, with the look that stands."""
    return (
        query.join(ItemFigure, ItemFigure.item_version_id == Item.current_version_id)
        .outerjoin(ItemCalibration, ItemCalibration.item_version_id == ItemFigure.item_version_id)
        .outerjoin(ItemLook, and_(ItemLook.item_version_id == ItemFigure.item_version_id, ItemLook.ended_at.is_(None)))
        .where(_HARM > 0, Item.state != ItemState.RETIRED)
        .order_by(_HARM.desc(), Item.code)
    )


def flagged_items(db: Session, *, bank: str | None = None, flag: str | None = None) -> list[WorkItem]:
    """The present versions with a flag, looked at or not, the most harmful first: harm of the flag × people who met it."""
    query = _flagged(
        select(Item, ItemVersion, Topic, ItemBank, ItemFigure, ItemCalibration, ItemLook)
        .join(ItemVersion, ItemVersion.id == Item.current_version_id)
        .join(Topic, Topic.id == Item.topic_id)
        .join(ItemBank, ItemBank.id == Topic.bank_id)
    )
    if bank is not None:
        query = query.where(ItemBank.code == bank)
    rows = [WorkItem(*row) for row in db.execute(query)]
    return [row for row in rows if flag is None or flag in row.flags]


def work_list(db: Session, *, bank: str | None = None, flag: str | None = None) -> list[WorkItem]:
    """Those that a reviewer still has to look at."""
    return [row for row in flagged_items(db, bank=bank, flag=flag) if not row.looked_at]


@dataclass(frozen=True)
class Waiting:
    """An item that waits for a look, by its place in the work list."""

    harm: float
    code: str


def waiting_items(db: Session, *, bank: str | None = None, flag: str | None = None) -> list[Waiting]:
    """The work list without the texts."""
    values = (ItemFigure.flags, ItemCalibration.flags, ItemFigure.asked, ItemLook.flags, ItemLook.asked)
    query = _flagged(select(Item.code, _HARM, *values).select_from(Item))
    if bank is not None:
        query = query.join(Topic, Topic.id == Item.topic_id).join(ItemBank, ItemBank.id == Topic.bank_id)
        query = query.where(ItemBank.code == bank)
    waiting = []
    for code, harm, plain, modelled, asked, seen, then in db.execute(query):
        flags = _together(plain, modelled or [])
        if (flag is None or flag in flags) and (seen is None or not look_holds((seen, then), (flags, asked))):
            waiting.append(Waiting(harm, code))
    return waiting


def next_waiting(waiting: Sequence[Waiting], *, harm: float, code: str) -> str | None:
    """The item that comes after this place of the work list; None at its end."""
    return next((one.code for one in waiting if (-one.harm, one.code) > (-harm, code)), None)


def count_waiting(db: Session) -> int:
    """How many items a reviewer still has to look at."""
    return len(waiting_items(db))


@dataclass(frozen=True)
class Said:
    """What the answers to a version say today."""

    flags: list[str]
    #: 人次.
    asked: int
    #: Its place in the work list; 0 without a flag.
    harm: float


def said_of(db: Session, version_id: int) -> Said:
    """What the answers to a version say; nothing, where nobody met it."""
    figure, calibration = find_figure(db, version_id), find_calibration(db, version_id)
    if figure is None:
        return Said([], 0, 0.0)
    harm = figure.harm + (calibration.harm if calibration else 0.0)
    return Said(flags_of(figure, calibration), figure.asked, harm)


def find_look(db: Session, version_id: int) -> ItemLook | None:
    """The look at a version that nobody took back; None where there is none."""
    query = select(ItemLook).where(ItemLook.item_version_id == version_id, ItemLook.ended_at.is_(None))
    return db.scalar(query.execution_options(populate_existing=True))


def standing_looks(db: Session, version_ids: Collection[int]) -> dict[int, ItemLook]:
    """The looks at these versions that nobody took back, by version."""
    query = select(ItemLook).where(ItemLook.item_version_id.in_(version_ids), ItemLook.ended_at.is_(None))
    return {look.item_version_id: look for look in db.scalars(query)}


def get_look(db: Session, code: str, look_id: int) -> ItemLook:
    """A look at some version of this item. Raises NotFound."""
    query = (
        select(ItemLook)
        .join(ItemVersion, ItemVersion.id == ItemLook.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
    )
    look = db.scalar(query.where(ItemLook.id == look_id, Item.code == code))
    if look is None:
        raise NotFound
    return look


def looks_of(db: Session, item_id: int) -> list[tuple[ItemLook, ItemVersion]]:
    """All looks at an item with the version of each, newest first."""
    query = select(ItemLook, ItemVersion).join(ItemVersion, ItemVersion.id == ItemLook.item_version_id)
    rows = db.execute(query.where(ItemVersion.item_id == item_id).order_by(ItemLook.id.desc()))
    return [(look, version) for look, version in rows]


def find_figure(db: Session, version_id: int) -> ItemFigure | None:
    """How a version was answered; None where nobody met it yet."""
    return db.get(ItemFigure, version_id)


def find_calibration(db: Session, version_id: int) -> ItemCalibration | None:
    """Difficulty and discrimination of a version by the model; None where it has none."""
    return db.get(ItemCalibration, version_id)


def find_bank_calibration(db: Session, bank_id: int) -> BankCalibration | None:
    """The last run over a bank; None before the first."""
    return db.get(BankCalibration, bank_id)


@dataclass(frozen=True)
class BankScale:
    """What the last run over a bank found, of the versions that are asked today."""

    #: Attempts that counted then, and when it was.
    attempts: int
    at: datetime
    #: Versions with a difficulty and a discrimination; those whose papers share too few items with the others'.
    known: int
    apart: int


def find_scale(db: Session, bank_id: int) -> BankScale | None:
    """Difficulty and discrimination of a bank as a whole; None before the first run."""
    state = find_bank_calibration(db, bank_id)
    if state is None:
        return None
    now = set(
        db.scalars(
            select(Item.current_version_id)
            .join(Topic, Topic.id == Item.topic_id)
            .where(Topic.bank_id == bank_id, Item.state != ItemState.RETIRED)
        )
    )
    known = db.scalar(select(func.count()).where(ItemCalibration.item_version_id.in_(now))) or 0
    return BankScale(state.attempts, state.calibrated_at, known, len(now.intersection(state.apart)))


def versions_of(db: Session, item_id: int) -> list[ItemVersion]:
    """All versions of an item, newest first."""
    return list(
        db.scalars(select(ItemVersion).where(ItemVersion.item_id == item_id).order_by(ItemVersion.number.desc()))
    )
