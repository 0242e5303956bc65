"""Item analysis: R's figures, what is true of all data, and what is not defined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_arrays

from quizapp.measurement.classical import (
    item_figures,
    not_reached,
    reliability,
    tally,
)
from quizapp.measurement.item_flags import FOR_REVIEWERS, HARM, Thresholds, _difference_error, flags
from quizapp.measurement.item_papers import Papers, papers_of
from tests.measurement.reference import columns, expected
from tests.measurement.responses import iq16, lsat6

R = expected("classical_expected.json")
exact = {"abs": 1e-9, "rel": 0}


def test_lsat6_is_as_r_has_it() -> None:
    counts = tally(lsat6() + 1, [2] * 5, 2)
    for of_item, r in zip(counts, R["lsat6"]["items"], strict=True):
        found = item_figures([of_item], 2)
        assert found.difficulty == pytest.approx(r["p"], **exact)
        assert found.standard_error == pytest.approx(r["se_p"], **exact)
        assert found.rest_correlation == pytest.approx(r["r_item_rest"], **exact)
        assert found.total_correlation == pytest.approx(r["r_item_total"], **exact)
        assert found.biserial == pytest.approx(r["biserial_rest"], **exact)
        assert found.upper_lower_27 == pytest.approx(r["D27_expected_over_ties"], **exact)
    agreement = reliability(counts, [2] * 5)
    assert agreement.alpha == pytest.approx(R["lsat6"]["kr20"], **exact)
    assert agreement.sem == pytest.approx(R["lsat6"]["sem_sd_n1"], **exact)
    assert agreement.low == pytest.approx(R["lsat6"]["alpha_ci95_feldt"]["lo"], abs=1e-6)
    assert agreement.high == pytest.approx(R["lsat6"]["alpha_ci95_feldt"]["hi"], abs=1e-6)
    assert agreement.alpha_if_deleted == pytest.approx([r["alpha_if_deleted"] for r in R["lsat6"]["items"]], **exact)


def test_the_options_of_iq16_are_as_r_has_them() -> None:
    keys = [key + 1 for key in R["iq16_key"]]
    counts = tally(iq16() + 1, keys, 9)
    table = columns("iq16_options.csv")
    compared = 0
    for place, item in enumerate(R["iq16_items"]):
        found = item_figures([counts[place]], keys[place])
        options = {option.answer - 1: option for option in found.options}
        rows = [row for row, name in enumerate(table["item"]) if name == item]
        for row in rows:
            option = options[int(table["option"][row])]
            assert option.is_key == (table["is_key"][row] == "1")
            assert option.n == int(table["n"][row])
            for name, value in (
                ("prop", option.share),
                ("r_option_total", option.total_correlation),
                ("r_option_rest", option.rest_correlation),
                ("mean_total_choosers", option.mean_total),
                ("upper27", option.upper),
                ("lower27", option.lower),
            ):
                assert value == pytest.approx(float(table[name][row]), **exact), (item, option, name)
                compared += 1
        efficiency = dict(R["iq16_moodle"])[item]
        assert found.discriminative_efficiency == pytest.approx(efficiency, abs=1e-9)
    assert compared == 6 * len(table["item"])


answers_and_keys = st.integers(2, 6).flatmap(
    lambda items: st.tuples(
        of_arrays.arrays(np.int64, st.tuples(st.integers(3, 40), st.just(items)), elements=st.integers(0, 3)),
        st.lists(st.integers(1, 3), min_size=items, max_size=items),
    )
)


def plain_figures(answers: np.ndarray, keys: list[int], item: int) -> tuple[int, float | None]:
    """Written as the definition says, with NumPy's own correlation."""
    given_ = answers[:, item] != 0
    scores = (answers == np.array(keys)).astype(float)
    rest = scores.sum(axis=1) - scores[:, item]
    x, y = scores[given_, item], rest[given_]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return int(given_.sum()), None
    return int(given_.sum()), float(np.corrcoef(x, y)[0, 1])


@given(answers_and_keys)
def test_one_paper_with_gaps_is_the_definition_over_those_who_were_given_the_item(case: tuple) -> None:
    answers, keys = case
    counts = tally(answers, keys, 3)
    for item in range(answers.shape[1]):
        found = item_figures([counts[item]], keys[item])
        n, r = plain_figures(answers, keys, item)
        assert found.n == n
        assert found.rest_correlation == (None if r is None else pytest.approx(r, abs=1e-9))
        assert sum(option.n for option in found.options) == n


