"""`quizapp papers assemble`: the contract of its answer, and refusals by the blueprint's own keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from quizapp.cli import group
from tests.measurement.pool import BLUEPRINT, faults_of, pool_document, set_faults
from tests.operations.support import run_command

POOL = pool_document()


def run(folder: Path, pool: Any, blueprint: Any, *more: str) -> Result:
    for name, content in (("pool.json", pool), ("blueprint.json", blueprint)):
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    files = ("--pool", str(folder / "pool.json"), "--blueprint", str(folder / "blueprint.json"))
    return CliRunner().invoke(group, ["papers", "assemble", *files, "--seed", "5", *more])


def test_the_command_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "pool.json").write_text(json.dumps(POOL), encoding="utf-8")
    (tmp_path / "blueprint.json").write_text(json.dumps(BLUEPRINT), encoding="utf-8")
    files = ("papers", "assemble", "--pool", "pool.json", "--blueprint", "blueprint.json", "--seed", "7")
    done = run_command(tmp_path, *files, "--papers", "3", "--format", "json", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("3 of 3 papers\n")
    papers = json.loads(done.stdout)["papers"]
    forms = [paper["items"] for paper in papers]
    assert [faults_of(form, POOL, BLUEPRINT, curves=True) for form in forms] == [[]] * 3
    assert set_faults(forms, BLUEPRINT) == []
    for paper in papers:
        assert paper["guess_pass"] == pytest.approx(0.0006951586033594, rel=1e-9)
        assert paper["information"] == pytest.approx(BLUEPRINT["target_tif"], abs=0.25)
    assert {path.name for path in tmp_path.iterdir()} == {"pool.json", "blueprint.json"}
    assert run_command(tmp_path, *files, "--papers", "0").returncode == 2
    assert run_command(tmp_path, "papers", "assemble", "--pool", "pool.json").returncode == 2


def test_a_table_for_people(tmp_path: Path) -> None:
    shown = run(tmp_path, POOL, BLUEPRINT, "--papers", "1")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Paper 1: Q")
    assert "blind guessing passes with 0.0695 %" in shown.stdout


def refusal(folder: Path, pool: Any, blueprint: Any, *more: str) -> dict[str, Any]:
    done = run(folder, pool, blueprint, "--format", "json", *more)
    assert done.exit_code == 1, done.output
    error: dict[str, Any] = json.loads(done.stdout)["error"]
    assert error["message"]
    return error


def test_a_blueprint_that_cannot_be_met_names_its_own_keys(tmp_path: Path) -> None:
    greedy = {**BLUEPRINT, "type_counts": {"true_false": 40, "single_choice": 25}}
    error = refusal(tmp_path, POOL, greedy)
    assert error["code"] == "infeasible"
    assert set(error["conflicts"]) == {"n_items", "type_counts.true_false", "type_counts.single_choice"}
    two = {"items": [{"id": "a", "type": "true_false"}, {"id": "b", "type": "true_false"}]}
    shown = run(tmp_path, two, {"n_items": 3})
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("quizapp: refused (infeasible): ")


def test_papers_without_statistics_and_with_ranges(tmp_path: Path) -> None:
    pool = {
        "items": [
            {
                "id": f"题{n}",
                "type": "single_choice" if n % 2 else "true_false",
                "dimension": "ab"[n % 3 == 0],
                "options": ["A", "B", "C"],
            }
            if n % 2
            else {"id": f"题{n}", "type": "true_false", "dimension": "ab"[n % 3 == 0]}
            for n in range(40)
        ]
    }
    blueprint = {
        "n_items": 10,
        "type_counts": {"single_choice": [3, 6], "true_false": [None, 7]},
        "dimension_counts": {"a": [4, None], "b": 4},
        "pass_fraction": 0.6,
        "parallel": {"n_forms": 2, "max_overlap_between_two_forms": 0},
    }
    done = run(tmp_path, pool, blueprint, "--format", "json")
    assert done.exit_code == 0, done.output
    one, other = json.loads(done.stdout)["papers"]
    assert not {*one["items"]} & {*other["items"]}
    assert one["information"] is None
    assert 0 < one["guess_pass"] < 1
    numbers = [int(name[1:]) for name in one["items"]]
    assert 3 <= sum(n % 2 for n in numbers) <= 6
    assert sum(n % 3 == 0 for n in numbers) == 4
    assert refusal(tmp_path, pool, blueprint, "--papers", "5")["conflicts"]


ITEM = {"id": "a", "type": "true_false"}
BAD_POOLS = [
    "{",
    "[]",
    '{"items": []}',
    '{"items": [3]}',
    *(
        {"items": [entry]}
        for entry in ({"id": "a"}, {**ITEM, "a": "x", "b": 1}, {**ITEM, "a": 1}, {**ITEM, "options": 1})
    ),
    {"items": [ITEM, ITEM]},
    {"items": [ITEM], "enemies": [["a", "z"]]},
    {"items": [ITEM], "enemies": [["a"]]},
    *({"items": [ITEM], "enemies": enemies} for enemies in (5, "ab", {}, [["a", "a"]])),
    {"items": [ITEM], "Enemies": []},
    *(
        {"items": [{**ITEM, **words}]}
        for words in (
            {"Benchmark": 1},
            {"points": "a"},
            {"difficulty": 3.4},
            {"difficulty": 6},
            {"audience": {"a": 1}},
            {"audience": [3]},
            {"benchmark": [1]},
            {"options": ["a"]},
            {"options": []},
            {"options": 1e300},
            {"seconds": True},
            {"a": 1e200, "b": 0},
        )
    ),
    '{"items": [{"id": "a", "type": "true_false", "a": 1, "b": ' + "9" * 400 + "}]}",
    '{"items": [{"id": "a", "type": "true_false", "seconds": 1e999}]}',
    '{"items": [{"id": "a", "type": "true_false", "seconds": NaN}]}',
    '{"items": [{"id": "\\ud800", "type": "true_false"}]}',
    '{"items": [{"id": "a", "id": "b", "type": "true_false"}]}',
    "[" * 100_000,
]
BAD_BLUEPRINTS = [
    "{",
    "3",
    {},
    *(
        {"n_items": 1, **words}
        for words in (
            {"n_item": 1},
            {"n_items": 10**30},
            {"enemies": {"a": "b"}},
            {"enemies": [["a"]]},
            {"audience": {"a": 1}},
            {"theta": {}},
            {"parallel": []},
            {"seconds": "60"},
            {"n_items": 0},
            {"type_counts": 3},
            {"type_counts": {"true_false": [3, 1]}},
            {"type_counts": {"true_false": -1}},
            {"theta": [0], "target_tif": [1, 2]},
            {"theta": "0"},
            {"tif_tolerance": -1},
            {"parallel": {"forms": 3}},
            {"parallel": {"n_forms": 1.5}},
            {"pass_fraction": 60},
            {"parallel": {"n_forms": 5000}},
        )
    ),
]


def test_pairs_of_the_blueprint_never_meet_and_a_text_stays_a_remark(tmp_path: Path) -> None:
    pool = {"items": [{"id": f"i{n}", "type": "true_false"} for n in range(3)]}
    pairs = [["i0", "i1"], ["i0", "i2"], ["i1", "i2"]]
    error = refusal(tmp_path, pool, {"n_items": 2, "enemies": pairs})
    assert (error["code"], set(error["conflicts"])) == ("infeasible", {"n_items", "enemies"})
    done = run(tmp_path, {**pool, "enemies": pairs[:1]}, {"n_items": 2, "enemies": pairs[1:2]}, "--format", "json")
    assert set(json.loads(done.stdout)["papers"][0]["items"]) == {"i1", "i2"}
    assert refusal(tmp_path, pool, {"n_items": 2, "enemies": [["i0", "x"]]})["code"] == "unknown_item"
    assert run(tmp_path, pool, {"n_items": 2, "enemies": "at most one of each"}).exit_code == 0


@pytest.mark.parametrize(
    ("key", "wanted", "attribute"),
    [
        ("seconds", 60, "seconds"),
        ("words", [100, 200], "words"),
        ("benchmark_min_each", 1, "benchmark"),
        ("benchmark_max_each", 1, "benchmark"),
        ("max_per_point", 1, "point"),
        ("topic_counts", {"water": [None, 1]}, "topic"),
        ("difficulty_counts", {"5": [0, 1]}, "difficulty"),
    ],
)
def test_a_demand_is_not_met_by_what_nobody_knows(tmp_path: Path, key: str, wanted: Any, attribute: str) -> None:
    known = {"seconds": 50, "words": 40, "benchmark": "1", "point": "1.1", "topic": "water", "difficulty": 5}
    items: list[dict[str, Any]] = [{"id": f"i{n}", "type": "true_false", **known} for n in range(3)]
    del items[1][attribute]
    error = refusal(tmp_path, {"items": items}, {"n_items": 1, key: wanted})
    assert (error["code"], error["conflicts"]) == ("attribute_missing", [key])
    assert "1 of 3 have none: i1" in error["message"]


@pytest.mark.parametrize("pool", BAD_POOLS)
def test_a_bad_pool_is_refused(tmp_path: Path, pool: Any) -> None:
    assert refusal(tmp_path, pool, {"n_items": 1})["code"] == "bad_pool"


@pytest.mark.parametrize("blueprint", BAD_BLUEPRINTS)
def test_a_bad_blueprint_is_refused(tmp_path: Path, blueprint: Any) -> None:
    assert refusal(tmp_path, {"items": [ITEM]}, blueprint)["code"] == "bad_blueprint"
