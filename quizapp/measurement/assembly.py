"""Test assembly: parallel papers from a pool, by integer programming.

For each form one 0/1 variable per item of the pool; the blueprint's rules are linear constraints and hold exactly (van der Linden W. J.
(2005), "Linear Models for Optimal Test Design", Springer). Forms are made one after another. Each next one minimises, in this order of
weight: the largest overlap with any form before it; how often its items were used already; the distance of its expected score from
what the pool gives on average. A small seeded noise decides between what is equally good, so that another seed gives other forms.

The same pool, blueprint, number and seed give the same forms: the solver (HiGHS through SciPy) stops by the gap or the number of nodes,
which do not depend on the machine's speed; the limit in seconds is a last resort.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Cost of one more shared item in the largest overlap; one earlier use of an item costs 1.
_OVERLAP_WEIGHT: Final = 8.0
#: Cost of one item by which the expected score misses the pool's.
_SCORE_WEIGHT: Final = 4.0
#: Nodes after which the solver stops with what it has.
_NODE_LIMIT: Final = 200
#: Accepted distance from the best possible objective.
_GAP: Final = 0.005
#: Seconds for one form.
TIME_LIMIT: Final = 2.0


@dataclass(frozen=True)
class PoolItem:
    """What assembly knows of an item. None or "" means: the rules about this attribute do not touch it."""

    id: str
    type: str
    topic: str = ""
    benchmark: Hashable | None = None
    point: Hashable | None = None
    dimension: str = ""
    #: Share expected to answer right, 0 to 1.
    difficulty: float = 0.5
    #: Items with one fact never meet in a form.
    fact: str = ""
    #: How often it was drawn in earlier papers.
    uses: int = 0


@dataclass(frozen=True)
class Blueprint:
    """The rules of one form. A maximum of None, and an empty mapping, is no rule."""

    items: int
    #: Exact number per type; sums to `items`.
    types: Mapping[str, int] = field(default_factory=dict)
    #: Exact number per dimension; sums to `items`.
    dimensions: Mapping[str, int] = field(default_factory=dict)
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

    @classmethod
    def from_rules(cls, rules: Mapping[str, Any]) -> Blueprint:
        """From the `rules` of an entry of `question_banks/blueprints.yaml`.

        {"items": 20, "types": {"true_false": 8, …}, "dimensions"?: {…}, "topics"?: {"names"?: […], "min": 4, "max": 6},
        "benchmarks"?: {"numbers": [first, last], "min": 1, "max": 4}, "point_max"?: 1}
        """
        topics = rules.get("topics", {})
        benchmarks = rules.get("benchmarks", {})
        first, last = benchmarks.get("numbers", (1, 0))
        return cls(
            items=rules["items"],
            types=dict(rules.get("types", {})),
            dimensions=dict(rules.get("dimensions", {})),
            benchmarks=tuple(range(first, last + 1)),
            benchmark_min=benchmarks.get("min", 0),
            benchmark_max=benchmarks.get("max"),
            point_max=rules.get("point_max"),
            topics=tuple(topics.get("names", ())),
            topic_min=topics.get("min", 0),
            topic_max=topics.get("max"),
        )


@dataclass(frozen=True)
class Shortfall:
    """A rule that cannot be met: its name, the thing it is about, how many the pool gives and how many it takes.

    `rule` is one of items, type, dimension, benchmark_min, benchmark_max, point_max, topic_min, topic_max, fact, enemies, forms.
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
class _Rule:
    """One linear constraint: between `low` and `high` of these items of the pool (by position)."""

    rule: str
    name: str
    members: tuple[int, ...]
    low: int
    high: int


def assemble(
    pool: Iterable[PoolItem],
    blueprint: Blueprint,
    forms: int,
    seed: str,
    *,
    on_form: Callable[[int], None] | None = None,
) -> list[list[str]]:
    """`forms` lists of item ids that obey the blueprint, each in an order mixed by SHA-256(seed ‖ item id).

    `on_form` is called with 1, 2, … after each form. Raises AssemblyInfeasible where no form obeys, and ValueError for an id that
    stands in the pool twice, fewer than one form or fewer than one item.
    """
    items = _drawable(pool, blueprint)
    if len({item.id for item in items}) != len(items):
        raise ValueError("an id stands in the pool twice")
    if forms < 1 or blueprint.items < 1:
        raise ValueError("at least one form of at least one item")
    rules = _rules(items, blueprint)
    conflicts = _counted_conflicts(items, blueprint, rules)
    if conflicts:
        raise AssemblyInfeasible(conflicts)
    target = _expected_score(items, blueprint)
    least = min(item.uses for item in items)
    uses = [item.uses - least for item in items]
    made: list[frozenset[int]] = []
    for number in range(1, forms + 1):
        noise = [_fraction(seed, str(number), item.id) for item in items]
        chosen = _solve(items, rules, uses, noise, made, target)
        if chosen is None:
            raise AssemblyInfeasible(_elastic_conflicts(len(items), rules))
        for index in chosen:
            uses[index] += 1
        made.append(frozenset(chosen))
        if on_form is not None:
            on_form(number)
    return [sorted((items[i].id for i in form), key=lambda name: _fraction(seed, name)) for form in made]


