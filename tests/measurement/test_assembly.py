"""Assembly: every form obeys the blueprint, forms differ, and a refusal names the rule."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.measurement.assembly import AssemblyInfeasible, Blueprint, PoolItem, Shortfall, assemble

DATA = Path(__file__).parent / "data"


def read_pool() -> list[PoolItem]:
    with (DATA / "assembly_pool.csv").open(encoding="utf-8") as file:
        return [
            PoolItem(
                row["id"],
                row["type"],
                benchmark=row["benchmark"],
                point=row["point"],
                dimension=row["dimension"],
                difficulty=1 / (1 + math.exp(float(row["a"]) * float(row["b"]))),
            )
            for row in csv.DictReader(file)
        ]


def reference_blueprint() -> Blueprint:
    with (DATA / "assembly_enemies.csv").open(encoding="utf-8") as file:
        enemies = tuple((row["one"], row["other"]) for row in csv.DictReader(file))
    return Blueprint(
        items=50,
        types={"true_false": 25, "single_choice": 25},
        dimensions={"knowledge": 20, "method": 10, "spirit": 10, "application": 10},
        benchmarks=tuple(f"B{n:02}" for n in range(1, 27)),
        benchmark_min=1,
        benchmark_max=4,
        point_max=2,
        enemies=enemies,
    )


def faults(form: list[str], pool: list[PoolItem], blueprint: Blueprint) -> list[str]:
    """The rules that a form breaks, written apart from the code under test."""
    by_id = {item.id: item for item in pool}
    found = [f"twice {name}" for name, times in Counter(form).items() if times > 1]
    unknown = [name for name in form if name not in by_id]
    if unknown:
        return [*found, f"unknown {unknown}"]
    chosen = [by_id[name] for name in form]
    if len(form) != blueprint.items:
        found.append(f"{len(form)} items")
    for attribute, wanted in (("type", blueprint.types), ("dimension", blueprint.dimensions)):
        got = Counter(getattr(item, attribute) for item in chosen)
        if wanted:
            found += [f"{name}: {got[name]}" for name in {*got, *wanted} if got[name] != wanted.get(name, 0)]
    for attribute, demanded, low, high in (
        ("benchmark", blueprint.benchmarks, blueprint.benchmark_min, blueprint.benchmark_max),
        ("topic", blueprint.topics, blueprint.topic_min, blueprint.topic_max),
        ("point", (), 0, blueprint.point_max),
        ("fact", (), 0, 1),
    ):
        got = Counter(getattr(item, attribute) for item in chosen if getattr(item, attribute))
        found += [f"{attribute} {name} under" for name in demanded if got[name] < low]
        found += [f"{attribute} {name} over" for name, n in got.items() if high is not None and n > high]
        found += [f"{attribute} {name} not named" for name in got if demanded and name not in demanded]
    found += [f"enemies {one} {other}" for one, other in blueprint.enemies if one in form and other in form]
    return found


def test_forms_of_the_reference_pool_obey_and_hardly_overlap():
    pool, blueprint = read_pool(), reference_blueprint()
    forms = assemble(pool, blueprint, 6, "reference")
    difficulty = {item.id: item.difficulty for item in pool}
    by_type = {
        kind: [item.difficulty for item in pool if item.type == kind] for kind in ("true_false", "single_choice")
    }
    target = sum(25 * sum(values) / len(values) for values in by_type.values())
    for form in forms:
        assert faults(form, pool, blueprint) == []
        assert abs(sum(difficulty[name] for name in form) - target) < 0.25
    assert max(len({*one} & {*other}) for one, other in combinations(forms, 2)) <= 3
    assert max(Counter(name for form in forms for name in form).values()) <= 2


def test_the_checker_of_these_tests_refuses_the_known_bad_forms():
    pool, blueprint = read_pool(), reference_blueprint()
    for name, form in json.loads((DATA / "assembly_bad_forms.json").read_text(encoding="utf-8")).items():
        assert faults(form, pool, blueprint), name


def literacy_pool(**changes: object) -> list[PoolItem]:
    """Four items for each of 26 benchmarks, each with its own point, half of them true/false."""
    return [
        PoolItem(
            f"L{b:02}-{n}",
            "true_false" if n % 2 else "single_choice",
            benchmark=b,
            point=b * 10 + n,
            difficulty=0.3 + (b * 7 + n * 13) % 60 / 100,
            **changes,
        )
        for b in range(1, 27)
        for n in range(4)
    ]


LITERACY = Blueprint.from_rules(
    {
        "items": 50,
        "types": {"true_false": 25, "single_choice": 25},
        "benchmarks": {"numbers": [1, 26], "min": 1, "max": 4},
        "point_max": 1,
    }
)


def test_ten_forms_from_a_small_pool_share_it_out_evenly():
    pool = literacy_pool()
    forms = assemble(pool, LITERACY, 10, "small")
    used = Counter(name for form in forms for name in form)
    assert all(faults(form, pool, LITERACY) == [] for form in forms)
    # 10 × 50 places for 104 items: 4.8 each; any 50 of 104 share 24 on average.
    assert min(used[item.id] for item in pool) >= 3
    assert max(used.values()) <= 7
    assert max(len({*one} & {*other}) for one, other in combinations(forms, 2)) <= 26


def test_items_used_in_earlier_papers_are_spared():
    pool = [PoolItem(f"{n:02}", "true_false", topic="a", difficulty=0.6, uses=5 if n < 10 else 1) for n in range(30)]
    (form,) = assemble(pool, Blueprint(items=20, types={"true_false": 20}), 1, "spare")
    assert {*form} == {f"{n:02}" for n in range(10, 30)}


def test_a_seed_gives_the_same_forms_again_and_another_seed_others():
    pool = literacy_pool()
    forms = assemble(pool, LITERACY, 3, "one")
    assert assemble(reversed(pool), LITERACY, 3, "one") == forms
    assert assemble(pool, LITERACY, 3, "two") != forms


def test_a_form_mixes_its_types_and_benchmarks():
    (form,) = assemble(literacy_pool(), LITERACY, 1, "mixed")
    assert form != sorted(form)
    types = [name[-1] in "13" for name in form]
    assert sum(one != other for one, other in pairwise(types)) > 10


def test_progress_is_told_after_each_form():
    told: list[int] = []
    assemble(literacy_pool(), LITERACY, 3, "told", on_form=told.append)
    assert told == [1, 2, 3]


def refusal(pool: list[PoolItem], blueprint: Blueprint) -> tuple[Shortfall, ...]:
    with pytest.raises(AssemblyInfeasible) as caught:
        assemble(pool, blueprint, 1, "x")
    assert str(caught.value) == ", ".join(c.code for c in caught.value.conflicts)
    return caught.value.conflicts


def test_a_missing_benchmark_is_named():
    pool = [item for item in literacy_pool() if item.benchmark != 7]
    assert Shortfall("benchmark_min", "7", 0, 1) in refusal(pool, LITERACY)


def test_too_few_items_of_a_type_are_named():
    pool = [item for item in literacy_pool() if item.type == "true_false" or item.benchmark <= 6]
    assert refusal(pool, LITERACY) == (Shortfall("type", "single_choice", 12, 25),)
    assert refusal(pool, LITERACY)[0].code == "type:single_choice:12/25"


def test_an_empty_pool_is_refused_with_every_rule():
    assert Shortfall("items", "all", 0, 50) in refusal([], LITERACY)


def test_items_that_share_facts_or_points_count_once():
    blueprint = Blueprint(items=5, types={"true_false": 5}, point_max=1)
    one_fact = [PoolItem(str(n), "true_false", fact="F") for n in range(9)]
    assert Shortfall("type", "true_false", 1, 5) in refusal(one_fact, blueprint)
    one_point = [PoolItem(str(n), "true_false", point=3) for n in range(9)]
    assert Shortfall("point_max", "all", 1, 5) in refusal(one_point, blueprint)


def test_a_topic_with_too_little_is_named():
    pool = [PoolItem(f"{t}{n}", "true_false", topic=t) for t, size in (("a", 9), ("b", 2)) for n in range(size)]
    blueprint = Blueprint(items=6, topics=("a", "b"), topic_min=3, topic_max=4)
    assert Shortfall("topic_min", "b", 2, 3) in refusal(pool, blueprint)
    narrow = Blueprint(items=6, topic_max=3)
    assert Shortfall("topic_max", "all", 5, 6) in refusal(pool, narrow)
    assert Shortfall("items", "all", 2, 6) in refusal(pool, Blueprint(items=6, topics=("b",)))


def test_a_blueprint_that_contradicts_itself_is_refused():
    pool = [PoolItem(str(n), "true_false", topic="ab"[n % 2]) for n in range(20)]
    assert refusal(pool, Blueprint(items=5, types={"true_false": 4}))[0] == Shortfall("type", "all", 4, 5)
    greedy = Blueprint(items=5, topics=("a", "b"), topic_min=3)
    assert Shortfall("topic_min", "all", 5, 6) in refusal(pool, greedy)


def test_rules_that_only_together_cannot_be_met_are_named_too():
    # Each rule alone could be met: topic b has three items, but every one of them is an enemy of the others.
    pool = [PoolItem(f"{t}{n}", "true_false", topic=t) for t in "ab" for n in range(3)]
    enemies = (("b0", "b1"), ("b1", "b2"), ("b0", "b2"))
    conflicts = refusal(pool, Blueprint(items=4, topics=("a", "b"), topic_min=2, enemies=enemies))
    assert conflicts
    assert {c.rule for c in conflicts} <= {"topic_min", "enemies"}


def rich_pool() -> list[PoolItem]:
    return [
        PoolItem(
            f"{n:03}",
            "true_false" if n % 2 else "single_choice",
            topic="abc"[n % 3],
            benchmark=1 + n % 4,
            dimension=("knowledge", "method")[n % 5 == 0],
            difficulty=(0.9, 0.75, 0.6, 0.45, 0.3)[n % 5],
            level=1 + n % 5,
            audience=("driver",) if n % 11 == 0 else ("resident",) if n % 7 == 0 else (),
            characters=20 + n % 37,
        )
        for n in range(120)
    ]


def test_every_word_of_the_blueprint_language_is_held():
    rules = {
        "items": 12,
        "types": {"true_false": 6, "single_choice": 6},
        "dimensions": {"knowledge": [8, 12], "method": [1, 3]},
        "difficulty": {"5": 2, "1": [0, 2]},
        "topics": {"min": 2, "max": 6, "counts": {"b": [5, 6]}},
        "benchmarks": {"numbers": [1, 4], "min": 1, "counts": {"3": 4}},
        "audience": ["resident"],
        "characters": [400, 480],
        "enemies": [["001", "002"], ["004", "007"]],
        "use_max": 2,
        "overlap_max": 3,
        "score_spread_max": 2,
    }
    pool = {item.id: item for item in rich_pool()}
    forms = assemble(pool.values(), Blueprint.from_rules(rules), 6, "rich")
    for form in forms:
        chosen = [pool[name] for name in form]
        levels, topics = Counter(i.level for i in chosen), Counter(i.topic for i in chosen)
        assert Counter(i.type for i in chosen) == rules["types"]
        assert 1 <= Counter(i.dimension for i in chosen)["method"] <= 3
        assert (levels[5], levels[1] <= 2) == (2, True)
        assert (5 <= topics["b"] <= 6, min(topics.values()) >= 2) == (True, True)
        assert Counter(i.benchmark for i in chosen)[3] == 4
        assert not any("driver" in i.audience for i in chosen)
        assert 400 <= sum(i.characters for i in chosen) <= 480
        assert not any({*pair} <= {*form} for pair in rules["enemies"])
    assert max(Counter(name for form in forms for name in form).values()) <= 2
    assert max(len({*one} & {*other}) for one, other in combinations(forms, 2)) <= 3
    scores = [100 * sum(pool[name].difficulty for name in form) / 12 for form in forms]
    assert max(scores) - min(scores) <= 2 + 1e-9


def test_a_share_of_the_papers_bounds_how_often_an_item_stands():
    blueprint = Blueprint.from_rules({"items": 12, "use_share_max": 30})
    assert [blueprint.use_most(forms) for forms in (1, 6, 7, 20, 100)] == [2, 2, 3, 6, 30]
    assert replace(blueprint, use_max=4).use_most(20) == 4
    assert Blueprint(items=12).use_most(20) is None
    pool = rich_pool()
    times = Counter(name for form in assemble(pool, replace(blueprint, use_share=0.4), 10, "share") for name in form)
    assert max(times.values()) <= 4


def test_caps_that_a_set_of_papers_cannot_keep_are_named():
    def caps(**more: Any) -> set[str]:
        with pytest.raises(AssemblyInfeasible) as caught:
            assemble(rich_pool(), Blueprint(items=12, **more), 30, "caps")
        return {conflict.rule for conflict in caught.value.conflicts}

    assert caps(use_max=2) == {"use_max"}
    assert caps(use_share=0.05) == {"use_max"}
    assert caps(overlap_max=0) == {"overlap_max"}
    few = [PoolItem(f"{n}", "true_false", topic="ab"[n > 1]) for n in range(9)]
    with pytest.raises(AssemblyInfeasible) as caught:
        assemble(few, Blueprint(items=3, topics=("a", "b"), topic_min=1, use_max=1), 3, "caps")
    assert {conflict.rule for conflict in caught.value.conflicts} == {"use_max"}


def test_a_cap_is_named_only_where_a_single_paper_exists():
    pool = [PoolItem(f"{n}", "true_false", topic="ab"[n % 2]) for n in range(8)]
    # no two of a topic meet: two items at most, which counting does not see; caps that counting finds too tight beside it
    enemies = tuple((a.id, b.id) for a, b in combinations(pool, 2) if a.topic == b.topic)
    for caps in ({"use_max": 1}, {"overlap_max": 0}):
        with pytest.raises(AssemblyInfeasible) as caught:
            assemble(pool, Blueprint(items=3, enemies=enemies, **caps), 5, "caps")
        assert {conflict.rule for conflict in caught.value.conflicts} == {"items", "enemies"}
    # each paper takes two of the four of topic a, so five papers must share; each item may stand in five
    rules = Blueprint(items=2, topic_counts={"a": 2}, use_max=5, overlap_max=0)
    with pytest.raises(AssemblyInfeasible) as caught:
        assemble(pool, rules, 3, "caps")
    assert [conflict.rule for conflict in caught.value.conflicts] == ["overlap_max"]


def test_texts_that_are_too_long_and_ranges_that_miss_the_number_are_named():
    pool = rich_pool()
    assert refusal(pool, Blueprint(items=12, characters=(0, 100)))[0].rule == "characters"
    assert refusal(pool, Blueprint(items=12, characters=(900, 1000)))[0].rule == "characters"
    narrow = Blueprint(items=12, dimensions={"knowledge": (2, 4), "method": (0, 3)})
    assert refusal(pool, narrow)[0] == Shortfall("dimension", "all", 7, 12)


def test_the_fewest_rules_that_contradict_each_other_are_named():
    # 6 of topic a and at most 2 of level 1: all of topic a are of level 1; the other rules have no part in it.
    pool = [
        PoolItem(f"{t}{n}", "true_false", topic=t, level=1 if t == "a" else 3, dimension="knowledge")
        for t in "ab"
        for n in range(20)
    ]
    blueprint = Blueprint(
        items=10,
        types={"true_false": 10},
        dimensions={"knowledge": 10},
        topic_counts={"a": 6},
        levels={1: (0, 2)},
    )
    assert refusal(pool, blueprint) == (Shortfall("difficulty", "1", 20, 2), Shortfall("topic", "a", 20, 6))


def test_wrong_use_is_refused():
    item = PoolItem("a", "true_false")
    with pytest.raises(ValueError, match="twice"):
        assemble([item, item], Blueprint(items=1), 1, "x")
    for items, forms in ((1, 0), (0, 1)):
        with pytest.raises(ValueError, match="at least one"):
            assemble([item], Blueprint(items=items), forms, "x")


def test_scipy_is_loaded_only_when_a_paper_is_assembled():
    program = "import sys, quizapp.measurement.assembly; print('scipy' in sys.modules, 'numpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


pools = st.lists(
    st.builds(
        PoolItem,
        id=st.uuids().map(str),
        type=st.sampled_from(["true_false", "single_choice"]),
        topic=st.sampled_from("abc"),
        benchmark=st.sampled_from([None, 1, 2, 3]),
        point=st.sampled_from([None, 1, 2, 3, 4, 5, 6]),
        difficulty=st.floats(0.15, 0.95),
        fact=st.sampled_from(["", "", "F1", "F2", "F3"]),
        uses=st.integers(0, 3),
    ),
    max_size=14,
    unique_by=lambda item: item.id,
)


def obeying_form_exists(pool: list[PoolItem], blueprint: Blueprint) -> bool:
    return any(
        not faults([item.id for item in chosen], pool, blueprint) for chosen in combinations(pool, blueprint.items)
    )


@settings(max_examples=60, deadline=None)
@given(pools, st.integers(1, 3), st.integers(0, 3), st.booleans(), st.booleans())
def test_a_form_obeys_or_no_form_exists(pool, true_false, single, per_topic, per_benchmark):
    blueprint = Blueprint(
        items=true_false + single,
        types={"true_false": true_false, "single_choice": single},
        topics=("a", "b") if per_topic else (),
        topic_min=1 if per_topic else 0,
        topic_max=3 if per_topic else None,
        benchmarks=(1, 2) if per_benchmark else (),
        benchmark_min=1 if per_benchmark else 0,
        benchmark_max=2 if per_benchmark else None,
        point_max=1,
    )
    try:
        forms = assemble(pool, blueprint, 2, "any")
    except AssemblyInfeasible:
        assert not obeying_form_exists(pool, blueprint)
    else:
        assert [faults(form, pool, blueprint) for form in forms] == [[], []]
