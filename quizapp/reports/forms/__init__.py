"""The filters of a table, as they stand in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

#: Targets to compare with, in per cent.
TARGETS = (60, 70, 75, 80, 90)


@dataclass(frozen=True)
class Filters:
    """What was asked. A value that is no number or no day is as if it had not been asked, except that `wrong_days` says so."""

    unit_id: int | None
    delivery_id: int | None
    first_day: date | None
    last_day: date | None
    #: A fraction.
    target: float | None
    page: int
    wrong_days: bool

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Filters:
        """From the query of the address."""
        first, last = _day(values.get("from")), _day(values.get("to"))
        wrong = any(values.get(name) and day is None for name, day in (("from", first), ("to", last)))
        target = _number(values.get("target"))
        return cls(
            unit_id=_number(values.get("unit")),
            delivery_id=_number(values.get("delivery")),
            first_day=first,
            last_day=last,
            target=target / 100 if target in TARGETS else None,
            page=max(1, _number(values.get("page")) or 1),
            wrong_days=wrong or bool(first and last and last < first),
        )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
