"""Items with parameters, the blueprint of a form, and both as linear demands."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.conflicts import Demand

Numbers = NDArray[np.float64]
#: Least and most; None: no limit on that side.
Range = tuple[float | None, float | None]

#: Tolerances are kept by this much more, so that other sums of the same numbers keep them too.
_MARGIN: Final = 1e-6


@dataclass(frozen=True)
class CalibratedItem:
    """An item of a pool. Attributes that are None or "" are touched by no demand."""

    id: str
    type: str
    #: Discrimination and difficulty on the logistic metric (D = 1); None where not known.
    a: float | None = None
    b: float | None = None
    benchmark: Hashable = ""
    point: Hashable = ""
    dimension: str = ""
    topic: str = ""
    #: Estimate, 1 to 5.
    difficulty: int | None = None
    #: For whom; nobody named: for all.
    audience: tuple[str, ...] = ()
    #: Number of options; None: the usual number of its type.
    options: int | None = None
    seconds: float | None = None
    words: float | None = None
    #: How often it was used before.
    exposure: float = 0.0


@dataclass(frozen=True)
class FormBlueprint:
    """The demands on one form and on a set of forms. An empty mapping, None, is no demand."""

    items: int
    #: Attribute → value → range. Of types and dimensions, values that are not named are not drawn.
    counts: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    benchmark_min: int | None = None
    benchmark_max: int | None = None
    point_max: int | None = None
    audience: tuple[str, ...] = ()
    #: "seconds" or "words" → range of their sum; an item of which it is not known is not drawn then.
    sums: Mapping[str, Range] = field(default_factory=dict)
    #: Abilities, and information and expected score there with their tolerances.
    theta: tuple[float, ...] = ()
    information: tuple[float, ...] = ()
    information_tolerance: float = 0.0
    score: tuple[float, ...] = ()
    score_tolerance: float = 0.0
    use_max: int | None = None
    overlap_max: int | None = None


class NoForms(ValueError):
    """No papers: `conflicts` are the blueprint's own keys of the smallest set of demands that contradict each other.

    Empty where the solver neither found the papers nor could show that there are none.
    """

    def __init__(self, message: str, conflicts: Sequence[str]) -> None:
        super().__init__(message)
        self.conflicts = tuple(conflicts)


def probabilities(items: Sequence[CalibratedItem], theta: Sequence[float]) -> Numbers:
    """(abilities, items) P(right) = 1/(1 + exp(−a(θ − b))), 0 to 1, `theta` in logits; NaN where an item has no parameters.

    Source: Birnbaum in Lord & Novick (1968), ch. 17. No item or no ability: an array without that side. Raises nothing.
    """
    a = np.array([np.nan if item.a is None else item.a for item in items])
    b = np.array([np.nan if item.b is None else item.b for item in items])
    # beyond ±700 the exponential leaves the numbers there are, and P has long been 0 or 1
    found: Numbers = 1 / (1 + np.exp(np.clip(-a * (np.array(theta, np.float64)[:, None] - b), -700, 700)))
    return found


def information(items: Sequence[CalibratedItem], theta: Sequence[float]) -> Numbers:
    """(abilities, items) Fisher's information a²·P·(1 − P) of each item, in 1/logit²; NaN where it has no parameters.

    Source: Birnbaum in Lord & Novick (1968), ch. 17-20; Lord (1980), ch. 5. A form's information is the sum of its items'.
    """
    a = np.array([np.nan if item.a is None else item.a for item in items])
    p = probabilities(items, theta)
    found: Numbers = a * a * p * (1 - p)
    return found


#: Attribute of `counts` → the blueprint's key.
_COUNT_KEYS: Final = {name: f"{name}_counts" for name in ("type", "dimension", "benchmark", "topic", "difficulty")}


def demands_of(
    items: Sequence[CalibratedItem], blueprint: FormBlueprint, enemies: Sequence[tuple[str, str]]
) -> list[Demand]:
    """The demands on one form, by the keys of the blueprint file: each low ≤ row · x ≤ high with x (items,) 0/1, "item is in the form".

    Σx = items; of each value of an attribute Σ over its items within its range, of a type or dimension that is not named 0; benchmarks and
    points each within their limits; x_i + x_j ≤ 1 for enemies; Σ seconds·x within its range, and 0 items of which that is unknown; 0 items
    for other audiences. An attribute of None or "" is in no count; a value that no item has is a demand that only 0 meets. Source: van der
    Linden (2005), Linear Models for Optimal Test Design, ch. 3. Raises nothing: what cannot be met shows when it is solved.
    """
    everything = np.ones(len(items))
    demands = [Demand("n_items", "", everything, blueprint.items, blueprint.items)]

    def having(attribute: str) -> dict[str, Numbers]:
        values = [str(value) if (value := getattr(item, attribute)) not in (None, "") else "" for item in items]
        return {name: np.array([float(v == name) for v in values]) for name in sorted({*values} - {""})}

    for attribute, wanted in blueprint.counts.items():
        found = having(attribute)
        for name, (low, high) in wanted.items():
            row = found.get(name, np.zeros(len(items)))
            demands.append(_demand(f"{_COUNT_KEYS[attribute]}.{name}", name, row, low, high))
        if attribute in ("type", "dimension"):
            others = {*found} - {*wanted}
            if others:
                row = np.array([float(str(getattr(item, attribute)) in others) for item in items])
                demands.append(Demand(_COUNT_KEYS[attribute], "others", row, 0, 0))
    for name, row in having("benchmark").items():
        if blueprint.benchmark_min:
            demands.append(_demand("benchmark_min_each", name, row, blueprint.benchmark_min, None))
        if blueprint.benchmark_max is not None:
            demands.append(_demand("benchmark_max_each", name, row, None, blueprint.benchmark_max))
    if blueprint.point_max is not None:
        for name, row in having("point").items():
            if row.sum() > blueprint.point_max:
                demands.append(_demand("max_per_point", name, row, None, blueprint.point_max))
    place = {item.id: number for number, item in enumerate(items)}
    for one, other in enemies:
        if one in place and other in place:
            row = np.zeros(len(items))
            row[[place[one], place[other]]] = 1
            demands.append(Demand("enemies", f"{one}+{other}", row, -np.inf, 1))
    if blueprint.audience:
        wrong = [float(bool(item.audience) and not {*item.audience} & {*blueprint.audience}) for item in items]
        if any(wrong):
            demands.append(Demand("audience", "", np.array(wrong), -np.inf, 0))
    for attribute, (low, high) in blueprint.sums.items():
        row = np.array([float(getattr(item, attribute) or 0) for item in items])
        demands.append(_demand(attribute, "", row, low, high))
        unknown = np.array([float(getattr(item, attribute) is None) for item in items])
        if unknown.any():
            demands.append(Demand(attribute, f"items without {attribute}", unknown, -np.inf, 0))
    return demands


def curve_demands(items: Sequence[CalibratedItem], blueprint: FormBlueprint) -> list[Demand]:
    """Information Σa²P(1 − P) and expected score ΣP at the blueprint's abilities within ± their tolerances, less a millionth for rounding.

    An item without parameters is not drawn then. No targets: no demands. Source: van der Linden (2005), ch. 5; Lord (1980).
    """
    demands = []
    for key, targets, tolerance, curves in (
        ("target_tif", blueprint.information, blueprint.information_tolerance, information),
        ("target_tcc", blueprint.score, blueprint.score_tolerance, probabilities),
    ):
        if not targets:
            continue
        rows = curves(items, blueprint.theta)
        unknown = np.array([float(item.a is None or item.b is None) for item in items])
        if unknown.any():
            demands.append(Demand(key, "items without a and b", unknown, -np.inf, 0))
        reach = max(tolerance - _MARGIN, 0.0)
        known = np.nan_to_num(rows)
        demands += [
            Demand(key, f"{theta:+g}", known[number], target - reach, target + reach)
            for number, (theta, target) in enumerate(zip(blueprint.theta, targets, strict=True))
        ]
    return demands


def _demand(key: str, name: str, row: Numbers, low: float | None, high: float | None) -> Demand:
    return Demand(key, name, row, -np.inf if low is None else low, np.inf if high is None else high)
