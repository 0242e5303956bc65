"""What the cells of one row say, as an entry of a bank file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from quizapp.banks.formats.sheet.columns import CHOICES, FALSE, NO, NONE, OPTIONS, TRUE, YES, code_of
from quizapp.banks.parsed import ParsedItem

_TEXTS = ("stem", "rationale", "objective")


def item_id(text: str) -> str:
    """An id as the files have it: capitals, plain letters and hyphens, no spaces."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper().replace("–", "-").replace("—", "-")


def entry_of(cells: Mapping[str, str], id: str, before: ParsedItem | None) -> dict[str, Any]:
    """The entry that a row makes; the state is always in_review, for a second person approves.

    With `before`, the row corrects that item: an empty cell leaves what is there, 无 takes it away where it may be missing. Options go
    together: a row that has any of them has all, and says whether they keep their order. The picture is not part of the entry.
    """
    entry: dict[str, Any] = (
        _entry_before(before)
        if before
        else {"citation": {"document": {}, "article": {}}, **{name: {} for name in _TEXTS}}
    )
    entry |= {"id": id, "state": "in_review"}
    for name in (
        "type",
        "use",
        "dimension",
        "stimulus",
        "review_by",
        "fact",
        "difficulty",
        "point",
        "tags",
        "audience",
    ):
        if name in cells:
            _set(entry, name, cells[name])
    for name in _TEXTS:
        entry[name] = {**entry[name], **_given(cells, name)}
    citation = entry["citation"] = {**entry["citation"], **_given(cells, "citation", "year", "valid_until")}
    for name in ("document", "article"):
        there = citation.get(name, {})
        given = _given(cells, f"citation.{name}")
        if given or not there:
            citation[name] = {**({"zh": there} if isinstance(there, str) else there), **given}
    if "year" in citation:
        citation["year"] = _whole(str(citation["year"]))
    if citation.get("valid_until", "").casefold() in NONE:
        del citation["valid_until"]
    options = _options(cells)
    if options:
        entry["options"] = options
        entry.pop("ordered", None)
    ordered = cells.get("ordered", "").casefold()
    if ordered in YES:
        entry["ordered"] = True
    elif ordered in NO | NONE:
        entry.pop("ordered", None)
    if "key" in cells:
        entry["key"] = _key(cells["key"], entry.get("type"))
    return entry


def _given(cells: Mapping[str, str], group: str, *names: str) -> dict[str, str]:
    """What the columns of a group say: those of the two languages where none are named."""
    return {name: cells[f"{group}.{name}"] for name in names or ("zh", "en") if f"{group}.{name}" in cells}


def _set(entry: dict[str, Any], name: str, text: str) -> None:
    if name in ("stimulus", "tags", "audience") and text.casefold() in NONE:
        entry.pop(name, None)
    elif name in ("difficulty", "point"):
        entry[name] = _whole(text)
    elif name in ("tags", "audience"):
        entry[name] = list(_parts(name, text))
    else:
        entry[name] = code_of(name, text) if name in CHOICES else text


def _parts(name: str, text: str) -> Iterator[str]:
    """The codes in a cell: for codes, and for the names of groups, which may have spaces and commas in them (宾馆、娱乐场所员工)."""
    for code, (zh, _en) in CHOICES.get(name, {}).items():
        text = text.replace(zh, f" {code} ")
    for part in (part.strip() for part in re.split(r"[,，、;；\n]", text)):
        known = code_of(name, part) if name in CHOICES else part
        yield from [known] if known != part else part.split()


def _options(cells: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"id": letter, **{lang: cells[f"{letter}.{lang}"] for lang in ("zh", "en") if f"{letter}.{lang}" in cells}}
        for letter in OPTIONS
        if f"{letter}.zh" in cells or f"{letter}.en" in cells
    ]


def _entry_before(item: ParsedItem) -> dict[str, Any]:
    """An item as its file has it, but for the picture."""
    if item.type == "true_false":
        key: Any = item.is_true
    else:
        key = list(item.key) if item.type == "multiple_choice" else item.key[0]
    entry: dict[str, Any] = {
        "type": item.type,
        "use": item.use,
        "dimension": item.dimension,
        "difficulty": item.difficulty,
        "fact": item.fact,
        "objective": item.objective,
        "stem": item.stem,
        "key": key,
        "rationale": item.rationale,
        "citation": item.citation,
        "review_by": item.review_by,
    }
    optional = {
        "point": item.point,
        "tags": list(item.tags),
        "audience": list(item.audience),
        "stimulus": item.stimulus,
        "ordered": item.ordered,
        "options": [{"id": o.id, "zh": o.zh, "en": o.en} for o in item.options],
    }
    return entry | {name: value for name, value in optional.items() if value}


def _whole(text: str) -> Any:
    return int(text) if re.fullmatch(r"\d{1,4}", text) else text


def _key(text: str, kind: object) -> Any:
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    if kind == "true_false":
        return True if plain in TRUE else False if plain in FALSE else text
    letters = re.findall(r"[a-z]", plain)
    return letters if kind == "multiple_choice" else plain
