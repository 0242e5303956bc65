"""The curves of item response theory: probability and information over ability, and the points of the quadrature.

Logistic metric, D = 1. Ability `theta`, slope `a` and place `b` are in logits of the population's N(0, 1).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Where the points of the quadrature end.
REACH: Final = 6.0
#: Points of the quadrature; 61 are the fewest that hold up for real tests.
POINTS: Final = 81


def probabilities(theta: Any, a: Any, b: Any) -> Floats:
    """P(right): (points, items) for `theta` of shape (points,) and `a`, `b` of shape (items,); between 0 and 1.

    1/(1 + exp(−a(θ − b))). P = 0.5 at θ = b; a = 0 is 0.5 everywhere, NaN in a or b is NaN. Source: Birnbaum in Lord & Novick (1968),
    ch. 17.
    """
    theta, a, b = (np.asarray(value, dtype=np.float64) for value in (theta, a, b))
    return logistic(theta[:, None] * a - a * b)


def logistic(x: Floats) -> Floats:
    """1/(1 + exp(−x)), in the shape of x; NaN stays NaN."""
    # By tanh: no overflow for large |x|.
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def item_information(theta: Any, a: Any, b: Any) -> Floats:
    """Fisher information of each item at each ability, (points, items): a²·P(1 − P), largest (a²/4) at θ = b.

    Source: Birnbaum in Lord & Novick (1968), ch. 17-20. Unit: 1/logit².
    """
    p = probabilities(theta, a, b)
    return np.asarray(np.asarray(a, dtype=np.float64) ** 2 * p * (1 - p))


def test_information(theta: Any, a: Any, b: Any) -> Floats:
    """Information of all items together, (points,): the sum; 1/√ of it is the standard error of a maximum likelihood ability.

    No item: 0. An item of unknown parameters (NaN): NaN. Source: Lord F. M. (1980), Applications of Item Response Theory, ch. 5.
    """
    return np.asarray(item_information(theta, a, b).sum(axis=1))


# Its name begins as those of tests do; it is none.
test_information.__test__ = False  # type: ignore[attr-defined]


def quadrature(points: int = POINTS, reach: float = REACH) -> tuple[Floats, Floats]:
    """(points,) equally spaced abilities from −reach to reach, and the weights exp(−θ²/2)/Σexp(−θ²/2) of N(0, 1) there, which sum to 1.

    Source: Bock R. D., Aitkin M. (1981), Psychometrika 46, 443-459, with more points than they had.
    """
    theta = np.linspace(-reach, reach, points)
    weight = np.exp(-0.5 * theta**2)
    return theta, weight / weight.sum()
