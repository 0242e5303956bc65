"""How an analysis of responses answers, and how its numbers look in a table."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from quizapp.analyse.refusals import answer_json, answer_line, refusing


class Report(Protocol):
    """What an analysis found."""

    def as_json(self) -> dict[str, Any]:
        """The object that `--format json` prints."""
        ...

    def as_text(self) -> str:
        """The tables for people."""
        ...


def answer(format_: str, work: Callable[[], Report]) -> None:
    """Do the work and print it; a refusal with its code and exit status 1."""
    with refusing(as_json=format_ == "json"):
        report = work()
        found = plain(report.as_json()) if format_ == "json" else report.as_text()
    if isinstance(found, str):
        answer_line(found)
    else:
        answer_json(found)


def plain(value: Any) -> Any:
    """Python's own numbers instead of arrays; what is not defined is None."""
    if isinstance(value, dict):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Columns with two spaces between; the first `left` to the left, numbers to the right. Wide characters count as two."""
    widths = [max(map(width, column)) for column in zip(headings, *rows, strict=True)]
    lines = []
    for row in (headings, ["-" * w for w in widths], *rows):
        cells = []
        for place, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            space = " " * (wide - width(cell))
            cells.append(cell + space if place < left else space + cell)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def width(text: str) -> int:
    """Columns on a terminal."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def number(value: float | None, digits: int = 3) -> str:
    """A number for people; – where it is not defined."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share for people; – where it is not defined."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}%"


def p_value(value: float | None) -> str:
    """A p value for people."""
    if value is None or not math.isfinite(value):
        return "–"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"
