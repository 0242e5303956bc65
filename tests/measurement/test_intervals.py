"""The Wilson interval against R."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.measurement.intervals import paired_rate_difference, rate_difference, score_interval, wilson

#: k, n, then low and high at 95, 90 and 99 %: prop.test(k, n, correct = FALSE) of R 4.2.2.
FROM_R = [
    (0, 10, (0, 0.2775327998629), (0, 0.2129419700834), (0, 0.3988540933049)),
    (10, 10, (0.7224672001371, 1), (0.7870580299166, 1), (0.6011459066951, 1)),
    (
        1,
        20,
        (0.008881448800795, 0.2361311934467),
        (0.01123481685085, 0.196007236774),
        (0.005897749074641, 0.3182971119142),
    ),
    (
        24,
        400,
        (0.04064797011372, 0.08772284890046),
        (0.04326709045289, 0.08264511581868),
        (0.03600562212314, 0.09835298078503),
    ),
    (
        96,
        1600,
        (0.04938349238879, 0.07272424946039),
        (0.05095700757547, 0.07052852933387),
        (0.04644774255186, 0.07718638055928),
    ),
    (0, 1, (0, 0.7934506856228), (0, 0.7301340512159), (0, 0.8690224567198)),
    (1, 1, (0.2065493143772, 1), (0.2698659487841, 1), (0.1309775432802, 1)),
    (5, 10, (0.2365930905126, 0.7634069094874), (0.2692718211383, 0.7307281788617), (0.1842255182472, 0.8157744817528)),
    (19, 20, (0.7638688065533, 0.9911185511992), (0.803992763226, 0.9887651831491), (0.6817028880858, 0.9941022509254)),
    (1, 2, (0.09453120573423, 0.9054687942658), (0.1208663194223, 0.8791336805777), (0.0617130767781, 0.9382869232219)),
    (50, 100, (0.403831530366, 0.596168469634), (0.4188477961125, 0.5811522038875), (0.3752796250448, 0.6247203749552)),
    (
        720,
        1200,
        (0.5720052433169, 0.6273565565626),
        (0.5765383921677, 0.6230116982981),
        (0.563118533804, 0.6357817306224),
    ),
    (0, 400, (0, 0.009512294334297), (0, 0.006718416217689), (0, 0.01631659421383)),
    (3, 7, (0.1582198552515, 0.7495416354723), (0.186443190364, 0.7105229089864), (0.1163736805161, 0.8102850959116)),
]


@pytest.mark.parametrize(("k", "n", "at95", "at90", "at99"), FROM_R)
def test_wilson_agrees_with_r(k, n, at95, at90, at99):
    for confidence, expected in ((0.95, at95), (0.90, at90), (0.99, at99)):
        assert wilson(k, n, confidence) == pytest.approx(expected, abs=1e-9)


def test_no_answers_have_no_interval():
    assert wilson(0, 0) is None


@pytest.mark.parametrize(("k", "n", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (1, -1, 0.95), (1, 2, 1), (1, 2, 0)])
def test_what_is_no_share_is_refused(k, n, confidence):
    with pytest.raises(ValueError, match=r"share|confidence"):
        wilson(k, n, confidence)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_stays_inside_and_mirrors(pair):
    k, n = pair
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert low < high
    mirrored = wilson(n - k, n)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)


def test_the_difference_of_two_rates_is_newcombe_s_published_one() -> None:
    # Newcombe 1998, table II (a): 56/70 against 48/80, method 10
    assert rate_difference((48, 80), (56, 70)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert rate_difference((0, 0), (5, 10)) is None


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_difference_turns_round_with_its_ends(n1: int, n2: int, data: st.DataObject) -> None:
    one, other = (data.draw(st.integers(0, n1)), n1), (data.draw(st.integers(0, n2)), n2)
    there, back = rate_difference(one, other), rate_difference(other, one)
    assert there is not None
    assert back is not None
    assert there == pytest.approx((-back[0], -back[2], -back[1]))
    assert there[1] - 1e-12 <= there[0] <= there[2] + 1e-12


def test_the_interval_of_a_paired_change_is_the_published_one() -> None:
    """Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10; the second in Fagerland, Lydersen & Laake (2014), 33, 2850-2875."""
    assert paired_rate_difference(36, 12, 2, 0) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)
    assert paired_rate_difference(1, 7, 1, 12) == pytest.approx((0.2857, 0.026, 0.507), abs=6e-4)
    assert paired_rate_difference(0, 0, 0, 0) is None
    with pytest.raises(ValueError, match="negative"):
        paired_rate_difference(1, -1, 0, 0)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_paired_change_turned_around_is_its_mirror_and_holds_what_was_found(b: int, g: int, n: int, o: int) -> None:
    found, mirrored = paired_rate_difference(b, g, n, o), paired_rate_difference(b, n, g, o)
    assert (found is None) == (b + g + n + o == 0)
    if found is not None:
        assert mirrored is not None
        assert found == pytest.approx((-mirrored[0], -mirrored[2], -mirrored[1]), abs=1e-12)
        assert -1 <= found[1] <= found[0] <= found[2] <= 1


def test_paired_changes_are_covered_as_often_as_said() -> None:
    import numpy as np

    rng = np.random.default_rng(6)
    for people, cells in ((40, [0.45, 0.25, 0.05, 0.25]), (15, [0.3, 0.2, 0.1, 0.4]), (100, [0.85, 0.08, 0.02, 0.05])):
        truth = cells[1] - cells[2]
        tables = rng.multinomial(people, cells, size=1500)
        found = [paired_rate_difference(*map(int, table)) for table in tables]
        assert 0.93 < np.mean([one[1] <= truth <= one[2] for one in found if one is not None]) < 0.985


@pytest.mark.parametrize("n", [0, -1, math.nan])
def test_a_score_interval_of_nobody_is_refused(n: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        score_interval(0.5, n, 1.96)
