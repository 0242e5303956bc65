"""Invitation cards on paper. Paper is in Chinese, as the names on it are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quizapp.core.clock import LOCAL_ZONE, from_ms
from quizapp.core.typesetting import set_page
from quizapp.surveys.models import Survey

_TEMPLATE = Path(__file__).with_name("cards.typ")


@dataclass(frozen=True)
class InvitationCard:
    """One card."""

    number: int
    #: Who is invited; "" where only a place of the unit's own list is known.
    name: str
    place: int | None
    of: int | None
    unit: str
    #: What the QR code says.
    url: str


def cards_pdf(
    survey: Survey, cards: Sequence[InvitationCard], on_step: Callable[[int], None] | None = None, step: int = 50
) -> bytes:
    """The cards, eight on an A4 page."""
    made = []
    for number, card in enumerate(cards, start=1):
        made.append(asdict(card) | {"qr": _code_svg(card.url)})
        if on_step is not None and number % step == 0:
            on_step(number)
    until = from_ms(survey.delivery.closes_at - 1).astimezone(LOCAL_ZONE)
    head = {
        "title": survey.title,
        "issuer": survey.unit.name,
        "until": f"{until.year}年{until.month}月{until.day}日 {until:%H:%M}",
        "minutes": survey.delivery.time_limit_s // 60 if survey.delivery.time_limit_s else None,
        "items": survey.delivery.item_count,
    }
    return set_page(_TEMPLATE, {"head": head, "cards": made})


def _code_svg(text: str) -> str:
    """A QR code without its quiet zone, which the card leaves white: error level M."""
    import zxingcpp  # a tenth of the time that a drawing in Python takes

    return str(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_svg(add_quiet_zones=False))