def _drawable(pool: Iterable[PoolItem], blueprint: Blueprint) -> list[PoolItem]:
    """The pool by id; where the blueprint names topics or benchmarks, without the items of others."""

    def named(value: Hashable, names: tuple[Hashable, ...]) -> bool:
        return not names or value is None or value == "" or value in names

    drawable = (i for i in pool if named(i.topic, blueprint.topics) and named(i.benchmark, blueprint.benchmarks))
    return sorted(drawable, key=lambda item: item.id)


def _fraction(*parts: str) -> float:
    """A number from 0 to 1 that looks random and depends on nothing but the words given."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _members(items: Sequence[PoolItem], attribute: str) -> dict[Hashable, tuple[int, ...]]:
    """Positions of the items by an attribute; items without it are left out. Keys in the order of their names."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        value = getattr(item, attribute)
        if value is not None and value != "":
            groups[value].append(index)
    return {value: tuple(groups[value]) for value in sorted(groups, key=str)}


def _rules(items: Sequence[PoolItem], blueprint: Blueprint) -> list[_Rule]:
    total = blueprint.items
    rules = [_Rule("items", "all", tuple(range(len(items))), total, total)]
    for rule, attribute, wanted in (
        ("type", "type", blueprint.types),
        ("dimension", "dimension", blueprint.dimensions),
    ):
        if wanted:
            found = _members(items, attribute)
            names = sorted({*wanted, *map(str, found)})
            rules += [_Rule(rule, n, found.get(n, ()), wanted.get(n, 0), wanted.get(n, 0)) for n in names]
    for rule, attribute, demanded, low, high in (
        ("benchmark", "benchmark", blueprint.benchmarks, blueprint.benchmark_min, blueprint.benchmark_max),
        ("topic", "topic", blueprint.topics, blueprint.topic_min, blueprint.topic_max),
    ):
        found = _members(items, attribute)
        if low:
            rules += [_Rule(f"{rule}_min", str(n), found.get(n, ()), low, total) for n in demanded or found]
        if high is not None:
            rules += [_Rule(f"{rule}_max", str(n), at, 0, high) for n, at in found.items() if len(at) > high]
    if blueprint.point_max is not None:
        most = blueprint.point_max
        rules += [
            _Rule("point_max", str(n), at, 0, most) for n, at in _members(items, "point").items() if len(at) > most
        ]
    rules += [_Rule("fact", str(n), at, 0, 1) for n, at in _members(items, "fact").items() if len(at) > 1]
    positions = {item.id: index for index, item in enumerate(items)}
    for one, other in blueprint.enemies:
        if one in positions and other in positions:
            rules.append(_Rule("enemies", f"{one}+{other}", (positions[one], positions[other]), 0, 1))
    return rules


def plain_conflicts(pool: Iterable[PoolItem], blueprint: Blueprint) -> list[Shortfall]:
    """What counting alone shows to be missing, without a solver: no conflict here does not yet prove that a form exists."""
    items = _drawable(pool, blueprint)
    return _counted_conflicts(items, blueprint, _rules(items, blueprint))


def _counted_conflicts(items: Sequence[PoolItem], blueprint: Blueprint, rules: Sequence[_Rule]) -> list[Shortfall]:
    """What counting alone shows: too few items, types, topics, benchmarks, points, or rules that contradict each other."""
    conflicts = []
    for wanted, name in ((blueprint.types, "type"), (blueprint.dimensions, "dimension")):
        if wanted and sum(wanted.values()) != blueprint.items:
            conflicts.append(Shortfall(name, "all", sum(wanted.values()), blueprint.items))
    for rule in rules:
        available = _most(items, blueprint, rule.members)
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


