"""The poster: its QR code as SVG, and the A4 sheet as PDF.

The sheet is `poster.typ` beside this file; it gets its words and figures as JSON through `sys.inputs`, so nothing that somebody typed is
ever read as markup.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from quizapp.quizzes.errors import PosterFaceMissing

TEMPLATE = Path(__file__).with_name("poster.typ")
#: Where the front-end build puts the Chinese faces for PDFs.
FACES = Path(__file__).resolve().parents[1] / "ui" / "dist" / "fonts"
#: Families that show simplified Chinese, the best first; the template takes the first that is there.
FAMILIES = ("Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC")
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


def qr_svg(url: str) -> str:
    """The code of an address as SVG: error level M, quiet zone 4, black modules on white, one path, no style attribute."""
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.image.svg import SvgPathFillImage

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4, image_factory=SvgPathFillImage)
    code.add_data(url)
    code.make(fit=True)
    return str(code.make_image().to_string(encoding="unicode"))


def poster_pdf(poster: Poster) -> bytes:
    """The sheet, A4. Raises PosterFaceMissing where no Chinese face is installed."""
    return _compile(json.dumps(asdict(poster), ensure_ascii=False, sort_keys=True), "pdf")


def poster_png(poster: Poster, ppi: float = 100) -> bytes:
    """The sheet as a picture, for the preview and for reading its code back."""
    return _compile(json.dumps(asdict(poster), ensure_ascii=False, sort_keys=True), "png", ppi)


@lru_cache(maxsize=_KEPT)
def _compile(content: str, kind: Literal["pdf", "png"], ppi: float | None = None) -> bytes:
    import typst

    faces = _faces()
    families = set(faces.families())
    family = next((name for name in FAMILIES if name in families), None)
    if family is None:
        raise PosterFaceMissing
    inputs = {"poster": content, "family": family}
    return typst.compile(TEMPLATE.read_bytes(), format=kind, ppi=ppi, font_paths=faces, sys_inputs=inputs)


@lru_cache(maxsize=1)
def _faces() -> Any:
    """The faces of the build and of the system; reading them takes a while."""
    import typst

    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[str(FACES)])
