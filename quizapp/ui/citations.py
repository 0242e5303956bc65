"""Where a fact stands, in the page's language; and the title by which a reader of the other finds the document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quizapp.ui.filters import page_language

_HAN = re.compile(r"[\u3400-\u9fff]")
#: A title within its marks, for it alone says in which language the document is.
_TITLE = re.compile(r"《(.+)》")


@dataclass(frozen=True)
class Cited:
    """A citation as a page shows it; `other` is empty where it would say nothing new."""

    text: str
    #: zh or en: plain words of one language are shown on both pages.
    lang: str
    other: str = ""
    other_lang: str = ""


def cited(citation: Mapping[str, Any]) -> Cited:
    """The citation in the page's language, with its words in the other.

    Of an English citation the other is what to look for: the original title and place, unless the document itself is in English.
    """
    english = _english(citation)
    if not english:
        return Cited(_chinese(citation), "zh")
    if page_language() == "zh":
        return Cited(_chinese(citation), "zh", "" if english == _chinese(citation) else english, "en")
    document, article = (_words(citation[name], "zh") for name in ("document", "article"))
    title = _TITLE.search(document)
    found_by = f"{document} {article}" if _HAN.search(title[1] if title else document) else ""
    return Cited(english, "en", found_by, "zh")


def _words(source: str | Mapping[str, str], language: str) -> str:
    return source if isinstance(source, str) else source.get(language) or source["zh"]


def _chinese(citation: Mapping[str, Any]) -> str:
    document, article = (_words(citation[name], "zh") for name in ("document", "article"))
    year = "" if _dated(document, article, citation["year"]) else f"（{citation['year']}）"
    return f"{document}，{article}{year}"


def _english(citation: Mapping[str, Any]) -> str:
    """Empty where a part is in Chinese only."""
    document, article = (_words(citation[name], "en") for name in ("document", "article"))
    if _HAN.search(document + article):
        return ""
    year = "" if _dated(document, article, citation["year"]) else f" ({citation['year']})"
    return f"{document}{year}, {article}"


def _dated(document: str, article: str, year: int) -> bool:
    """Whether the words name the year already: GB 2894-2025."""
    return str(year) in document or str(year) in article
