"""Which demands of an integer program contradict each other: the smallest set of them that cannot be met."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Seconds after which one question to the solver counts as "can be met".
QUESTION_LIMIT: Final = 5.0
#: Seconds after which the search for the smallest set becomes one for an irreducible set.
SEARCH_LIMIT: Final = 15.0
#: Rounds of the search for the smallest set; after them the smallest found so far is told.
MOST_ROUNDS: Final = 60


@dataclass(frozen=True, eq=False)
class Demand:
    """One linear demand: low ≤ row · x ≤ high."""

    #: What a person calls it; demands with one key stand and fall together.
    key: str
    #: Of what: a benchmark, a pair …; "" where the key says all.
    name: str
    #: (columns,) coefficients.
    row: NDArray[np.float64]
    low: float
    high: float


#: Whether the demands with these keys can be met together; what is not known counts as "can be met".
Met = Callable[[Collection[str]], bool]


def can_be_met(
    demands: Collection[Demand],
    upper: NDArray[np.float64],
    *,
    whole: bool = True,
    seconds: float = QUESTION_LIMIT,
) -> bool:
    """Whether whole numbers x, 0 ≤ x ≤ `upper` (columns,), meet all demands; where the solver cannot tell in time, it counts as met.

    `whole=False`: whether any numbers do, which is asked faster, and where they do not, no whole numbers do. No demand can be met.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_matrix

    if not demands:
        return True
    result = milp(
        np.zeros(len(upper)),
        integrality=np.full(len(upper), int(whole)),
        bounds=Bounds(np.zeros(len(upper)), upper),
        constraints=LinearConstraint(
            csr_matrix(np.array([d.row for d in demands])), [d.low for d in demands], [d.high for d in demands]
        ),
        options={"time_limit": seconds},
    )
    return bool(result.status != 2)


def smallest_conflict(demands: Sequence[Demand], upper: NDArray[np.float64]) -> list[str] | None:
    """The keys of the fewest demands that cannot be met together, in the order given; None where all can be met. See `smallest_set`."""
    keys = list(dict.fromkeys(demand.key for demand in demands))

    def met(chosen: Collection[str]) -> bool:
        return can_be_met([demand for demand in demands if demand.key in chosen], upper)

    return smallest_set(keys, met)


def smallest_set(keys: Sequence[str], met: Met, *, fewer_than: int | None = None) -> list[str] | None:
    """The fewest keys that cannot be met together, in the order given; None where all can be, or no set of `fewer_than` cannot.

    Implicit hitting sets: keep a list of sets of which one must be given up; the smallest choice that hits each of them is asked of the
    solver; what can be met is grown as far as possible, and what is left over joins the list; the first choice that cannot be met is a
    smallest one, and no conflict is smaller than the choice that is asked. Where that takes too many rounds or too long: a deletion filter,
    whose set is irreducible (Chinneck J. W. (2008), Feasibility and Infeasibility in Optimization, 6.2).

    Source: Ignatiev A. et al. (2015), "Smallest MUS extraction with minimal hitting set dualization", CP 2015, 173-182.
    """
    if met(keys):
        return None
    until = time.monotonic() + SEARCH_LIMIT
    given_up: list[set[str]] = []
    for _ in range(MOST_ROUNDS):
        chosen = _hitting(keys, given_up)
        if fewer_than is not None and len(chosen) >= fewer_than:
            return None
        if not met(chosen):
            return [key for key in keys if key in chosen]
        for key in keys:
            if key not in chosen and met(chosen | {key}):
                chosen.add(key)
        given_up.append(set(keys) - chosen)
        if time.monotonic() > until:
            break
    found = _deletion_filter(keys, met)
    return found if fewer_than is None or len(found) < fewer_than else None


def _hitting(keys: Sequence[str], sets: Sequence[set[str]]) -> set[str]:
    """The fewest keys of which each set holds one."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    if not sets:
        return set()
    matrix = np.array([[float(key in one) for key in keys] for one in sets])
    # Earlier keys first, where several choices are as small: the answer is the same each time.
    result = milp(
        1 + 1e-6 * np.arange(len(keys)),
        integrality=np.ones(len(keys), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, 1, np.inf),
    )
    return {key for key, taken in zip(keys, np.asarray(result.x), strict=True) if taken > 0.5}


def _deletion_filter(keys: Sequence[str], met: Met) -> list[str]:
    """Leave out one key after the other where the others still contradict each other."""
    kept = list(keys)
    for key in keys:
        rest = [other for other in kept if other != key]
        if not met(rest):
            kept = rest
    return kept


def narrowed(
    demands: Sequence[Demand],
    upper: NDArray[np.float64],
    most: int = 300,
    *,
    met: Callable[[Sequence[Demand]], bool] | None = None,
) -> list[Demand]:
    """Of demands that cannot be met together, an irreducible part, by leaving out halves and then one after the other.

    `met`: how to ask; by default of x with 0 ≤ x ≤ `upper`. Asks `most` times; what is left then may be reducible.
    """
    ask = met or (lambda part: can_be_met(part, upper))
    kept = list(demands)
    step = len(kept) // 2
    asked = 0
    while step >= 1 and asked < most:
        start = 0
        while start < len(kept) and asked < most:
            rest = kept[:start] + kept[start + step :]
            asked += 1
            if rest and not ask(rest):
                kept = rest
            else:
                start += step
        step //= 2
    return kept