@given(answers_and_keys, st.randoms(use_true_random=False))
def test_the_order_of_people_decides_nothing_and_tallies_add_up(case: tuple, random: object) -> None:
    answers, keys = case
    order = list(range(len(answers)))
    random.shuffle(order)
    whole = tally(answers, keys, 3)
    half = len(answers) // 2
    assert (tally(answers[order], keys, 3) == whole).all()
    assert (tally(answers[:half], keys, 3) + tally(answers[half:], keys, 3) == whole).all()
    for of_item, key in zip(whole, keys, strict=True):
        found = item_figures([of_item], key)
        if found.upper_lower_27 is not None:
            assert -1 <= found.upper_lower_27 <= 1
            assert sum(o.upper for o in found.options if o.upper) == pytest.approx(1)


@given(of_arrays.arrays(np.int64, st.tuples(st.integers(2, 30), st.integers(2, 6)), elements=st.integers(0, 1)))
def test_alpha_is_that_of_the_covariances_and_of_the_shorter_test(scores: np.ndarray) -> None:
    items = scores.shape[1]
    counts = tally(scores + 1, [2] * items, 2)
    found = reliability(counts, [2] * items)

    def by_covariance(table: np.ndarray) -> float | None:
        covariance = np.atleast_2d(np.cov(table.T))
        k = table.shape[1]
        if k < 2 or covariance.sum() < 1e-9:
            return None
        return k / (k - 1) * (1 - np.trace(covariance) / covariance.sum())

    alpha = by_covariance(scores)
    assert found.alpha == (None if alpha is None else pytest.approx(alpha, abs=1e-9))
    for item in range(items):
        shorter = by_covariance(np.delete(scores, item, axis=1))
        assert found.alpha_if_deleted[item] == (None if shorter is None else pytest.approx(shorter, abs=1e-9))


def test_two_papers_are_compared_inside_each() -> None:
    rng = np.random.default_rng(7)
    ability = rng.normal(size=400)
    right = (ability[:, None] + rng.normal(size=(400, 15)) > np.linspace(-2, 2, 15)).astype(int) + 1
    right[:200, 10:] = 0
    right[200:, :5] = 0
    papers = papers_of(right).papers
    assert [(people.tolist(), items.tolist()) for people, items in papers] == [
        (list(range(200)), list(range(10))),
        (list(range(200, 400)), list(range(5, 15))),
    ]
    counts = [tally(right[np.ix_(people, items)], [2] * 10, 2) for people, items in papers]
    # Hard and easy paper differ by far in their totals: pooled raw totals would give an anchor another correlation.
    found = item_figures([counts[0][5], counts[1][0]], 2)
    parts = []
    for people, items in papers:
        scores = (right[np.ix_(people, items)] == 2).astype(float)
        x = scores[:, items.tolist().index(5)]
        parts.append(np.stack([x - x.mean(), (scores.sum(axis=1) - x) - (scores.sum(axis=1) - x).mean()]))
    x, y = np.concatenate(parts, axis=1)
    assert found.rest_correlation == pytest.approx(float(x @ y / math.sqrt((x @ x) * (y @ y))), abs=1e-12)
    assert found.n == 400


def test_gaps_do_not_make_papers() -> None:
    answers = np.full((300, 8), 1)
    answers[:40, 3] = 0
    answers[40:50, 1:3] = 0
    ((people, items),) = papers_of(answers).papers
    assert len(people) == 300
    assert items.tolist() == list(range(8))
    assert len(papers_of(np.zeros((0, 4))).papers) == 1
    # at random a fifth is missing: of 5,000 people dozens have the same two of five questions
    rng = np.random.default_rng(9)
    random_gaps = np.where(rng.random((5000, 5)) < 0.2, 0, 1)
    assert len(papers_of(random_gaps).papers) == 1
    short = np.full((300, 40), 1)
    short[:90, 15:] = 0
    assert [len(items) for _, items in papers_of(short).papers] == [15, 40], "a short form is no long one with gaps"
    lone = np.full((20, 6), 1)
    lone[np.arange(20), np.arange(20) % 6] = 0
    assert len(papers_of(lone).papers) == 1


def pooled_within(papers: Papers, scores: np.ndarray, item: int) -> float:
    """The correlation of an item with the rest, by NumPy about the means of each paper."""
    parts = []
    for people, items in papers.papers:
        if item in items:
            x = scores[people, item]
            rest = scores[np.ix_(people, items)].sum(axis=1) - x
            parts.append(np.stack([x - x.mean(), rest - rest.mean()]))
    x, y = np.concatenate(parts, axis=1)
    return float(x @ y / math.sqrt((x @ x) * (y @ y)))


