"""How often the intervals of a literacy survey hold the truth: `python -m benchmarks.survey_coverage [runs]` (default 2,000).

A synthetic district of about 60,000 adults in 8 streets and 160 communities, whose literacy differs by street, community, education
and age. From it each design is drawn again and again; every sample is estimated as the product does, and its intervals are compared
with the district's own rate. Seeded: the same table each time. It stands in docs/methods.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.intervals import clopper_pearson
from quizapp.measurement.survey import METHODS, Design, Margin, calibrate, design_interval, estimate_rate, make_design

RUNS = 2000
RATES = (0.06, 0.15, 0.30)
STREETS, COMMUNITIES = 8, 160
SEED = 20260101


@dataclass(frozen=True, eq=False)
class District:
    """One row for each adult."""

    street: NDArray[np.intp]
    community: NDArray[np.intp]
    group: NDArray[np.intp]
    age: NDArray[np.intp]
    schooling: NDArray[np.intp]
    literate: NDArray[np.float64]


def make_district(rate: float) -> District:
    """A district with about this rate."""
    rng = np.random.default_rng(SEED)
    size = rng.integers(220, 530, COMMUNITIES)
    community = np.repeat(np.arange(COMMUNITIES), size)
    street = community * STREETS // COMMUNITIES
    count = len(community)
    group = community * 100 + rng.integers(0, 25, count)  # residents' groups of some 15 people
    age, schooling = rng.integers(0, 4, count), rng.choice(3, count, p=[0.3, 0.45, 0.25])
    effect = (
        rng.normal(0, 0.35, STREETS)[street]
        + rng.normal(0, 0.30, COMMUNITIES)[community]
        - 0.25 * age
        + np.array([-0.9, 0.0, 0.9])[schooling]
    )
    low, high = -9.0, 6.0
    for _ in range(60):  # the intercept that gives the rate
        middle = (low + high) / 2
        mean = (1 / (1 + np.exp(-effect - middle))).mean()
        low, high = (middle, high) if mean < rate else (low, middle)
    literate = rng.random(count) < 1 / (1 + np.exp(-effect - low))
    return District(street, community, group, age, schooling, literate.astype(np.float64))


Drawn = tuple[NDArray[np.intp], Design]
Draw = Callable[[District, np.random.Generator], Drawn]


def singly(people: int) -> Draw:
    """Simple random."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        count = len(district.street)
        rows = rng.choice(count, people, replace=False)
        return rows, make_design(people, populations=[np.full(people, float(count))])

    return draw


def raked(people: int) -> Draw:
    """Simple random among people who answer the less the older and the more schooled they are; raked to age and schooling."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        answers = 0.75 - 0.1 * district.age + 0.05 * district.schooling
        order = rng.permutation(len(district.street))
        rows = order[rng.random(len(order)) < answers[order]][:people]
        plain = make_design(people, weights=np.full(people, len(district.street) / people))
        margins = [
            Margin(name, values[rows].tolist(), dict(enumerate(np.bincount(values).tolist())))
            for name, values in (("age", district.age), ("schooling", district.schooling))
        ]
        return rows, calibrate(plain, margins)

    return draw


def by_street(each: int) -> Draw:
    """The same number in each street, however many live there."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(district.street == s), each, replace=False) for s in range(STREETS)]
        )
        people = np.bincount(district.street).astype(np.float64)[district.street[rows]]
        return rows, make_design(len(rows), strata=district.street[rows], populations=[people])

    return draw


def whole_groups(groups: int) -> Draw:
    """Residents' groups, everybody in them."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        names = np.unique(district.group)
        rows = np.flatnonzero(np.isin(district.group, rng.choice(names, groups, replace=False)))
        known = [np.full(len(rows), float(len(names)))]
        return rows, make_design(len(rows), clusters=[district.group[rows]], populations=known)

    return draw


def by_size(units: int, each: int) -> Draw:
    """Communities with probability proportional to size and with replacement, the same number of people in each."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        size = np.bincount(district.community)
        drawn = rng.choice(COMMUNITIES, units, p=size / size.sum())
        rows = np.concatenate([rng.choice(np.flatnonzero(district.community == c), each, replace=False) for c in drawn])
        turn = np.repeat(np.arange(units), each)  # a community drawn twice is two units
        return rows, make_design(len(rows), weights=np.full(len(rows), size.sum() / len(rows)), clusters=[turn])

    return draw


def two_stages(units: int, each: int) -> Draw:
    """In each street communities, in each of them people, both without replacement and with known numbers."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        size = np.bincount(district.community)
        per_street = COMMUNITIES // STREETS
        chosen = [s * per_street + rng.choice(per_street, units, replace=False) for s in range(STREETS)]
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(district.community == c), each, replace=False) for c in np.concatenate(chosen)]
        )
        community = district.community[rows]
        known = [np.full(len(rows), float(per_street)), size[community].astype(np.float64)]
        return rows, make_design(len(rows), strata=district.street[rows], clusters=[community], populations=known)

    return draw


def half_of_street(drawn: int) -> Draw:
    """Most people of the first street are drawn singly, and half of them answer."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        people = np.flatnonzero(district.street == 0)
        rows = rng.choice(people, drawn, replace=False)
        heard = rng.random(drawn) < 0.5
        return rows[heard], make_design(drawn, populations=[np.full(drawn, float(len(people)))], answered=heard)

    return draw


