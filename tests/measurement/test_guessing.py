"""Passing by blind guessing, against R's pbinom and convolution."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.measurement.guessing import guess_pass, guess_probability, right_count_distribution, tail_probability

TF = ("true_false", None)
FOUR = ("single_choice", 4)

#: Paper, right answers to pass, probability: R 4.2.2, 1 - pbinom(pass - 1, n, p) and, for the mixed paper, the convolution of two dbinom.
FROM_R = [
    ([TF] * 50, 30, 0.1013193755323),
    ([TF] * 25 + [FOUR] * 25, 30, 0.0006951586033594),
    ([FOUR] * 50, 30, 1.642285551394e-07),
    ([FOUR] * 20, 12, 0.0009353915793326),
    ([TF] * 5, 5, 0.03125),
    ([TF] * 10, 6, 0.376953125),
    ([TF] * 30, 18, 0.1807973040268),
    ([FOUR] * 5, 4, 0.015625),
]


@pytest.mark.parametrize(("items", "pass_right", "expected"), FROM_R)
def test_guess_pass_agrees_with_r(items, pass_right, expected):
    assert guess_pass(items, pass_right) == pytest.approx(expected, rel=1e-9)


def test_the_chance_of_one_guess_follows_the_type():
    assert guess_probability("true_false") == 0.5
    assert guess_probability("single_choice") == 0.25
    assert guess_probability("single_choice", 3) == pytest.approx(1 / 3)
    assert guess_probability("multiple_choice", 4) == pytest.approx(1 / 11)
    assert guess_probability("multiple_choice", 5) == pytest.approx(1 / 25)


@pytest.mark.parametrize(("kind", "options"), [("essay", 4), ("single_choice", 1), ("multiple_choice", 0)])
def test_what_cannot_be_guessed_is_refused(kind, options):
    with pytest.raises(ValueError, match=r"options|type"):
        guess_probability(kind, options)


def test_a_number_outside_0_and_1_is_no_probability():
    with pytest.raises(ValueError, match="no probability"):
        right_count_distribution([0.5, 1.2])


def test_passing_with_nothing_right_is_sure_and_with_more_than_all_impossible():
    assert guess_pass([TF] * 3, 0) == 1
    assert guess_pass([TF] * 3, -2) == 1
    assert guess_pass([TF] * 3, 4) == 0
    assert tail_probability([], 0) == 1


@given(st.lists(st.floats(0, 1), max_size=60))
def test_the_distribution_sums_to_one_and_has_the_known_mean_and_variance(probabilities):
    distribution = right_count_distribution(probabilities)
    mean = math.fsum(k * share for k, share in enumerate(distribution))
    variance = math.fsum((k - mean) ** 2 * share for k, share in enumerate(distribution))
    assert math.fsum(distribution) == pytest.approx(1)
    assert mean == pytest.approx(math.fsum(probabilities), abs=1e-9)
    assert variance == pytest.approx(math.fsum(p * (1 - p) for p in probabilities), abs=1e-9)
