"""Draws a sample from a file, so that anybody who has the list and the seed can check a draw. No database, the standard library alone."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quizapp.analyse.refusals import Refused
from quizapp.measurement.survey.drawing import Drawn, draw_in_listed_units, draw_in_units, draw_people

#: The headings of a list of people, and of a list of units that are known by their numbers of people alone.
PEOPLE = ("id", "stratum", "unit")
UNITS = ("unit", "people")
UNITS_IN_STRATA = ("unit", "people", "stratum")
#: The headings of what was drawn.
_LISTED = "number,id,stratum,unit,weight"


@dataclass(frozen=True)
class Frame:
    """From whom is drawn: people each with stratum and unit ("" where there are none), or units with how many people each has."""

    people: Sequence[tuple[str, str, str]] = ()
    units: Mapping[str, int] = field(default_factory=dict)
    #: Unit of a list → its stratum; empty: the list has none.
    unit_strata: Mapping[str, str] = field(default_factory=dict)

    @property
    def listed(self) -> bool:
        """Whether only numbers of people are known."""
        return bool(self.units)

    @property
    def size(self) -> int:
        """People in all."""
        return sum(self.units.values()) if self.listed else len(self.people)

    def homes(self) -> dict[str, dict[str, int]]:
        """Stratum → unit → people; the stratum is "" where there are none."""
        found: dict[str, dict[str, int]] = {}
        for unit, people in self.units.items():
            found.setdefault(self.unit_strata.get(unit, ""), {})[unit] = people
        for _person, stratum, unit in self.people:
            units = found.setdefault(stratum, {})
            units[unit] = units.get(unit, 0) + 1
        return found


def draw(frame: Frame, *, seed: str, people: int, units: int | None = None) -> list[Drawn]:
    """`people` drawn singly in each stratum in proportion to its size; with `units`, so many units and `people` in each of them.

    Strata share the units in proportion to how many units they have.
    Raises ValueError where there are not so many, or an id stands twice.
    """
    if frame.listed:
        if units is None:
            raise ValueError("a list of units is drawn from by units: say how many")
        return draw_in_listed_units(frame.homes(), units, people, seed)
    if units is None:
        strata: dict[str, list[str]] = {}
        for person, stratum, _ in frame.people:
            strata.setdefault(stratum, []).append(person)
        return draw_people(strata, people, seed)
    homes: dict[str, dict[str, list[str]]] = {}
    for person, stratum, unit in frame.people:
        homes.setdefault(stratum, {}).setdefault(unit, []).append(person)
    return draw_in_units(homes, units, people, seed)


def frame_text(frame: Frame) -> str:
    """A frame as its file, in an order of its own, so that one frame has one text."""
    if not frame.listed:
        return _csv(PEOPLE, sorted(frame.people))
    if not frame.unit_strata:
        return _csv(UNITS, sorted(frame.units.items()))
    rows = sorted((unit, people, frame.unit_strata.get(unit, "")) for unit, people in frame.units.items())
    return _csv(UNITS_IN_STRATA, rows)


def listing(drawn: Sequence[Drawn]) -> str:
    """What was drawn, as the text whose SHA-256 is made known."""
    rows = [
        (number, one.id, one.stratum, one.unit, repr(float(one.weight))) for number, one in enumerate(drawn, start=1)
    ]
    return _csv(_LISTED.split(","), rows)


def digest(text: str) -> str:
    """The SHA-256 of a text, as it is printed."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_frame(path: Path) -> Frame:
    """A frame of a file. Raises Refused: bad_heading, bad_row, empty."""
    return parse_frame(path.read_text(encoding="utf-8-sig"))


def parse_frame(text: str) -> Frame:
    """A frame of the text of its file. Raises Refused."""
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    heading = tuple(cell.strip() for cell in rows[0]) if rows else ()
    if heading not in (PEOPLE, UNITS, UNITS_IN_STRATA):
        choices = (",".join(one) for one in (PEOPLE, UNITS, UNITS_IN_STRATA))
        raise Refused("bad_heading", f"the headings are {' or '.join(choices)}")
    if len(rows) == 1:
        raise Refused("empty", "the list has no row below its headings")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(heading) or (heading != PEOPLE and not row[1].strip().isdecimal()):
            raise Refused("bad_row", f"line {line}: {','.join(row)}")
    if heading != PEOPLE:
        strata = {row[0]: row[2] for row in rows[1:]} if heading == UNITS_IN_STRATA else {}
        return Frame(units={row[0]: int(row[1]) for row in rows[1:]}, unit_strata=strata)
    return Frame(people=[(row[0], row[1], row[2]) for row in rows[1:]])


def _csv(heading: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return out.getvalue()