def half_of_communities(each: int) -> Draw:
    """In all communities of the first two streets many people, of whom half answer: more where more are literate."""

    def draw(district: District, rng: np.random.Generator) -> Drawn:
        size = np.bincount(district.community)
        units = np.unique(district.community[district.street < 2])
        rows = np.concatenate([rng.choice(np.flatnonzero(district.community == c), each, replace=False) for c in units])
        level = np.bincount(district.community, district.literate) / size
        community = district.community[rows]
        heard = rng.random(len(rows)) < 0.5 + (level - level[units].mean())[community]
        known = [np.full(len(rows), float(len(units))), size[community].astype(np.float64)]
        return rows[heard], make_design(len(rows), clusters=[community], populations=known, answered=heard)

    return draw


#: Name, draw, whether it keeps to n ≥ 400 and at least 30 first-stage units.
DESIGNS: tuple[tuple[str, Draw, bool], ...] = (
    ("simple random, 400 people", singly(400), True),
    ("simple random, 1,200 people", singly(1200), True),
    ("raked to age and schooling, 600 people", raked(600), True),
    ("8 streets × 60 people", by_street(60), True),
    ("40 residents' groups, everybody", whole_groups(40), True),
    ("40 communities by size × 12 people", by_size(40, 12), True),
    ("8 streets × 5 communities × 12 people", two_stages(5, 12), True),
    ("12 communities by size × 40 people", by_size(12, 40), False),
    ("1 street, 5,000 drawn, half answer", half_of_street(5000), True),
    ("2 streets, all 40 communities × 150 drawn, half answer", half_of_communities(150), True),
)
#: Designs of a part of the district: how many streets it has.
STREETS_OF = {8: 1, 9: 2}


@dataclass(frozen=True)
class Line:
    """What came of one design and rate."""

    name: str
    truth: float
    #: Mean estimate minus truth, in points.
    bias: float
    #: Mean standard error by the standard deviation of the estimates.
    error_ratio: float
    #: Method → share of intervals that hold the truth; "exact" is Clopper–Pearson on the counts, where people are drawn singly.
    coverage: dict[str, float]
    kept: bool

    @property
    def good(self) -> bool:
        """Logit and Wilson 93 to 97 %, Korn–Graubard and exact at least 94 %."""
        c = self.coverage
        return (
            min(c["logit"], c["wilson"]) >= 0.93
            and max(c["logit"], c["wilson"]) <= 0.97
            and min(c["korn_graubard"], c.get("exact", 1.0)) >= 0.94
        )


def simulate(number: int, rate: float, runs: int) -> Line:
    """Draw one design again and again."""
    name, draw, kept = DESIGNS[number]
    district = make_district(rate)
    truth = float(district.literate[district.street < STREETS_OF.get(number, STREETS)].mean())
    rng = np.random.default_rng([SEED, number, round(1000 * rate)])
    exact = name.startswith("simple")
    methods = [method for method in METHODS if method != "wald"]
    hits = dict.fromkeys([*methods, *(["exact"] if exact else [])], 0)
    estimates, errors = [], []
    for _ in range(runs):
        rows, design = draw(district, rng)
        success = district.literate[rows]
        found = estimate_rate(design, success)
        estimates.append(found.value)
        errors.append(found.se)
        kish = float(design.weights.sum() ** 2 / (design.weights**2).sum())
        for method in methods:
            ends = design_interval(
                found.value, found.se**2, df=found.df, n=found.n, kish_n=kish, method=method, confidence=0.95
            )
            hits[method] += ends.low is not None and ends.high is not None and ends.low <= truth <= ends.high
        if exact:
            low, high = clopper_pearson(success.sum(), len(success))
            hits["exact"] += low <= truth <= high
    return Line(
        name,
        truth,
        100 * (float(np.mean(estimates)) - truth),
        float(np.mean(errors) / np.std(estimates)),
        {method: hit / runs for method, hit in hits.items()},
        kept,
    )


def main() -> None:
    """Print the table of docs/methods.md."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    tasks = [(number, rate, runs) for number in range(len(DESIGNS)) for rate in RATES]
    with ProcessPoolExecutor(2) as pool:
        lines = list(pool.map(simulate, *zip(*tasks, strict=True)))
    print("| design | rate | bias | SE / SD | logit | Wilson | Korn–Graubard | exact |")
    print("|---|---|---|---|---|---|---|---|")
    for line in lines:
        cells = [
            f"{100 * line.coverage[m]:.1f}" if m in line.coverage else ""
            for m in ("logit", "wilson", "korn_graubard", "exact")
        ]
        print(
            f"| {line.name} | {100 * line.truth:.1f} | {line.bias:+.2f} | {line.error_ratio:.3f} | {' | '.join(cells)} |"
        )
    bad = [line for line in lines if line.kept and not line.good]
    print(
        f"\n{runs} samples each; {len(bad)} of {sum(line.kept for line in lines)} lines of designs with 30 units and more miss their range."
    )
    for line in bad:
        print(f"missed: {line.name}, {100 * line.truth:.1f} %: {line.coverage}")


if __name__ == "__main__":
    main()
