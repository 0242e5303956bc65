"""What practice reads: the items that may be practised, and what an account has done with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.banks.models import (
    Benchmark,
    BenchmarkPoint,
    Item,
    ItemBank,
    ItemState,
    ItemUse,
    ItemVersion,
    Topic,
)
from quizapp.practice.guest_days import DAYS
from quizapp.practice.models import DailyResult, PracticeAnswer, WrongBookEntry
from quizapp.practice.rounds import DAILY_COUNT, Round
from quizapp.quizzes.queries.deliveries import items_in_open_tests

#: The four banks in the order of the pages; others follow by their code.
BANK_ORDER = ("safety", "energy_environment", "health", "literacy")


@dataclass(frozen=True)
class PoolItem:
    """An item that may be practised now, in its current version."""

    item_id: int
    version_id: int
    code: str
    topic: str
    bank: str
    benchmark: int | None


@dataclass(frozen=True)
class TopicShare:
    """A topic with how much of it there is and was practised."""

    code: str
    title: dict[str, str]
    count: int
    practised: int


@dataclass(frozen=True)
class BankShare:
    """A bank with its topics; `count` items may be practised, `practised` of them the account has answered."""

    code: str
    title: dict[str, str]
    topics: tuple[TopicShare, ...]
    count: int
    practised: int


@dataclass(frozen=True)
class DayMark:
    """One day of the daily quiz."""

    day: date
    answered: int
    right: int

    @property
    def done(self) -> bool:
        """Whether all its questions were answered."""
        return self.answered >= DAILY_COUNT


def practice_pool(
    db: Session,
    now: datetime,
    *,
    bank: str | None = None,
    topic: str | None = None,
    benchmark: int | None = None,
) -> list[PoolItem]:
    """The items that may be practised: approved, for practice, and used by no open test."""
    query = (
        select(Item.id, ItemVersion.id, Item.code, Topic.code, ItemBank.code, BenchmarkPoint.benchmark_number)
        .join(ItemVersion, ItemVersion.id == Item.current_version_id)
        .join(Topic, Topic.id == Item.topic_id)
        .join(ItemBank, ItemBank.id == Topic.bank_id)
        .outerjoin(BenchmarkPoint, BenchmarkPoint.number == ItemVersion.point_number)
        .where(Item.state == ItemState.APPROVED, ItemVersion.use.in_((ItemUse.PRACTICE, ItemUse.BOTH)))
        .order_by(Item.id)
    )
    if bank is not None:
        query = query.where(ItemBank.code == bank)
    if topic is not None:
        query = query.where(Topic.code == topic)
    if benchmark is not None:
        query = query.where(BenchmarkPoint.benchmark_number == benchmark)
    taken = items_in_open_tests(db, now)
    return [PoolItem(*row) for row in db.execute(query) if row[0] not in taken]


def find_bank(db: Session, code: str) -> ItemBank | None:
    """The bank of a code."""
    return db.scalar(select(ItemBank).where(ItemBank.code == code))


def find_topic(db: Session, bank_id: int, code: str) -> Topic | None:
    """The topic of a code within a bank."""
    return db.scalar(select(Topic).where(Topic.bank_id == bank_id, Topic.code == code))


def find_benchmark(db: Session, number: int) -> Benchmark | None:
    """One of the 26 benchmarks."""
    return db.get(Benchmark, number)


def get_version(db: Session, version_id: int) -> ItemVersion:
    """The version that a pool item names."""
    return db.scalars(select(ItemVersion).where(ItemVersion.id == version_id)).one()


def bank_shares(db: Session, pool: Collection[PoolItem], practised: Collection[int]) -> list[BankShare]:
    """Every bank that has something to practise, with its topics."""
    counts: dict[tuple[str, str], list[int]] = {}
    for item in pool:
        count = counts.setdefault((item.bank, item.topic), [0, 0])
        count[0] += 1
        count[1] += item.item_id in practised
    topics: dict[str, list[TopicShare]] = {}
    titles: dict[str, dict[str, str]] = {}
    rows = db.execute(
        select(ItemBank.code, ItemBank.title, Topic.code, Topic.title)
        .join(Topic, Topic.bank_id == ItemBank.id)
        .order_by(ItemBank.id, Topic.id)
    )
    for bank_code, bank_title, topic_code, topic_title in rows:
        if (bank_code, topic_code) in counts:
            titles[bank_code] = bank_title
            topics.setdefault(bank_code, []).append(TopicShare(topic_code, topic_title, *counts[bank_code, topic_code]))
    order = sorted(titles, key=lambda code: (BANK_ORDER.index(code) if code in BANK_ORDER else 99, code))
    return [
        BankShare(
            code,
            titles[code],
            tuple(topics[code]),
            sum(topic.count for topic in topics[code]),
            sum(topic.practised for topic in topics[code]),
        )
        for code in order
    ]


def practised_items(db: Session, account_id: int | None) -> set[int]:
    """The items that an account has answered in practice; none for a guest."""
    if account_id is None:
        return set()
    return set(db.scalars(select(PracticeAnswer.item_id).where(PracticeAnswer.account_id == account_id).distinct()))


def benchmarks_done(db: Session, account_id: int) -> set[int]:
    """The benchmarks of which an account has answered an item right in practice."""
    return set(
        db.scalars(
            select(BenchmarkPoint.benchmark_number)
            .join(ItemVersion, ItemVersion.point_number == BenchmarkPoint.number)
            .join(PracticeAnswer, PracticeAnswer.item_version_id == ItemVersion.id)
            .where(PracticeAnswer.account_id == account_id, PracticeAnswer.right)
            .distinct()
        )
    )


def benchmark_count(db: Session) -> int:
    """How many benchmarks the standard has."""
    return db.scalar(select(func.count()).select_from(Benchmark)) or 0


def wrong_items(db: Session, account_id: int) -> set[int]:
    """The items in an account's wrong book."""
    return set(db.scalars(select(WrongBookEntry.item_id).where(WrongBookEntry.account_id == account_id)))


