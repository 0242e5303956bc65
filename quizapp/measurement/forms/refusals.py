"""Why there are no papers: the smallest set of demands that contradict each other, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from quizapp.measurement.conflicts import (
    QUESTION_LIMIT,
    Demand,
    can_be_met,
    narrowed,
    smallest_conflict,
    smallest_set,
)
from quizapp.measurement.forms.model import CalibratedItem, FormBlueprint, NoForms
from quizapp.measurement.forms.together import PaperSet

USE, OVERLAP = "parallel.max_use_per_item", "parallel.max_overlap_between_two_forms"
#: Targets of curves → the key that says how near.
CURVES = {"target_tif": "tif_tolerance", "target_tcc": "tcc_tolerance"}
#: Names told of demands with one key.
NAMED = 4
#: Seconds for a question about curves where a larger conflict is known already.
CURVE_LIMIT: Final = 1.0
#: Questions about a set of papers to find which single benchmarks and pairs are to blame.
FEW_QUESTIONS: Final = 60


def refusal(
    pool: Sequence[CalibratedItem], blueprint: FormBlueprint, demands: list[Demand], forms: int, *, proved: bool
) -> NoForms:
    """The smallest set of demands that contradict each other, of a set of papers with the caps on use and overlap.

    A set without caps is told where none with caps is smaller. `proved`: whether the solver said that there is no paper, or gave up.
    """
    of_one = _of_one(pool, demands, proved=proved)
    together = _of_a_set(pool, blueprint, demands, forms, fewer_than=None if of_one is None else len(of_one.conflicts))
    if found := together or of_one:
        return found
    if forms > 1:
        caps = [key for key, cap in ((USE, blueprint.use_max), (OVERLAP, blueprint.overlap_max)) if cap is not None]
        words = " and ".join(caps) or "these demands"
        return NoForms(
            f"{forms} papers were not found within {words}, nor a proof that there are none: fewer papers, or wider caps",
            caps or ["n_items"],
        )
    tolerances = [CURVES[key] for key in dict.fromkeys(d.key for d in demands) if key in CURVES]
    words = " and ".join(tolerances) or "these demands"
    return NoForms(
        f"no paper was found in time, nor a proof that there is none: widen {words}", tolerances or ["n_items"]
    )


def cannot_be(pool: Sequence[CalibratedItem], blueprint: FormBlueprint, demands: Sequence[Demand], forms: int) -> bool:
    """Whether counting uses (`PaperSet.drawn_together`) shows that there are no such papers, before any is made; without curves."""
    counted = PaperSet(len(pool), forms, blueprint.use_max, blueprint.overlap_max)
    return not counted.drawn_together([demand for demand in demands if demand.key not in CURVES])


def _of_one(pool: Sequence[CalibratedItem], demands: list[Demand], *, proved: bool) -> NoForms | None:
    """Of a single paper. Curves are asked about last, and only for a smaller set, since their proofs take the solver long."""
    upper = np.ones(len(pool))
    plain = [demand for demand in demands if demand.key not in CURVES]
    keys = smallest_conflict(plain, upper)
    if len(plain) < len(demands) and (proved if keys is None else len(keys) > 1):

        def met(chosen: Collection[str]) -> bool:
            part = [demand for demand in demands if demand.key in chosen]
            seconds = CURVE_LIMIT if keys else QUESTION_LIMIT
            return can_be_met(part, upper, whole=False) and can_be_met(part, upper, seconds=seconds)

        every = list(dict.fromkeys(demand.key for demand in demands))
        keys = smallest_set(every, met, fewer_than=None if keys is None else len(keys)) or keys
    if keys is None:
        return None
    return NoForms(told(narrowed([d for d in demands if d.key in keys], upper), pool), keys)


def _of_a_set(
    pool: Sequence[CalibratedItem],
    blueprint: FormBlueprint,
    demands: Sequence[Demand],
    forms: int,
    *,
    fewer_than: int | None,
) -> NoForms | None:
    """Of papers that exist one by one, with the caps: a cap contradicts nothing alone."""
    caps = [key for key, cap in ((USE, blueprint.use_max), (OVERLAP, blueprint.overlap_max)) if cap is not None]
    if forms < 2 or not caps or (fewer_than is not None and fewer_than <= 2):
        return None
    papers = PaperSet(len(pool), forms, blueprint.use_max, blueprint.overlap_max)

    def can_be(part: Sequence[Demand], chosen: Collection[str]) -> bool:
        return papers.can_be(part, use=USE in chosen, overlap=OVERLAP in chosen)

    def met(chosen: Collection[str]) -> bool:
        # without a cap the same paper again and again does: what one paper cannot be is asked elsewhere
        return not {*caps} & {*chosen} or can_be([d for d in demands if d.key in chosen], chosen)

    keys = smallest_set([*dict.fromkeys(demand.key for demand in demands), *caps], met, fewer_than=fewer_than)
    if keys is None:
        return None
    part = [demand for demand in demands if demand.key in keys]
    few = narrowed(part, np.ones(len(pool)), FEW_QUESTIONS, met=lambda some: can_be(some, keys))
    limits = {USE: blueprint.use_max, OVERLAP: blueprint.overlap_max}
    named = " and ".join(f"{key} {limits[key]}" for key in caps if key in keys)
    return NoForms(f"{forms} papers with {named}: {told(few, pool, alone=False)}", keys)


def told(demands: Sequence[Demand], pool: Sequence[CalibratedItem], *, alone: bool = True) -> str:
    """The demands in words: "benchmark_min_each B13 needs 4 or more, the pool has 3". Not `alone`: something else was named before."""
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
    return "; ".join(words) + (": it cannot be met" if len(words) == 1 and alone else ": they cannot be met together")


def _limits(demand: Demand) -> str:
    if demand.low == demand.high:
        return f"needs {demand.low:g}"
    if not np.isfinite(demand.low):
        return f"allows {demand.high:g}"
    return (
        f"needs {demand.low:g} or more" if not np.isfinite(demand.high) else f"needs {demand.low:g} to {demand.high:g}"
    )
