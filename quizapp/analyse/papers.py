"""Makes the papers of a pool and a blueprint."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from quizapp.analyse.blueprint_file import Plan
from quizapp.analyse.pool_file import Pool
from quizapp.analyse.refusals import Refused
from quizapp.measurement.forms import (
    CalibratedItem,
    FormBlueprint,
    NoForms,
    information,
    parallel_forms,
    probabilities,
)
from quizapp.measurement.guessing import guess_pass

#: Abilities at which information is told where the blueprint names none.
THETA = (-1.0, 0.0, 1.0)
#: Ids that a refusal names.
_NAMED = 5


def assemble(pool: Pool, plan: Plan, seed: str, on_form: Callable[[int], None] | None = None) -> dict[str, Any]:
    """The answer of `papers assemble`. Raises Refused: infeasible with the conflicting keys, attribute_missing, unknown_item."""
    ids = {item.id for item in pool.items}
    if missing := [one for pair in plan.enemies for one in pair if one not in ids]:
        raise Refused("unknown_item", f"the blueprint's enemies name {missing[0]!r}, which is not in the pool")
    _check_attributes(pool, plan.blueprint)
    enemies = tuple(dict.fromkeys([*pool.enemies, *plan.enemies]))
    try:
        forms = parallel_forms(pool.items, plan.blueprint, plan.papers, seed, enemies=enemies, on_form=on_form)
    except NoForms as refusal:
        raise Refused("infeasible", str(refusal), conflicts=list(refusal.conflicts)) from refusal
    theta = plan.blueprint.theta or THETA
    by_id = {item.id: item for item in pool.items}
    return {"theta": list(theta), "papers": [_paper([by_id[name] for name in form], plan, theta) for form in forms]}


def _paper(items: list[CalibratedItem], plan: Plan, theta: tuple[float, ...]) -> dict[str, Any]:
    chance = None
    if plan.pass_fraction is not None:
        needed = math.ceil(plan.pass_fraction * len(items) - 1e-9)
        try:
            chance = guess_pass([(item.type, item.options) for item in items], needed)
        except ValueError:
            chance = None  # a type that cannot be guessed
    known = all(item.a is not None and item.b is not None for item in items)
    return {
        "items": [item.id for item in items],
        "information": [float(value) for value in information(items, theta).sum(axis=1)] if known else None,
        "expected_score": [float(value) for value in probabilities(items, theta).sum(axis=1)] if known else None,
        "guess_pass": chance,
    }


def _check_attributes(pool: Pool, blueprint: FormBlueprint) -> None:
    """A demand on something that items lack would be met by what nobody knows. Raises Refused (attribute_missing)."""
    demanded = {
        "benchmark_min_each": ("benchmark", blueprint.benchmark_min),
        "benchmark_max_each": ("benchmark", blueprint.benchmark_max is not None),
        "max_per_point": ("point", blueprint.point_max is not None),
        **{f"{name}_counts": (name, True) for name in blueprint.counts},
        **{name: (name, True) for name in blueprint.sums},
    }
    wanted = {*blueprint.audience}
    items = [item for item in pool.items if not wanted or not item.audience or wanted & {*item.audience}]
    for key, (attribute, asked) in demanded.items():
        lacking = [item.id for item in items if getattr(item, attribute) in (None, "")] if asked else []
        if lacking:
            named = ", ".join(lacking[:_NAMED]) + (", …" if len(lacking) > _NAMED else "")
            raise Refused(
                "attribute_missing",
                f"{key} needs the {attribute} of each item, and {len(lacking)} of {len(items)} have none: {named}. "
                "Fill it in, leave these items out of the pool, or take the demand out",
                conflicts=[key],
            )
