"""Whether items are harder for one of two groups of people who know equally much; the mathematics stands in `measurement.dif`."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quizapp.analyse.files import read_bytes
from quizapp.analyse.output import number, p_value, table
from quizapp.analyse.refusals import Refused
from quizapp.analyse.scoring import Keyed
from quizapp.measurement.dif import Dif, mantel_haenszel

#: People of each group below which the test sees only the largest differences (Zieky in Holland & Wainer (1993), ch. 15: 100 and 500).
FEW_OF_GROUP = 100
_CHOSEN = {
    "named": "as named by --reference",
    "larger": "the larger group (--reference names the other)",
    "first_by_name": "of two equally large groups the first by name (--reference names the other)",
}
_SIZES = {"A": "", "B": "harder for one group: look at it", "C": "much harder for one group: look at it"}


@dataclass(frozen=True)
class GroupReport:
    """Two groups, and of each item how far its odds differ."""

    reference: str
    focal: str
    #: People of each with every item.
    people: tuple[int, int]
    items: Sequence[tuple[str, Dif]]
    #: Why it is the reference: "named", "larger", or "first_by_name" of two equally large ones.
    chosen: str = "larger"

    def as_json(self) -> dict[str, Any]:
        """The part `dif` of the answer."""
        return {
            "reference": {"group": self.reference, "n": self.people[0], "chosen": self.chosen},
            "focal": {"group": self.focal, "n": self.people[1]},
            "items": [
                {
                    "item": name,
                    "odds_ratio": found.odds_ratio,
                    "low": found.low,
                    "high": found.high,
                    "delta": found.delta,
                    "chi_square": found.chi_square,
                    "p": found.p,
                    "p_corrected": found.p_corrected,
                    "size": found.size,
                }
                for name, found in self.items
            ],
        }

    def as_text(self) -> str:
        """A table, and what it means."""
        head = (
            f"Groups: {self.reference} ({self.people[0]}) and {self.focal} ({self.people[1]}), people matched by their total\n"
            f"reference: {self.reference}, {_CHOSEN[self.chosen]}\n"
            f"odds ratio above 1: harder for {self.focal} than for equally able {self.reference}"
        )
        if min(self.people) < FEW_OF_GROUP:
            head += f"\nFewer than {FEW_OF_GROUP} of a group: only large differences can be seen."
        rows = [
            [
                name,
                number(found.odds_ratio, 2),
                f"{number(found.low, 2)} to {number(found.high, 2)}",
                number(found.delta, 2),
                p_value(found.p_corrected),
                found.size or "",
                _SIZES.get(found.size or "A", ""),
            ]
            for name, found in self.items
        ]
        return head + "\n" + table(("item", "odds ratio", "95% interval", "delta", "p", "size", ""), rows)


def read_groups(path: Path) -> dict[str, str]:
    """Respondent → group from a CSV `respondent,group`. Raises Refused (bad_groups)."""
    try:
        rows = list(csv.reader(io.StringIO(read_bytes(path).decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused("bad_groups", f"{path.name} cannot be read as CSV in UTF-8: {error}") from error
    if not rows or [cell.strip().lower() for cell in rows[0]] != ["respondent", "group"]:
        raise Refused("bad_groups", f"{path.name}: row 1 must be respondent,group")
    found: dict[str, str] = {}
    for place, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != 2 or not row[0].strip() or row[0].strip() in found:
            raise Refused("bad_groups", f"{path.name}, row {place}: one respondent and one group, each respondent once")
        found[row[0].strip()] = row[1].strip()
    return found


def compare_groups(data: Keyed, groups: Mapping[str, str], reference: str | None = None) -> GroupReport:
    """Mantel and Haenszel's test of each item among those with a group and with every item.

    `reference`: the group that the other is compared with; where none is named, the larger, of two equally large ones the first by name.
    Raises Refused: not_two_groups, unknown_group.
    """
    scores = data.scores()
    of_whom = np.array([groups.get(str(name).strip(), "") for name in data.responses.respondents])
    used = (of_whom != "") & ~np.isnan(scores).any(axis=1)
    counts = Counter(of_whom[used].tolist())
    if len(counts) != 2:
        found = ", ".join(sorted(counts)[:5]) or "none"
        message = f"two groups among the respondents who have every item are needed, not {len(counts)} ({found})"
        raise Refused("not_two_groups", message)
    names = sorted(counts, key=lambda name: (-counts[name], name))
    chosen = "larger" if counts[names[0]] > counts[names[1]] else "first_by_name"
    if reference is not None:
        chosen, wanted = "named", reference.strip()
        if wanted not in counts:
            raise Refused(
                "unknown_group", f"--reference names {wanted!r}; the groups are {names[0]!r} and {names[1]!r}"
            )
        names.sort(key=lambda name: name != wanted)
    first, focal = names
    table_of, is_focal = scores[used], of_whom[used] == focal
    items = [(name, mantel_haenszel(table_of, is_focal, place)) for place, name in enumerate(data.responses.items)]
    return GroupReport(first, focal, (counts[first], counts[focal]), items, chosen)
