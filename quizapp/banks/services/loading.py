"""Loading banks into the database: all or nothing, and the same again changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.audit.services import record
from quizapp.banks.models import Benchmark, BenchmarkPoint, Item, ItemBank, ItemPicture, ItemState, ItemVersion, Topic
from quizapp.banks.parsed import ParsedBanks, ParsedBlueprint, ParsedItem, Text
from quizapp.banks.reviews import Reading, bank_summary
from quizapp.core.scope import Actor

#: Titles of the banks; files have titles of topics only.
BANK_TITLES: dict[str, Text] = {
    "safety": {"zh": "安全", "en": "Safety"},
    "energy_environment": {"zh": "节能环保", "en": "Energy and environment"},
    "health": {"zh": "健康", "en": "Health"},
    "literacy": {"zh": "科学素质", "en": "Scientific literacy"},
}

#: How the log calls the loading of files.
_FILES_LOADED = "bank_files_loaded"

#: What features above store of the same files in the same transaction: `part(db, blueprints)`. `quizzes` keeps the blueprints.
LOAD_PARTS: list[Callable[[Session, tuple[ParsedBlueprint, ...]], None]] = []


@dataclass(frozen=True)
class Loaded:
    """What a load did, in items."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0


def load_banks(
    db: Session, parsed: ParsedBanks, *, actor: Actor, now: datetime, reviews: Sequence[Reading] = ()
) -> Loaded:
    """Store the banks in the caller's transaction; they must have passed the checks.

    Only what the files call approved is served. An unchanged item stays as it is; a changed one gets a new frozen version, which is
    served from now on; what the files do not have any more is retired (papers that used it keep it), and comes back when a file has
    it again.
    """
    _store_standard(db, parsed)
    topics = _store_topics(db, parsed)
    _store_pictures(db, parsed)
    _store_reviews(db, parsed, reviews)
    items = {item.code: item for item in db.scalars(select(Item))}
    hashes = {
        item_id: (number, content_hash)
        for item_id, number, content_hash in db.execute(
            select(ItemVersion.item_id, ItemVersion.number, ItemVersion.content_hash).join(
                Item, Item.current_version_id == ItemVersion.id
            )
        )
    }
    new = [parsed_item for parsed_item in parsed.items if parsed_item.code not in items]
    fresh = [Item(code=i.code, topic_id=topics[i.bank, i.topic].id, state=i.state) for i in new]
    db.add_all(fresh)
    db.flush()
    versions = [(item, _version(item, i, 1, now)) for item, i in zip(fresh, new, strict=True)]
    changed = unchanged = 0
    for parsed_item in parsed.items:
        item = items.pop(parsed_item.code, None)
        if item is None:
            continue
        number, content_hash = hashes.get(item.id, (0, ""))
        same = content_hash == parsed_item.content_hash()
        if not same:
            versions.append((item, _version(item, parsed_item, number + 1, now)))
        place = (topics[parsed_item.bank, parsed_item.topic].id, parsed_item.state)
        if same and (item.topic_id, item.state) == place:
            unchanged += 1
        else:
            changed += 1
            item.topic_id, item.state = place
    db.add_all(version for _, version in versions)
    db.flush()
    for item, version in versions:
        item.current_version_id = version.id
    added = len(new)
    missing = [item for item in items.values() if item.state != ItemState.RETIRED]
    for item in missing:
        item.state = ItemState.RETIRED
    db.flush()
    for part in LOAD_PARTS:
        part(db, parsed.blueprints)
    loaded = Loaded(added, changed, unchanged, len(missing))
    if added or changed or missing:
        details = {"added": added, "changed": changed, "retired": len(missing)}
        record(db, actor=actor, action="banks_loaded", object_type="item_bank", details=details, now=now)
    return loaded


def fingerprint(folder: Path) -> str:
    """A hash over names and contents of all that is loaded from a folder of banks."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in ("*.yaml", "*.svg", "*.csv") for path in folder.rglob(pattern)):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def loaded_content(db: Session) -> str | None:
    """The fingerprint of the files that were loaded last, as the log has it."""
    details = db.scalar(
        select(AuditEvent.details).where(AuditEvent.action == _FILES_LOADED).order_by(AuditEvent.id.desc()).limit(1)
    )
    return str(details["content"]) if details else None


def note_content(db: Session, content: str, *, actor: Actor, now: datetime) -> None:
    """Write down which files were loaded, so that the same again need not be read."""
    record(db, actor=actor, action=_FILES_LOADED, object_type="item_bank", details={"content": content}, now=now)


def _version(item: Item, parsed: ParsedItem, number: int, now: datetime) -> ItemVersion:
    return ItemVersion(
        item_id=item.id, number=number, content_hash=parsed.content_hash(), created_at=now, **parsed.content()
    )


def _store_reviews(db: Session, parsed: ParsedBanks, reviews: Sequence[Reading]) -> None:
    """What the readers found of each bank, for its page."""
    for bank in db.scalars(select(ItemBank)):
        served = [item for item in parsed.items if item.bank == bank.code and item.state == ItemState.APPROVED]
        summary = bank_summary(reviews, served)
        if bank.reviews != summary:
            bank.reviews = summary


def _store_pictures(db: Session, parsed: ParsedBanks) -> None:
    """What is new; a picture that a used version has is never taken away."""
    kept = set(db.scalars(select(ItemPicture.sha256)))
    pictures = {item.image.sha256: item.image.svg for item in parsed.items if item.image}
    db.add_all(ItemPicture(sha256=sha256, svg=svg) for sha256, svg in pictures.items() if sha256 not in kept)


def _store_topics(db: Session, parsed: ParsedBanks) -> dict[tuple[str, str], Topic]:
    """The topics by bank and code; titles follow the files."""
    banks = {bank.code: bank for bank in db.scalars(select(ItemBank))}
    for code in parsed.bank_codes:
        title = BANK_TITLES.get(code, {"zh": code, "en": code})
        if code not in banks:
            banks[code] = ItemBank(code=code, title=title)
            db.add(banks[code])
        elif banks[code].title != title:
            banks[code].title = title
    db.flush()
    codes = {bank.id: code for code, bank in banks.items()}
    topics = {(codes[topic.bank_id], topic.code): topic for topic in db.scalars(select(Topic))}
    for parsed_topic in parsed.topics:
        key = (parsed_topic.bank, parsed_topic.code)
        if key not in topics:
            topics[key] = Topic(bank_id=banks[key[0]].id, code=key[1], title=parsed_topic.title)
            db.add(topics[key])
        elif topics[key].title != parsed_topic.title:
            topics[key].title = parsed_topic.title
    db.flush()
    return topics


def _store_standard(db: Session, parsed: ParsedBanks) -> None:
    benchmarks = {benchmark.number: benchmark for benchmark in db.scalars(select(Benchmark))}
    points = {point.number: point for point in db.scalars(select(BenchmarkPoint))}
    for entry in parsed.benchmarks:
        benchmark = benchmarks.get(entry.number) or Benchmark(number=entry.number)
        benchmark.name, benchmark.title = entry.name, entry.title
        benchmark.title_seen, benchmark.range_seen = entry.title_seen, entry.range_seen
        db.add(benchmark)
    db.flush()
    for entry in parsed.benchmarks:
        for number, text in entry.points.items():
            point = points.get(number) or BenchmarkPoint(number=number)
            point.benchmark_number, point.text = entry.number, text
            point.seen, point.unsure = number in entry.points_seen, number in entry.unsure
            db.add(point)
    db.flush()
