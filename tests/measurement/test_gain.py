"""Gains: R's figures, and who does not count."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quizapp.measurement.gain import holm, item_gain, mcnemar, normalized_gain, paired_gain
from quizapp.measurement.intervals import rate_difference
from tests.measurement.reference import columns, expected
from tests.measurement.responses import digits

R = expected("gain_expected.json")
exact = {"abs": 1e-8, "rel": 0}


def before_after() -> tuple[np.ndarray, np.ndarray]:
    table = columns("prepost40.csv")
    return digits(table["before"]), digits(table["after"])


def test_the_gain_of_forty_people_is_as_r_has_it() -> None:
    before, after = before_after()
    found = paired_gain(before.sum(axis=1), after.sum(axis=1))
    r = R["total"]
    t = r["paired_t"]
    assert (found.pairs, found.df) == (40, t["df"])
    for value, of_r in (
        (found.mean_pre, r["mean_pre"]),
        (found.mean_post, r["mean_post"]),
        (found.sd_pre, r["sd_pre"]),
        (found.sd_post, r["sd_post"]),
        (found.correlation, r["r_pre_post"]),
        (found.mean_gain, r["mean_gain"]),
        (found.sd_gain, r["sd_gain"]),
        (found.low, t["ci95"][0]),
        (found.high, t["ci95"][1]),
        (found.t, t["t"]),
        (found.p, t["p"]),
        (found.d_z, r["cohen_dz"]),
        (found.d_average, r["cohen_d_av"]),
        (found.g_average, r["hedges_g_av"]),
        (normalized_gain(r["mean_pre"], r["mean_post"], 10), r["normalized_gain_hake"]),
    ):
        assert value == pytest.approx(of_r, **exact)


def test_each_item_is_as_r_has_it() -> None:
    before, after = before_after()
    p = []
    for item, r in enumerate(R["items"]):
        found = item_gain(before[:, item], after[:, item])
        assert (found.gained, found.lost) == (r["gained_01"], r["lost_10"])
        assert (found.pre, found.post, found.difference) == pytest.approx((r["p_pre"], r["p_post"], r["diff"]), **exact)
        assert (found.low, found.high) == pytest.approx(tuple(r["ci95_wald"]), **exact)
        assert (found.p_exact, found.p_mid) == pytest.approx((r["p_exact"], r["p_mid"]), **exact)
        p.append(found.p_exact)
    assert holm(p) == pytest.approx(R["holm"], **exact)
    assert holm([]).tolist() == []
    with pytest.raises(ValueError, match="p value"):
        holm([0.2, float("nan")])


def test_the_difference_of_separate_groups_is_as_r_has_it() -> None:
    for k1, n1, k2, n2, low, high in R["newcombe"]:
        assert rate_difference((k1, n1), (k2, n2)) == pytest.approx((k2 / n2 - k1 / n1, low, high), **exact)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test_and_the_same_both_ways(gained: int, lost: int) -> None:
    p_exact, p_mid = mcnemar(gained, lost)
    assert mcnemar(lost, gained) == (p_exact, p_mid)
    assert 0 <= p_mid <= p_exact <= 1
    if gained + lost:
        assert p_exact == pytest.approx(stats.binomtest(gained, gained + lost).pvalue, rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=40))
def test_a_gain_is_the_one_sample_t_of_the_differences(pairs: list[tuple[int, int]]) -> None:
    before, after = np.array(pairs, dtype=float).T
    found = paired_gain(before, after)
    if len(set((after - before).tolist())) == 1:
        assert (found.t, found.low, found.p) == (None, None, None)
        return
    theirs = stats.ttest_rel(after, before)
    assert (found.t, found.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-9, abs=1e-9)
    turned = paired_gain(after, before)
    assert turned.mean_gain == pytest.approx(-found.mean_gain)


def test_only_those_who_took_both_count() -> None:
    gap = math.nan
    found = paired_gain([3, gap, 5, gap, 2], [4, 9, gap, gap, 5])
    assert (found.pairs, found.mean_pre, found.mean_post, found.mean_gain) == (2, 2.5, 4.5, 2.0)
    item = item_gain([0, 1, gap, 1], [1, gap, 0, 1])
    assert (item.pairs, item.gained, item.lost, item.pre) == (2, 1, 0, 0.5)


def test_nobody_one_and_equal_gains_have_no_error() -> None:
    nobody = paired_gain([], [])
    assert (nobody.pairs, nobody.mean_gain, nobody.t) == (0, None, None)
    one = paired_gain([2], [5])
    assert (one.pairs, one.mean_gain, one.low, one.df) == (1, 3.0, None, None)
    equal = paired_gain([1, 2, 3], [3, 4, 5])
    assert (equal.mean_gain, equal.low, equal.t, equal.d_z) == (2.0, None, None, None)
    empty = item_gain([], [])
    assert (empty.pairs, empty.pre, empty.difference, empty.p_exact) == (0, None, None, 1.0)
    assert normalized_gain(10, 10, 10) is None


def test_different_people_and_other_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="same people"):
        paired_gain([1, 2], [1])
    with pytest.raises(ValueError, match="same people"):
        item_gain([1, 0], [1])
    with pytest.raises(ValueError, match="0 or 1"):
        item_gain([1, 2], [1, 0])
    with pytest.raises(ValueError, match="not negative"):
        mcnemar(-1, 2)


def test_the_interval_holds_the_true_gain_as_often_as_it_says() -> None:
    rng = np.random.default_rng(12)
    held = 0
    for _ in range(2000):
        before = rng.binomial(20, 0.5, 25)
        after = before + rng.integers(-2, 5, 25)
        found = paired_gain(before, after)
        held += found.low <= 1.0 <= found.high
    assert 0.935 < held / 2000 < 0.965


def test_people_of_one_unit_gain_alike() -> None:
    """Six units of ten with gains of their own: worked by hand, and against what strangers would have."""
    rng = np.random.default_rng(3)
    units = np.repeat([4, 9, 2, 30, 7, 5], 10)
    of_unit = np.repeat([6.0, -4.0, 5.0, 0.0, 7.0, -2.0], 10)
    before = rng.normal(60, 8, 60)
    after = before + of_unit + rng.normal(0, 1, 60)
    found, strangers = paired_gain(before, after, units=units), paired_gain(before, after)
    gains = after - before
    sums = np.array([(gains[units == unit] - gains.mean()).sum() for unit in np.unique(units)])
    error = np.sqrt(6 / 5 * (sums**2).sum()) / 60
    assert (found.units, found.df) == (6, pytest.approx(5))
    assert found.t == pytest.approx(gains.mean() / error)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 5, gains.mean(), error))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(gains.mean()) / error, 5))
    assert strangers.p is not None
    assert found.p is not None
    assert strangers.p < 0.01 < 0.1 < found.p
    assert (found.mean_gain, found.sd_gain, found.g_average) == (
        strangers.mean_gain,
        strangers.sd_gain,
        strangers.g_average,
    )


@pytest.mark.parametrize("units", [[1] * 30 + [2] * 30, [-1] * 60, [1] * 20 + [2] * 20 + [-1] * 20])
def test_with_fewer_than_three_units_people_are_strangers(units: list[int]) -> None:
    rng = np.random.default_rng(4)
    before, after = rng.normal(size=60), rng.normal(size=60)
    assert paired_gain(before, after, units=units) == paired_gain(before, after)


def test_by_units_it_is_never_narrower() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        before, after, units = rng.normal(size=40), rng.normal(size=40), rng.integers(-1, 5, 40)
        found, strangers = paired_gain(before, after, units=units), paired_gain(before, after)
        assert None not in (found.low, found.high, strangers.low, strangers.high)
        assert found.low <= strangers.low  # type: ignore[operator]
        assert found.high >= strangers.high  # type: ignore[operator]


def test_two_pairs_have_no_hedges_g_and_what_is_no_pair_of_tests_is_refused() -> None:
    two, three = paired_gain([1, 2], [2, 5]), paired_gain([1, 2, 2], [2, 5, 3])
    assert two.d_average is not None
    assert two.g_average is None
    assert three.d_average is not None
    assert three.g_average == pytest.approx(three.d_average * (1 - 3 / 7))
    for pre, post, units in (([1, 2], [1], None), ([1, float("inf")], [1, 2], None), ([1, 2], [2, 4], [1])):
        with pytest.raises(ValueError, match=r"same people|finite|one for each"):
            paired_gain(pre, post, units=units)
