"""The two sides of a comparison of years, as they stand in the address."""

from __future__ import annotations

import re

from quizapp.reports.forms import YEARS
from quizapp.reports.years.queries import Side, SideKind

_SIDE = re.compile(r"d(\d{1,18})|q(\d{1,18})-(\d{4})", re.ASCII)


def read_side(text: str | None) -> Side | None:
    """A side as `Side.as_text` writes it; None for anything else."""
    found = _SIDE.fullmatch(text or "")
    if found is None:
        return None
    if found[1]:
        return Side(SideKind.DELIVERY, int(found[1]))
    year = int(found[3])
    return Side(SideKind.QUIZ, int(found[2]), year) if year in YEARS else None
