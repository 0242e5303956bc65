"""Draws a sample from a list with a public seed: anybody who has list and seed draws the same people. The standard library alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: Fewest drawn in a stratum: with one, its spread cannot be told.
LEAST = 2


@dataclass(frozen=True)
class Drawn:
    """One drawn person with what the estimate needs to know of the draw."""

    id: str
    stratum: str
    #: The first-stage unit; "" where people are drawn singly.
    unit: str
    #: People for whom this one stands: 1/probability of being drawn.
    weight: float
    #: Population sizes of the stages: units (or people, drawn singly) in the stratum; people in the unit.
    populations: tuple[int, ...]


def shuffled(ids: Iterable[str], seed: str) -> list[str]:
    """The ids by SHA-256(seed ‖ id): a random order that depends on the seed and the ids alone, not on the order of the list."""
    return sorted(ids, key=lambda name: (hashlib.sha256(f"{seed}\x1f{name}".encode()).digest(), name))


def allocate(sizes: Mapping[str, int], wanted: int, least: int = LEAST) -> dict[str, int]:
    """How many of `wanted` each stratum gives: in proportion to its size, rounded by largest remainders, at least `least` or all it has.

    Source: Cochran W. G. (1977), Sampling Techniques, 5.5 and 5.9. Raises ValueError for more than there are, or fewer than the least.
    """
    floor = {name: min(least, size) for name, size in sizes.items()}
    if wanted > sum(sizes.values()):
        raise ValueError(f"{wanted} are to be drawn of {sum(sizes.values())} that the list has")
    if wanted < sum(floor.values()):
        raise ValueError(
            f"{wanted} are too few: at least {least} (or all) of each of {len(sizes)} strata, {sum(floor.values())} together"
        )
    whole = sum(sizes.values())
    share = {name: wanted * size / whole for name, size in sizes.items()}
    given = {name: max(floor[name], int(share[name])) for name in sizes}
    while (missing := wanted - sum(given.values())) != 0:
        step = 1 if missing > 0 else -1
        open_ = [n for n in sizes if (given[n] < sizes[n] if step > 0 else given[n] > floor[n])]
        # the one that is furthest from its share; by name where two are as far
        name = max(open_, key=lambda n: (step * (share[n] - given[n]), n))
        given[name] += step
    return given


def draw_people(strata: Mapping[str, Sequence[str]], people: int, seed: str, least: int = LEAST) -> list[Drawn]:
    """`people` drawn singly and without replacement in each stratum (one stratum: simple random); weight N/n of the stratum.

    Source: Cochran W. G. (1977), Sampling Techniques, 2.1 and 5.5. Raises ValueError for an id that stands twice, and as `allocate`.
    """
    _check_ids(name for ids in strata.values() for name in ids)
    counts = allocate({name: len(ids) for name, ids in strata.items()}, people, least)
    return [
        Drawn(person, name, "", len(ids) / counts[name], (len(ids),))
        for name, ids in sorted(strata.items())
        for person in shuffled(ids, f"{seed}\x1f{name}")[: counts[name]]
    ]


def draw_in_units(
    strata: Mapping[str, Mapping[str, Sequence[str]]], units: int, per_unit: int, seed: str, least: int = LEAST
) -> list[Drawn]:
    """Two stages: `units` units without replacement, shared out among the strata by their number of units; in each `per_unit` people.

    A unit with fewer gives all. Units of different size give people different weights: M/m · N/n. Empty units are not drawn from.

    Source: Cochran W. G. (1977), Sampling Techniques, 11.8. Raises ValueError for an id that stands twice, fewer than one person per
    unit, and as `allocate`.
    """
    if per_unit < 1:
        raise ValueError("at least one person in each unit")
    filled = {name: {unit: ids for unit, ids in of.items() if ids} for name, of in strata.items()}
    filled = {name: of for name, of in filled.items() if of}
    _check_ids(person for of in filled.values() for ids in of.values() for person in ids)
    counts = allocate({name: len(of) for name, of in filled.items()}, units, least)
    drawn = []
    for name, of in sorted(filled.items()):
        for unit in shuffled(of, f"{seed}\x1f{name}")[: counts[name]]:
            ids = of[unit]
            taken = shuffled(ids, f"{seed}\x1f{name}\x1f{unit}")[:per_unit]
            weight = len(of) / counts[name] * len(ids) / len(taken)
            drawn += [Drawn(person, name, unit, weight, (len(of), len(ids))) for person in taken]
    return drawn


def draw_in_listed_units(
    strata: Mapping[str, Mapping[str, int]], units: int, per_unit: int, seed: str, least: int = LEAST
) -> list[Drawn]:
    """Two stages where the people of a unit are known by their number alone: whoever stands at place 1, 2, 3 … of its own list.

    The same as `draw_in_units` of people who are called "unit:1", "unit:2" …, without making all those names.
    """
    if per_unit < 1:
        raise ValueError("at least one person in each unit")
    filled = {name: {unit: people for unit, people in of.items() if people > 0} for name, of in strata.items()}
    filled = {name: of for name, of in filled.items() if of}
    _check_ids(unit for of in filled.values() for unit in of)
    counts = allocate({name: len(of) for name, of in filled.items()}, units, least)
    drawn = []
    for name, of in sorted(filled.items()):
        for unit in shuffled(of, f"{seed}\x1f{name}")[: counts[name]]:
            places = (f"{unit}:{place}" for place in range(1, of[unit] + 1))
            taken = shuffled(places, f"{seed}\x1f{name}\x1f{unit}")[:per_unit]
            weight = len(of) / counts[name] * of[unit] / len(taken)
            drawn += [Drawn(person, name, unit, weight, (len(of), of[unit])) for person in taken]
    return drawn


def _check_ids(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise ValueError(f"{name} stands twice in the list")
        seen.add(name)