@pytest.mark.parametrize(("papers", "each"), [(2, 300), (24, 40), (60, 10), (12, 8), (40, 3)])
def test_however_many_papers_there_are_totals_of_different_ones_are_never_put_together(papers: int, each: int) -> None:
    # five common questions; every other paper is hard beside them, every other easy
    rng = np.random.default_rng(4)
    right = np.zeros((papers * each, 5 + 15 * papers), dtype=int)
    for paper in range(papers):
        b = np.append(np.linspace(-1, 1, 5), np.full(15, -2.2 if paper % 2 else 2.2))
        people = np.arange(paper * each, (paper + 1) * each)
        items = np.append(np.arange(5), 5 + 15 * paper + np.arange(15))
        ability = rng.normal(size=(each, 1))
        right[np.ix_(people, items)] = 1 + (rng.random((each, 20)) < 1 / (1 + np.exp(-1.3 * (ability - b))))
    found = papers_of(right)
    assert [len(people) for people, _ in found.papers] == [each] * papers
    assert len(found.alone) == 0
    scores = (right == 2).astype(float)
    tallies = [tally(right[np.ix_(people, items)], [2] * 20, 2) for people, items in found.papers]
    for item in range(5):
        figures = item_figures([counts[item] for counts in tallies], 2)
        assert figures.rest_correlation == pytest.approx(pooled_within(found, scores, item), abs=1e-12)
        assert figures.n == papers * each
        # a group of 27 % of three or eight people is no group
        assert (figures.upper_lower_27 is None) == (each < 10)
        assert figures.options[0].mean_total is None


def test_who_shares_a_set_of_items_with_nobody_is_compared_with_nobody() -> None:
    rng = np.random.default_rng(5)
    right = 1 + rng.integers(0, 2, (60, 40))
    for person in range(50, 60):
        right[person, rng.permutation(40)[:28]] = 0
    right[:50, 30:] = 0
    found = papers_of(right)
    assert [people.tolist() for people, _ in found.papers] == [list(range(50))]
    assert found.alone.tolist() == list(range(50, 60))
    counts = tally(right[np.ix_(found.papers[0][0], found.papers[0][1])], [2] * 30, 2)
    alone = np.bincount(right[50:, 3], minlength=3)
    both, without = item_figures([counts[3]], 2, alone=alone), item_figures([counts[3]], 2)
    assert both.n == 50 + alone[1:].sum()
    assert both.right == without.right + alone[2]
    assert (both.rest_correlation, both.upper_lower_27) == (without.rest_correlation, without.upper_lower_27)
    only = item_figures([], 2, alone=alone)
    assert (only.n, only.rest_correlation, only.upper_lower_27) == (int(alone[1:].sum()), None, None)
    nothing = papers_of(np.array([[1, 2], [2, 1], [0, 0]]))
    assert (len(nothing.papers), nothing.alone.tolist()) == (1, [2])


def test_a_run_of_blanks_to_the_end_is_not_reached() -> None:
    answers = np.array([[1, 9, 2, 9, 9], [9, 9, 9, 0, 9], [1, 2, 0, 9, 0], [1, 1, 1, 1, 1]])
    assert not_reached(answers, 9).astype(int).tolist() == [[0, 0, 0, 1, 1], [1, 1, 1, 0, 1], [0, 0, 0, 1, 0], [0] * 5]
    backwards = np.array([4, 3, 2, 1, 0])
    assert not_reached(answers[:1], 9, backwards).astype(int).tolist() == [[0, 0, 0, 0, 0]]


def test_one_respondent_constant_items_and_nobody() -> None:
    one = tally(np.array([[2, 1, 2]]), [2, 2, 2], 2)
    found = item_figures([one[0]], 2)
    assert (found.n, found.difficulty, found.standard_error) == (1, 1.0, 0.0)
    assert (found.rest_correlation, found.biserial, found.upper_lower_27) == (None, None, None)
    agreement = reliability(one, [2, 2, 2])
    assert (agreement.n, agreement.alpha, agreement.low, agreement.sem) == (1, None, None, None)

    answers = np.array([[2, 1, 2], [2, 2, 1], [2, 2, 2], [2, 1, 1]])
    constant = tally(answers, [2, 2, 2], 2)
    assert item_figures([constant[0]], 2).rest_correlation is None
    assert item_figures([constant[0]], 2).upper_lower_27 == 0
    assert reliability(constant, [2, 2, 2]).alpha is not None

    nobody = tally(np.zeros((0, 3), dtype=int), [2, 2, 2], 2)
    found = item_figures([nobody[0]], 2)
    assert (found.n, found.difficulty, found.difficulty_low, found.upper_lower_27) == (0, None, None, None)
    assert [option.share for option in found.options] == [None]
    assert reliability(nobody, [2, 2, 2]).alpha is None
    assert reliability(np.zeros((0, 1, 3), dtype=int), []).items == 0


