"""How ability is spread in the groups of people that were tested: normal in each, the first N(0, 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from quizapp.measurement.irt_curves import Floats

#: Between these a mean and an SD stay while they are looked for: beyond, the points of the quadrature end or lie too far apart.
_MEAN: Final = 3.0
_SD: Final = (0.3, 2.5)


@dataclass(frozen=True)
class Populations:
    """`mean` and `sd` of each group, (groups,), in units of the first: the model of several groups of Bock & Zimowski (1997).

    Every array here is finite and holds a group at least; nothing is checked again, since `irt.fit` checks its data.
    """

    mean: Floats
    sd: Floats

    @classmethod
    def one(cls) -> Populations:
        """A single group, N(0, 1)."""
        return cls(np.zeros(1), np.ones(1))

    @classmethod
    def read(cls, free: Floats) -> Populations:
        """From 2·(groups − 1) free parameters: means of the groups after the first, then natural logarithms of their SDs."""
        count = len(free) // 2
        return cls(np.concatenate([[0.0], free[:count]]), np.exp(np.concatenate([[0.0], free[count:]])))

    @classmethod
    def of(cls, weights: Floats, theta: Floats) -> Populations:
        """Mean Σwθ/Σw and SD √(Σwθ²/Σw − mean²) of (groups, points) weights; the first group stays N(0, 1).

        The M-step of Bock & Aitkin (1981) for a normal population. A group whose weights are all 0 gets mean 0 and the smallest SD; means
        stay within ±3, SDs within 0.3 and 2.5, while they are looked for.
        """
        total = np.maximum(weights.sum(axis=1), 1e-12)
        mean = np.clip(weights @ theta / total, -_MEAN, _MEAN)
        sd = np.clip(np.sqrt(np.maximum(weights @ theta**2 / total - mean**2, 0)), *_SD)
        mean[0], sd[0] = 0.0, 1.0
        return cls(mean, sd)

    def free(self) -> Floats:
        """(2·(groups − 1),) as `read` takes them; nothing for one group."""
        return np.concatenate([self.mean[1:], np.log(self.sd[1:])])

    def mirrored(self) -> Populations:
        """The same with the scale turned around, θ → −θ: means change their sign, SDs stay."""
        return Populations(-self.mean, self.sd)

    def weights(self, theta: Floats) -> Floats:
        """(groups, points): exp(−½((θ − mean)/SD)²) at the points, over its sum, so that each group's weights sum to 1."""
        found = np.exp(-0.5 * ((theta - self.mean[:, None]) / self.sd[:, None]) ** 2)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def mixture(self, people: Any) -> tuple[float, float]:
        """Mean m = Σhμ and SD √Σh(σ² + (μ − m)²) of all people together, h the share of each group's `people`, (groups,), of whom there
        is one at least: the moments of a mixture."""
        share = np.asarray(people, dtype=np.float64) / np.sum(people)
        mean = float(share @ self.mean)
        return mean, float(np.sqrt(share @ (self.sd**2 + (self.mean - mean) ** 2)))
