"""Reads a pool of items from JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NoReturn

from quizapp.analyse.documents import finite, read_json
from quizapp.analyse.refusals import Refused
from quizapp.measurement.forms import CalibratedItem

Bad = Callable[[str], NoReturn]

#: What assembly reads of an item.
_KEYS: Final = (
    *("id", "type", "a", "b", "benchmark", "point", "dimension", "topic", "difficulty", "audience", "options"),
    *("seconds", "words", "exposure"),
)
#: What may stand beside it, for people and other programs; anything else is a slip that would leave a demand without effect.
_REMARKS: Final = (
    *(
        "description",
        "note",
        "remark",
        "comment",
        "source",
        "bank",
        "stem",
        "text",
        "key",
        "rationale",
        "citation",
        "tags",
    ),
    *("image", "use", "valid_until", "se_a", "se_b", "n", "p", "rest_correlation"),
)
#: Slopes, places and abilities beyond these are none.
STEEPEST: Final = 100.0
FURTHEST: Final = 100.0
#: The author's estimate of difficulty.
LEVELS: Final = range(1, 6)
MOST_OPTIONS: Final = 100
MOST: Final = 1e9


@dataclass(frozen=True)
class Pool:
    """The items of a file and the pairs that never meet."""

    items: tuple[CalibratedItem, ...]
    enemies: tuple[tuple[str, str], ...]


def read_pool(path: Path) -> Pool:
    """{"items": [{"id", "type", "a"?, "b"?, "benchmark"?, "point"?, …}], "enemies"?: [[id, id]]}. Raises Refused (bad_pool)."""

    def bad(what: str) -> NoReturn:
        raise Refused("bad_pool", f"{path.name}: {what}")

    document = read_json(path, "bad_pool")
    if not isinstance(document, dict):
        bad("no JSON object")
    known(document, ("items", "enemies"), ("description", "source", "note"), "the pool", bad)
    entries = document.get("items")
    if not isinstance(entries, list) or not entries:
        bad("items is a list of at least one item")
    items = [_item(entry, number, bad) for number, entry in enumerate(entries, start=1)]
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            bad(f"{item.id} stands in the pool twice")
        seen.add(item.id)
    enemies = pairs(document.get("enemies"), bad)
    if missing := [one for pair in enemies for one in pair if one not in seen]:
        bad(f"an enemy is not in the pool: {missing[0]}")
    return Pool(tuple(items), enemies)


def known(given: dict[str, Any], words: Sequence[str], remarks: Sequence[str], what: str, bad: Bad) -> None:
    """Refuse a key that nobody reads, with the one that may have been meant."""
    for name in given:
        if name in words or name in remarks:
            continue
        near = [word for word in words if word.casefold() == name.casefold()] or get_close_matches(name, words, 1)
        meant = f", did you mean {near[0]}" if near else ""
        bad(
            f"{what} has {name[:60]!r}{meant}? The keys are {', '.join(words)}; free for remarks are {', '.join(remarks)}"
        )


def pairs(value: Any, bad: Bad) -> tuple[tuple[str, str], ...]:
    """Pairs of ids that never meet."""
    if value is None:
        return ()
    if not isinstance(value, list):
        bad("enemies is a list of pairs of two ids")
    for pair in value:
        whole = isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
        if not whole or pair[0] == pair[1]:
            bad(f"enemies are pairs of two ids, not {json.dumps(pair, ensure_ascii=False)[:80]}")
    return tuple(dict.fromkeys((one, other) for one, other in value))


def audience_of(value: Any, whose: str, bad: Bad) -> tuple[str, ...]:
    """For whom: a name or a list of names; none: for everybody."""
    if value is None:
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        bad(f"{whose}audience is a name or a list of names")
    return tuple(names)


def _item(entry: Any, number: int, bad: Bad) -> CalibratedItem:
    if not isinstance(entry, dict):
        bad(f"item {number} is no object")
    name, kind = entry.get("id"), entry.get("type")
    if not isinstance(name, str) or not name or not isinstance(kind, str) or not kind:
        bad(f"item {number} needs an id and a type, both texts")
    known(entry, _KEYS, _REMARKS, f"{name[:60]}", bad)

    def number_of(key: str, low: float, high: float) -> float | None:
        value = entry.get(key)
        if value is None:
            return None
        if not finite(value) or not low <= value <= high:
            bad(f"{name}: {key} is a number from {low:g} to {high:g}, not {str(value)[:40]!r}")
        return float(value)

    def whole(key: str, low: int, high: int) -> int | None:
        value = number_of(key, low, high)
        if value is not None and not value.is_integer():
            bad(f"{name}: {key} is a whole number, not {value:g}")
        return None if value is None else int(value)

    options = entry.get("options")
    if isinstance(options, list):
        count: int | None = len(options)
        if len(options) < 2:
            bad(f"{name}: options are two or more")
    else:
        count = whole("options", 2, MOST_OPTIONS)
    a, b = number_of("a", 0, STEEPEST), number_of("b", -FURTHEST, FURTHEST)
    if (a is None) != (b is None):
        bad(f"{name} has one of a and b: both, or none")

    def label(key: str) -> str:
        return _label(entry.get(key), f"{name}: {key}", bad)

    return CalibratedItem(
        id=name,
        type=kind,
        a=a,
        b=b,
        benchmark=label("benchmark"),
        point=label("point"),
        dimension=label("dimension"),
        topic=label("topic"),
        difficulty=whole("difficulty", LEVELS[0], LEVELS[-1]),
        audience=audience_of(entry.get("audience"), f"{name}: ", bad),
        options=count,
        seconds=number_of("seconds", 0, MOST),
        words=number_of("words", 0, MOST),
        exposure=number_of("exposure", 0, MOST) or 0.0,
    )


def _label(value: Any, what: str, bad: Bad) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        bad(f"{what} is a name or a number")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
