"""What a table of responses becomes, and what its heading and its cells must be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quizapp.analyse.refusals import Refused
from quizapp.measurement.classical import ABSENT

#: Given, not answered.
BLANK: Final = "-"
#: Different cells of one table beyond which it is surely something else than responses.
MOST_LABELS: Final = 2000
#: The longest that anybody thinks about an item: a hundred days.
MOST_SECONDS: Final = 8_640_000


@dataclass(frozen=True)
class Responses:
    """A table of responses."""

    respondents: Sequence[str]
    items: Sequence[str]
    #: (respondents, items): 0 = not given, else the number of the label, from 1.
    answers: NDArray[Any]
    #: What a number stands for: `labels[number - 1]`, as it was written.
    labels: Sequence[str]
    #: The row of each respondent as a spreadsheet counts it (a wide table), or of each answer (a long one).
    rows: NDArray[np.integer[Any]]
    #: (respondents, items) seconds, NaN where unknown; None where the table has none.
    seconds: NDArray[np.float64] | None = None

    @property
    def blank(self) -> int | None:
        """The number of "given, not answered"; None where it does not occur."""
        return list(self.labels).index(BLANK) + 1 if BLANK in self.labels else None

    @property
    def order(self) -> NDArray[np.integer[Any]]:
        """In which order each person met the items: (respondents, items), or (items,) where it is that of the columns."""
        return self.rows if self.rows.ndim == 2 else np.arange(len(self.items))

    def row_of(self, respondent: int, item: int) -> int:
        """The row where an answer stands."""
        return int(self.rows[respondent] if self.rows.ndim == 1 else self.rows[respondent, item])


def long_answer(names: Sequence[str], *, scored: bool) -> int | None:
    """The column of the answers of a long table, by its heading; None where this is a wide one."""
    lower = [name.lower() for name in names]
    wanted = ("score", "option") if scored else ("option", "score")
    return next((lower.index(name) for name in wanted if "item" in lower and name in lower), None)


def heading(row: Sequence[str]) -> list[str]:
    """The names of the columns. Raises Refused."""
    if len(row) == 1 and (";" in row[0] or "\t" in row[0]):
        raise Refused("unreadable", "row 1: columns are not separated by commas. Save as «CSV UTF-8», or as xlsx")
    if not row or row[0].strip().lower() != "respondent":
        found = row[0] if row else ""
        raise Refused("no_respondent", f"row 1: the first column is «{found}»; it must be «respondent»")
    names = [name.strip() for name in row]
    while not names[-1]:
        names.pop()
    for place, name in enumerate(names, start=1):
        if not name:
            raise Refused("no_item_name", f"row 1: column {place} has no name. Give each item its name")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise Refused("item_twice", f"row 1: «{twice}» stands there twice. Each column has a name of its own")
    return names


#: A whole number with a point, as programs write it beside empty cells.
_WHOLE: Final = re.compile(r"([+-]?\d+)\.0*")


def plain_label(text: str) -> str:
    """What a cell says: without space around it, "Ａ" and "１" of full width as "A" and "1", and "1.0" as "1".

    Answers, keys and options all go through it, so that they meet however a program wrote them.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


class Labels:
    """Numbers for what stands in cells, by `plain_label`."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": ABSENT}
        self.names: list[str] = []

    def number(self, cell: str, row: int) -> int:
        """The number of a cell; `row` is named where it is refused."""
        found = self.numbers.get(cell)
        if found is None:
            name = plain_label(cell)
            found = self.numbers.get(name)
            if found is None:
                if len(self.names) == MOST_LABELS:
                    raise Refused(
                        "too_many_answers",
                        f"row {row}: more than {MOST_LABELS} different answers. Cells hold 0, 1 or the chosen option",
                    )
                self.names.append(name)
                found = self.numbers[name] = len(self.names)
            self.numbers[cell] = found
        return found
