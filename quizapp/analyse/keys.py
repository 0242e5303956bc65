"""The key of a test from a file: CSV `item,key` or JSON `{"items": […], "key": […]}`.

Either may list all options of an item, so that one that nobody chose is seen: a third column `options` ("A|B|C|D"), or in JSON a list
`options` of such lists. Right answers and options are read as answers are (`responses.plain_label`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quizapp.analyse.documents import read_json
from quizapp.analyse.files import read_bytes, read_rows
from quizapp.analyse.refusals import Refused
from quizapp.analyse.responses import BLANK, plain_label

_FORM = 'The key is not as it must be: {"items": ["Q1", …], "key": ["A", …]}'


@dataclass(frozen=True)
class KeyOfItem:
    """What is right, and all options where they are known."""

    key: str
    options: tuple[str, ...] = ()


def read_key(path: Path) -> dict[str, KeyOfItem]:
    """The key of each item. Raises Refused."""
    if read_bytes(path).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return _from_json(path)
    return _from_table(path)


def _from_json(path: Path) -> dict[str, KeyOfItem]:
    content = read_json(path, "bad_key", _FORM)
    items, keys = (content.get(name) if isinstance(content, dict) else None for name in ("items", "key"))
    if not isinstance(items, list) or not isinstance(keys, list):
        raise Refused("bad_key", _FORM)
    if len(items) != len(keys):
        raise Refused("bad_key", "the key needs as many entries under «key» as under «items»")
    options = content.get("options")
    if not isinstance(options, list) or len(options) != len(items):
        options = [()] * len(items)
    found: dict[str, KeyOfItem] = {}
    for number, (item, key, of_item) in enumerate(zip(items, keys, options, strict=True), start=1):
        place = f"entry {number}"
        listed = of_item if isinstance(of_item, (list, tuple)) else ()
        _add(found, _text(item, place), _text(key, place), [_text(option, place) for option in listed], place)
    return found


def _text(value: Any, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Refused("bad_key", f"{place} of the key: items, answers and options are texts or numbers")
    return str(value)


def _from_table(path: Path) -> dict[str, KeyOfItem]:
    rows = read_rows(path)
    _, heading = next(rows, (1, []))
    names = [name.lower() for name in heading]
    if "item" not in names or "key" not in names:
        raise Refused("bad_key", "row 1: the key needs the columns «item» and «key»")
    item_at, key_at = names.index("item"), names.index("key")
    options_at = names.index("options") if "options" in names else None
    found: dict[str, KeyOfItem] = {}
    for number, cells in rows:
        row = cells + [""] * (len(names) - len(cells))
        options = row[options_at].split("|") if options_at is not None else []
        _add(found, row[item_at], row[key_at], options, f"row {number}")
    return found


def _add(found: dict[str, KeyOfItem], item: str, key: str, options: Sequence[str], place: str) -> None:
    item, key = item.strip(), plain_label(key)
    if not item or not key:
        raise Refused("bad_key", f"{place} of the key: the item or its right answer is missing")
    if item in found:
        raise Refused("bad_key", f"{place} of the key: item «{item}» has a right answer already")
    if key == BLANK:
        raise Refused("bad_key", f"{place} of the key: «{BLANK}» means not answered, which is never right")
    found[item] = KeyOfItem(key, tuple(option for option in map(plain_label, options) if option))
