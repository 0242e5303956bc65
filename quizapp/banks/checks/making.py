"""Short ways to state a fault of an item or of a bank."""

from __future__ import annotations

from collections.abc import Sequence

from quizapp.banks.faults import Fault, Level
from quizapp.banks.parsed import ParsedItem

#: Items named in the cure of a share.
_NAMED = 8


def refuse(item: ParsedItem, check: str, code: str, at: str = "", **data: object) -> Fault:
    """A fault that keeps the banks from being loaded, at the line of the field `at`."""
    return Fault(code, Level.REFUSE, item.file, item.line_of(at), data, check, item.code, at)


def warn(item: ParsedItem, check: str, code: str, at: str = "", **data: object) -> Fault:
    """A fault that is only told."""
    return Fault(code, Level.WARN, item.file, item.line_of(at), data, check, item.code, at)


def names(items: Sequence[ParsedItem]) -> str:
    """The first ids of a list of items."""
    listed = ", ".join(item.code for item in items[:_NAMED])
    return f"{listed} …" if len(items) > _NAMED else listed


def percent(share: float) -> str:
    """A share as a percentage with at most one decimal."""
    return f"{share * 100:.1f}".removesuffix(".0")
