"""What a paper is drawn by: the items of a pool, the rules of a form, and what counting alone shows to be missing."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: So many, or from the first number to the second.
Wanted = int | tuple[int, int]


@dataclass(frozen=True)
class PoolItem:
    """What assembly knows of an item. None or "" means: the rules about this attribute do not touch it."""

    id: str
    type: str
    topic: str = ""
    benchmark: Hashable | None = None
    point: Hashable | None = None
    dimension: str = ""
    #: Share expected to answer right, 0 to 1: measured, or estimated.
    difficulty: float = 0.5
    #: Items with one fact never meet in a form.
    fact: str = ""
    #: How often it was drawn in earlier papers.
    uses: int = 0
    #: The author's estimate, 1 to 5.
    level: int | None = None
    #: Who it is for; nobody named: for everybody.
    audience: tuple[str, ...] = ()
    #: Characters to read: stem and options.
    characters: int = 0
    #: Discrimination and difficulty by the model (`calibration`), None where it is not calibrated.
    a: float | None = None
    b: float | None = None


@dataclass(frozen=True)
class Blueprint:
    """The rules of one form. A maximum of None, and an empty mapping, is no rule."""

    items: int
    #: Exact number per type; sums to `items`.
    types: Mapping[str, int] = field(default_factory=dict)
    #: Number per dimension, exact or from … to; a dimension that is not named is not drawn.
    dimensions: Mapping[str, Wanted] = field(default_factory=dict)
    #: Number per estimate of difficulty (1 to 5), per topic and per benchmark, exact or from … to; the others are free.
    levels: Mapping[int, Wanted] = field(default_factory=dict)
    topic_counts: Mapping[str, Wanted] = field(default_factory=dict)
    benchmark_counts: Mapping[Hashable, Wanted] = field(default_factory=dict)
    #: Items for everybody, and items for one of these; nobody named: all items.
    audience: tuple[str, ...] = ()
    #: Characters to read in all, from … to.
    characters: tuple[int, int] | None = None
    #: The benchmarks that are drawn from, each at least `benchmark_min` times, also those of which the pool has nothing;
    #: where none is named, all of the pool.
    benchmarks: tuple[Hashable, ...] = ()
    benchmark_min: int = 0
    benchmark_max: int | None = None
    point_max: int | None = None
    #: The topics that are drawn from, each at least `topic_min` times; where none is named, every topic of the pool.
    topics: tuple[str, ...] = ()
    topic_min: int = 0
    topic_max: int | None = None
    #: Pairs of ids that never meet.
    enemies: tuple[tuple[str, str], ...] = ()
    #: Most papers of one set in which an item stands, as a number and as a share of the papers; and most items that two of them share.
    use_max: int | None = None
    use_share: float | None = None
    overlap_max: int | None = None
    #: Most by which the expected scores of two papers of one set differ, as a share of the full score.
    score_spread: float | None = None

    @classmethod
    def from_rules(cls, rules: Mapping[str, Any]) -> Blueprint:
        """From the `rules` of an entry of `question_banks/blueprints.yaml`.

        {"items": 20, "types": {"true_false": 8, …}, "dimensions"?: {…}, "topics"?: {"names"?: […], "min": 4, "max": 6, "counts"?: {…}},
        "benchmarks"?: {"numbers": [first, last], "min": 1, "max": 4, "counts"?: {…}}, "point_max"?: 1, "difficulty"?: {"5": [0, 4]},
        "audience"?: […], "characters"?: [2000, 4000], "enemies"?: [[id, id]], "use_max"?: 3, "use_share_max"?: 30, "overlap_max"?: 10,
        "score_spread_max"?: 1}

        A count is a number or [least, most]; keys of difficulty and benchmark counts may be text. `score_spread_max` is in points of 100,
        `use_share_max` in per cent.
        """

        def wanted(given: Mapping[Any, Any], key: type = str) -> dict[Any, Wanted]:
            return {
                key(name): count if isinstance(count, int) else (count[0], count[1]) for name, count in given.items()
            }

        topics = rules.get("topics", {})
        benchmarks = rules.get("benchmarks", {})
        first, last = benchmarks.get("numbers", (1, 0))
        reading, spread = rules.get("characters"), rules.get("score_spread_max")
        use_share = rules.get("use_share_max")
        return cls(
            items=rules["items"],
            types=dict(rules.get("types", {})),
            dimensions=wanted(rules.get("dimensions", {})),
            levels=wanted(rules.get("difficulty", {}), int),
            topic_counts=wanted(topics.get("counts", {})),
            benchmark_counts=wanted(benchmarks.get("counts", {}), int),
            audience=tuple(rules.get("audience", ())),
            characters=None if reading is None else (reading[0], reading[1]),
            enemies=tuple((one, other) for one, other in rules.get("enemies", ())),
            use_max=rules.get("use_max"),
            use_share=None if use_share is None else use_share / 100,
            overlap_max=rules.get("overlap_max"),
            score_spread=None if spread is None else spread / 100,
            benchmarks=tuple(range(first, last + 1)),
            benchmark_min=benchmarks.get("min", 0),
            benchmark_max=benchmarks.get("max"),
            point_max=rules.get("point_max"),
            topics=tuple(topics.get("names", ())),
            topic_min=topics.get("min", 0),
            topic_max=topics.get("max"),
        )

    def use_most(self, forms: int) -> int | None:
        """In how many papers of a set of so many an item may stand. A share allows two, so that few papers are not kept wholly apart.

        >>> Blueprint(50, use_share=0.3).use_most(20)
        6
        """
        if self.use_share is None:
            return self.use_max
        share = max(2, math.ceil(round(self.use_share * forms, 6)))
        return share if self.use_max is None else min(share, self.use_max)


@dataclass(frozen=True)
class Shortfall:
    """A rule that cannot be met: its name, the thing it is about, how many the pool gives and how many it takes.

    `rule` is one of items, type, dimension, difficulty, topic, benchmark, benchmark_min, benchmark_max, point_max, topic_min, topic_max,
    characters, fact, enemies, use_max, overlap_max.
    """

    rule: str
    name: str
    available: int
    needed: int

    @property
    def code(self) -> str:
        """One short word for logs and columns: "type:single_choice:12/25"."""
        return f"{self.rule}:{self.name}:{self.available}/{self.needed}"


class AssemblyInfeasible(ValueError):
    """The pool cannot give a form that obeys the blueprint; `conflicts` names the rules, the surest first."""

    code = "assembly_infeasible"

    def __init__(self, conflicts: Sequence[Shortfall]) -> None:
        super().__init__(", ".join(c.code for c in conflicts))
        self.conflicts = tuple(conflicts)


@dataclass(frozen=True)
class Rule:
    """One linear constraint: between `low` and `high` of these items of the pool (by position), each counted once or by its weight."""

    rule: str
    name: str
    members: tuple[int, ...]
    low: int
    high: int
    weights: tuple[int, ...] = ()

    def row(self) -> list[tuple[int, float]]:
        """(position, weight) of its members."""
        if not self.weights:
            return [(member, 1.0) for member in self.members]
        return [(member, float(weight)) for member, weight in zip(self.members, self.weights, strict=True)]


def drawable(pool: Iterable[PoolItem], blueprint: Blueprint) -> list[PoolItem]:
    """The pool by id; where the blueprint names topics or benchmarks, without those of others, and without those for other audiences.

    An item without a topic, a benchmark or an audience stays: nothing says that it does not belong.
    """

    def named(value: Hashable, names: tuple[Hashable, ...]) -> bool:
        return not names or value is None or value == "" or value in names

    def meant(item: PoolItem) -> bool:
        return not blueprint.audience or not item.audience or bool({*item.audience} & {*blueprint.audience})

    kept = (
        i for i in pool if named(i.topic, blueprint.topics) and named(i.benchmark, blueprint.benchmarks) and meant(i)
    )
    return sorted(kept, key=lambda item: item.id)


def _members(items: Sequence[PoolItem], attribute: str) -> dict[Hashable, tuple[int, ...]]:
    """Positions of the items by an attribute; items without it are left out. Keys in the order of their names."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        value = getattr(item, attribute)
        if value is not None and value != "":
            groups[value].append(index)
    return {value: tuple(groups[value]) for value in sorted(groups, key=str)}


