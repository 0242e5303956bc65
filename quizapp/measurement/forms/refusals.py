"""Why there are no papers: the smallest set of demands that contradict each other, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quizapp.measurement.conflicts import Demand, narrowed, smallest_conflict
from quizapp.measurement.forms.model import CalibratedItem, FormBlueprint, NoForms

USE, OVERLAP = "parallel.max_use_per_item", "parallel.max_overlap_between_two_forms"
#: Targets of curves → the key that says how near.
CURVES = {"target_tif": "tif_tolerance", "target_tcc": "tcc_tolerance"}
#: Names told of demands with one key.
NAMED = 4


def refusal(
    pool: Sequence[CalibratedItem], blueprint: FormBlueprint, demands: list[Demand], forms: int, *, proved: bool
) -> NoForms:
    """The smallest set of demands that contradict each other; of a set of forms, with the caps on use and overlap."""
    upper = np.ones(len(pool))
    for part in ([demand for demand in demands if demand.key not in CURVES], demands):
        if part is demands and not proved:
            break  # the solver did not settle it with the curves: it would not do so now
        keys = smallest_conflict(part, upper)
        if keys is not None:
            return NoForms(told(narrowed([d for d in part if d.key in keys], upper), pool), keys)
    if forms > 1:
        return _of_a_set(pool, blueprint, demands, forms)
    tolerances = [CURVES[key] for key in dict.fromkeys(d.key for d in demands) if key in CURVES]
    words = " and ".join(tolerances) or "these demands"
    return NoForms(
        f"no paper was found in time, nor a proof that there is none: widen {words}", tolerances or ["n_items"]
    )


def counted_refusal(
    pool: Sequence[CalibratedItem], blueprint: FormBlueprint, demands: Sequence[Demand], forms: int
) -> NoForms | None:
    """What counting alone shows of a set of forms: more uses than the caps allow."""
    if blueprint.use_max is not None:
        for demand in demands:
            members = int((demand.row == 1).sum())
            if demand.key not in CURVES and forms * demand.low > 0 and forms * demand.low > blueprint.use_max * members:
                return NoForms(
                    f"{forms} papers use {forms * demand.low:g} times what {demand.key} {demand.name} draws from; "
                    f"{USE} {blueprint.use_max} allows {blueprint.use_max * members}",
                    [demand.key, USE],
                )
    pairs = forms * (forms - 1) // 2
    # the evenest use of the whole pool shares least: every item in `each` papers, `rest` of them in one more
    each, rest = divmod(forms * blueprint.items, len(pool))
    shared = len(pool) * each * (each - 1) // 2 + rest * each
    if blueprint.overlap_max is not None and shared > blueprint.overlap_max * pairs:
        return NoForms(
            f"{forms} papers of {blueprint.items} from {len(pool)} items share {shared / pairs:.1f} items on average at least; "
            f"{OVERLAP} allows {blueprint.overlap_max}",
            ["n_items", OVERLAP],
        )
    return None


def _of_a_set(
    pool: Sequence[CalibratedItem], blueprint: FormBlueprint, demands: Sequence[Demand], forms: int
) -> NoForms:
    """Each form exists by itself: what all of them together draw from each item (y uses, at most the cap) may not."""
    if blueprint.use_max is not None and blueprint.use_max < forms:
        upper = np.full(len(pool), float(blueprint.use_max))
        summed = [Demand(d.key, d.name, d.row, forms * d.low, forms * d.high) for d in demands if d.key not in CURVES]
        keys = smallest_conflict(summed, upper)
        if keys is not None:
            words = told(narrowed([d for d in summed if d.key in keys], upper), pool)
            return NoForms(f"{forms} papers with {USE} {blueprint.use_max}, counted together: {words}", [*keys, USE])
    caps = [key for key, cap in ((USE, blueprint.use_max), (OVERLAP, blueprint.overlap_max)) if cap is not None]
    words = " and ".join(caps) or "these demands"
    return NoForms(f"{forms} papers were not found within {words}: fewer papers, or wider caps", caps or ["n_items"])


def told(demands: Sequence[Demand], pool: Sequence[CalibratedItem]) -> str:
    """The demands in words: "benchmark_min_each B13 needs 4 or more, the pool has 3"."""
    words = []
    for key in dict.fromkeys(demand.key for demand in demands):
        group = [demand for demand in demands if demand.key == key]
        first = group[0]
        row = first.row[: len(pool)]
        names = [demand.name for demand in group if demand.name and not key.endswith(f".{demand.name}")]
        if len(names) > NAMED:
            names = [*names[: NAMED - 1], f"and {len(names) - NAMED + 1} more"]
        known = len(group) == 1 and np.isfinite(first.low) and np.isin(row, (0.0, 1.0)).all()
        has = f", the pool has {row.sum():g}" if known else ""
        words.append(f"{' '.join([key, *names])} {_limits(first)}{has}")
    return "; ".join(words) + (": it cannot be met" if len(words) == 1 else ": they cannot be met together")


def _limits(demand: Demand) -> str:
    if demand.low == demand.high:
        return f"needs {demand.low:g}"
    if not np.isfinite(demand.low):
        return f"allows {demand.high:g}"
    return (
        f"needs {demand.low:g} or more" if not np.isfinite(demand.high) else f"needs {demand.low:g} to {demand.high:g}"
    )
