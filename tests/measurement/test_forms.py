"""Parallel forms: the optima that several solvers agree on, every demand held, and the smallest set of those that contradict."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.analyse.blueprint_file import read_plan
from quizapp.analyse.pool_file import read_pool
from quizapp.measurement.conflicts import Demand, can_be_met, narrowed, smallest_conflict
from quizapp.measurement.forms import CalibratedItem, FormBlueprint, NoForms, best_form, parallel_forms
from quizapp.measurement.forms.model import demands_of
from quizapp.measurement.forms.refusals import OVERLAP, USE
from tests.measurement.pool import BLUEPRINT, faults_of, pool_document, set_faults
from tests.measurement.reference import DATA, expected

POOL = pool_document()


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("pool") / "pool.json"
    path.write_text(json.dumps(POOL), encoding="utf-8")
    return read_pool(path)


@pytest.fixture(scope="module")
def blueprint() -> FormBlueprint:
    return read_plan(DATA / "assembly_blueprint.json", None).blueprint


@pytest.mark.parametrize(
    ("objective", "theta", "optimum"),
    [
        ("information", (0.0,), 26.68645382298998),
        ("least_information", (-1.0, 0.0, 1.0), 17.88643559573007),
        ("exposure", (0.0,), 188.0),
    ],
)
def test_the_best_forms_are_those_of_other_solvers(
    pool: Any, blueprint: FormBlueprint, objective: Any, theta: tuple[float, ...], optimum: float
) -> None:
    form, value = best_form(pool.items, blueprint, objective, theta=theta, enemies=pool.enemies)
    assert value == pytest.approx(optimum, rel=1e-6)
    assert faults_of(form, POOL, BLUEPRINT, curves=False) == []


def test_parallel_forms_keep_every_demand(pool: Any, blueprint: FormBlueprint) -> None:
    told: list[int] = []
    forms = parallel_forms(pool.items, blueprint, 12, "seed", enemies=pool.enemies, on_form=told.append)
    assert told == list(range(1, 13))
    assert [faults_of(form, POOL, BLUEPRINT, curves=True) for form in forms] == [[]] * 12
    assert set_faults(forms, BLUEPRINT) == []
    assert max(Counter(chain(*forms)).values()) <= 4
    assert len({frozenset(form) for form in forms}) == 12


def test_a_seed_gives_the_same_papers_again(pool: Any, blueprint: FormBlueprint) -> None:
    one = parallel_forms(pool.items, blueprint, 1, "a", enemies=pool.enemies)
    assert parallel_forms(tuple(reversed(pool.items)), blueprint, 1, "a", enemies=pool.enemies) == one
    assert parallel_forms(pool.items, blueprint, 1, "b", enemies=pool.enemies) != one


def test_tight_caps_are_kept(pool: Any, blueprint: FormBlueprint) -> None:
    tight = replace(blueprint, use_max=2, overlap_max=4, information=(), score=())
    forms = parallel_forms(pool.items, tight, 8, "tight", enemies=pool.enemies)
    caps = {"parallel": {"max_use_per_item": 2, "max_overlap_between_two_forms": 4}}
    assert set_faults(forms, caps) == []
    assert [faults_of(form, POOL, BLUEPRINT, curves=False) for form in forms] == [[]] * 8


def test_the_judge_refuses_the_known_bad_forms() -> None:
    bad = expected("assembly_bad_forms.json")
    assert bad
    for name, form in bad.items():
        assert faults_of(form, POOL, BLUEPRINT, curves=False), name


def keys(pool: Any, blueprint: FormBlueprint, forms: int = 1) -> set[str]:
    with pytest.raises(NoForms) as caught:
        parallel_forms(pool.items, blueprint, forms, "x", enemies=pool.enemies)
    assert str(caught.value)
    return set(caught.value.conflicts)


def test_the_smallest_set_of_conflicting_demands_is_named(pool: Any, blueprint: FormBlueprint) -> None:
    types = {"true_false": (40.0, 40.0), "single_choice": (25.0, 25.0)}
    more = replace(blueprint, counts={**blueprint.counts, "type": types})
    assert keys(pool, more) == {"n_items", "type_counts.true_false", "type_counts.single_choice"}
    too_many = replace(blueprint, counts={**blueprint.counts, "type": {**types, "true_false": (300.0, 300.0)}})
    assert keys(pool, too_many) == {"type_counts.true_false"}
    assert keys(pool, replace(blueprint, benchmark_min=3)) == {"n_items", "benchmark_min_each"}
    assert keys(pool, replace(blueprint, benchmark_max=1)) == {"n_items", "benchmark_max_each"}
    assert keys(pool, replace(blueprint, sums={"seconds": (None, 500.0)})) == {"n_items", "seconds"}
    assert keys(pool, replace(blueprint, information=(30.0, 30.0, 30.0))) == {"n_items", "target_tif"}
    assert keys(pool, replace(blueprint, use_max=4), 50) == {"n_items", "parallel.max_use_per_item"}
    assert keys(pool, replace(blueprint, overlap_max=1), 60) == {"n_items", "parallel.max_overlap_between_two_forms"}


def test_a_cap_on_a_set_is_named_only_where_it_is_needed(pool: Any, blueprint: FormBlueprint) -> None:
    def with_types(**types: float) -> FormBlueprint:
        of_types = {**blueprint.counts["type"], **{name: (count, count) for name, count in types.items()}}
        return replace(blueprint, counts={**blueprint.counts, "type": of_types})

    for forms in (1, 2, 100):
        assert keys(pool, with_types(true_false=300), forms) == {"type_counts.true_false"}
    assert keys(pool, with_types(true_false=60), 100) == {"n_items", "type_counts.true_false"}
    of_13 = {**blueprint.counts, "benchmark": {"B13": (40.0, 40.0)}}
    assert keys(pool, replace(blueprint, counts=of_13), 20) == {"benchmark_counts.B13"}
    far = replace(with_types(true_false=30, single_choice=30), information=(999.0, 999.0, 999.0))
    for forms in (1, 20):
        assert keys(pool, far, forms) == {"target_tif"}


def small_pool(size: int = 12) -> list[CalibratedItem]:
    return [CalibratedItem(f"{n:02}", ("true_false", "single_choice")[n % 2], topic=f"t{n % 3}") for n in range(size)]


@pytest.mark.parametrize(
    ("blueprint_", "forms", "smallest"),
    [
        (FormBlueprint(40, overlap_max=1), 2, {"n_items"}),
        (FormBlueprint(40, use_max=1), 2, {"n_items"}),
        (FormBlueprint(4, overlap_max=0), 4, {"n_items", "parallel.max_overlap_between_two_forms"}),
        (
            FormBlueprint(6, {"type": {"true_false": (5, 5), "single_choice": (1, 1)}}, overlap_max=3),
            2,
            {"type_counts.true_false", "parallel.max_overlap_between_two_forms"},
        ),
        (
            FormBlueprint(6, {"type": {"true_false": (5, 5), "single_choice": (1, 1)}}, overlap_max=3),
            9,
            {"type_counts.true_false", "parallel.max_overlap_between_two_forms"},
        ),
        (
            FormBlueprint(4, {"type": {"true_false": (4, 4)}}, use_max=2, overlap_max=4),
            4,
            {"type_counts.true_false", "parallel.max_use_per_item"},
        ),
        (FormBlueprint(4, {"topic": {"t0": (2, 2)}, "type": {"true_false": (7, 7)}}), 30, {"type_counts.true_false"}),
    ],
)
def test_the_smallest_conflict_of_a_set(blueprint_: FormBlueprint, forms: int, smallest: set[str]) -> None:
    with pytest.raises(NoForms) as caught:
        parallel_forms(small_pool(), blueprint_, forms, "x")
    assert {*caught.value.conflicts} == smallest
    assert "not found" not in str(caught.value)


def test_a_benchmark_with_too_little_is_named() -> None:
    items = [CalibratedItem(f"{b}{n}", "true_false", benchmark=b) for b in "AB" for n in range(2 if b == "A" else 9)]
    with pytest.raises(NoForms, match="benchmark_min_each A needs 3 or more, the pool has 2"):
        parallel_forms(items, FormBlueprint(6, benchmark_min=3), 1, "x")


def test_items_without_parameters_are_not_drawn_where_curves_count() -> None:
    items = [CalibratedItem(f"{n:02}", "true_false", *((1.0, n / 10) if n < 6 else ())) for n in range(12)]
    curve = FormBlueprint(4, theta=(0.0,), score=(1.8,), score_tolerance=0.4)
    (form,) = parallel_forms(items, curve, 1, "x")
    assert all(name < "06" for name in form)


def test_items_of_unknown_length_are_not_drawn_where_length_counts() -> None:
    items = [CalibratedItem(f"{n:02}", "true_false", seconds=30.0 if n < 4 else None) for n in range(12)]
    forms = parallel_forms(items, FormBlueprint(4, sums={"seconds": (None, 120.0)}), 1, "s")
    assert sorted(forms[0]) == ["00", "01", "02", "03"]
    with pytest.raises(NoForms) as caught:
        parallel_forms(items, FormBlueprint(5, sums={"seconds": (None, 600.0)}), 1, "s")
    assert set(caught.value.conflicts) == {"n_items", "seconds"}


def test_caps_that_only_together_cannot_be_met_are_named() -> None:
    # Each paper needs one of the two items of benchmark A, which may be used once each: a third paper has none.
    items = [
        CalibratedItem(f"{b}{n}", "true_false", benchmark=b) for b, size in (("A", 2), ("B", 9)) for n in range(size)
    ]
    rules = FormBlueprint(3, benchmark_min=1, use_max=1)
    assert len(parallel_forms(items, rules, 2, "x")) == 2
    with pytest.raises(NoForms) as caught:
        parallel_forms(items, rules, 3, "x")
    assert set(caught.value.conflicts) == {"benchmark_min_each", "parallel.max_use_per_item"}


def test_audiences_topics_difficulties_and_time_are_held() -> None:
    items = [
        CalibratedItem(
            f"{n:03}",
            "true_false" if n % 2 else "single_choice",
            topic="ab"[n % 3 == 0],
            difficulty=1 + n % 5,
            audience=("child",) if n % 7 == 0 else (),
            seconds=20.0 + n % 11,
            words=float(30 + n % 50),
        )
        for n in range(120)
    ]
    rules = FormBlueprint(
        10,
        {"difficulty": {"5": (2.0, 2.0), "1": (None, 1.0)}, "topic": {"b": (3.0, 4.0)}},
        audience=("adult",),
        sums={"seconds": (None, 235.0), "words": (400.0, 500.0)},
    )
    by_id = {item.id: item for item in items}
    for form in parallel_forms(items, rules, 3, "x"):
        chosen = [by_id[name] for name in form]
        hard = Counter(item.difficulty for item in chosen)
        assert (hard[5], hard[1] <= 1) == (2, True)
        assert 3 <= sum(item.topic == "b" for item in chosen) <= 4
        assert not any(item.audience for item in chosen)
        assert sum(item.seconds or 0 for item in chosen) <= 235
        assert 400 <= sum(item.words or 0 for item in chosen) <= 500


def test_wrong_use_is_refused() -> None:
    item = CalibratedItem("a", "true_false")
    with pytest.raises(ValueError, match="twice"):
        parallel_forms([item, item], FormBlueprint(1), 1, "x")
    with pytest.raises(ValueError, match="at least one"):
        parallel_forms([item], FormBlueprint(1), 0, "x")
    with pytest.raises(NoForms):
        best_form([item], FormBlueprint(2), "exposure")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_smaller_set_contradicts(data: st.DataObject) -> None:
    """Against all subsets of demands over few columns."""
    columns = 4
    demands = [
        Demand(
            key, "", np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0, -1.0]), min_size=4, max_size=4))), low, high
        )
        for key in "abcdef"
        for low in [data.draw(st.integers(-2, 3))]
        for high in [data.draw(st.integers(low, 4))]
    ]
    upper = np.ones(columns)
    options = np.array(np.meshgrid(*[[0.0, 1.0]] * columns)).reshape(columns, -1)

    def met(chosen: tuple[Demand, ...]) -> bool:
        return any(all(d.low <= d.row @ x <= d.high for d in chosen) for x in options.T)

    found = smallest_conflict(demands, upper)
    if met(tuple(demands)):
        assert found is None
        return
    assert found is not None
    fewest = next(n for n in range(1, 7) if any(not met(chosen) for chosen in combinations(demands, n)))
    assert len(found) == fewest
    part = [demand for demand in demands if demand.key in found]
    assert not met(tuple(part))
    assert not can_be_met(narrowed(part, upper), upper)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_smaller_set_contradicts_of_two_papers(data: st.DataObject) -> None:
    """Against all pairs of all papers from seven items."""

    def wanted(names: str) -> dict[str, tuple[float | None, float | None]]:
        found = {}
        for name in names:
            low = data.draw(st.integers(0, 4))
            found[name] = (float(low), float(data.draw(st.integers(low, 4))))
        return found

    items = [
        CalibratedItem(f"{n}", data.draw(st.sampled_from("ab")), topic=data.draw(st.sampled_from("xy")))
        for n in range(7)
    ]
    enemies = data.draw(st.lists(st.sampled_from([*combinations("0123456", 2)]), max_size=4))
    blueprint = FormBlueprint(
        data.draw(st.integers(2, 6)),
        {
            "type": wanted(data.draw(st.sampled_from(["a", "ab"]))),
            "topic": wanted(data.draw(st.sampled_from(["", "x"]))),
        },
        use_max=data.draw(st.sampled_from([None, 1, 2])),
        overlap_max=data.draw(st.integers(0, 4)),
    )
    demands = demands_of(items, blueprint, enemies)
    papers = [np.array([float(bit) for bit in f"{number:07b}"]) for number in range(128)]
    caps = [USE, OVERLAP] if blueprint.use_max else [OVERLAP]
    every = [*dict.fromkeys(demand.key for demand in demands), *caps]

    def met(chosen: Collection[str]) -> bool:
        part = [demand for demand in demands if demand.key in chosen]
        ones = [x for x in papers if all(d.low <= d.row @ x <= d.high for d in part)]
        most = min(
            blueprint.overlap_max if OVERLAP in chosen and blueprint.overlap_max is not None else 7,
            0 if USE in chosen and blueprint.use_max == 1 else 7,
        )
        return any(x @ y <= most for x in ones for y in ones)

    try:
        parallel_forms(items, blueprint, 2, "x", enemies=enemies)
    except NoForms as refusal:
        if "nor a proof" in str(refusal):
            assert met(every)
            return
        found = refusal.conflicts
        fewest = next(n for n in range(1, 9) if any(not met(chosen) for chosen in combinations(every, n)))
        assert not met(found)
        assert len(found) == fewest
        if fewest > 1 and {*found} & {*caps}:
            assert all(met(chosen) for chosen in combinations(every[: -len(caps)], fewest)), "a cap that is not needed"
    else:
        assert met(every)
