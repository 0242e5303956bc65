"""Do calibrated items lie where they are? Simulated banks whose deliveries have people of different ability.

    python -m benchmarks.calibration_coverage [SAMPLES]

Prints the table of docs/methods.md: bias of a (in per cent) and b (in SDs of ability), mean standard error by the spread of the
estimates, how many 95 % intervals hold the truth, and how far the items of the best people would lie from those of the weakest if all
were one population.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Bank:
    """`people` of each delivery, each with `length` items of which `common` stand in the next; means go up and down by `apart`."""

    people: int
    deliveries: int
    length: int
    common: int
    apart: float

    @property
    def items(self) -> int:
        """Items of the bank."""
        return self.length + (self.deliveries - 1) * (self.length - self.common)

    @property
    def name(self) -> str:
        """The line of the table."""
        return f"{self.people}, {self.deliveries}, {self.length}, {self.common} | {self.apart:g}"


BANKS = (
    Bank(400, 3, 20, 10, 0.0),
    Bank(400, 3, 20, 10, 0.8),
    Bank(400, 3, 20, 5, 0.8),
    Bank(150, 3, 20, 10, 0.8),
    Bank(1000, 3, 20, 10, 0.8),
)


def main(samples: int) -> None:
    """All lines."""
    print(
        "| people, deliveries, questions, common | means apart | a: bias % | SE / SD | held | b: bias | SE / SD | held | one population |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for bank in BANKS:
        print(f"| {bank.name} | {_line(bank, samples)} |", flush=True)


def _line(bank: Bank, samples: int) -> str:
    import numpy as np

    from quizapp.measurement import irt
    from quizapp.measurement.calibration import calibrate

    truth = np.random.default_rng(1)
    a = truth.uniform(0.7, 1.6, bank.items)
    b = truth.permutation(np.linspace(-1.8, 1.8, bank.items))
    # means of the deliveries: 0, up, down
    means = np.array([(0.0, bank.apart, -bank.apart / 2)[number % 3] for number in range(bank.deliveries)])
    sd = float(np.sqrt(1 + means.var()))
    true_a, true_b = a * sd, (b - means.mean()) / sd
    found_a, found_b, se_a, se_b, alone = ([] for _ in range(5))
    for seed in range(samples):
        responses, groups = _sample(bank, a, b, means, seed)
        found = calibrate(responses, groups)
        if found is None or len(found.items) < bank.items:
            continue
        found_a.append(found.a)
        found_b.append(found.b)
        se_a.append(found.se_a)
        se_b.append(found.se_b)
        if seed < 20:
            try:
                off = irt.fit(responses, "2pl" if found.own_slope.all() else "rasch").b - true_b
            except irt.NotConverged:
                continue
            best, weak = (_of_delivery(bank, int(place)) for place in (means.argmax(), means.argmin()))
            alone.append(off[best].mean() - off[weak].mean())
    values_a, values_b, errors_a, errors_b = (np.array(each) for each in (found_a, found_b, se_a, se_b))
    cells = [
        f"{100 * (values_a / true_a - 1).mean():+.1f}",
        f"{(errors_a.mean(axis=0) / values_a.std(axis=0, ddof=1)).mean():.2f}",
        f"{100 * (np.abs(values_a - true_a) < 1.96 * errors_a).mean():.1f}",
        f"{(values_b - true_b).mean():+.3f}",
        f"{(errors_b.mean(axis=0) / values_b.std(axis=0, ddof=1)).mean():.2f}",
        f"{100 * (np.abs(values_b - true_b) < 1.96 * errors_b).mean():.1f}",
        f"{np.mean(alone):+.2f}" if bank.apart and alone else "",
    ]
    return " | ".join(cells)


def _of_delivery(bank: Bank, number: int) -> slice:
    start = number * (bank.length - bank.common)
    return slice(start, start + bank.length)


def _sample(bank: Bank, a: np.ndarray, b: np.ndarray, means: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    rng = np.random.default_rng([seed, bank.people, bank.common])
    parts = []
    for number, mean in enumerate(means):
        ability = rng.normal(mean, 1, bank.people)[:, None]
        part = np.full((bank.people, bank.items), np.nan)
        place = _of_delivery(bank, number)
        part[:, place] = rng.random((bank.people, bank.length)) < 1 / (1 + np.exp(-a[place] * (ability - b[place])))
        parts.append(part)
    return np.vstack(parts), np.repeat(np.arange(bank.deliveries), bank.people)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
