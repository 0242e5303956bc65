"""JSON and TOML that an analysis reads: whatever stands in such a file, it is read or refused in one line."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any, Final

from quizapp.analyse.files import content_of
from quizapp.analyse.refusals import Refused

#: Bytes of a document: a pool of a hundred thousand items is smaller.
MOST_BYTES: Final = 64 * 1024 * 1024
#: Whole numbers up to here are exact as floats, too.
LARGEST: Final = 2**53


class _TooDeep(ValueError):
    """Lists within lists without end."""


def read_json(path: Path, code: str, cure: str = "") -> Any:
    """The content of a JSON file, its numbers finite and not beyond ± 2⁵³. Raises Refused with `code`, and `cure` at the end.

    Refused: what is not UTF-8 or not JSON, NaN and Infinity, a name that an object has twice, half characters, thousands of brackets
    within each other.
    """
    try:
        return _json(_text(path, code))
    except ValueError as error:
        raise Refused(code, f"{path.name} is no JSON that can be read: {error}{cure and '. '}{cure}") from error


def read_toml(path: Path, code: str) -> dict[str, Any]:
    """The content of a TOML file. Raises Refused with `code`."""
    try:
        return tomllib.loads(_text(path, code))
    except RecursionError as error:
        raise Refused(code, f"{path.name} is no TOML that can be read: too many brackets within each other") from error
    except ValueError as error:
        raise Refused(code, f"{path.name} is no TOML: {error}") from error


def finite(value: Any) -> bool:
    """Whether this is a number that can be reckoned with: no truth value, not infinite, not beyond ± 10³⁰⁰."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= 10**300 if isinstance(value, int) else math.isfinite(value)


def _text(path: Path, code: str) -> str:
    try:
        return content_of(path, MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(code, f"{path.name} is not in UTF-8: save it so") from error


def _json(text: str) -> Any:
    try:
        document = json.loads(
            text, parse_int=_whole, parse_float=_real, parse_constant=_constant, object_pairs_hook=_object
        )
    except RecursionError as error:
        raise _TooDeep("too many brackets within each other") from error
    if "\\u" in text:
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("half a character (\\ud800 to \\udfff by itself)") from error
    return document


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > LARGEST:
        raise ValueError("a whole number is beyond ± 2^53")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _constant(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"{twice[:60]!r} stands twice in one object")
    return found