def _most(items: Sequence[PoolItem], blueprint: Blueprint, members: Sequence[int]) -> int:
    """An upper bound for how many of these items can stand in one form: one per fact, `point_max` per point."""
    facts = len({items[i].fact or f"\0{i}" for i in members})
    if blueprint.point_max is None:
        return facts
    points = Counter(items[i].point for i in members)
    return min(facts, sum(n if name in (None, "") else min(n, blueprint.point_max) for name, n in points.items()))


def _expected_score(items: Sequence[PoolItem], blueprint: Blueprint) -> float:
    """Right answers that the pool gives on average in a form with these types."""
    if not blueprint.types:
        return blueprint.items * sum(item.difficulty for item in items) / len(items)
    score = 0.0
    for kind, count in blueprint.types.items():
        of_kind = [item.difficulty for item in items if item.type == kind]
        score += count * sum(of_kind) / len(of_kind) if of_kind else 0.0
    return score


def _matrix(rows: Sequence[Sequence[tuple[int, float]]], columns: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    data = [value for row in rows for _, value in row]
    where = [(number, column) for number, row in enumerate(rows) for column, _ in row]
    across = ([r for r, _ in where], [c for _, c in where])
    return csr_matrix((data, across), shape=(len(rows), columns))


def _solve(
    items: Sequence[PoolItem],
    rules: Sequence[_Rule],
    uses: Sequence[int],
    noise: Sequence[float],
    made: Sequence[frozenset[int]],
    target: float,
) -> list[int] | None:
    """The positions of the next form, or None where no form obeys the rules.

    Columns: one per item, then the largest overlap, then the expected score's excess over the target and its lack.
    """
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    count = len(items)
    overlap, excess, lack = count, count + 1, count + 2
    rows: list[list[tuple[int, float]]] = [[(i, 1.0) for i in rule.members] for rule in rules]
    low = [float(rule.low) for rule in rules]
    high = [float(rule.high) for rule in rules]
    for form in made:
        rows.append([*((i, 1.0) for i in sorted(form)), (overlap, -1.0)])
        low.append(-np.inf)
        high.append(0.0)
    rows.append([*((i, item.difficulty) for i, item in enumerate(items)), (excess, -1.0), (lack, 1.0)])
    low.append(target)
    high.append(target)
    cost = np.array(
        [*(u + 0.5 * e for u, e in zip(uses, noise, strict=True)), _OVERLAP_WEIGHT, _SCORE_WEIGHT, _SCORE_WEIGHT]
    )
    upper = np.full(count + 3, np.inf)
    upper[:count] = 1
    result = milp(
        cost,
        integrality=np.array([1] * (count + 1) + [0, 0]),
        bounds=Bounds(np.zeros(count + 3), upper),
        constraints=LinearConstraint(_matrix(rows, count + 3), low, high),
        options={"time_limit": TIME_LIMIT, "node_limit": _NODE_LIMIT, "mip_rel_gap": _GAP},
    )
    if result.x is None:
        return None
    return [i for i in range(count) if result.x[i] > 0.5]


def _elastic_conflicts(count: int, rules: Sequence[_Rule]) -> list[Shortfall]:
    """The rules to give up, as few as possible: each may be missed at a cost, and the cheapest way shows which contradict each other."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    columns = count + 2 * len(rules)
    rows = [
        [*((i, 1.0) for i in rule.members), (count + 2 * n, 1.0), (count + 2 * n + 1, -1.0)]
        for n, rule in enumerate(rules)
    ]
    cost = np.concatenate([np.zeros(count), np.ones(2 * len(rules))])
    cost[count : count + 2] = 3.0  # the number of items is the last thing to give up
    upper = np.full(columns, np.inf)
    upper[:count] = 1
    result = milp(
        cost,
        integrality=np.ones(columns, dtype=np.int64),
        bounds=Bounds(np.zeros(columns), upper),
        constraints=LinearConstraint(_matrix(rows, columns), [r.low for r in rules], [r.high for r in rules]),
        options={"time_limit": TIME_LIMIT},
    )
    if result.x is None:
        return [Shortfall("items", "all", 0, rules[0].low)]
    conflicts = []
    for n, rule in enumerate(rules):
        missing, above = (round(float(result.x[count + 2 * n + k])) for k in (0, 1))
        if missing or above:
            given = round(float(sum(result.x[i] for i in rule.members)))
            conflicts.append(Shortfall(rule.rule, rule.name, given, rule.low if missing else rule.high))
    return conflicts
