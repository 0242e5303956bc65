"""The interval by clusters, against SciPy's t and a hand-worked design."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quizapp.measurement.clusters import clustered_difference, clustered_wilson, t_quantile
from quizapp.measurement.intervals import rate_difference, score_interval, wilson


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 7, 14, 30, 121, 999])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.9, 0.975, 0.995])
def test_the_t_quantile_is_scipy_s(df: int, probability: float) -> None:
    assert t_quantile(probability, df) == pytest.approx(stats.t.ppf(probability, df), rel=1e-9, abs=1e-12)


def test_a_design_worked_by_hand() -> None:
    # r = 60/100; residuals k − 0.6n: 18 − 12 = 6, 12 − 18 = −6, 30 − 30 = 0; variance = (36/0.8 + 36/0.7)/100²; 1/0.38 − 1 < 2 = f
    variance = (36 / 0.8 + 36 / 0.7) / 100**2
    effective = 0.24 / variance * (stats.t.ppf(0.975, 99) / stats.t.ppf(0.975, 2)) ** 2
    z = stats.norm.ppf(0.975)
    middle, scale = 0.6 + z * z / 2 / effective, 1 + z * z / effective
    half = z * math.sqrt(0.24 / effective + z * z / 4 / effective**2)
    found = clustered_wilson([(18, 20), (12, 30), (30, 50), (0, 0)])
    assert found == pytest.approx(((middle - half) / scale, (middle + half) / scale), rel=1e-9)


CLUSTERS = st.lists(
    st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=12
)


@given(CLUSTERS)
def test_it_holds_the_rate_and_is_never_narrower_than_without_clusters(counts: list[tuple[int, int]]) -> None:
    right, total = sum(k for k, _ in counts), sum(n for _, n in counts)
    found, plain = clustered_wilson(counts), wilson(right, total)
    if plain is None:
        assert found is None
        return
    assert found is not None
    assert 0 <= found[0] <= right / total + 1e-12
    assert right / total - 1e-12 <= found[1] <= 1
    assert found[1] - found[0] >= plain[1] - plain[0] - 1e-12


def test_it_covers_where_wilson_alone_does_not() -> None:
    """Units whose true rates differ: of 400 seeded surveys of 20 units × 40 people about 95 % hold the mean rate, Wilson far fewer."""
    rng = np.random.default_rng(7)
    hits = plain_hits = 0
    for _ in range(400):
        rates = rng.beta(14, 6, size=20)  # mean 0.7
        counts = [(int(rng.binomial(40, rate)), 40) for rate in rates]
        low, high = clustered_wilson(counts) or (1.0, 0.0)
        plain = wilson(sum(k for k, _ in counts), 800) or (1.0, 0.0)
        hits += low <= 0.7 <= high
        plain_hits += plain[0] <= 0.7 <= plain[1]
    assert 0.92 <= hits / 400 <= 0.98
    assert plain_hits / 400 < 0.85


@pytest.mark.parametrize("lasting", [False, True])
def test_no_change_is_taken_for_none_where_people_come_by_units(lasting: bool) -> None:
    """Two periods of 20 units × 50 people, a tenth of the variance between units, no change: about 95 in 100 intervals hold 0, of pooled
    people far fewer. Where the same units are good or bad in both periods, it is less than half as wide."""
    rng = np.random.default_rng(8)
    hits = pooled_hits = 0
    widths = []
    for _ in range(400):
        first = rng.beta(5.4, 3.6, size=20)
        rates = (first, first if lasting else rng.beta(5.4, 3.6, size=20))
        sides = [dict(enumerate((int(k), 50) for k in rng.binomial(50, rate))) for rate in rates]
        _, low, high = clustered_difference(*sides) or (0.0, 1.0, 0.0)
        hits += low <= 0 <= high
        widths.append(high - low)
        _, low, high = rate_difference(*map(pooled, sides)) or (0.0, 1.0, 0.0)
        pooled_hits += low <= 0 <= high
    assert 0.92 <= hits / 400 <= 0.985
    assert np.mean(widths) < 0.1 if lasting else np.mean(widths) > 0.2
    assert lasting or pooled_hits / 400 < 0.7


def pooled(side: dict[int, tuple[int, int]]) -> tuple[int, int]:
    return sum(k for k, _ in side.values()), sum(n for _, n in side.values())


@given(CLUSTERS, CLUSTERS, st.integers(0, 12))
def test_the_change_turns_round_with_its_ends_and_is_never_narrower_than_without_clusters(
    one: list[tuple[int, int]], other: list[tuple[int, int]], later: int
) -> None:
    before, after = dict(enumerate(one)), dict(enumerate(other, later))
    found, back = clustered_difference(before, after), clustered_difference(after, before)
    plain = rate_difference(pooled(before), pooled(after))
    if plain is None:
        assert found is None
        return
    assert found is not None
    assert back is not None
    assert found == pytest.approx((-back[0], -back[2], -back[1]))
    assert found[0] == pytest.approx(plain[0])
    assert found[1] <= plain[1]
    assert found[2] >= plain[2]


def test_a_change_worked_by_hand() -> None:
    # r1 = 36/90, r2 = 60/120; residuals before 12, −6, −6 of a, b, c; after 10, 0, −5, −5 of a, b, c, d: 120 + 30 over √(216 · 150)
    before = {"a": (24, 30), "b": (6, 30), "c": (6, 30)}
    after = {"a": (25, 30), "b": (15, 30), "c": (10, 30), "d": (10, 30)}
    r = 150 / math.sqrt(216 * 150)
    (l1, u1), (l2, u2) = (clustered_wilson(list(side.values())) or (0, 0) for side in (before, after))
    a, b, x, y = 0.5 - l2, u1 - 0.4, u2 - 0.5, 0.4 - l1
    low, high = 0.1 - math.sqrt(a * a + b * b - 2 * r * a * b), 0.1 + math.sqrt(x * x + y * y - 2 * r * x * y)
    assert clustered_difference(before, after) == pytest.approx((0.1, low, high))
    plain = clustered_difference(before, dict(zip("efgh", after.values(), strict=True)))
    assert plain == pytest.approx((0.1, 0.1 - math.hypot(a, b), 0.1 + math.hypot(x, y)))


def test_one_unit_on_each_side_has_newcombe_s_interval() -> None:
    assert clustered_difference({"a": (48, 80)}, {"a": (56, 70), "b": (0, 0)}) == rate_difference((48, 80), (56, 70))


def test_clusters_of_one_size_are_the_textbook_s() -> None:
    # five of 20: residuals of 0.5: 4, −2, 6, −6, −2; variance 5/4 · 96/100²; f = 4
    counts = [(14, 20), (8, 20), (16, 20), (4, 20), (8, 20)]
    effective = 0.25 / (5 / 4 * 96 / 100**2) * (stats.t.ppf(0.975, 99) / stats.t.ppf(0.975, 4)) ** 2
    assert clustered_wilson(counts) == pytest.approx(score_interval(0.5, effective, stats.norm.ppf(0.975)), rel=1e-9)


@pytest.mark.parametrize("sizes", [(500, *(50,) * 10), (300, *(5,) * 60), (300, 300, *(20,) * 10), (20, 40, 80, 160)])
def test_one_unit_with_most_of_the_people_is_not_taken_for_all(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(9)
    hits = 0
    for _ in range(300):
        rates = rng.beta(5.4, 3.6, size=len(sizes))
        low, high = clustered_wilson(list(zip(rng.binomial(sizes, rates).tolist(), sizes, strict=True))) or (1.0, 0.0)
        hits += low <= 0.6 <= high
    assert hits / 300 > 0.91


@pytest.mark.parametrize("df", [1.3, 2.5, 7.2, 41.7])
def test_between_whole_degrees_of_freedom_the_quantile_is_hardly_too_large(df: float) -> None:
    assert 1 <= t_quantile(0.975, df) / stats.t.ppf(0.975, df) < (1.25 if df < 2 else 1.02)


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        clustered_wilson([(3, 2)])
    with pytest.raises(ValueError, match="freedom"):
        t_quantile(0.9, 0)
