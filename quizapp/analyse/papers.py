"""Reads a pool and a blueprint of papers from JSON, and makes the papers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from quizapp.analyse.refusals import Refused
from quizapp.measurement.forms import (
    CalibratedItem,
    FormBlueprint,
    NoForms,
    Range,
    information,
    parallel_forms,
    probabilities,
)
from quizapp.measurement.guessing import guess_pass

#: Most papers of one command.
MOST_PAPERS = 1000
#: Abilities at which information is told where the blueprint names none.
THETA = (-1.0, 0.0, 1.0)
#: Words of a blueprint that are no demand.
_WORDS = ("description", "points_per_item", "pass_fraction", "enemies")
_COUNTS = ("type_counts", "dimension_counts", "benchmark_counts", "topic_counts", "difficulty_counts")
_KEYS = (
    *("n_items", *_COUNTS, "benchmark_min_each", "benchmark_max_each", "max_per_point", "audience", "seconds", "words"),
    *("theta", "target_tif", "tif_tolerance", "target_tcc", "tcc_tolerance", "parallel", *_WORDS),
)


@dataclass(frozen=True)
class Pool:
    """The items of a file and the pairs that never meet."""

    items: tuple[CalibratedItem, ...]
    enemies: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Plan:
    """The blueprint of a file, and what it says beside the demands."""

    blueprint: FormBlueprint
    #: Share of right answers that passes; None: not said.
    pass_fraction: float | None
    papers: int


def assemble(pool: Pool, plan: Plan, seed: str, on_form: Callable[[int], None] | None = None) -> dict[str, Any]:
    """The answer of `papers assemble`. Raises Refused (infeasible) with the conflicting keys."""
    try:
        forms = parallel_forms(pool.items, plan.blueprint, plan.papers, seed, enemies=pool.enemies, on_form=on_form)
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


def read_pool(path: Path) -> Pool:
    """{"items": [{"id", "type", "a"?, "b"?, "benchmark"?, "point"?, …}], "enemies"?: [[id, id]]}. Raises Refused (bad_pool)."""

    def bad(what: str) -> NoReturn:
        raise Refused("bad_pool", f"{path.name}: {what}")

    document = _object(path, bad)
    entries = document.get("items")
    if not isinstance(entries, list) or not entries:
        bad("items is a list of at least one item")
    items = [_item(entry, number, bad) for number, entry in enumerate(entries, start=1)]
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            bad(f"{item.id} stands in the pool twice")
        seen.add(item.id)
    enemies = []
    for pair in document.get("enemies") or []:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(one, str) for one in pair)
            or pair[0] == pair[1]
        ):
            bad(f"enemies are pairs of two ids, not {json.dumps(pair, ensure_ascii=False)}")
        if missing := [one for one in pair if one not in seen]:
            bad(f"an enemy is not in the pool: {missing[0]}")
        enemies.append((pair[0], pair[1]))
    return Pool(tuple(items), tuple(enemies))


def _item(entry: Any, number: int, bad: Callable[[str], NoReturn]) -> CalibratedItem:
    if not isinstance(entry, dict):
        bad(f"item {number} is no object")
    name, kind = entry.get("id"), entry.get("type")
    if not isinstance(name, str) or not name or not isinstance(kind, str) or not kind:
        bad(f"item {number} needs an id and a type, both texts")

    def number_of(key: str, *, low: float = -math.inf) -> float | None:
        value = entry.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < low:
            bad(f"{name}: {key} is a number{'' if low == -math.inf else f' of at least {low:g}'}, not {value!r}")
        return float(value)

    options = entry.get("options")
    count = len(options) if isinstance(options, list) else number_of("options", low=2)
    difficulty = number_of("difficulty")
    audience = entry.get("audience") or []
    a, b = number_of("a", low=0), number_of("b")
    if (a is None) != (b is None):
        bad(f"{name} has one of a and b: both, or none")
    return CalibratedItem(
        id=name,
        type=kind,
        a=a,
        b=b,
        benchmark=_label(entry.get("benchmark")),
        point=_label(entry.get("point")),
        dimension=_label(entry.get("dimension")),
        topic=_label(entry.get("topic")),
        difficulty=None if difficulty is None else round(difficulty),
        audience=tuple(map(str, audience)) if isinstance(audience, list) else (str(audience),),
        options=None if count is None else round(count),
        seconds=number_of("seconds", low=0),
        words=number_of("words", low=0),
        exposure=number_of("exposure", low=0) or 0.0,
    )


def _label(value: Any) -> str:
    return "" if value is None else str(value)


def read_plan(path: Path, papers: int | None) -> Plan:
    """The blueprint of a file; `papers` goes before its parallel.n_forms. Raises Refused (bad_blueprint)."""

    def bad(what: str) -> NoReturn:
        raise Refused("bad_blueprint", f"{path.name}: {what}")

    given = _object(path, bad)
    unknown = sorted(set(given) - set(_KEYS))
    if unknown:
        bad(f"unknown: {', '.join(unknown)}. The keys are {', '.join(_KEYS)}")

    def whole(key: str, where: dict[str, Any], low: int) -> int | None:
        value = where.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            bad(f"{key} is a whole number of at least {low}")
        return value

    def curve(key: str, count: int | None = None) -> tuple[float, ...]:
        value = given.get(key) or []
        if not isinstance(value, list) or not all(_real(one) for one in value):
            bad(f"{key} is a list of numbers")
        if count is not None and len(value) not in (0, count):
            bad(f"{key} needs one number for each of theta")
        return tuple(map(float, value))

    def tolerance(key: str) -> float:
        value = given.get(key, 0.0)
        if not _real(value) or value < 0:
            bad(f"{key} is a number of at least 0")
        return float(value)

    items = whole("n_items", given, 1)
    if items is None:
        bad("n_items is missing")
    theta = curve("theta")
    parallel = given.get("parallel") or {}
    if not isinstance(parallel, dict) or {*parallel} - {"n_forms", "max_use_per_item", "max_overlap_between_two_forms"}:
        bad("parallel has n_forms, max_use_per_item and max_overlap_between_two_forms")
    fraction = given.get("pass_fraction")
    if fraction is not None and not (_real(fraction) and 0 <= fraction <= 1):
        bad("pass_fraction is a share")
    audience = given.get("audience") or []
    blueprint = FormBlueprint(
        items=items,
        counts={key.removesuffix("_counts"): _counts(given[key], key, bad) for key in _COUNTS if given.get(key)},
        benchmark_min=whole("benchmark_min_each", given, 0),
        benchmark_max=whole("benchmark_max_each", given, 0),
        point_max=whole("max_per_point", given, 1),
        audience=tuple(map(str, audience)) if isinstance(audience, list) else (str(audience),),
        sums={key: _range(given[key], key, bad) for key in ("seconds", "words") if given.get(key) is not None},
        theta=theta,
        information=curve("target_tif", len(theta)),
        information_tolerance=tolerance("tif_tolerance"),
        score=curve("target_tcc", len(theta)),
        score_tolerance=tolerance("tcc_tolerance"),
        use_max=whole("max_use_per_item", parallel, 1),
        overlap_max=whole("max_overlap_between_two_forms", parallel, 0),
    )
    wanted = papers or whole("n_forms", parallel, 1) or 1
    if wanted > MOST_PAPERS:
        bad(f"{wanted} papers: at most {MOST_PAPERS} at once")
    return Plan(blueprint, None if fraction is None else float(fraction), wanted)


def _real(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _counts(value: Any, key: str, bad: Callable[[str], NoReturn]) -> dict[str, Range]:
    if not isinstance(value, dict):
        bad(f"{key} is an object of names with numbers or [least, most]")
    return {str(name): _range(wanted, f"{key}.{name}", bad, exact=True) for name, wanted in value.items()}


def _range(value: Any, key: str, bad: Callable[[str], NoReturn], *, exact: bool = False) -> Range:
    """A number (exactly so many; of a sum: at most) or [least, most], either null."""
    if _real(value) and value >= 0:
        return (float(value) if exact else None, float(value))
    if isinstance(value, list) and len(value) == 2 and all(one is None or (_real(one) and one >= 0) for one in value):
        low, high = value
        if low is None or high is None or low <= high:
            return (None if low is None else float(low), None if high is None else float(high))
    return bad(f"{key} is a number or [least, most]")


def _object(path: Path, bad: Callable[[str], NoReturn]) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        bad(f"no JSON: {error}")
    if not isinstance(document, dict):
        bad("no JSON object")
    return document
