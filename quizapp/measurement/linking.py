"""Two forms on one scale through the items that both have, so that this year's results can be set beside last year's.

A fitted model has the unit and the zero of the people who were tested. Anchor items, fitted in both groups, show how the scales lie:
θ_base = A·θ_new + B, and so a_base = a_new/A and b_base = A·b_new + B. Arrays hold the anchors only, one entry each, in the same order.

All functions raise ValueError for arrays of different length, too few anchors (two; one for the Rasch shift) and values that are not
finite. Source: Kolen M. J., Brennan R. L. (2014), Test Equating, Scaling, and Linking, 3rd ed., ch. 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quizapp.measurement.irt_curves import Floats, probabilities


@dataclass(frozen=True)
class Link:
    """θ_base = slope·θ_new + shift; `loss` is what the curve methods minimised (0 for moments)."""

    slope: float
    shift: float
    loss: float = 0.0

    def ability(self, theta: Any) -> Floats:
        """Abilities of the new scale on the base scale: slope·θ + shift, in the shape given; NaN stays NaN."""
        return np.asarray(self.slope * np.asarray(theta, dtype=np.float64) + self.shift)

    def items(self, a: Any, b: Any) -> tuple[Floats, Floats]:
        """Slopes and places of the new scale on the base scale: (a/slope, slope·b + shift), each (items,); the slope is above 0."""
        return np.asarray(np.asarray(a, dtype=np.float64) / self.slope), self.ability(b)


@dataclass(frozen=True)
class Drift:
    """How far each anchor lies from where the link puts it: b_base − (slope·b_new + shift), and that in robust units.

    `robust_z` = (residual − median)/(0.74·IQR); beyond ±1.96 the anchor has probably changed and should be left out, then linked anew.
    NaN where the residuals do not vary.
    """

    residual: Floats
    robust_z: Floats


def _anchors(*arrays: Any, fewest: int = 2) -> list[Floats]:
    found = [np.asarray(array, dtype=np.float64).ravel() for array in arrays]
    if len({len(array) for array in found}) != 1 or len(found[0]) < fewest:
        raise ValueError(f"the same anchors in both forms, at least {fewest}")
    if not all(np.isfinite(array).all() for array in found):
        raise ValueError("an anchor's parameter is not a number")
    return found


def mean_mean(a_base: Any, b_base: Any, a_new: Any, b_new: Any) -> Link:
    """A = mean(a_new)/mean(a_base), B = mean(b_base) − A·mean(b_new). Source: Loyd B. H., Hoover H. D. (1980), J. Educ. Meas. 17, 179-193.

    Slopes whose means are 0 or of opposite sign have no unit in common: ValueError, beside what all of these functions refuse.
    """
    a_base, b_base, a_new, b_new = _anchors(a_base, b_base, a_new, b_new)
    means = float(a_base.mean()), float(a_new.mean())
    # a sum of slopes that only rounding keeps off 0 is 0
    if means[0] * means[1] <= 0 or min(map(abs, means)) < 1e-12 * max(np.abs(a_base).max(), np.abs(a_new).max()):
        raise ValueError("the anchors' slopes do not point the same way")
    slope = means[1] / means[0]
    return Link(slope, float(b_base.mean() - slope * b_new.mean()))


def mean_sigma(b_base: Any, b_new: Any) -> Link:
    """A = SD(b_base)/SD(b_new), B = mean(b_base) − A·mean(b_new). Marco G. L. (1977), J. Educ. Meas. 14, 139-160.

    Anchors that are all equally hard have no spread to compare: ValueError.
    """
    b_base, b_new = _anchors(b_base, b_new)
    if np.ptp(b_new) == 0 or np.ptp(b_base) == 0:
        raise ValueError("anchors that are all equally hard show no unit")
    slope = float(b_base.std() / b_new.std())
    return Link(slope, float(b_base.mean() - slope * b_new.mean()))


def rasch_shift(b_base: Any, b_new: Any) -> Link:
    """A = 1, B = mean(b_base − b_new): for Rasch items on scales with one unit (a = 1 in both). Source: Kolen & Brennan (2014), 6.2."""
    b_base, b_new = _anchors(b_base, b_new, fewest=1)
    return Link(1.0, float((b_base - b_new).mean()))


def haebara(a_base: Any, b_base: Any, a_new: Any, b_new: Any) -> Link:
    """A and B that bring each anchor's curve nearest: least Σ_q w_q Σ_j (P_j,base(θ_q) − P_j,new→base(θ_q))².

    θ from −4 to 4 in steps of 0.05 on the base scale with normalised weights of N(0, 1), in one direction. Starts at mean-mean. Source:
    Haebara T. (1980), Japanese Psychological Research 22, 144-149.
    """
    return _by_curves(a_base, b_base, a_new, b_new, "items")


def stocking_lord(a_base: Any, b_base: Any, a_new: Any, b_new: Any) -> Link:
    """As `haebara`, but for the expected score of all anchors: least Σ_q w_q (Σ_j P_j,base(θ_q) − Σ_j P_j,new→base(θ_q))².

    Source: Stocking M. L., Lord F. M. (1983), Applied Psychological Measurement 7, 201-210.
    """
    return _by_curves(a_base, b_base, a_new, b_new, "test")


def _by_curves(a_base: Any, b_base: Any, a_new: Any, b_new: Any, of: Literal["items", "test"]) -> Link:
    from scipy.optimize import least_squares

    a_base, b_base, a_new, b_new = _anchors(a_base, b_base, a_new, b_new)
    theta = np.linspace(-4, 4, 161)
    weight = np.exp(-0.5 * theta**2)
    root = np.sqrt(weight / weight.sum())
    target = probabilities(theta, a_base, b_base)

    def misses(link: Floats) -> Floats:
        slope, shift = link
        gap = target - probabilities(theta, a_new / slope, slope * b_new + shift)
        return np.asarray((root[:, None] * gap).ravel() if of == "items" else root * gap.sum(axis=1))

    start = mean_mean(a_base, b_base, a_new, b_new)
    found = least_squares(
        misses,
        [start.slope, start.shift],
        bounds=([1e-3, -np.inf], [np.inf, np.inf]),
        xtol=1e-12,
        ftol=1e-14,
        gtol=1e-12,
    )
    return Link(float(found.x[0]), float(found.x[1]), float(2 * found.cost))


def drift(link: Link, b_base: Any, b_new: Any) -> Drift:
    """Which anchors do not lie where the link puts them; see `Drift`. Quartiles as R's type 7. One anchor: residual, z NaN.

    Source: Huynh H., Meyer P. (2010), Practical Assessment, Research & Evaluation 15(2), for the robust z.
    """
    b_base, b_new = _anchors(b_base, b_new, fewest=1)
    residual = b_base - link.ability(b_new)
    low, middle, high = np.percentile(residual, [25, 50, 75])
    with np.errstate(divide="ignore", invalid="ignore"):
        robust = (residual - middle) / (0.74 * (high - low))
    return Drift(residual, np.where(high > low, robust, np.nan))
