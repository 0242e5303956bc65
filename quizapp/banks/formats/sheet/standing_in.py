"""A row whose form is wrong in one cell is judged in all others: what is wrong is replaced by something blameless.

So the author learns of all faults in one round. What a check then finds in a stand-in, or by comparing with one, is not told.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from quizapp.banks.faults import Fault

_ZH = "代替"
_EN = "missing"
_PLAIN: dict[str, Any] = {
    "use": "practice",
    "dimension": "knowledge",
    "difficulty": 3,
    "fact": "missing",
    "review_by": "2999-12",
}
#: What is cited where that is wrong: year, and words in two languages.
_CITED: dict[str, Any] = {
    "document": {"zh": "不详的文件", "en": _EN},
    "article": {"zh": "第一条", "en": "Article 1"},
    "year": 2100,
}
#: Rules that compare several fields, whichever of them they name.
_COMPARE = {
    "stem_echo": ("stem", "options", "key"),
    "stem_echo_words": ("stem", "stem.en", "options", "options.en", "key"),
    "picture_spoken_of": ("stem", "stem.en", "stimulus"),
    "fact_practised": ("fact", "use"),
    "near_duplicate": ("stem", "options", "key"),
    "stale": ("stem", "options", "key", "citation"),
    "rationale_copy": ("rationale", "stem", "options", "key"),
    "stem_too_long": ("stem", "stimulus"),
    "negative_unmarked": ("stem", "options"),
    "english_mark": ("stem", "stem.en"),
    "option_lengths": ("options", "options.en"),
    "option_ends": ("options", "options.en"),
    "option_same": ("options", "options.en"),
    "numbers_not_ordered": ("options", "ordered"),
    "labels_not_ordered": ("options", "ordered"),
}


def stand_in(entry: dict[str, Any], wrong: Collection[str]) -> tuple[dict[str, Any], frozenset[str]]:
    """The entry with all that is wrong replaced, and the fields that cannot be judged. `wrong`: fields as faults name them."""
    made, unsure = dict(entry), {at.partition(".")[0] for at in wrong if not at.endswith(".en")}
    if "type" in unsure:
        made["type"] = "single_choice" if made.get("options") else "true_false"
        unsure |= {"options", "key", "ordered"}
    made |= {name: value for name, value in _PLAIN.items() if name in wrong}
    for name, value in _CITED.items():
        if any(at == "citation" or f"{at}.".startswith(f"citation.{name}.") for at in wrong):
            made["citation"] = {**made["citation"], name: value}
    for name in ("tags", "audience", "point", "stimulus", "ordered"):
        if name in unsure:
            made.pop(name, None)
    if "audience" in unsure:
        made["audience"] = ["resident"]
    if "citation.valid_until" in wrong:
        made["citation"] = {name: value for name, value in made["citation"].items() if name != "valid_until"}
    for name in ("stem", "rationale", "objective"):
        text = dict(made[name])
        if f"{name}.zh" in wrong:
            text["zh"] = _ZH * 15
        if f"{name}.en" in wrong:
            text["en"] = _EN
            unsure.add(f"{name}.en")
        made[name] = text
    unsure |= _stand_in_options(made, unsure, any(at.startswith("options.") and at.endswith(".en") for at in wrong))
    return made, frozenset(unsure)


def _stand_in_options(made: dict[str, Any], unsure: set[str], english: bool) -> set[str]:
    """Options and key; all options where one is wrong, as rules compare them."""
    if made["type"] == "true_false":
        made.pop("options", None)
        made.pop("ordered", None)
        if {"options", "key"} & unsure or not isinstance(made.get("key"), bool):
            made["key"] = True
            return {"key"}
        return set()
    found: set[str] = set()
    if "options" in unsure or not made.get("options"):
        made["options"] = [{"id": letter, "zh": f"{_ZH}{letter}", "en": f"{_EN} {letter}"} for letter in "abcd"]
        found |= {"options", "options.en", "key"}
    elif english:
        made["options"] = [{**option, "en": f"{_EN} {option['id']}"} for option in made["options"]]
        found.add("options.en")
    if "key" in unsure | found:
        made["key"] = ["a", "b"] if made["type"] == "multiple_choice" else "a"
        found.add("key")
    return found


def told_by_stand_in(fault: Fault, unsure: Collection[str]) -> bool:
    """Whether a fault may be one of what stands in, not of what was written."""
    head = "options" if fault.at.startswith("option") else fault.at.partition(".")[0]
    return head in unsure or any(name in unsure for name in _COMPARE.get(fault.code, ()))