def rules_of(items: Sequence[PoolItem], blueprint: Blueprint) -> list[Rule]:
    """The blueprint as linear constraints, low ≤ Σ weight·x ≤ high over the items that each is about, x = 1 for those in the form.

    First the number of items; then exact or ranged counts of types and dimensions (0 of those not named), difficulties, topics, benchmarks;
    characters; least and most of each benchmark and topic; most of each point; one of each fact; one of two enemies. A maximum that more
    items than there are could not break makes no rule; neither does an enemy that is not in the pool. An item whose attribute is None or
    "" stands in no rule on it. A benchmark or topic that is demanded and of which the pool has nothing makes a rule without members, which
    nothing meets. Source: van der Linden (2005), Linear Models for Optimal Test Design, ch. 3. Raises nothing.
    """
    total = blueprint.items
    rules = [Rule("items", "all", tuple(range(len(items))), total, total)]
    for rule, attribute, wanted in (
        ("type", "type", blueprint.types),
        ("dimension", "dimension", blueprint.dimensions),
    ):
        if wanted:
            found = _members(items, attribute)
            names = sorted({*wanted, *map(str, found)})
            rules += [Rule(rule, n, found.get(n, ()), *_limits(wanted.get(n, 0))) for n in names]
    for rule, attribute, counts in (
        ("difficulty", "level", blueprint.levels),
        ("topic", "topic", blueprint.topic_counts),
        ("benchmark", "benchmark", blueprint.benchmark_counts),
    ):
        found = _members(items, attribute)
        rules += [Rule(rule, str(name), found.get(name, ()), *_limits(count)) for name, count in counts.items()]
    if blueprint.characters is not None:
        reading = tuple(item.characters for item in items)
        rules.append(Rule("characters", "all", tuple(range(len(items))), *blueprint.characters, reading))
    for rule, attribute, demanded, low, high in (
        ("benchmark", "benchmark", blueprint.benchmarks, blueprint.benchmark_min, blueprint.benchmark_max),
        ("topic", "topic", blueprint.topics, blueprint.topic_min, blueprint.topic_max),
    ):
        found = _members(items, attribute)
        if low:
            rules += [Rule(f"{rule}_min", str(n), found.get(n, ()), low, total) for n in demanded or found]
        if high is not None:
            rules += [Rule(f"{rule}_max", str(n), at, 0, high) for n, at in found.items() if len(at) > high]
    if blueprint.point_max is not None:
        most = blueprint.point_max
        rules += [
            Rule("point_max", str(n), at, 0, most) for n, at in _members(items, "point").items() if len(at) > most
        ]
    rules += [Rule("fact", str(n), at, 0, 1) for n, at in _members(items, "fact").items() if len(at) > 1]
    positions = {item.id: index for index, item in enumerate(items)}
    for one, other in blueprint.enemies:
        if one in positions and other in positions:
            rules.append(Rule("enemies", f"{one}+{other}", (positions[one], positions[other]), 0, 1))
    return rules


