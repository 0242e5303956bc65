"""Ids, topics and stems that stand twice."""

from __future__ import annotations

from collections.abc import Iterator

from quizapp.banks.checks.making import percent, refuse, warn
from quizapp.banks.faults import Fault, Level
from quizapp.banks.measures import similar_items
from quizapp.banks.near_duplicates import normalised
from quizapp.banks.parsed import ParsedBanks, ParsedItem

#: Share of trigrams of stem, picture in words and key from which two items are told of, and from which they are refused.
LOOK, SAME = 0.45, 0.60


def duplicate_faults(banks: ParsedBanks) -> Iterator[Fault]:
    """Each fault stands at the later of the two."""
    topics: dict[tuple[str, str], str] = {}
    for topic in banks.topics:
        first = topics.setdefault((topic.bank, topic.code), topic.file)
        if first != topic.file:
            yield Fault("duplicate_topic", Level.REFUSE, topic.file, 2, {"topic": topic.code, "other": first})
    ids: dict[str, ParsedItem] = {}
    for item in banks.items:
        if (first_item := ids.setdefault(item.code, item)) is not item:
            other = f"{first_item.file}:{first_item.line}"
            yield refuse(item, "format", "duplicate_id", "id", id=item.code, other=other)
    items = banks.items
    stems: dict[str, ParsedItem] = {}
    for item in items:
        if (first_item := stems.setdefault(normalised(item.stem["zh"]), item)) is not item:
            yield refuse(item, "D1", "duplicate_stem", "stem", other=first_item.code)
    for one, later, share in similar_items(items, LOOK):
        if normalised(one.stem["zh"]) != normalised(later.stem["zh"]):
            state = refuse if share >= SAME else warn
            yield state(later, "D2", "near_duplicate", "stem", other=one.code, share=percent(share))
