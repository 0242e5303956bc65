"""The poster: its QR code as SVG, and the A4 sheet as PDF.

The sheet is `poster.typ` beside this file, set by `core.typesetting`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from quizapp.core.typesetting import set_page

TEMPLATE = Path(__file__).with_name("poster.typ")
#: Posters kept in memory: about 60 KB each.
_KEPT = 32


@dataclass(frozen=True)
class Poster:
    """What stands on a poster, in words as printed."""

    title: str
    subtitle: str
    issuer: str
    #: Address in the QR code.
    url: str
    #: Address that people type, without "https://".
    address: str
    #: Typed code in groups.
    code: str
    #: Three figures: (value, word, line below).
    figures: tuple[tuple[str, str, str], ...]
    dates: str
    terms: str
    contact: str
    qr: str


def poster_pdf(poster: Poster) -> bytes:
    """The sheet, A4. Raises FaceMissing where no Chinese face is installed."""
    return _compile(poster, "pdf")


def poster_png(poster: Poster, ppi: float = 100) -> bytes:
    """The sheet as a picture, for the preview and for reading its code back."""
    return _compile(poster, "png", ppi)


@lru_cache(maxsize=_KEPT)
def _compile(poster: Poster, kind: Literal["pdf", "png"], ppi: float | None = None) -> bytes:
    return set_page(TEMPLATE, asdict(poster), kind, ppi)