def find_entry(db: Session, account_id: int, item_id: int) -> WrongBookEntry | None:
    """An item's entry in the wrong book, as the database has it now."""
    return db.scalar(
        select(WrongBookEntry)
        .where(WrongBookEntry.account_id == account_id, WrongBookEntry.item_id == item_id)
        .execution_options(populate_existing=True)
    )


def answers_of_round(db: Session, account_id: int, seed: str) -> dict[int, PracticeAnswer]:
    """What an account answered in a round, by place from 0."""
    found = db.scalars(
        select(PracticeAnswer).where(
            PracticeAnswer.account_id == account_id,
            PracticeAnswer.round_key >= f"{seed}-",
            PracticeAnswer.round_key < f"{seed}.",  # "." is the character after "-"
        )
    )
    return {int(row.round_key.rpartition("-")[2]): row for row in found}


def daily_results(db: Session, account_id: int, day: date) -> str:
    """The results of an account's daily quiz so far, as `rounds.Round` reads them."""
    answers = answers_of_round(db, account_id, day.isoformat())
    return "".join("1" if answers[place].right else "0" for place in range(len(answers)) if place in answers)


def week_of_account(db: Session, account_id: int, today: date) -> list[DayMark]:
    """The last seven days of the daily quiz, today last."""
    first = today - timedelta(days=DAYS - 1)
    rows = db.scalars(
        select(DailyResult).where(DailyResult.account_id == account_id, DailyResult.day.between(first, today))
    )
    return _week({row.day: (row.answered, row.right) for row in rows}, today)


def week_of_guest(days: Mapping[date, str], today: date) -> list[DayMark]:
    """The same from what `guest_days.read_days` gives."""
    return _week(
        {day: (min(len(results), DAILY_COUNT), Round(DAILY_COUNT, results).right) for day, results in days.items()},
        today,
    )


def _week(days: Mapping[date, tuple[int, int]], today: date) -> list[DayMark]:
    week = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [DayMark(day, *days.get(day, (0, 0))) for day in week]