def test_wrong_shapes_and_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="one key"):
        tally(np.ones((3, 2), dtype=int), [1], 2)
    with pytest.raises(ValueError, match="number of kinds"):
        tally(np.full((3, 2), 4), [1, 1], 2)


def flagged(answers: np.ndarray, key: int, names: str = "ABCD-", **more: object) -> list[str]:
    counts = tally(answers, [key, *[1] * (answers.shape[1] - 1)], len(names))
    return [flag.code for flag in flags(item_figures([counts[0]], key), names, **more)]


def made(*, easy: float = 0.6, people: int = 500) -> np.ndarray:
    """Item 0: A for the able, B, C and D for the others; the rest of the test as ability has it."""
    rng = np.random.default_rng(3)
    ability = rng.normal(size=people)
    cut = np.quantile(ability, 1 - easy)
    first = np.where(ability + 0.3 * rng.normal(size=people) > cut, 1, rng.integers(2, 5, size=people))
    others = (ability[:, None] + rng.normal(size=(people, 9)) < 0) + 1
    return np.concatenate([first[:, None], others], axis=1)


def test_flags_name_what_is_odd() -> None:
    assert flagged(made(), 1) == []
    # The same answers with a wrong key: those who know choose A.
    assert flagged(made(), 2)[:2] == ["key_suspect", "no_discrimination"]
    easy = made(easy=0.99)
    assert "too_easy" in flagged(easy, 1)
    assert "dead_distractor" not in flagged(easy, 1)
    dead = made()
    dead[dead[:, 0] == 4, 0] = 3
    dead[:3, 0] = 4
    assert flagged(dead, 1) == ["dead_distractor"]
    assert flagged(made(), 1, unreached=26) == ["speeded"]
    assert flagged(made(), 1, unreached=25) == []
    assert flagged(made(), 1, thresholds=Thresholds(too_easy=0.5)) == ["too_easy"]
    assert flagged(np.zeros((4, 3), dtype=int), 1) == []
    found = flagged(made(), 2, unreached=100, thresholds=Thresholds(too_easy=0.1))
    assert sorted(found, key=HARM.index) == found
    assert len(found) == 4


def sampled(rng: np.random.Generator, people: int, slope: float = 0.45) -> np.ndarray:
    """Answers to a weak but sound item whose key is 1 (chosen by half, the others by a sixth each), and to nine others."""
    ability = rng.normal(size=people)
    knows = ability * slope + rng.normal(size=people) > 0
    first = np.where(knows, 1, rng.integers(2, 5, size=people))
    return np.concatenate([first[:, None], (ability[:, None] + rng.normal(size=(people, 9)) < 0) + 1], axis=1)


def test_reviewers_are_not_called_by_chance_and_are_called_by_a_wrong_key() -> None:
    rng = np.random.default_rng(8)
    drawn = [sampled(rng, 100, slope=0.2) for _ in range(150)]
    mild = sum("key_suspect" in flagged(a, 1) for a in drawn)
    called = sum("key_suspect" in flagged(a, 1, thresholds=FOR_REVIEWERS) for a in drawn)
    assert called <= 3 < mild
    assert sum("key_suspect" in flagged(sampled(rng, 400), 2, thresholds=FOR_REVIEWERS) for _ in range(40)) >= 38


def test_the_error_of_two_correlations_is_that_of_repeated_samples() -> None:
    rng = np.random.default_rng(9)
    found = []
    for _ in range(600):
        figures = item_figures([tally(sampled(rng, 200), [1] * 10, 4)[0]], 1)
        key, other = figures.options[0], figures.options[1]
        assert key.rest_correlation is not None
        assert other.rest_correlation is not None
        found.append((key.rest_correlation - other.rest_correlation, _difference_error(key, other, 200)))
    differences, errors = np.array(found).T
    assert errors.mean() == pytest.approx(differences.std(), rel=0.1)


def test_blanks_and_rare_options_do_not_count_against_a_key() -> None:
    answers = made()
    best = np.argsort(-(answers[:, 1:] == 1).sum(axis=1))
    answers[best[:4], 0] = 2
    answers[best[4:40], 0] = 5
    answers[answers[:, 0] == 2, 0] = 3
    answers[best[:4], 0] = 2
    assert "key_suspect" not in flagged(answers, 1, blank=5)


@settings(max_examples=30)
@given(answers_and_keys)
def test_flags_and_figures_never_break(case: tuple) -> None:
    answers, keys = case
    counts = tally(answers, keys, 3)
    for of_item, key in zip(counts, keys, strict=True):
        found = item_figures([of_item], key)
        flags(found, "ABC", blank=3)
        for value in (found.rest_correlation, found.total_correlation, found.difficulty):
            assert value is None or -1.0000001 <= value <= 1.0000001
