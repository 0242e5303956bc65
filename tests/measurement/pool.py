"""The reference pool, and a judge of forms that shares no code with what is judged."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from tests.measurement.reference import DATA, expected

BLUEPRINT: dict[str, Any] = expected("assembly_blueprint.json")


def pool_document() -> dict[str, Any]:
    """The pool as the command reads it."""
    with (DATA / "assembly_pool.csv").open(encoding="utf-8") as file:
        items: list[dict[str, Any]] = list(csv.DictReader(file))
    for item in items:
        item.update({key: float(item[key]) for key in ("a", "b", "exposure", "seconds")})
    with (DATA / "assembly_enemies.csv").open(encoding="utf-8") as file:
        enemies = [[row["one"], row["other"]] for row in csv.DictReader(file)]
    return {"items": items, "enemies": enemies}


def faults_of(form: Sequence[str], pool: dict[str, Any], blueprint: dict[str, Any], *, curves: bool) -> list[str]:
    """Every rule that a form breaks."""
    by_id = {item["id"]: item for item in pool["items"]}
    found = [f"twice {name}" for name, times in Counter(form).items() if times > 1]
    if unknown := [name for name in form if name not in by_id]:
        return [*found, f"unknown {unknown}"]
    chosen = [by_id[name] for name in form]
    if len(form) != blueprint["n_items"]:
        found.append(f"{len(form)} items")
    for attribute in ("type", "dimension"):
        got, wanted = Counter(item[attribute] for item in chosen), blueprint[f"{attribute}_counts"]
        found += [f"{name} {got[name]}" for name in {*got, *wanted} if got[name] != wanted.get(name, 0)]
    benchmarks = Counter(item["benchmark"] for item in chosen)
    least, most = blueprint["benchmark_min_each"], blueprint["benchmark_max_each"]
    found += [
        f"{name} {benchmarks[name]}"
        for name in {item["benchmark"] for item in pool["items"]}
        if not least <= benchmarks[name] <= most
    ]
    found += [
        f"point {p}" for p, n in Counter(item["point"] for item in chosen).items() if n > blueprint["max_per_point"]
    ]
    found += [f"enemies {one} {other}" for one, other in pool["enemies"] if one in form and other in form]
    for theta, information, score in zip(
        blueprint["theta"], blueprint["target_tif"], blueprint["target_tcc"], strict=True
    ):
        p = [1 / (1 + math.exp(-item["a"] * (theta - item["b"]))) for item in chosen]
        reached = sum(item["a"] ** 2 * q * (1 - q) for item, q in zip(chosen, p, strict=True))
        if curves and abs(reached - information) > blueprint["tif_tolerance"]:
            found.append(f"information at {theta}: {reached}")
        if curves and abs(sum(p) - score) > blueprint["tcc_tolerance"]:
            found.append(f"score at {theta}: {sum(p)}")
    return found


def set_faults(forms: Sequence[Sequence[str]], blueprint: dict[str, Any]) -> list[str]:
    """Every rule that a set of forms breaks."""
    caps = blueprint["parallel"]
    uses = Counter(name for form in forms for name in form)
    found = [f"{name} used {n} times" for name, n in uses.items() if n > caps["max_use_per_item"]]
    shared = [len({*one} & {*other}) for one, other in combinations(forms, 2)]
    return found + [f"share {n}" for n in shared if n > caps["max_overlap_between_two_forms"]]
