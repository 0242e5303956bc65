"""Loading is all or nothing; the same again changes nothing; what was used stays frozen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.banks.models import Item, ItemFigure, ItemState, ItemUse, ItemVersion, Topic
from quizapp.banks.parsed import ParsedBanks, ParsedBenchmark, ParsedItem
from quizapp.banks.queries import assembly_pool, loaded_banks, published_versions
from quizapp.banks.services import Loaded, load_banks
from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM
from tests.banks.files import make_banks, make_item, make_true_false
from tests.conftest import START


def load(db: Session, banks: ParsedBanks) -> Loaded:
    with transaction(db):
        return load_banks(db, banks, actor=SYSTEM, now=START)


def versions(db: Session, code: str) -> list[ItemVersion]:
    query = select(ItemVersion).join(Item, Item.id == ItemVersion.item_id).where(Item.code == code)
    return list(db.scalars(query.order_by(ItemVersion.number)))


FIRST = make_item("SAF-FIRE-001")
SECOND = make_true_false("SAF-FIRE-002", true=False, use="practice")


def test_what_is_loaded_is_what_the_files_say(either_db: Session):
    banks = make_banks(FIRST, SECOND)
    assert load(either_db, banks) == Loaded(added=2)
    either_db.expire_all()
    assert loaded_banks(either_db) == banks


def test_loading_twice_changes_nothing(db: Session):
    load(db, make_banks(FIRST, SECOND))
    assert load(db, make_banks(FIRST, SECOND)) == Loaded(unchanged=2)
    assert len(list(db.scalars(select(ItemVersion)))) == 2
    assert [event.details for event in db.scalars(select(AuditEvent))] == [{"added": 2, "changed": 0, "retired": 0}]


def test_a_changed_item_gets_a_new_version_and_the_old_one_stays(db: Session):
    load(db, make_banks(FIRST, SECOND))
    changed = replace(FIRST, key=("c",))
    assert load(db, make_banks(changed, SECOND)) == Loaded(changed=1, unchanged=1)
    old, new = versions(db, "SAF-FIRE-001")
    assert (old.key, new.key, new.number) == (["b"], ["c"], 2)
    assert new.item.current_version_id == new.id


def test_an_item_that_the_files_lack_is_retired_and_can_come_back(db: Session):
    load(db, make_banks(FIRST, SECOND))
    assert load(db, make_banks(FIRST)) == Loaded(unchanged=1, retired=1)
    assert db.scalars(select(Item.state).where(Item.code == "SAF-FIRE-002")).one() == ItemState.RETIRED
    assert [v.item.code for v in published_versions(db)] == ["SAF-FIRE-001"]
    assert load(db, make_banks(FIRST)) == Loaded(unchanged=1)
    assert load(db, make_banks(FIRST, SECOND)) == Loaded(changed=1, unchanged=1)
    assert len(versions(db, "SAF-FIRE-002")) == 1


def test_an_item_that_moves_to_another_file_keeps_its_versions(db: Session):
    load(db, make_banks(FIRST))
    moved = replace(FIRST, topic="kitchen")
    topic = replace(make_banks(moved).topics[0], code="kitchen", title={"zh": "厨房", "en": "Kitchen"})
    assert load(db, ParsedBanks((topic,))) == Loaded(changed=1)
    assert len(versions(db, "SAF-FIRE-001")) == 1
    assert published_versions(db)[0].item.topic.code == "kitchen"


def test_new_titles_reach_the_rows(db: Session):
    load(db, make_banks(FIRST))
    topic = replace(make_banks(FIRST).topics[0], title={"zh": "新名", "en": "New"})
    assert load(db, ParsedBanks((topic,))) == Loaded(unchanged=1)
    assert db.scalars(select(Topic)).one().title == {"zh": "新名", "en": "New"}


def test_a_load_that_fails_leaves_nothing(db: Session):
    broken = replace(SECOND, point=99)  # no such benchmark point
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        load(db, make_banks(FIRST, broken))
    assert list(db.scalars(select(Item))) == []


def literacy_item(**values: object) -> ParsedItem:
    return make_item("LIT-B01-1", bank="literacy", topic="fire", point=1, **values)


def test_the_standard_is_loaded_and_follows_its_file(either_db: Session):
    words = {"zh": "点", "en": "Point"}
    benchmark = ParsedBenchmark(1, {"zh": "名", "en": "Name"}, {"zh": "题", "en": "Title"}, {1: words, 2: words})
    topics = tuple(replace(topic, bank="literacy") for topic in make_banks(literacy_item()).topics)
    load(either_db, ParsedBanks(topics, (benchmark,)))
    assert loaded_banks(either_db).benchmarks == (benchmark,)
    renamed = replace(
        benchmark,
        name={"zh": "新", "en": "New"},
        points={1: words, 2: {"zh": "新点", "en": "New point"}},
        title_seen=True,
        points_seen=frozenset({1}),
        unsure=frozenset({2}),
    )
    load(either_db, ParsedBanks(topics, (renamed,)))
    assert loaded_banks(either_db).benchmarks == (renamed,)
    (item,) = assembly_pool(either_db, "literacy").items
    assert (item.benchmark, item.point) == (1, 1)


def test_what_was_measured_takes_the_place_of_estimates_and_moves_the_others(either_db: Session):
    items = [make_item(f"SAF-FIRE-{n:03}", difficulty=3) for n in range(1, 23)]
    load(either_db, make_banks(*items))
    estimate = {item.id: item.difficulty for item in assembly_pool(either_db, "safety").items}["SAF-FIRE-001"]
    asked = [version.id for version in published_versions(either_db)]
    for number, version_id in enumerate(asked[:-1]):  # the first by too few people, the last not at all
        figures = {"difficulty": 0.9 if number else 0.1}
        either_db.add(
            ItemFigure(
                item_version_id=version_id,
                asked=100 if number else 99,
                figures=figures,
                flags=[],
                harm=0,
                counted_at=START,
            )
        )
    either_db.flush()
    expected = [item.difficulty for item in assembly_pool(either_db, "safety").items]
    assert expected[1:-1] == [0.9] * 20
    assert expected[0] == expected[-1] == pytest.approx(min(0.98, estimate + 0.9 - estimate))
    either_db.delete(either_db.get_one(ItemFigure, asked[-2]))
    either_db.flush()
    assert assembly_pool(either_db, "safety").items[-1].difficulty == estimate, "nineteen measured items move nothing"


def test_practice_and_tests_get_their_items(db: Session):
    third = make_item("SAF-FIRE-003", use="test")
    load(db, make_banks(FIRST, SECOND, third))

    def codes(use: ItemUse | None = None, **where: str) -> list[str]:
        return [version.item.code for version in published_versions(db, use=use, **where)]

    assert codes() == ["SAF-FIRE-001", "SAF-FIRE-002", "SAF-FIRE-003"]
    assert codes(ItemUse.PRACTICE) == ["SAF-FIRE-001", "SAF-FIRE-002"]
    assert codes(ItemUse.TEST, bank="safety", topic="fire") == ["SAF-FIRE-001", "SAF-FIRE-003"]
    assert codes(bank="health") == codes(topic="water") == []


def test_the_pool_carries_versions_options_and_earlier_uses(db: Session):
    load(db, make_banks(FIRST, make_true_false("SAF-FIRE-002", true=True)))
    (version,) = versions(db, "SAF-FIRE-001")
    pool = assembly_pool(db, "safety", {version.item_id: 3})
    assert pool.version_ids["SAF-FIRE-001"] == version.id
    assert pool.option_counts == {"SAF-FIRE-001": 4, "SAF-FIRE-002": None}
    assert [(item.id, item.topic, item.uses, item.benchmark) for item in pool.items] == [
        ("SAF-FIRE-001", "fire", 3, None),
        ("SAF-FIRE-002", "fire", 0, None),
    ]
