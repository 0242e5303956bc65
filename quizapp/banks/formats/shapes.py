"""The JSON schemas of the files, and what their violations mean in our words."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from quizapp.banks.faults import Fault, Level
from quizapp.banks.formats.marked_yaml import Document
from quizapp.core.paths import data_folder

#: An example for each field that has a form, for the cure.
EXAMPLES: dict[str, str] = {
    "id": "SAF-FIRE-001, or LIT-B07-3 in literacy",
    "bank": "safety: small letters, digits and _",
    "topic": "fire: small letters, digits and _",
    "code": "safety_20: small letters, digits and _",
    "standard": "literacy_2016: small letters, digits and _",
    "review_by": "2028-12",
    "valid_until": "2027-12",
    "key": "key: true or false in true_false, key: b in single_choice, key: [a, c] in multiple_choice",
    "ordered": "ordered: true",
    "point": "point: 28",
    "difficulty": "difficulty: 3",
    "tags": "tags: [hot_work, ppe]",
    "audience": "audience: [resident]",
    "seen": "seen: false",
    "unsure": "unsure: true",
    "file": "safety/images/saf-fire-021.svg",
    "year": "year: 2021",
    "options": "a list of lines such as - {id: a, zh: …, en: …}",
    "items": "a list of items, each beginning with - id:",
}
_TWO_LANGUAGES = "{zh: …, en: …}"
_KINDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a group of fields",
}


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of `item_bank`, `standard` or `blueprints`, from question_banks/schema/."""
    path = data_folder("question_banks") / "schema" / f"{name}.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def shape_faults(document: Document, schema: str, file: str) -> list[Fault]:
    """What the schema refuses, in the order of the lines."""
    errors = validator(schema).iter_errors(document.value)
    faults = [fault for error in errors for fault in _faults(error, document, file)]
    return sorted(faults, key=lambda fault: (fault.line, fault.code))


def unsound_items(document: Document) -> frozenset[int] | None:
    """The positions of the items of a bank file that break the schema; None where the fault is of the file itself."""
    paths = [tuple(error.absolute_path) for error in validator("item_bank").iter_errors(document.value)]
    if any(path[:1] != ("items",) or len(path) < 2 for path in paths):
        return None
    return frozenset(path[1] for path in paths if isinstance(path[1], int))


def _faults(error: ValidationError, document: Document, file: str) -> Iterator[Fault]:
    path = tuple(error.absolute_path)
    rule = str(error.validator)
    demand: Any = error.validator_value
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    what = _what(path)
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    given = _shown(error.instance)
    item = _item_id(document, path)

    def fault(code: str, at: tuple[str | int, ...] = path, **data: object) -> Fault:
        missing = (data["field"],) if code == "missing_field" else ()
        place = ".".join(str(part) for part in (*at[2:], *missing)) if item else ""
        return Fault(code, Level.REFUSE, file, document.line(at), data, item=item, at=place)

    if rule == "additionalProperties":
        known = list(schema.get("properties", {}))
        for field in instance:
            if field not in known:
                yield fault("unknown_field", (*path, field), field=field, hint=_hint(field, known))
    elif rule == "required":
        for field in demand:
            if field not in instance:
                yield fault("missing_field", what=what, field=field)
    elif rule == "type":
        wanted = _KINDS[str(demand)]
        example = EXAMPLES.get(name) or (_TWO_LANGUAGES if wanted == _KINDS["object"] else wanted)
        yield fault("wrong_type", what=what, given=given, wanted=wanted, example=example)
    elif rule == "not":
        yield fault("options_not_allowed", field=name)
    elif rule in ("enum", "const"):
        values = demand if rule == "enum" else [demand]
        yield fault("not_one_of", what=what, given=given, wanted=", ".join(map(str, values)))
    elif rule == "pattern":
        yield fault("wrong_pattern", what=what, given=given, example=EXAMPLES.get(name, "1"))
    elif rule == "minLength":
        yield fault("too_short" if instance else "empty_text", what=what, length=len(instance), least=demand)
    elif rule == "maxLength":
        yield fault("too_long", what=what, length=len(instance), limit=demand)
    elif rule in ("minimum", "maximum", "exclusiveMinimum"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", "-"))
        yield fault("out_of_range", what=what, given=given, low=low, high=schema.get("maximum", "any number"))
    elif rule == "uniqueItems":
        yield fault("repeated_entry", what=what)
    else:  # minItems, maxItems, minProperties
        low, high = schema.get("minItems", schema.get("minProperties", 0)), schema.get("maxItems")
        yield fault(
            "wrong_count", what=what, given=len(instance), wanted=f"{low} to {high}" if high else f"{low} or more"
        )


def _item_id(document: Document, path: tuple[str | int, ...]) -> str:
    """The id of the item that a path leads into, as it is written there."""
    if path[:1] != ("items",) or len(path) < 2:
        return ""
    entry = document.value["items"][path[1]]
    return str(entry.get("id", "")) if isinstance(entry, dict) else ""


def _what(path: tuple[str | int, ...]) -> str:
    """A path in words: "stem.zh", "options, entry 2", "the item", "the file"."""
    if path[:1] == ("items",) and len(path) == 2:
        return "the item"
    if path[:1] in (("items",), ("benchmarks",), ("blueprints",)):
        path = path[2:] or path
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f", entry {part + 1}"
        else:
            words += f"{'.' if words else ''}{part}"
    return words or "the file"


def _shown(value: Any) -> str:
    """A value as it stands in the file, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a group of fields"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text}"' if len(text) <= 40 else f'"{text[:39]}…"'


def _hint(field: str, known: list[str]) -> str:
    close = difflib.get_close_matches(field, known, 1)
    return f"Did you mean {close[0]}?" if close else f"The fields are: {', '.join(known)}"
