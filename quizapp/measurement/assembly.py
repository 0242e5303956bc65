"""Test assembly: parallel papers from a pool, by integer programming.

For each form one 0/1 variable per item of the pool; the blueprint's rules are linear constraints and hold exactly (van der Linden W. J.
(2005), "Linear Models for Optimal Test Design", Springer). Forms are made one after another. Each next one minimises, in this order of
weight: the largest overlap with any form before it; how often its items were used already; the distance of its expected score from
what the pool gives on average. A small seeded noise decides between what is equally good, so that another seed gives other forms.
Where the blueprint caps the spread of expected scores, the uses of an item or the overlap of two forms, these hold exactly too.

Where at least half of the items are calibrated, each form is also held to the pool's expected score and information about the pass mark,
by the same demands as forms of a reference pool (`pass_mark`, `forms.curve_demands`); a form that cannot keep a tolerance misses it as
little as it can, at a price above all others.

The same pool, blueprint, number and seed give the same forms: the solver (HiGHS through SciPy) stops by the gap or the number of nodes,
which do not depend on the machine's speed; the limit in seconds is a last resort.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from quizapp.measurement.assembly_rules import (
    AssemblyInfeasible,
    Blueprint,
    PoolItem,
    Rule,
    Shortfall,
    counted_conflicts,
    drawable,
    most_of,
    plain_conflicts,
    rules_of,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from quizapp.measurement.conflicts import Demand

__all__ = ["AssemblyInfeasible", "Blueprint", "PoolItem", "Shortfall", "assemble", "plain_conflicts"]

#: Cost of one more shared item in the largest overlap; one earlier use of an item costs 1.
_OVERLAP_WEIGHT: Final = 8.0
#: Cost of one item by which the expected score misses the pool's.
_SCORE_WEIGHT: Final = 4.0
#: Cost of missing a tolerance of score or information by as much as the tolerance is wide.
_CURVE_WEIGHT: Final = 20.0
#: Nodes after which the solver stops with what it has.
_NODE_LIMIT: Final = 200
#: Accepted distance from the best possible objective: of the first twenty forms of a set, and of the others, where each overlap is one
#: of many and a closer search takes seconds.
_GAP: Final = 0.02
_GAP_LATER: Final = 0.05
#: The same with curves, whose elastic demands make the last percents dear.
_GAP_CURVES: Final = 0.05
_FIRST: Final = 20
#: Seconds for one form: a last resort, far above what the gap needs.
TIME_LIMIT: Final = 8.0
#: What SciPy's milp says when no solution exists.
_INFEASIBLE: Final = 2


@dataclass(frozen=True)
class _Aim:
    """What the next form is held to beside the rules of one form."""

    #: Right answers that are expected of it, and how far it may miss them.
    score: float
    reach: float
    use_max: int | None
    overlap_max: int | None
    #: Score and information about the pass mark; empty where too few items are calibrated.
    curves: Sequence[Demand] = ()

    @classmethod
    def of(
        cls,
        items: Sequence[PoolItem],
        blueprint: Blueprint,
        made: Sequence[frozenset[int]],
        target: float,
        curves: Sequence[Demand] = (),
    ) -> _Aim:
        """The first form comes as near to the pool's score as it can; where their spread is limited, the others stay near the first."""
        score, reach = target, math.inf
        if made and blueprint.score_spread is not None:
            score = sum(items[index].difficulty for index in made[0])
            reach = blueprint.score_spread * blueprint.items / 2
        return cls(score, reach, blueprint.use_max, blueprint.overlap_max, curves)


