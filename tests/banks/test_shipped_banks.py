"""The banks that come with the product keep every rule."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from quizapp.banks.checks import check_banks
from quizapp.banks.checks.coverage import pool_item, worst_guess_pass
from quizapp.banks.checks.texts import HAN, SOURCES
from quizapp.banks.faults import Level
from quizapp.banks.form_guesser import form_guesses
from quizapp.banks.formats.yaml_bank import Reading, read_folder
from quizapp.banks.measures import LANGUAGES, counts_of
from quizapp.banks.parsed import ParsedItem, source_words
from quizapp.banks.quality import quality_page
from quizapp.banks.reviews import SOLVERS, ReaderRole, last_readings
from quizapp.core.paths import data_folder
from quizapp.measurement.assembly import Blueprint, assemble

#: Passing by blind guessing, for the paper that is easiest to guess: shown to whoever opens a delivery.
GUESS_PASS = {
    "literacy_2016": 0.000695,
    "survey_2024": 1.41e-06,
    "safety_20": 0.00815,
    "energy_environment_20": 0.00716,
    "health_20": 0.00927,
}


@pytest.fixture(scope="module")
def shipped() -> Reading:
    return read_folder(data_folder("question_banks"))


def test_the_shipped_banks_have_no_fault(shipped: Reading):
    faults = check_banks(shipped, date(2026, 11, 24))
    assert [str(fault) for fault in faults if fault.level == Level.REFUSE] == []


def approved(shipped: Reading, bank: str) -> list[ParsedItem]:
    return [item for item in shipped.banks.items if item.bank == bank and item.state == "approved"]


def test_the_literacy_bank_suffices_for_tests_and_for_practice(shipped: Reading):
    items = approved(shipped, "literacy")
    uses = Counter(item.use for item in items)
    assert uses["test"] >= 276
    assert uses["practice"] >= 96
    assert uses["both"] == 0
    dimensions = Counter(item.dimension for item in items)
    assert min(dimensions[name] for name in ("method", "spirit", "application")) >= 60
    assert sum(bool(item.stimulus) and item.dimension in ("method", "application") for item in items) >= 80
    types = Counter(item.type for item in items)
    assert set(types) == {"true_false", "single_choice"}
    assert 0.45 <= types["true_false"] / len(items) <= 0.55
    assert all(len(item.options) == 4 for item in items if item.type == "single_choice")


@pytest.mark.parametrize(("bank", "least"), [("safety", 160), ("energy_environment", 150), ("health", 150)])
def test_the_thematic_banks_have_their_size_types_and_pictures(shipped: Reading, bank: str, least: int):
    counts = counts_of(approved(shipped, bank))
    assert counts.items >= least
    assert counts.pictures >= 20
    assert set(counts.types) == {"true_false", "single_choice", "multiple_choice"}


@pytest.mark.parametrize("bank", ["literacy", "safety", "energy_environment", "health"])
def test_the_authors_estimates_are_spread(shipped: Reading, bank: str):
    counts = counts_of(approved(shipped, bank))
    assert set(counts.levels) == {1, 2, 3, 4, 5}
    assert counts.levels[2] + counts.levels[3] < 0.75 * counts.items


def test_every_audience_and_every_point_of_health_literacy_is_served(shipped: Reading):
    assert len(counts_of(approved(shipped, "safety")).audiences) == 8
    tags = {tag for item in approved(shipped, "health") for tag in item.tags}
    assert tags >= {f"hl66_{number:02}" for number in range(1, 67)}


def test_no_item_rests_on_the_restated_benchmarks(shipped: Reading):
    assert [
        item.code for item in shipped.banks.items if "科学素质基准" in source_words(item.citation["document"])
    ] == []


def test_every_source_is_in_both_languages(shipped: Reading):
    chinese = [
        (item.code, name)
        for item in shipped.banks.items
        for name, source in item.citation.items()
        if name in SOURCES and (isinstance(source, str) or HAN.search(source["en"]))
    ]
    assert chinese == []


def test_the_page_of_figures_is_that_of_the_files(shipped: Reading):
    page = (data_folder("question_banks") / "QUALITY.md").read_text(encoding="utf-8")
    assert page == quality_page(shipped.banks, shipped.reviews), "run: quizapp banks check question_banks --quality"


def test_every_present_wording_was_solved_and_the_solvers_agree_with_the_keys(shipped: Reading):
    items = [item for item in shipped.banks.items if item.state == "approved"]
    last = last_readings(shipped.reviews, items)
    read = Counter(r.item for r in last if r.role in SOLVERS)
    assert [item.code for item in items if read[item.code] < len(SOLVERS)] == []
    knowing = [r for r in last if r.role in (ReaderRole.EXPERT, ReaderRole.SCEPTIC)]
    assert sum(r.agrees for r in knowing) >= 0.99 * len(knowing)


def test_whoever_sees_the_options_alone_is_hardly_better_than_chance(shipped: Reading):
    items = [item for item in shipped.banks.items if item.state == "approved" and item.options]
    last = [r for r in last_readings(shipped.reviews, items) if r.role == ReaderRole.OPTIONS_ONLY]
    assert {r.item for r in last} == {item.code for item in items}
    assert sum(r.agrees - r.chance for r in last) / len(last) <= 0.10


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_of_options_does_not_give_the_key_away(shipped: Reading, language: str):
    items = [item for item in shipped.banks.items if item.state == "approved"]
    found, chance, of = form_guesses(items, language) or (0, 0.0, 1)
    assert (found - chance) / of <= 0.10


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
    items = {
        item.code: item
        for item in banks.items
        if item.bank == blueprint.bank and item.use != "practice" and item.state == "approved"
    }
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
