"""Linking: R's coefficients, and a known change of scale found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.measurement import irt
from quizapp.measurement.irt_curves import probabilities
from quizapp.measurement.linking import Link, drift, haebara, mean_mean, mean_sigma, rasch_shift, stocking_lord
from tests.measurement.reference import expected

R = expected("linking_expected.json")
A_BASE, B_BASE, A_NEW, B_NEW = (
    np.array([anchor[name] for anchor in R["anchors"]]) for name in ("a_base", "b_base", "a_new", "b_new")
)


def test_moments_are_as_r_has_them() -> None:
    for found, r in (
        (mean_mean(A_BASE, B_BASE, A_NEW, B_NEW), R["mean_mean"]),
        (mean_sigma(B_BASE, B_NEW), R["mean_sigma"]),
    ):
        assert (found.slope, found.shift) == pytest.approx((r["A"], r["B"]), abs=1e-10)
    assert rasch_shift(B_BASE, B_NEW).shift == pytest.approx(R["rasch_mean_shift"], abs=1e-10)


def test_curves_are_as_r_has_them() -> None:
    for found, r in (
        (haebara(A_BASE, B_BASE, A_NEW, B_NEW), R["haebara"]),
        (stocking_lord(A_BASE, B_BASE, A_NEW, B_NEW), R["stocking_lord"]),
    ):
        assert (found.slope, found.shift) == pytest.approx((r["A"], r["B"]), abs=1e-4)
        assert found.loss == pytest.approx(r["loss"], rel=1e-5)


def test_anchors_and_their_drift_are_as_r_has_them() -> None:
    link = mean_sigma(B_BASE, B_NEW)
    a, b = link.items(A_NEW, B_NEW)
    off = drift(link, B_BASE, B_NEW)
    for j, r in enumerate(R["transformed"]):
        assert (a[j], b[j]) == pytest.approx((r["a"], r["b"]), abs=1e-10)
        assert (off.residual[j], off.robust_z[j]) == pytest.approx((r["residual_b"], r["robust_z"]), abs=1e-9)


scales = st.tuples(st.floats(0.5, 2), st.floats(-2, 2))
anchors = st.lists(st.tuples(st.floats(0.4, 2.5), st.floats(-2, 2)), min_size=3, max_size=12, unique_by=lambda i: i[1])


@settings(max_examples=40, deadline=None)
@given(scales, anchors)
def test_a_known_change_of_scale_is_found_by_every_method(scale: tuple[float, float], items: list) -> None:
    slope, shift = scale
    a, b = np.array(items).T
    a_base, b_base = Link(slope, shift).items(a, b)
    for found in (
        mean_mean(a_base, b_base, a, b),
        haebara(a_base, b_base, a, b),
        stocking_lord(a_base, b_base, a, b),
    ):
        assert (found.slope, found.shift) == pytest.approx((slope, shift), abs=2e-3)
    if np.ptp(b) > 0.1:
        assert mean_sigma(b_base, b).slope == pytest.approx(slope, abs=1e-6)
    # The chance to be right does not change with the scale.
    theta = np.array([-1.0, 0.3])
    assert probabilities(Link(slope, shift).ability(theta), a_base, b_base) == pytest.approx(probabilities(theta, a, b))


def test_next_year_stands_on_last_year_s_scale() -> None:
    """People who know more, in a form with half new items: the link finds by how much."""
    a, b = np.tile([0.8, 1.1, 1.4, 1.0], 5), np.linspace(-1.6, 1.8, 20)
    rng = np.random.default_rng(8)

    def year(theta: np.ndarray, items: slice) -> irt.Fit:
        p = probabilities(theta, a[items], b[items])
        return irt.fit((rng.random(p.shape) < p).astype(float), "2pl")

    last = year(rng.normal(size=4000), slice(0, 15))
    this = year(rng.normal(0.5, 1.2, size=4000), slice(5, 20))
    link = stocking_lord(last.a[5:], last.b[5:], this.a[:10], this.b[:10])
    assert (link.slope, link.shift) == pytest.approx((1.2, 0.5), abs=0.12)


def test_one_item_that_changed_is_seen() -> None:
    b = np.linspace(-2, 2, 12) + 0.02 * np.cos(np.arange(12))
    moved = b.copy()
    moved[7] += 0.8
    off = drift(rasch_shift(b, moved), b, moved - 0.01 * np.sin(np.arange(12)))
    assert np.flatnonzero(np.abs(off.robust_z) > 1.96).tolist() == [7]
    still = drift(rasch_shift(b, b), b, b)
    assert np.isnan(still.robust_z).all()


def test_what_cannot_be_linked_is_refused() -> None:
    with pytest.raises(ValueError, match="same anchors"):
        mean_mean([1, 1], [0, 1], [1], [0])
    with pytest.raises(ValueError, match="at least 2"):
        stocking_lord([1], [0], [1], [0])
    with pytest.raises(ValueError, match="not a number"):
        haebara([1, 1], [0, np.nan], [1, 1], [0, 1])
    with pytest.raises(ValueError, match="no unit"):
        mean_sigma([1, 1], [0, 1])
    with pytest.raises(ValueError, match="same way"):
        stocking_lord([1, 1], [0, 1], [-1, -1], [0, 1])
    assert rasch_shift([1.0], [0.25]).shift == 0.75


@pytest.mark.parametrize(("base", "new"), [([0, 0], [1, 1]), ([1, 1], [0, 0]), ([1, -1], [1, 1]), ([1, 1], [-1, -2])])
def test_slopes_that_have_no_unit_in_common_are_refused(base: list[float], new: list[float]) -> None:
    for link in (mean_mean, haebara, stocking_lord):
        with pytest.raises(ValueError, match="same way"):
            link(base, [0.0, 1.0], new, [0.0, 1.0])
