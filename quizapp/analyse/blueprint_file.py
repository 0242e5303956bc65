"""Reads a blueprint of papers from JSON: the demands by their own keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from quizapp.analyse.documents import finite, read_json
from quizapp.analyse.pool_file import FURTHEST, MOST, Bad, audience_of, known, pairs
from quizapp.analyse.refusals import Refused
from quizapp.measurement.forms import FormBlueprint, Range

#: Most papers of one command, and most questions of one paper.
MOST_PAPERS: Final = 1000
MOST_ITEMS: Final = 100_000
_COUNTS: Final = ("type_counts", "dimension_counts", "benchmark_counts", "topic_counts", "difficulty_counts")
#: `points_per_item` is no demand; `enemies` is one where it is a list, and a remark where it is a text.
_KEYS: Final = (
    *("n_items", *_COUNTS, "benchmark_min_each", "benchmark_max_each", "max_per_point", "audience", "seconds", "words"),
    *("theta", "target_tif", "tif_tolerance", "target_tcc", "tcc_tolerance", "parallel", "enemies"),
    *("points_per_item", "pass_fraction"),
)


@dataclass(frozen=True)
class Plan:
    """The blueprint of a file, and what it says beside the demands."""

    blueprint: FormBlueprint
    #: Share of right answers that passes; None: not said.
    pass_fraction: float | None
    papers: int
    #: Pairs of ids that never meet, beside those of the pool.
    enemies: tuple[tuple[str, str], ...] = ()


def read_plan(path: Path, papers: int | None) -> Plan:
    """The blueprint of a file; `papers` goes before its parallel.n_forms. Raises Refused (bad_blueprint)."""

    def bad(what: str) -> NoReturn:
        raise Refused("bad_blueprint", f"{path.name}: {what}")

    given = read_json(path, "bad_blueprint")
    if not isinstance(given, dict):
        bad("no JSON object")
    known(given, _KEYS, ("description",), "the blueprint", bad)

    def whole(key: str, where: dict[str, Any], low: int) -> int | None:
        value = where.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= MOST_ITEMS:
            bad(f"{key} is a whole number from {low} to {MOST_ITEMS}")
        return value

    def curve(key: str, count: int | None = None) -> tuple[float, ...]:
        value = given.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(finite(one) and abs(one) <= MOST for one in value):
            bad(f"{key} is a list of numbers")
        if key == "theta" and not all(abs(one) <= FURTHEST for one in value):
            bad(f"theta are abilities from {-FURTHEST:g} to {FURTHEST:g}")
        if count is not None and len(value) not in (0, count):
            bad(f"{key} needs one number for each of theta")
        return tuple(map(float, value))

    def tolerance(key: str) -> float:
        value = given.get(key, 0.0)
        if not finite(value) or value < 0:
            bad(f"{key} is a number of at least 0")
        return float(value)

    items = whole("n_items", given, 1)
    if items is None:
        bad("n_items is missing")
    theta = curve("theta")
    parallel = {} if given.get("parallel") is None else given["parallel"]
    if not isinstance(parallel, dict) or {*parallel} - {"n_forms", "max_use_per_item", "max_overlap_between_two_forms"}:
        bad("parallel has n_forms, max_use_per_item and max_overlap_between_two_forms")
    fraction = given.get("pass_fraction")
    if fraction is not None and not (finite(fraction) and 0 <= fraction <= 1):
        bad("pass_fraction is a share")
    enemies = given.get("enemies")
    blueprint = FormBlueprint(
        items=items,
        counts={
            key.removesuffix("_counts"): _counts(given[key], key, bad)
            for key in _COUNTS
            if given.get(key) not in (None, {})
        },
        benchmark_min=whole("benchmark_min_each", given, 0),
        benchmark_max=whole("benchmark_max_each", given, 0),
        point_max=whole("max_per_point", given, 1),
        audience=audience_of(given.get("audience"), "", bad),
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
    never_meet = () if isinstance(enemies, str) else pairs(enemies, bad)
    return Plan(blueprint, None if fraction is None else float(fraction), wanted, never_meet)


def _counts(value: Any, key: str, bad: Bad) -> dict[str, Range]:
    if not isinstance(value, dict):
        bad(f"{key} is an object of names with numbers or [least, most]")
    return {str(name): _range(wanted, f"{key}.{name}", bad, exact=True) for name, wanted in value.items()}


def _range(value: Any, key: str, bad: Bad, *, exact: bool = False) -> Range:
    """A number (exactly so many; of a sum: at most) or [least, most], either null."""
    if _amount(value):
        return (float(value) if exact else None, float(value))
    if isinstance(value, list) and len(value) == 2 and all(one is None or _amount(one) for one in value):
        low, high = value
        if low is None or high is None or low <= high:
            return (None if low is None else float(low), None if high is None else float(high))
    return bad(f"{key} is a number or [least, most]")


def _amount(value: Any) -> bool:
    return finite(value) and 0 <= value <= MOST
