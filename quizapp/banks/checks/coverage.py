"""Do the items suffice: for the literacy standard, and for each blueprint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from quizapp.banks.checks.making import percent, refuse
from quizapp.banks.faults import Fault, Level
from quizapp.banks.parsed import EXPECTED_SHARE, ParsedBanks, ParsedBlueprint, ParsedItem, reading_length
from quizapp.measurement.assembly import Blueprint, PoolItem, plain_conflicts
from quizapp.measurement.guessing import guess_probability, tail_probability

#: The bank that follows the literacy standard.
LITERACY = "literacy"
#: The bank that covers the 66 points of 《中国公民健康素养——基本知识与技能（2024年版）》.
HEALTH, HEALTH_POINTS = "health", 66
#: Approved items for the test that each benchmark and each point needs, so that parallel papers do not repeat themselves.
ITEMS_PER_BENCHMARK = 8
ITEMS_PER_POINT = 2

_LITERACY_ID = re.compile(r"LIT-B(\d+)-\d+")


def pool_item(item: ParsedItem, benchmark: int | None) -> PoolItem:
    """What assembly needs to know of an item."""
    return PoolItem(
        id=item.code,
        type=item.type,
        topic=item.topic,
        benchmark=benchmark,
        point=item.point,
        dimension=item.dimension,
        difficulty=EXPECTED_SHARE[item.difficulty],
        fact=item.fact,
        level=item.difficulty,
        audience=item.audience,
        characters=reading_length(item.stem, ({"zh": option.zh} for option in item.options)),
    )


def point_faults(item: ParsedItem, benchmark_of: Mapping[int, int]) -> Iterator[Fault]:
    """A literacy item has a point of the standard, that of the benchmark that its id says, and one use; others have no point.

    Without a standard (`benchmark_of` empty) nothing is said of the points: that it is not there is a fault of its own.
    """
    if item.bank != LITERACY:
        if item.point is not None:
            yield refuse(item, "format", "point_not_allowed", "point", bank=item.bank)
        return
    if item.use == "both":
        yield refuse(item, "B2", "use_both", "use")
    if item.point is None:
        yield refuse(item, "format", "point_missing", "point")
    elif benchmark_of and item.point not in benchmark_of:
        yield refuse(item, "format", "point_unknown", "point", point=item.point)
    elif benchmark_of:
        benchmark = benchmark_of[item.point]
        said = _LITERACY_ID.fullmatch(item.code)
        if said and int(said[1]) != benchmark:
            data = {"id": item.code, "said": int(said[1]), "point": item.point, "benchmark": benchmark}
            yield refuse(item, "format", "benchmark_mismatch", "point", **data)


def literacy_faults(banks: ParsedBanks) -> Iterator[Fault]:
    """Every benchmark and every point has enough items for the test."""
    items = [item for item in banks.items if item.bank == LITERACY]
    if not items:
        return
    if not banks.benchmarks:
        yield Fault("no_standard", Level.REFUSE, items[0].file, 1)
        return
    benchmark_of = banks.benchmark_of_point
    counts: Counter[int] = Counter()
    points: Counter[int] = Counter()
    for item in items:
        if item.point in benchmark_of and item.state == "approved" and item.use == "test":
            counts[benchmark_of[item.point]] += 1
            points[item.point] += 1
    for benchmark_number in (b.number for b in banks.benchmarks):
        if counts[benchmark_number] < ITEMS_PER_BENCHMARK:
            data = {"benchmark": benchmark_number, "count": counts[benchmark_number], "least": ITEMS_PER_BENCHMARK}
            yield Fault("benchmark_items", Level.REFUSE, items[0].file, 1, data, "B1")
    short = [point for point in benchmark_of if points[point] < ITEMS_PER_POINT]
    if short:
        lack = {"least": ITEMS_PER_POINT, "points": ", ".join(map(str, short[:20])), "count": len(short)}
        yield Fault("point_cover", Level.REFUSE, items[0].file, 1, lack, "B1")


def shared_fact_faults(banks: ParsedBanks) -> Iterator[Fault]:
    """What the literacy test asks is practised in no bank: its facts have one code in all of them. Told at the later of the two."""
    asked: dict[str, ParsedItem] = {}
    practised: dict[str, ParsedItem] = {}
    for item in banks.items:
        tests = item.bank == LITERACY and item.use == "test"
        if tests or item.use != "test":
            if other := (practised if tests else asked).get(item.fact):
                yield refuse(item, "B2", "fact_practised", "fact", fact=item.fact, other=other.code)
            (asked if tests else practised).setdefault(item.fact, item)


def health_faults(banks: ParsedBanks) -> Iterator[Fault]:
    """Each point of the official 66 of health literacy is served by an item that says so."""
    items = [item for item in banks.items if item.bank == HEALTH and item.state == "approved"]
    served = {tag for item in items for tag in item.tags if tag.startswith("hl66_")}
    missing = [number for number in range(1, HEALTH_POINTS + 1) if f"hl66_{number:02}" not in served]
    if served and missing:
        data = {"points": ", ".join(map(str, missing))}
        yield Fault("hl66_cover", Level.WARN, items[0].file, 1, data, "B3")


def blueprint_faults(banks: ParsedBanks) -> Iterator[Fault]:
    """Each blueprint can be filled, as far as counting shows, and blind guessing does not pass it too often."""
    for blueprint in banks.blueprints:
        yield from _blueprint(blueprint, banks)


def _blueprint(blueprint: ParsedBlueprint, banks: ParsedBanks) -> Iterator[Fault]:
    def fault(code: str, check: str = "D3", **data: Any) -> Fault:
        return Fault(code, Level.REFUSE, blueprint.file, blueprint.line, {"code": blueprint.code, **data}, check)

    rules = blueprint.rules
    if blueprint.bank not in banks.bank_codes:
        yield fault("blueprint_bank", "format", bank=blueprint.bank)
        return
    known = {topic.code for topic in banks.topics if topic.bank == blueprint.bank}
    topics = rules.get("topics", {})
    for topic in dict.fromkeys((*topics.get("names", ()), *topics.get("counts", {}))):
        if topic not in known:
            yield fault("blueprint_topic", "format", bank=blueprint.bank, topic=topic)
    most = rules["items"] * rules["points_each"]
    if rules["pass_score"] > most:
        yield fault("blueprint_score", "format", pass_score=rules["pass_score"], max_score=most)
    items = [i for i in banks.items if i.bank == blueprint.bank and i.use != "practice" and i.state == "approved"]
    benchmark_of = banks.benchmark_of_point
    pool = [pool_item(item, benchmark_of.get(item.point) if item.point else None) for item in items]
    conflicts = plain_conflicts(pool, Blueprint.from_rules(rules))
    for conflict in conflicts:
        data = {"rule": conflict.rule, "name": conflict.name}
        yield fault("blueprint_short", **data, available=conflict.available, needed=conflict.needed)
    limit = rules.get("guess_pass_max")
    if limit is not None and not conflicts:
        share = worst_guess_pass(rules, items)
        if share >= limit:
            yield fault("blueprint_guess", "G1", share=percent(share), limit=percent(limit))


def worst_guess_pass(rules: dict[str, Any], items: list[ParsedItem]) -> float:
    """How likely blind guessing passes the paper of these items that is easiest to guess."""
    chances: list[float] = []
    for kind, count in rules["types"].items():
        of_kind = [guess_probability(kind, len(item.options) or None) for item in items if item.type == kind]
        chances += sorted(of_kind, reverse=True)[:count]
    needed = -(-rules["pass_score"] // rules["points_each"])
    return tail_probability(chances, needed)
