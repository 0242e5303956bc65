"""What is printed of a delivery: its QR code as SVG, the poster in A4 and A5, and a sheet of small cards, as PDF.

The sheets are `poster.typ` and `cards.typ` beside this file, set by `core.typesetting`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from quizapp.core.typesetting import set_page

TEMPLATE = Path(__file__).with_name("poster.typ")
CARDS = Path(__file__).with_name("cards.typ")
#: The papers on which a poster can be printed.
SHEETS = ("a4", "a5")
#: Sheets kept in memory: about 60 KB each.
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


def poster_pdf(poster: Poster, sheet: str = "a4") -> bytes:
    """The poster on a paper of `SHEETS`. Raises FaceMissing where no Chinese face is installed."""
    return _compile(TEMPLATE, poster, "pdf", sheet=sheet)


def poster_png(poster: Poster, ppi: float = 100, sheet: str = "a4") -> bytes:
    """The poster as a picture, for the preview and for reading its code back."""
    return _compile(TEMPLATE, poster, "png", ppi, sheet=sheet)


def cards_pdf(poster: Poster) -> bytes:
    """Ten small cards on an A4 sheet. Raises FaceMissing where no Chinese face is installed."""
    return _compile(CARDS, poster, "pdf")


def cards_png(poster: Poster, ppi: float = 150) -> bytes:
    """The sheet of cards as a picture, for reading its codes back."""
    return _compile(CARDS, poster, "png", ppi)


@lru_cache(maxsize=_KEPT)
def _compile(
    template: Path, poster: Poster, kind: Literal["pdf", "png"], ppi: float | None = None, *, sheet: str = "a4"
) -> bytes:
    return set_page(template, {**asdict(poster), "sheet": sheet}, kind, ppi)
