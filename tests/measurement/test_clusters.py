"""The interval by clusters, against SciPy's t and a hand-worked design."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quizapp.measurement.clusters import clustered_wilson, t_quantile
from quizapp.measurement.intervals import wilson


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 7, 14, 30, 121, 999])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.9, 0.975, 0.995])
def test_the_t_quantile_is_scipy_s(df: int, probability: float) -> None:
    assert t_quantile(probability, df) == pytest.approx(stats.t.ppf(probability, df), rel=1e-9, abs=1e-12)


def test_a_design_worked_by_hand() -> None:
    # r = 60/100; residuals k − 0.6n: 18 − 12 = 6, 12 − 18 = −6, 30 − 30 = 0; variance = 3/2 · 72 / 100² = 0.0108
    effective = 0.24 / 0.0108 * (stats.t.ppf(0.975, 99) / stats.t.ppf(0.975, 2)) ** 2
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


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        clustered_wilson([(3, 2)])
    with pytest.raises(ValueError, match="freedom"):
        t_quantile(0.9, 0)