def assemble(
    pool: Iterable[PoolItem],
    blueprint: Blueprint,
    forms: int,
    seed: str,
    *,
    pass_right: int | None = None,
    on_form: Callable[[int], None] | None = None,
) -> list[list[str]]:
    """`forms` lists of item ids that obey the blueprint, each in an order mixed by SHA-256(seed ‖ item id).

    `pass_right`: right answers from which a form is passed; with it, and half of the items calibrated, score and information are balanced
    there. `on_form` is called with 1, 2, … after each form. Raises AssemblyInfeasible where no form obeys, and ValueError for an id that
    stands in the pool twice, fewer than one form or fewer than one item.
    """
    items = drawable(pool, blueprint)
    if len({item.id for item in items}) != len(items):
        raise ValueError("an id stands in the pool twice")
    if forms < 1 or blueprint.items < 1:
        raise ValueError("at least one form of at least one item")
    blueprint = replace(blueprint, use_max=blueprint.use_most(forms), use_share=None)
    rules = rules_of(items, blueprint)
    if conflicts := counted_conflicts(items, blueprint, rules):
        raise AssemblyInfeasible(conflicts)
    if caps := _counted_caps(items, blueprint, forms):
        # where no single paper is either, the caps have no part in it
        raise AssemblyInfeasible(_conflicts_of_one(items, blueprint, rules) or caps)
    target = _expected_score(items, blueprint)
    curves: Sequence[Demand] = ()
    if pass_right is not None:
        from quizapp.measurement.pass_mark import pass_demands

        curves = pass_demands(items, blueprint, pass_right)
    least = min(item.uses for item in items)
    uses = [item.uses - least for item in items]
    made: list[frozenset[int]] = []
    for number in range(1, forms + 1):
        noise = [_fraction(seed, str(number), item.id) for item in items]
        chosen = _solve(items, rules, uses, noise, made, _Aim.of(items, blueprint, made, target, curves))
        if chosen is None:
            raise AssemblyInfeasible(_conflicts(items, blueprint, rules, len(made), forms))
        for index in chosen:
            uses[index] += 1
        made.append(frozenset(chosen))
        if on_form is not None:
            on_form(number)
    return [sorted((items[i].id for i in form), key=lambda name: _fraction(seed, name)) for form in made]


