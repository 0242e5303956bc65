"""Rasch and 2PL: R's estimates, the truth of simulated data, and refusals with the number needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.measurement import irt
from quizapp.measurement.irt_curves import item_information, probabilities, quadrature, test_information
from quizapp.measurement.item_fit import mean_squares, s_x2, score_distribution
from tests.measurement.reference import expected
from tests.measurement.responses import digits, iq16, lsat6

R = expected("irt_expected.json")
TOLERANCE = R["tolerance"]


def simulated(people: int, a: np.ndarray, b: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=people)
    return (rng.random((people, len(a))) < probabilities(theta, a, b)).astype(float)


def test_the_2pl_of_lsat6_is_as_r_has_it() -> None:
    fit = irt.fit(lsat6(), "2pl")
    assert fit.log_likelihood == pytest.approx(R["2pl"]["loglik"], abs=TOLERANCE["loglik"])
    assert (fit.aic, fit.bic) == pytest.approx((R["2pl"]["aic"], R["2pl"]["bic"]), abs=2 * TOLERANCE["loglik"])
    assert (fit.parameters, fit.respondents) == (10, 1000)
    for j, r in enumerate(R["2pl"]["items"]):
        assert fit.a[j] == pytest.approx(r["a"], abs=TOLERANCE["a"])
        assert fit.b[j] == pytest.approx(r["b"], abs=TOLERANCE["b"])
        assert fit.se_a[j] == pytest.approx(r["se_a"], rel=TOLERANCE["se_a_se_b_rel"])
        assert fit.se_b[j] == pytest.approx(r["se_b"], rel=TOLERANCE["se_a_se_b_rel"])
    own = irt.abilities(digits([p["pattern"] for p in R["patterns"]]), fit.a, fit.b)
    assert own.eap == pytest.approx([p["eap"] for p in R["patterns"]], abs=TOLERANCE["eap_after_own_fit"])
    fits = s_x2(lsat6(), fit.a, fit.b)
    for found, (value, df, p) in zip(fits, R["s_x2"], strict=True):
        assert (found.s_x2, found.p) == pytest.approx((value, p), abs=1e-4)
        assert found.df == df


def test_the_rasch_model_of_lsat6_is_as_r_has_it_on_either_scale() -> None:
    fit = irt.fit(lsat6(), "rasch")
    assert fit.log_likelihood == pytest.approx(R["rasch"]["loglik"], abs=TOLERANCE["loglik"])
    assert fit.a == pytest.approx([R["rasch"]["a"]] * 5, abs=TOLERANCE["a"])
    assert fit.b == pytest.approx(R["rasch"]["b"], abs=TOLERANCE["b"])
    assert fit.parameters == 6
    # a = 1 with the variance free is the same model: SD = a, b there = a·b here.
    assert fit.a[0] ** 2 == pytest.approx(R["rasch_free_variance"]["variance"], abs=1e-4)
    assert fit.a * fit.b == pytest.approx(R["rasch_free_variance"]["b"], abs=TOLERANCE["rasch_mml_b"])
    patterns = digits([p["pattern"] for p in R["patterns"]])
    own = irt.abilities(patterns, fit.a, fit.b)
    assert own.eap * fit.a[0] == pytest.approx([p["eap_rasch"] for p in R["patterns"]], abs=3e-3)
    assert own.sd * fit.a[0] == pytest.approx([p["eap_rasch_sd"] for p in R["patterns"]], abs=3e-3)
    everybody = irt.abilities(lsat6(), fit.a, fit.b)
    squares = mean_squares(lsat6(), everybody.eap, fit.a, fit.b)
    assert squares.infit == pytest.approx(R["rasch_infit"], abs=1e-4)
    assert squares.outfit == pytest.approx(R["rasch_outfit"], abs=1e-4)


def test_abilities_and_information_at_r_s_parameters() -> None:
    a, b = (np.array([item[name] for item in R["2pl"]["items"]]) for name in ("a", "b"))
    found = irt.abilities(digits([p["pattern"] for p in R["patterns"]]), a, b)
    assert found.eap == pytest.approx([p["eap"] for p in R["patterns"]], abs=TOLERANCE["eap_at_given_parameters"])
    assert found.sd == pytest.approx([p["eap_sd"] for p in R["patterns"]], abs=TOLERANCE["eap_at_given_parameters"])
    places = np.array([float(place) for place in R["test_information"]])
    assert test_information(places, a, b) == pytest.approx(list(R["test_information"].values()), abs=1e-9)
    assert irt.log_likelihood(lsat6(), a, b) == pytest.approx(R["2pl"]["loglik"], abs=1e-6)


def test_standard_errors_are_those_of_the_numerical_second_derivatives() -> None:
    responses = (iq16() == np.array(expected("classical_expected.json")["iq16_key"])).astype(float)[:, :6]
    responses[::7, 2] = np.nan
    fit = irt.fit(responses, "2pl")
    at = np.concatenate([fit.a, -fit.a * fit.b])
    step = 1e-3

    def value(x: np.ndarray) -> float:
        return irt.log_likelihood(responses, x[:6], -x[6:] / x[:6])

    hessian = np.empty((12, 12))
    for i in range(12):
        for j in range(i + 1):
            e, f = np.eye(12)[i] * step, np.eye(12)[j] * step
            four = value(at + e + f) - value(at + e - f) - value(at - e + f) + value(at - e - f)
            hessian[i, j] = hessian[j, i] = four / (4 * step * step)
    covariance = np.linalg.inv(-hessian)
    assert fit.se_a == pytest.approx(np.sqrt(np.diag(covariance)[:6]), rel=1e-3)
    for j in range(6):
        slope = np.zeros(12)
        slope[j], slope[6 + j] = -fit.b[j] / fit.a[j], -1 / fit.a[j]
        assert fit.se_b[j] == pytest.approx(math.sqrt(slope @ covariance @ slope), rel=1e-3)


@pytest.mark.parametrize("model", ["rasch", "2pl"])
def test_estimates_of_simulated_data_are_not_off_and_their_errors_are_right(model: irt.Model) -> None:
    """40 samples: the mean misses by less than its error allows, and the spread is what the standard errors say."""
    rng = np.random.default_rng(11)
    a = np.full(8, 1.2) if model == "rasch" else np.array([0.7, 0.9, 1.1, 1.3, 1.5, 1.0, 1.2, 0.8])
    b = rng.permutation(np.linspace(-1.5, 1.5, 8))
    fits = [irt.fit(simulated(1000, a, b, seed), model) for seed in range(40)]
    for truth, values, errors in (
        (a, np.array([f.a for f in fits]), np.array([f.se_a for f in fits])),
        (b, np.array([f.b for f in fits]), np.array([f.se_b for f in fits])),
    ):
        miss = (values.mean(axis=0) - truth) / (values.std(axis=0, ddof=1) / math.sqrt(len(fits)))
        assert np.abs(miss).max() < 4
        assert np.abs(values.mean(axis=0) - truth).max() < 0.05
        covered = (np.abs(values - truth) < 1.96 * errors).mean()
        assert 0.90 < covered < 0.99


def test_items_that_not_everybody_was_given_are_estimated_as_well() -> None:
    a, b = np.linspace(0.8, 1.6, 12), np.linspace(-1.5, 1.5, 12)
    responses = simulated(4000, a, b, 5)
    responses[:2000, :4] = np.nan
    responses[2000:, 8:] = np.nan
    forms = irt.fit(responses, "2pl")
    assert np.abs(forms.a - a).max() < 0.25
    assert np.abs(forms.b - b).max() < 0.15
    assert forms.respondents == 4000
    # The same by the way that does not know of forms: scattered gaps.
    rng = np.random.default_rng(1)
    responses[rng.random(responses.shape) < 0.05] = np.nan
    scattered = irt.fit(responses, "2pl")
    assert np.abs(scattered.b - forms.b).max() < 0.1
    # A gap widens the error, and an empty row changes nothing.
    assert (irt.fit(simulated(4000, a, b, 5), "2pl").se_b < forms.se_b).mean() > 0.5
    with_nobody = irt.fit(np.vstack([responses, np.full((3, 12), np.nan)]), "2pl")
    assert with_nobody.a == pytest.approx(scattered.a, abs=1e-9)
    assert with_nobody.respondents == 4000


def test_turning_right_and_wrong_around_mirrors_the_scale() -> None:
    once = irt.fit(lsat6(), "2pl")
    around = irt.fit(1 - lsat6(), "2pl")
    assert around.a == pytest.approx(once.a, abs=1e-5)
    assert around.b == pytest.approx(-once.b, abs=1e-5)
    assert around.se_b == pytest.approx(once.se_b, rel=1e-4)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0.2, 3), st.floats(-3, 3)), min_size=1, max_size=12),
    st.lists(st.sampled_from([0.0, 1.0, math.nan]), min_size=12, max_size=12),
)
def test_more_right_answers_never_mean_less_ability(items: list[tuple[float, float]], row: list[float]) -> None:
    a, b = np.array(items).T
    pattern = np.array(row[: len(a)])
    wrong = np.flatnonzero(pattern == 0)
    better = pattern.copy()
    better[wrong[:1]] = 1
    found = irt.abilities(np.array([pattern, better, np.full(len(a), np.nan)]), a, b)
    assert found.eap[1] >= found.eap[0] - 1e-12
    assert found.eap[2] == pytest.approx(0, abs=1e-9)
    assert found.sd[2] == pytest.approx(1, abs=1e-4)
    assert ((found.sd > 0) & (found.sd <= 1.0001)).all()


def test_curves_are_as_theory_has_them() -> None:
    assert probabilities([0.5], [1.7], [0.5])[0, 0] == pytest.approx(0.5)
    assert item_information([0.5], [2.0], [0.5])[0, 0] == pytest.approx(1.0)
    # Information integrates to a over the whole scale.
    theta = np.linspace(-60, 60, 24001)
    total = item_information(theta, [1.3], [0.2])[:, 0].sum() * (theta[1] - theta[0])
    assert total == pytest.approx(1.3, abs=1e-6)
    assert probabilities([-1e4, 1e4], [2.0], [0.0]).ravel().tolist() == [0.0, 1.0]
    points, weight = quadrature()
    assert weight.sum() == pytest.approx(1)
    assert weight @ points**2 == pytest.approx(1, abs=1e-6)
    p = np.array([[0.2, 0.7, 0.5]])
    assert score_distribution(p)[0] == pytest.approx([0.12, 0.43, 0.38, 0.07])
    assert score_distribution(np.zeros((2, 0))).tolist() == [[1.0], [1.0]]


def refusal(responses: np.ndarray, model: irt.Model) -> irt.TooFewData:
    with pytest.raises(irt.TooFewData) as caught:
        irt.fit(responses, model)
    return caught.value


def test_too_few_data_are_refused_with_the_number_needed() -> None:
    a, b = np.ones(6), np.linspace(-1, 1, 6)
    many = simulated(400, a, b, 2)
    refused = refusal(many[:199], "2pl")
    assert (refused.code, refused.found, refused.needed, refused.item) == ("too_few_respondents", 199, 200, None)
    assert "200" in str(refused)
    assert irt.fit(many[:200], "2pl").respondents == 200
    assert refusal(many[:99], "rasch").needed == 100
    assert irt.fit(many[:100], "rasch").respondents == 100
    assert refusal(many[:1], "rasch").found == 1
    assert refusal(many[:, :2], "2pl").code == "too_few_items"

    gaps = many.copy()
    gaps[150:, 4] = np.nan
    refused = refusal(gaps, "2pl")
    assert (refused.item, refused.found, refused.needed) == (4, 150, 200)

    constant = many.copy()
    constant[:, 3] = 1
    refused = refusal(constant, "rasch")
    assert (refused.code, refused.item, refused.found) == ("too_few_answers", 3, 0)
    assert "wrong" in str(refused)
    with pytest.raises(ValueError, match="too coarse"):
        irt.fit(many, "2pl", points=21)
    with pytest.raises(ValueError, match="0, 1 or NaN"):
        irt.abilities(np.array([[2.0]]), [1.0], [0.0])


def test_an_item_that_copies_another_has_no_maximum() -> None:
    responses = simulated(600, np.ones(4), np.linspace(-1, 1, 4), 4)
    responses = np.hstack([responses, responses[:, :1], responses[:, :1], responses[:, :1]])
    with pytest.raises(irt.NotConverged) as caught:
        irt.fit(responses, "2pl")
    assert caught.value.item in (0, 4, 5, 6)


@pytest.mark.parametrize("seed", range(6))
def test_answers_without_a_common_ability_are_refused(seed: int) -> None:
    # coins; the likelihood has its maximum at or near a slope of 0, where b would be any number
    coins = np.random.default_rng(seed).integers(0, 2, (400, 6)).astype(float)
    with pytest.raises(irt.NoCommonAbility, match="nothing of the others") as caught:
        irt.fit(coins, "rasch")
    assert caught.value.statistic < 2.706
    apart = np.full((800, 6), np.nan)
    apart[:400, :3], apart[400:, 3:] = coins[:, :3], coins[:, 3:]
    with pytest.raises(irt.NoCommonAbility):
        irt.fit(apart, "rasch")


def test_people_who_have_all_right_or_all_wrong_give_no_maximum() -> None:
    alike = np.repeat([[0.0], [1.0]], 150, axis=0) * np.ones(6)
    for model in ("rasch", "2pl"):
        with pytest.raises(irt.NotConverged):
            irt.fit(alike, model)  # type: ignore[arg-type]


def test_fit_says_where_the_model_is_wrong() -> None:
    a, b = np.full(10, 1.2), np.linspace(-1.5, 1.5, 10)
    responses = simulated(3000, a, b, 9)
    rng = np.random.default_rng(2)
    responses[:, 4] = rng.random(3000) < 0.5
    fit = irt.fit(responses, "rasch")
    fits = s_x2(responses, fit.a, fit.b, parameters=1)
    assert fits[4].p is not None
    assert fits[4].p < 1e-6
    squares = mean_squares(responses, irt.abilities(responses, fit.a, fit.b).eap, fit.a, fit.b)
    assert squares.outfit.argmax() == squares.infit.argmax() == 4
    nobody = s_x2(np.full((3, 10), np.nan), fit.a, fit.b)
    assert {(f.s_x2, f.p) for f in nobody} == {(None, None)}
