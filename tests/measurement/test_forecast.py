"""How a paper will come out: against known data, a closed form, SciPy's distribution, and simulated people."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.forecasts import CASES, errors_of
from quizapp.measurement.classical import item_figures, reliability, tally
from quizapp.measurement.forecast import KnownItem, beta_binomial_tail, equated_tail, forecast, loadings
from tests.measurement.reference import expected
from tests.measurement.responses import iq16, lsat6

SHARES = st.floats(0.02, 0.98)
ITEMS = st.lists(st.builds(KnownItem, SHARES, st.one_of(st.none(), st.floats(-0.3, 0.7))), min_size=2, max_size=60)


def test_the_forecast_of_a_paper_from_its_own_items_is_how_it_came_out() -> None:
    """LSAT-6: five items of 1,000 people, KR-20 0.295 (R)."""
    answers = lsat6() + 1
    counts = tally(answers, [2] * 5, 2)
    items = [item_figures([of_item], 2) for of_item in counts]
    found = forecast([KnownItem(item.difficulty or 0.0, item.rest_correlation) for item in items], 3)
    truth = reliability(counts, [2] * 5)
    totals = (answers == 2).sum(axis=1)
    assert found.mean == pytest.approx(3.819)
    assert found.sd == pytest.approx(truth.sd, abs=0.02)
    assert found.reliability == pytest.approx(truth.alpha, abs=0.02)
    assert found.passing == pytest.approx(float((totals >= 3).mean()), abs=0.03)


def test_equal_items_have_the_loading_that_made_their_correlations() -> None:
    length, loading, share = 50, 0.4, 0.7
    of_rest = (length - 1) * loading**2 / (1 + (length - 2) * loading**2)
    items = [KnownItem(share, loading * math.sqrt(of_rest))] * 20
    assert loadings(items, length) == pytest.approx([loading] * 20)
    found = forecast(items, 12, length)
    variance = share * (1 - share) * 20 * (1 + 19 * loading**2)
    assert found.sd == pytest.approx(math.sqrt(variance))
    assert found.reliability == pytest.approx(20 * loading**2 / (1 + 19 * loading**2)), "Spearman and Brown's formula"


@given(ITEMS, st.integers(0, 61))
def test_more_right_answers_are_reached_by_fewer_people(items: list[KnownItem], needed: int) -> None:
    found, more = forecast(items, needed), forecast(items, needed + 1)
    assert 0 <= more.passing <= found.passing + 1e-9 <= 1 + 1e-9
    assert found.mean == pytest.approx(sum(item.right for item in items))
    assert found.reliability is None or found.reliability < 1 + 1e-9


@given(ITEMS)
def test_a_pool_that_is_drawn_whole_is_the_paper(items: list[KnownItem]) -> None:
    doubled = [KnownItem(item.right, item.rest, 0.5) for item in items for _ in range(2)]
    one, other = forecast(items, 3), forecast(doubled, 3)
    assert (other.questions, other.mean) == (one.questions, pytest.approx(one.mean))
    assert other.sd == pytest.approx(one.sd)
    assert other.passing == pytest.approx(one.passing, abs=1e-6)


@given(st.integers(2, 60), st.floats(0.05, 0.95), st.floats(0.001, 0.9), st.data())
def test_the_distribution_is_scipy_s(questions: int, share: float, over: float, data: st.DataObject) -> None:
    alpha, beta = share * (1 / over - 1), (1 - share) * (1 / over - 1)
    theirs = stats.betabinom(questions, alpha, beta)
    needed = data.draw(st.integers(0, questions + 1))
    variance = questions * share * (1 - share) * (1 + (questions - 1) * over)
    found = beta_binomial_tail(questions, questions * share, variance, needed)
    assert found == pytest.approx(float(theirs.sf(needed - 1)), abs=1e-7)


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 40), min_size=4), st.integers(-5, 5), st.integers(1, 50))
def test_earlier_scores_moved_by_whole_points_are_counted_exactly(
    scores: dict[int, int], moved: int, needed: int
) -> None:
    """With the spread unchanged, whoever had enough less the shift has enough now, however scores are distributed."""
    scores = {score: n + 30 for score, n in scores.items()}
    values = np.repeat(list(scores), list(scores.values()))
    found = equated_tail([scores], float(values.mean()) + moved, float(values.std()), needed)
    assert found == pytest.approx(float((values + moved >= needed).mean()), abs=1e-9)


def test_too_few_or_equal_scores_say_nothing_of_how_scores_are_distributed() -> None:
    assert equated_tail([], 25, 5, 30) is None
    assert equated_tail([{20: 15, 30: 14}] * 9, 25, 5, 30) is None, "papers of 29 people"
    assert equated_tail([{20: 40, 30: 40}], 25, 5, 30) is None, "80 people"
    assert equated_tail([{30: 500}], 25, 5, 30) is None
    assert equated_tail([{20: 50, 30: 50}], 25, 0, 30) is None


def test_where_nothing_is_known_of_people_they_are_alike() -> None:
    """No relation between items: what is left is the chance of each item, and no reliability."""
    found = forecast([KnownItem(0.6, 0.0)] * 30, 18)
    assert found.reliability == pytest.approx(0, abs=1e-9)
    assert found.passing == pytest.approx(float(stats.binom(30, 0.6).sf(17)), abs=0.01)
    sure = forecast([KnownItem(1.0, None)] * 5, 5)
    assert (sure.passing, sure.reliability, sure.sd) == (1.0, None, 0.0)
    assert forecast([KnownItem(1.0, None)] * 5, 6).passing == 0.0
    assert forecast([KnownItem(0.5, 0.3)], 1).reliability is None


def test_what_is_no_paper_is_refused() -> None:
    for items in ([], [KnownItem(0.5, 0.1, 0.4)]):
        with pytest.raises(ValueError, match="questions"):
            forecast(items, 1)
    with pytest.raises(ValueError, match="two questions"):
        loadings([KnownItem(0.5, 0.1)], 1)
    for mean, variance in ((-1.0, 1.0), (6.0, 1.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match="mean"):
            beta_binomial_tail(5, mean, variance, 1)


@pytest.mark.parametrize("case", [CASES[0], CASES[4], CASES[5]], ids=lambda case: case.name)
def test_simulated_people_pass_as_often_as_was_said(case: object) -> None:
    passing, reliable = (np.array(part).ravel() for part in zip(*(errors_of(case, n) for n in (1, 2)), strict=True))  # type: ignore[arg-type]
    assert abs(passing.mean()) < 0.02
    assert np.abs(passing).max() < 0.06
    assert np.abs(reliable).max() < 0.05


def test_sixteen_real_items_are_forecast_from_the_other_half_of_the_people() -> None:
    answers, keys = iq16() + 1, [key + 1 for key in expected("classical_expected.json")["iq16_key"]]
    counts = tally(answers[::2], keys, 9)
    items = [item_figures([of_item], key) for of_item, key in zip(counts, keys, strict=True)]
    found = forecast([KnownItem(item.difficulty or 0.0, item.rest_correlation) for item in items], 10)
    totals = (answers[1::2] == np.array(keys)).sum(axis=1)
    assert found.passing == pytest.approx(float((totals >= 10).mean()), abs=0.04)
