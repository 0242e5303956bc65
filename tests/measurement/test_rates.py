"""Exact intervals, guessing, sample sizes and standards, against R 4.2 and by what must hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quizapp.measurement.intervals import clopper_pearson, score_interval, wilson
from quizapp.measurement.rates import corrected_for_guessing, corrected_score, rate_of
from quizapp.measurement.sample_size import cluster_design_effect, invitations, reached_margin, sample_size
from quizapp.measurement.survey import SurveyRefused
from quizapp.measurement.survey.standards import ADULT, STANDARDS, SURVEY_2024, one_standard
from tests.measurement.reference import expected

FROM_R = expected("binomial_intervals.json")


@pytest.mark.parametrize("row", FROM_R, ids=lambda row: f"{row['k']}/{row['n']}")
def test_both_intervals_are_those_of_r(row) -> None:
    k, n = row["k"], row["n"]
    found = rate_of(k, n)
    assert found.exact == pytest.approx(row["clopper_pearson95"], abs=1e-9)
    assert found.wilson == pytest.approx(row["wilson95"], abs=1e-9)
    for confidence, name in ((0.90, "wilson90"), (0.99, "wilson99")):
        assert wilson(k, n, confidence) == pytest.approx(row[name], abs=1e-9)
    assert score_interval(k / n, n, stats.norm.ppf(0.975)) == pytest.approx(row["wilson95"], abs=1e-9)


def test_of_nobody_there_is_no_rate() -> None:
    found = rate_of(0, 0)
    assert (found.rate, found.wilson, found.exact) == (None, None, None)
    assert corrected_for_guessing(0, 0, 0.5) is None


@given(st.floats(0.3, 300).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n))))
def test_the_exact_interval_holds_the_share_and_mirrors(pair: tuple[float, float]) -> None:
    k, n = pair
    low, high = clopper_pearson(k, n)
    assert -1e-9 <= low - 1e-9 <= k / n <= high + 1e-9 <= 1 + 1e-9
    assert (1 - high, 1 - low) == pytest.approx(clopper_pearson(n - k, n), abs=1e-6)


@pytest.mark.parametrize("n", [5, 12, 40])
def test_the_exact_interval_covers_at_least_as_often_as_it_says(n: int) -> None:
    ends = [clopper_pearson(k, n) for k in range(n + 1)]
    for step in range(1, 100):
        p = step / 100
        covered = sum(stats.binom.pmf(k, n, p) for k, (low, high) in enumerate(ends) if low <= p <= high)
        assert covered >= 0.95 - 1e-12


@pytest.mark.parametrize(("k", "n", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (0, 0, 0.95), (1, 2, 1), (1, 2, 0)])
def test_what_is_no_share_is_refused(k: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"share|confidence"):
        clopper_pearson(k, n, confidence)


def test_guessing_is_taken_off() -> None:
    # 70 of 100 right on true/false: (0.7 − 0.5)/0.5 = 40 % knew
    found = corrected_for_guessing(70, 100, 0.5)
    low, high = wilson(70, 100) or (0.0, 0.0)
    assert found is not None
    assert (found.knew, found.low, found.high) == pytest.approx((0.4, 2 * low - 1, 2 * high - 1))
    below = corrected_for_guessing(20, 100, 0.25)
    assert below is not None
    assert below.below_chance
    assert (below.knew, below.low) == (0, 0)
    assert corrected_score(35, 15, 4) == 30
    assert corrected_score(0, 10, 2) == -10
    for wrong in (lambda: corrected_for_guessing(1, 2, 1.0), lambda: corrected_score(1, 1, 1)):
        with pytest.raises(ValueError, match=r"chance|options"):
            wrong()


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0, 0.9))
def test_taking_guessing_off_never_raises_a_rate(pair: tuple[int, int], chance: float) -> None:
    k, n = pair
    found = corrected_for_guessing(k, n, chance)
    assert found is not None
    assert 0 <= found.low <= found.knew <= found.high <= 1
    assert found.knew <= k / n + 1e-12


@pytest.mark.parametrize(
    ("margin", "plain", "clustered", "of_20000"),
    [(0.01, 2167, 3250, 1955), (0.015, 963, 1445, 919), (0.02, 542, 813, 528)],
)
def test_sample_sizes_are_those_of_r(margin: float, plain: int, clustered: int, of_20000: int) -> None:
    assert sample_size(0.06, margin) == plain
    assert sample_size(0.06, margin, design_effect=1.5) == clustered
    assert sample_size(0.06, margin, population=20_000) == of_20000


def test_clusters_and_people_who_stay_away_cost_more() -> None:
    assert cluster_design_effect(20, 0.05) == pytest.approx(1.95)
    assert 400 / cluster_design_effect(20, 0.05) == pytest.approx(205.128205128205)
    assert invitations(542, 0.7) == 775
    assert sample_size(0.5, 0.02) == 2401
    assert sample_size(0.5, 0.02, population=100) == 97
    assert sample_size(0.5, 0.02, population=1) == 1


def test_a_small_rate_takes_more_people_than_the_normal_approximation_says() -> None:
    # none of 189: 0 to 1.99 %; of 188 the interval would end above 2 %
    assert [sample_size(rate, 0.02) for rate in (0, 0.01, 0.02, 0.98, 0.99, 1)] == [189, 189, 223, 223, 189, 189]
    assert sample_size(0, 0.02, design_effect=1.5) == 283
    assert sample_size(0, 0.02, population=100) == 66
    assert sample_size(0.001, 0.03) == 125


@given(rate=st.floats(0, 1), margin=st.floats(0.005, 0.45))
def test_wilson_s_interval_is_as_short_as_it_was_planned(rate: float, margin: float) -> None:
    people = sample_size(rate, margin)
    low, high = score_interval(rate, people, 1.959963984540054)
    assert (high - low) / 2 <= 1.02 * margin
    assert people >= 1.959963984540054**2 * rate * (1 - rate) / margin**2 - 1e-6
    if rate < margin:
        none = wilson(0, people)
        assert none is not None
        assert none[1] <= margin + 1e-12


def test_the_margin_that_is_reached_is_the_one_that_was_planned() -> None:
    assert [reached_margin(0.06, people) for people in (542, 541, 189)] == pytest.approx([0.02, 0.025, 0.035])
    for rate, people, population in ((0.0, 30, 50), (0.5, 120, 2000), (0.01, 400, None)):
        margin = reached_margin(rate, people, population=population)
        assert sample_size(rate, margin, population=population) <= people
        assert sample_size(rate, margin - 0.005, population=population) > people


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_size(1.2, 0.02),
        lambda: sample_size(0.5, 0),
        lambda: sample_size(0.5, 0.02, design_effect=0),
        lambda: sample_size(0.5, 0.02, population=0),
        lambda: cluster_design_effect(0, 0.1),
        lambda: invitations(10, 0),
    ],
)
def test_what_is_no_plan_is_refused(call) -> None:
    with pytest.raises(ValueError, match=r"share|effect|person|people"):
        call()


def test_the_two_standards_are_never_mixed() -> None:
    assert [one_standard([code]).threshold() for code in STANDARDS] == [60, 70]
    assert [SURVEY_2024.level_of(score) for score in (85, 84.5, 70, 55, 54.9)] == [
        "advanced",
        "literate",
        "literate",
        "basic",
        None,
    ]
    assert SURVEY_2024.threshold("basic") == 55
    assert ADULT == 18
    for code, call in (
        ("standards_mixed", lambda: one_standard(["literacy_2016", "survey_2024"])),
        ("unknown_standard", lambda: one_standard(["survey_2025"])),
        ("unknown_standard", lambda: one_standard([])),
        ("unknown_level", lambda: STANDARDS["literacy_2016"].threshold("advanced")),
    ):
        with pytest.raises(SurveyRefused) as caught:
            call()
        assert caught.value.code == code
