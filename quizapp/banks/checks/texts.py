"""Both languages are there, and are the language that they claim to be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quizapp.banks.checks.making import refuse
from quizapp.banks.faults import Fault
from quizapp.banks.parsed import ParsedItem, Text

#: A Chinese character.
HAN = re.compile(r"[\u3400-\u9fff]")
#: The words of a citation.
SOURCES = ("document", "article", "replaces")


def language_faults(item: ParsedItem) -> Iterator[Fault]:
    """English without Chinese characters; Chinese sentences with them (an option may be a number or a unit, a source English)."""
    sentences: list[tuple[str, str, Text]] = [
        ("stem", "stem", item.stem),
        ("rationale", "rationale", item.rationale),
        ("objective", "objective", item.objective),
    ]
    options = [(f"option {o.id}", f"option {o.id}", {"zh": o.zh, "en": o.en}) for o in item.options]
    sources = {name: item.citation.get(name) for name in SOURCES}
    both = [(f"citation.{name}", "citation", source) for name, source in sources.items() if isinstance(source, dict)]
    for what, at, text in [*sentences, *options, *both]:
        if HAN.search(text["en"]):
            yield refuse(item, "format", "english_has_chinese", at, what=f"{what}.en")
    for name, source in sources.items():
        # what others wrote is read as it is; what is served has what the page of either language shows
        if isinstance(source, str) and HAN.search(source) and item.state == "approved":
            yield refuse(item, "format", "citation_one_language", "citation", what=f"citation.{name}")
    for what, at, text in sentences:
        if not HAN.search(text["zh"]):
            yield refuse(item, "format", "chinese_missing", at, what=f"{what}.zh")
    if ("**" in item.stem["zh"]) != ("**" in item.stem["en"]):
        yield refuse(item, "N1", "english_mark", "stem")
