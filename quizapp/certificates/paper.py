"""Certificates on paper: A4, a page for each, in Chinese or in English, all of a run in one file.

The sheet is `certificate.typ` beside this file; it gets its words and figures as JSON through `sys.inputs`, so nothing that somebody
typed is ever read as markup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from quizapp.core import typesetting

TEMPLATE = Path(__file__).with_name("certificate.typ")
#: Serif families that show simplified Chinese, the best first; where none is there, a sans-serif one stands in.
SERIF = ("Noto Serif SC", "Noto Serif CJK SC", "Source Han Serif SC", "Source Han Serif CN")
LANGUAGES = ("zh", "en")
#: Pages between two words of progress.
STEP = 100


@dataclass(frozen=True)
class Page:
    """What stands on one certificate."""

    #: Empty for somebody whose data was erased.
    name: str
    course: str
    run: str
    #: First and last local day of the run's sessions; None where that is not known.
    first: date | None
    last: date | None
    #: Training hours, in tenths.
    hours: int
    number: str
    #: Typed check code, in groups.
    code: str
    #: Address in the QR code.
    url: str
    #: Address that people type, without "https://".
    address: str
    issuer: str
    issued: date
    until: date | None


def qr_svg(url: str) -> str:
    """The code of an address as SVG without its quiet zone, which the sheet's white gives: error level M, black modules, one path.

    By zxing, in a tenth of the time that a drawing in Python takes.
    """
    import zxingcpp

    made = zxingcpp.create_barcode(url, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return str(made.to_svg(add_quiet_zones=False))


def certificates_pdf(
    pages: Sequence[Page], language: str, on_drawn: Callable[[int], None] = lambda _count: None
) -> bytes:
    """The file, a page for each in their order. Raises FaceMissing where no Chinese face is installed.

    `on_drawn` hears after each hundred how many codes are drawn; setting the pages comes after that and takes about as long.
    """
    import typst

    sans = typesetting.chinese_family()
    serif = typesetting.best_family((*SERIF, sans))
    drawn = []
    for number, page in enumerate(pages, start=1):
        drawn.append(_as_json(page))
        if number % STEP == 0:
            on_drawn(number)
    first = pages[0]
    content = {
        "language": language,
        "title": first.course if len(pages) > 1 else f"{first.course} {first.number}",
        "author": first.issuer,
        "pages": drawn,
    }
    inputs = {"certificates": json.dumps(content, ensure_ascii=False), "serif": serif, "sans": sans}
    return bytes(typst.compile(TEMPLATE.read_bytes(), format="pdf", font_paths=typesetting.faces(), sys_inputs=inputs))


def _as_json(page: Page) -> dict[str, object]:
    values = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(page).items()}
    return {**values, "qr": qr_svg(page.url)}
