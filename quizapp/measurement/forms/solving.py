"""Forms by HiGHS: many parallel ones, or one that is best."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from quizapp.measurement.conflicts import Demand
from quizapp.measurement.forms.model import (
    CalibratedItem,
    FormBlueprint,
    Numbers,
    curve_demands,
    demands_of,
    information,
)
from quizapp.measurement.forms.refusals import cannot_be, refusal

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Accepted distance from the best possible objective, of parallel forms.
_GAP: Final = 0.2
#: Seconds for one form: a last resort.
TIME_LIMIT: Final = 10.0
#: How often a form that fails for the caps alone is tried again with other predecessors.
_TRIES: Final = 4


@dataclass
class _Program:
    """The demands as one sparse matrix, solved again and again with other costs, bounds and further rows."""

    demands: list[Demand]
    matrix: csr_matrix

    @classmethod
    def of(cls, demands: list[Demand]) -> _Program:
        from scipy.sparse import csr_matrix

        return cls(demands, csr_matrix(np.array([demand.row for demand in demands])))

    def solve(
        self,
        cost: Numbers,
        upper: Numbers,
        *,
        gap: float,
        further: Sequence[tuple[Numbers, float, float]] = (),
        free: int = 0,
    ) -> tuple[Numbers | None, bool]:
        """(columns,) the solution or None, and whether None is proved. The last `free` columns are real numbers without upper limit."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_matrix, hstack, vstack

        matrix: Any = self.matrix
        if free:
            matrix = hstack([matrix, csr_matrix((matrix.shape[0], free))])
        if further:
            matrix = vstack([matrix, csr_matrix(np.array([row for row, _, _ in further]))])
        low = [demand.low for demand in self.demands] + [one for _, one, _ in further]
        high = [demand.high for demand in self.demands] + [one for _, _, one in further]
        count = len(upper)
        lowest = np.zeros(count + free)
        lowest[count:] = -np.inf
        result = milp(
            cost,
            integrality=np.concatenate([np.ones(count), np.zeros(free)]),
            bounds=Bounds(lowest, np.concatenate([upper, np.full(free, np.inf)])),
            constraints=LinearConstraint(matrix.tocsr(), low, high),
            options={"time_limit": TIME_LIMIT, "mip_rel_gap": gap},
        )
        if result.x is None:
            return None, bool(result.status == 2)
        found: Numbers = np.asarray(result.x, np.float64)
        return found, True


def parallel_forms(
    items: Sequence[CalibratedItem],
    blueprint: FormBlueprint,
    forms: int,
    seed: str,
    *,
    enemies: Sequence[tuple[str, str]] = (),
    on_form: Callable[[int], None] | None = None,
) -> list[list[str]]:
    """`forms` lists of item ids, each in an order mixed by the seed. `on_form` is told 1, 2, … after each.

    Raises NoForms, and ValueError for an id that stands twice, fewer than one form or fewer than one item.
    """
    if len({item.id for item in items}) != len(items):
        raise ValueError("an id stands in the pool twice")
    if forms < 1 or blueprint.items < 1:
        raise ValueError("at least one form of at least one item")
    pool = sorted(items, key=lambda item: item.id)
    demands = demands_of(pool, blueprint, enemies) + curve_demands(pool, blueprint)
    if forms > 1 and cannot_be(pool, blueprint, demands, forms):
        raise refusal(pool, blueprint, demands, forms, proved=True)
    program = _Program.of(demands)
    made: list[NDArray[np.bool_]] = []
    tries = told = 0
    while len(made) < forms:
        form, proved = _next_form(program, pool, blueprint, made, f"{seed}\x1f{len(made)}\x1f{tries}")
        if form is not None:
            made.append(form)
            if on_form is not None and len(made) > told:
                told = len(made)
                on_form(told)
            continue
        if not made:
            raise refusal(pool, blueprint, demands, 1, proved=proved)
        if tries == _TRIES:
            raise refusal(pool, blueprint, demands, forms, proved=True)
        tries += 1
        del made[-min(tries, len(made)) :]  # the caps may have been used up by chance: other forms before it
    return [_mixed([pool[i].id for i in np.flatnonzero(form)], seed) for form in made]


def _next_form(
    program: _Program,
    pool: Sequence[CalibratedItem],
    blueprint: FormBlueprint,
    made: Sequence[NDArray[np.bool_]],
    seed: str,
) -> tuple[NDArray[np.bool_] | None, bool]:
    used = np.array(made, np.float64).sum(axis=0) if made else np.zeros(len(pool))
    exposure = np.array([item.exposure for item in pool])
    spread = exposure.max() or 1.0
    noise = np.array([_fraction(seed, item.id) for item in pool])
    cost = used - used.min() + 0.5 * noise + 0.5 * exposure / spread
    upper = np.ones(len(pool)) if blueprint.use_max is None else (used < blueprint.use_max).astype(np.float64)
    near: dict[int, tuple[Numbers, float, float]] = {}
    while True:
        found, proved = program.solve(cost, upper, gap=_GAP, further=list(near.values()))
        if found is None:
            return None, proved
        form = found > 0.5
        if blueprint.overlap_max is None:
            return form, True
        broken = [number for number, other in enumerate(made) if int((form & other).sum()) > blueprint.overlap_max]
        if not broken:
            return form, True
        for number in broken:
            near[number] = (made[number].astype(np.float64), -np.inf, blueprint.overlap_max)


def _fraction(*parts: str) -> float:
    """A number from 0 to 1 that depends on the words alone."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big") / 2**64


def _mixed(ids: Sequence[str], seed: str) -> list[str]:
    return sorted(ids, key=lambda name: _fraction(seed, name))


Objective = Literal["information", "least_information", "exposure"]


def best_form(
    items: Sequence[CalibratedItem],
    blueprint: FormBlueprint,
    objective: Objective,
    *,
    theta: Sequence[float] = (0.0,),
    enemies: Sequence[tuple[str, str]] = (),
) -> tuple[list[str], float]:
    """One form that is best by one objective, proved, and the objective: the content demands without the tolerances of its curves.

    `information`: the most at the first ability; `least_information`: the most at the ability of `theta` where it is least;
    `exposure`: the least sum of exposures. Raises NoForms.
    """
    pool = sorted(items, key=lambda item: item.id)
    demands = demands_of(pool, blueprint, enemies)
    program = _Program.of(demands)
    upper = np.ones(len(pool))
    curves = information(pool, theta)
    if objective == "least_information":
        further = [(np.append(row, -1.0), 0.0, np.inf) for row in curves]
        cost = np.append(np.zeros(len(pool)), -1.0)
        found, proved = program.solve(cost, upper, gap=0.0, further=further, free=1)
    else:
        cost = -curves[0] if objective == "information" else np.array([item.exposure for item in pool])
        found, proved = program.solve(cost, upper, gap=0.0)
    if found is None:
        raise refusal(pool, blueprint, demands, 1, proved=proved)
    chosen = np.flatnonzero(found[: len(pool)] > 0.5)
    if objective == "exposure":
        value = sum(pool[i].exposure for i in chosen)
    else:
        value = float((curves if objective == "least_information" else curves[:1])[:, chosen].sum(axis=1).min())
    return [pool[i].id for i in chosen], value