def _fraction(*parts: str) -> float:
    """A number from 0 to 1 that looks random and depends on nothing but the words given."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _expected_score(items: Sequence[PoolItem], blueprint: Blueprint) -> float:
    """Right answers that the pool gives on average in a form with these types."""
    if not blueprint.types:
        return blueprint.items * sum(item.difficulty for item in items) / len(items)
    score = 0.0
    for kind, count in blueprint.types.items():
        of_kind = [item.difficulty for item in items if item.type == kind]
        score += count * sum(of_kind) / len(of_kind) if of_kind else 0.0
    return score


def _matrix(rows: Sequence[Sequence[tuple[int, float]]], columns: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    data = [value for row in rows for _, value in row]
    where = [(number, column) for number, row in enumerate(rows) for column, _ in row]
    across = ([r for r, _ in where], [c for _, c in where])
    return csr_matrix((data, across), shape=(len(rows), columns))


def _solve(
    items: Sequence[PoolItem],
    rules: Sequence[Rule],
    uses: Sequence[int],
    noise: Sequence[float],
    made: Sequence[frozenset[int]],
    aim: _Aim,
) -> list[int] | None:
    """The positions of the next form, or None where no form obeys the rules.

    Columns: one per item, then the largest overlap, then the expected score's excess over the target and its lack, then by how much each
    tolerance of the curves is missed.
    """
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    count = len(items)
    overlap, excess, lack = count, count + 1, count + 2
    rows: list[list[tuple[int, float]]] = [rule.row() for rule in rules]
    low = [float(rule.low) for rule in rules]
    high = [float(rule.high) for rule in rules]
    for form in made:
        rows.append([*((i, 1.0) for i in sorted(form)), (overlap, -1.0)])
        low.append(-np.inf)
        high.append(0.0)
    rows.append([*((i, item.difficulty) for i, item in enumerate(items)), (excess, -1.0), (lack, 1.0)])
    low.append(aim.score)
    high.append(aim.score)
    for place, curve in enumerate(aim.curves, start=count + 3):
        values = [(i, float(value)) for i, value in enumerate(curve.row)]
        rows += [[*values, (place, 1.0)], [*values, (place, -1.0)]]
        low += [curve.low, -np.inf]
        high += [np.inf, curve.high]
    columns = count + 3 + len(aim.curves)
    cost = np.array(
        [
            *(u + 0.5 * e for u, e in zip(uses, noise, strict=True)),
            *(_OVERLAP_WEIGHT, _SCORE_WEIGHT, _SCORE_WEIGHT),
            *(2 * _CURVE_WEIGHT / (curve.high - curve.low) for curve in aim.curves),
        ]
    )
    upper = np.full(columns, np.inf)
    upper[:count] = [aim.use_max is None or times < aim.use_max for times in _times(count, made)]
    upper[overlap] = np.inf if aim.overlap_max is None else aim.overlap_max
    upper[excess] = upper[lack] = aim.reach
    for patience, nodes in ((1, _NODE_LIMIT), (10, 100 * _NODE_LIMIT)):
        result = milp(
            cost,
            integrality=np.array([1] * (count + 1) + [0] * (columns - count - 1)),
            bounds=Bounds(np.zeros(columns), upper),
            constraints=LinearConstraint(_matrix(rows, columns), low, high),
            options={
                "time_limit": patience * TIME_LIMIT,
                "node_limit": nodes,
                "mip_rel_gap": max(_GAP_CURVES if aim.curves else _GAP, _GAP if len(made) < _FIRST else _GAP_LATER),
            },
        )
        if result.x is not None:
            return [i for i in range(count) if result.x[i] > 0.5]
        if result.status == _INFEASIBLE:
            break  # proved; else the limits were too tight to find the first form
    return None


def _times(count: int, made: Sequence[frozenset[int]]) -> list[int]:
    """In how many forms of this set each item stands."""
    times = Counter(index for form in made for index in form)
    return [times[index] for index in range(count)]


def _counted_caps(items: Sequence[PoolItem], blueprint: Blueprint, forms: int) -> list[Shortfall]:
    """Caps on a set of forms that counting alone shows to be too tight."""
    needed = forms * blueprint.items
    if blueprint.use_max is not None and blueprint.use_max * len(items) < needed:
        return [Shortfall("use_max", "all", blueprint.use_max * len(items), needed)]
    each, rest = divmod(needed, len(items))
    shared = len(items) * each * (each - 1) // 2 + rest * each
    pairs = forms * (forms - 1) // 2
    if blueprint.overlap_max is not None and shared > blueprint.overlap_max * pairs:
        return [Shortfall("overlap_max", "all", blueprint.overlap_max, -(-shared // pairs))]
    return []


def _demands(items: Sequence[PoolItem], rules: Sequence[Rule]) -> list[Demand]:
    """The rules as demands; the name of each is its number."""
    import numpy as np

    from quizapp.measurement.conflicts import Demand

    demands = []
    for number, rule in enumerate(rules):
        row = np.zeros(len(items))
        for member, weight in rule.row():
            row[member] = weight
        demands.append(Demand(rule.rule, str(number), row, rule.low, rule.high))
    return demands


def _conflicts_of_one(items: Sequence[PoolItem], blueprint: Blueprint, rules: Sequence[Rule]) -> list[Shortfall]:
    """The smallest set of kinds of rules that contradict each other in one form, and of each the ones that do; none where a form exists."""
    import numpy as np

    from quizapp.measurement.conflicts import narrowed, smallest_conflict

    demands, upper = _demands(items, rules), np.ones(len(items))
    kinds = smallest_conflict(demands, upper)
    if kinds is None:
        return []
    conflicts = []
    for demand in narrowed([d for d in demands if d.key in kinds], upper):
        rule = rules[int(demand.name)]
        has = sum(rule.weights) if rule.weights else most_of(items, blueprint, rule.members)
        conflicts.append(Shortfall(rule.rule, rule.name, has, rule.low or rule.high))
    return sorted(conflicts, key=lambda conflict: conflict.rule == "items")


def _conflicts(
    items: Sequence[PoolItem], blueprint: Blueprint, rules: Sequence[Rule], made: int, forms: int
) -> list[Shortfall]:
    """Why there is no next form: what contradicts in one form where none was made; else the caps, only those that a proof needs."""
    found = [] if made else _conflicts_of_one(items, blueprint, rules)
    if found:
        return found
    caps = [name for name in ("use_max", "overlap_max") if getattr(blueprint, name) is not None]
    if len(caps) > 1:
        from quizapp.measurement.forms.together import PaperSet

        papers, demands = PaperSet(len(items), forms, blueprint.use_max, blueprint.overlap_max), _demands(items, rules)
        proved = [
            name for name in caps if not papers.can_be(demands, use=name == "use_max", overlap=name == "overlap_max")
        ]
        caps = proved[:1] or caps
    return [Shortfall(name, "all", made, forms) for name in caps] or [
        Shortfall("items", "all", len(items), blueprint.items)
    ]
