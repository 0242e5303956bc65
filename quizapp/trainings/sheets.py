"""What is printed for a session: poster, sign-in sheet, personal code cards, the attendance list.

Paper is in Chinese, as the names on it are. Each sheet is a template in `paper/` beside this file; what it gets are words and figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quizapp.core.clock import LOCAL_ZONE, from_ms
from quizapp.core.typesetting import set_page

FOLDER = Path(__file__).with_name("paper")
#: Lines on a page of the sign-in sheet, and empty ones for those whom nobody expected.
ROWS = 25
SPARE_ROWS = 10
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Head:
    """What stands at the top of each sheet."""

    title: str
    unit: str
    place: str
    when: str


@dataclass(frozen=True)
class SessionPoster:
    """The sheet at the door."""

    head: Head
    #: "poster": the code checks in; "rotating": it opens the session's page, the check-in code is on the screen.
    mode: str
    url: str
    #: Address that people type, and the code in groups.
    address: str
    code: str


@dataclass(frozen=True)
class Card:
    """One personal code card."""

    name: str
    unit: str
    #: What the QR code says, and what people type, in groups.
    text: str
    code: str


@dataclass(frozen=True)
class ListRow:
    """One line of the attendance list; `note` also says why somebody does not count."""

    name: str
    unit: str
    phone: str
    way: str
    came: str
    left: str
    hours: str
    note: str


@dataclass(frozen=True)
class AttendancePaper:
    """The attendance list: figures, who came, who was struck."""

    head: Head
    #: (word, value).
    figures: Sequence[tuple[str, str]]
    #: (unit, expected, came of them, walk-ins and others, coverage).
    units: Sequence[tuple[str, str, str, str, str]]
    rows: Sequence[ListRow]
    struck: Sequence[ListRow]
    check_out: bool
    printed: str


def poster_pdf(poster: SessionPoster) -> bytes:
    """The poster, A4."""
    return set_page(FOLDER / "poster.typ", asdict(poster) | {"qr": code_svg(poster.url)})


def sign_in_pdf(head: Head, people: Sequence[tuple[str, str]], url: str) -> bytes:
    """The sign-in sheet, A4: (unit, name) in the order given, then empty lines; its code opens the page where it is filled in."""
    lines = [*people, *[("", "")] * SPARE_ROWS]
    lines += [("", "")] * (-len(lines) % ROWS)
    pages = [lines[start : start + ROWS] for start in range(0, len(lines), ROWS)]
    return set_page(FOLDER / "sign-in.typ", {"head": asdict(head), "pages": pages, "qr": code_svg(url)})


def cards_pdf(
    head: Head, cards: Sequence[Card], on_step: Callable[[int], None] | None = None, step: int = 100
) -> bytes:
    """Personal code cards, ten on an A4 page."""
    made = []
    for number, card in enumerate(cards, start=1):
        made.append(asdict(card) | {"qr": code_svg(card.text)})
        if on_step is not None and number % step == 0:
            on_step(number)
    return set_page(FOLDER / "cards.typ", {"head": asdict(head), "cards": made})


def attendance_pdf(paper: AttendancePaper) -> bytes:
    """The attendance list, A4."""
    return set_page(FOLDER / "attendance.typ", asdict(paper))


def code_svg(text: str) -> str:
    """A QR code as SVG, without its quiet zone (the sheets leave white around it): error level M."""
    import zxingcpp  # a tenth of the time that a drawing in Python takes

    return str(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_svg(add_quiet_zones=False))


def day_words(at_ms: int) -> str:
    """2026年11月27日 周五."""
    day = from_ms(at_ms).astimezone(LOCAL_ZONE)
    return f"{day.year}年{day.month}月{day.day}日 周{_WEEKDAYS[day.weekday()]}"


def clock_words(at_ms: int | None) -> str:
    """14:03; empty for None."""
    return "" if at_ms is None else f"{from_ms(at_ms).astimezone(LOCAL_ZONE):%H:%M}"


def period_words(starts_at: int, ends_at: int) -> str:
    """2026年11月27日 周五 14:00–15:30, on paper always with the year."""
    first, last = day_words(starts_at), day_words(ends_at)
    end = clock_words(ends_at) if first == last else f"{last} {clock_words(ends_at)}"
    return f"{first} {clock_words(starts_at)}–{end}"