def _limits(wanted: Wanted) -> tuple[int, int]:
    return (wanted, wanted) if isinstance(wanted, int) else wanted


def plain_conflicts(pool: Iterable[PoolItem], blueprint: Blueprint) -> list[Shortfall]:
    """What counting alone shows to be missing, without a solver: no conflict here does not yet prove that a form exists."""
    items = drawable(pool, blueprint)
    return counted_conflicts(items, blueprint, rules_of(items, blueprint))


def counted_conflicts(items: Sequence[PoolItem], blueprint: Blueprint, rules: Sequence[Rule]) -> list[Shortfall]:
    """What counting alone shows: too few items, types, topics, benchmarks, points, or rules that contradict each other.

    Necessary conditions: the least numbers of all types or dimensions sum to no more than the form, the most to no less; of each rule at
    least `low` can stand in a form (`most_of`); so many of the longest or shortest texts; least numbers of all benchmarks or topics; room
    under their maxima. All shortfalls are told, not the fewest. No item: whatever is demanded is missing. Raises nothing.
    """
    conflicts = []
    for wanted, name in ((blueprint.types, "type"), (blueprint.dimensions, "dimension")):
        least, most = (sum(_limits(count)[end] for count in wanted.values()) for end in (0, 1))
        if wanted and not least <= blueprint.items <= most:
            conflicts.append(Shortfall(name, "all", most if most < blueprint.items else least, blueprint.items))
    for rule in rules:
        if rule.weights:
            longest = sorted(rule.weights, reverse=True)[: blueprint.items]
            shortest = sorted(rule.weights)[: blueprint.items]
            if sum(longest) < rule.low:
                conflicts.append(Shortfall(rule.rule, rule.name, sum(longest), rule.low))
            elif sum(shortest) > rule.high:
                conflicts.append(Shortfall(rule.rule, rule.name, sum(shortest), rule.high))
            continue
        available = most_of(items, blueprint, rule.members)
        if available < rule.low:
            conflicts.append(Shortfall(rule.rule, rule.name, available, rule.low))
    for rule_name, count, low in (
        ("benchmark_min", len(blueprint.benchmarks), blueprint.benchmark_min),
        ("topic_min", len(blueprint.topics), blueprint.topic_min),
    ):
        if count * low > blueprint.items:
            conflicts.append(Shortfall(rule_name, "all", blueprint.items, count * low))
    for attribute, high in (
        ("benchmark", blueprint.benchmark_max),
        ("topic", blueprint.topic_max),
        ("point", blueprint.point_max),
    ):
        if high is not None:
            counts = Counter(getattr(item, attribute) for item in items)
            room = sum(n if name in (None, "") else min(n, high) for name, n in counts.items())
            if len(items) >= blueprint.items > room:
                conflicts.append(Shortfall(f"{attribute}_max", "all", room, blueprint.items))
    return conflicts


def most_of(items: Sequence[PoolItem], blueprint: Blueprint, members: Sequence[int]) -> int:
    """An upper bound for how many of these items (by position) can stand in one form: one per fact, `point_max` per point, the smaller."""
    facts = len({items[i].fact or f"\0{i}" for i in members})
    if blueprint.point_max is None:
        return facts
    points = Counter(items[i].point for i in members)
    return min(facts, sum(n if name in (None, "") else min(n, blueprint.point_max) for name, n in points.items()))
