"""The banks that come with the product keep every rule."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from quizapp.banks.checks import check_banks
from quizapp.banks.checks.coverage import pool_item, worst_guess_pass
from quizapp.banks.faults import Level
from quizapp.banks.formats.yaml_bank import Reading, read_folder
from quizapp.core.paths import data_folder
from quizapp.measurement.assembly import Blueprint, assemble

#: Passing by blind guessing, for the paper that is easiest to guess: shown to whoever opens a delivery.
GUESS_PASS = {
    "literacy_2016": 0.000695,
    "survey_2024": 0.00000141230,
    "safety_20": 0.00716,
    "energy_environment_20": 0.00716,
    "health_20": 0.00716,
}


@pytest.fixture(scope="module")
def shipped() -> Reading:
    return read_folder(data_folder("question_banks"))


def test_the_shipped_banks_have_no_fault(shipped: Reading):
    faults = check_banks(shipped, date(2026, 11, 24))
    assert [str(fault) for fault in faults if fault.level == Level.REFUSE] == []


def test_the_shipped_banks_have_their_size(shipped: Reading):
    counts = Counter(item.bank for item in shipped.banks.items)
    assert counts["literacy"] >= 104
    assert min(counts[bank] for bank in ("safety", "energy_environment", "health")) >= 40
    assert len({item.point for item in shipped.banks.items if item.bank == "literacy"}) >= 90


def test_the_standard_has_26_benchmarks_and_132_points(shipped: Reading):
    assert [benchmark.number for benchmark in shipped.banks.benchmarks] == list(range(1, 27))
    assert list(shipped.banks.benchmark_of_point) == list(range(1, 133))


def test_blind_guessing_passes_as_rarely_as_is_said(shipped: Reading):
    found = {}
    for blueprint in shipped.banks.blueprints:
        items = [item for item in shipped.banks.items if item.bank == blueprint.bank]
        found[blueprint.code] = worst_guess_pass(blueprint.rules, items)
    assert found == pytest.approx(GUESS_PASS, rel=0.01)
    assert found["literacy_2016"] < 1 / 1000


@pytest.mark.parametrize("code", GUESS_PASS)
def test_papers_can_be_assembled_from_the_shipped_banks(shipped: Reading, code: str):
    banks = shipped.banks
    (blueprint,) = (b for b in banks.blueprints if b.code == code)
    items = {item.code: item for item in banks.items if item.bank == blueprint.bank and item.use != "practice"}
    benchmark_of = banks.benchmark_of_point
    pool = [pool_item(item, benchmark_of.get(item.point or 0)) for item in items.values()]
    forms = assemble(pool, Blueprint.from_rules(blueprint.rules), 3, "shipped")
    share = {item.id: item.difficulty for item in pool}
    scores = [100 * sum(share[name] for name in form) / len(form) for form in forms]
    assert max(scores) - min(scores) <= blueprint.rules.get("score_spread_max", 5) + 1e-9
    for form in forms:
        chosen = [items[name] for name in form]
        assert Counter(item.type for item in chosen) == blueprint.rules["types"]
        assert len({item.fact for item in chosen}) == len(chosen)
        if "dimensions" in blueprint.rules:
            assert Counter(item.dimension for item in chosen) == blueprint.rules["dimensions"]
        if blueprint.bank == "literacy":
            assert len({item.point for item in chosen}) == 50
            assert len({benchmark_of[item.point or 0] for item in chosen}) == 26
        else:
            assert all(4 <= n <= 6 for n in Counter(item.topic for item in chosen).values())
