"""When each test was taken, of a table with columns `pre_at` and `post_at` beside the items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quizapp.analyse.files import read_rows
from quizapp.analyse.refusals import Refused, shortened
from quizapp.analyse.responses import BLANK, Responses
from quizapp.analyse.tables import read_responses, responses_of

#: The columns. An item may be called "at" as well: then their cells are scores.
PRE_AT, POST_AT = "pre_at", "post_at"


@dataclass(frozen=True)
class Times:
    """Of each respondent, in the order of the table; None: the cell is empty."""

    pre: tuple[datetime | None, ...]
    post: tuple[datetime | None, ...]


def read_before_after(path: Path) -> tuple[Responses, Times | None]:
    """A wide table of two tests, and when each was taken, where it says that. Raises Refused."""
    rows = list(read_rows(path))
    names = [name.strip() for name in rows[0][1]] if rows else []
    times = [name for name in (PRE_AT, POST_AT) if name in names]
    if not times or all(cell in ("", "0", "1", BLANK) for cell in _cells(rows, names, times[0])):
        return read_responses(path, scored=True), None
    if len(times) == 1:
        missing = POST_AT if times == [PRE_AT] else PRE_AT
        raise Refused("one_time", f"the table has the column {times[0]} and no column {missing}: it needs both or none")
    at = [names.index(name) for name in times]
    kept = ((number, [cell for place, cell in enumerate(row) if place not in at]) for number, row in rows)
    responses = responses_of(kept, scored=True)
    pre, post = (
        tuple(_time(row[place] if place < len(row) else "", number, name) for number, row in rows[1:])
        for name, place in zip(times, at, strict=True)
    )
    if len({one.tzinfo is None for one in (*pre, *post) if one is not None}) > 1:
        raise Refused(
            "not_a_time", f"some times of {PRE_AT} and {POST_AT} have a zone and some have none: write all alike"
        )
    return responses, Times(pre, post)


def _cells(rows: Sequence[tuple[int, list[str]]], names: Sequence[str], name: str) -> Iterator[str]:
    place = names.index(name)
    return (row[place] for _, row in rows[1:] if place < len(row))


def _time(cell: str, number: int, name: str) -> datetime | None:
    if not cell or cell == BLANK:
        return None
    try:
        return datetime.fromisoformat(cell)
    except ValueError as error:
        message = f"row {number}, {name}: {shortened(cell)} is no time. Write 2026-03-01 or 2026-03-01 09:30"
        raise Refused("not_a_time", message) from error
