"""Draws a sample from a file, so that anybody who has the list and the seed can check a draw. No database, the standard library alone."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quizapp.analyse.files import csv_rows, plain_text, read_rows
from quizapp.analyse.refusals import Refused, shortened
from quizapp.measurement.survey.drawing import Drawn, draw_in_listed_units, draw_in_units, draw_people

#: The headings of a list of people, and of a list of units that are known by their numbers of people alone.
PEOPLE = ("id", "stratum", "unit")
UNITS = ("unit", "people")
UNITS_IN_STRATA = ("unit", "people", "stratum")
#: People of one unit of a list: to draw among them each gets a number.
MOST_IN_UNIT = 5_000_000
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
    """A frame of a file. Raises Refused."""
    return _frame(read_rows(path, delimiters=",;\t"))


def parse_frame(text: str) -> Frame:
    """A frame of the text of its file. Raises Refused."""
    return _frame(csv_rows(plain_text(text.encode())))


def _frame(rows: Iterator[tuple[int, list[str]]]) -> Frame:
    """Raises Refused: bad_heading, bad_row, id_missing, id_twice, empty."""
    heading = tuple(next(rows, (1, []))[1])
    if heading not in (PEOPLE, UNITS, UNITS_IN_STRATA):
        choices = (",".join(one) for one in (PEOPLE, UNITS, UNITS_IN_STRATA))
        raise Refused("bad_heading", f"the headings are {' or '.join(choices)}")
    people: list[tuple[str, str, str]] = []
    units: dict[str, int] = {}
    strata: dict[str, str] = {}
    seen: dict[str, int] = {}
    for line, row in rows:
        if len(row) != len(heading):
            raise Refused("bad_row", f"line {line} has {len(row)} cells under {len(heading)} headings")
        name = row[0]
        if not name:
            raise Refused("id_missing", f"line {line}: the {heading[0]} is missing")
        if name in seen:
            message = (
                f"line {line}: {shortened(name)} stands in line {seen[name]} already. Each {heading[0]} stands once"
            )
            raise Refused("id_twice", message)
        seen[name] = line
        if heading == PEOPLE:
            people.append((name, row[1], row[2]))
            continue
        units[name] = _people_in(row[1], line)
        if heading == UNITS_IN_STRATA:
            strata[name] = row[2]
    if not people and not any(units.values()):
        raise Refused("empty", "nobody is in the list")
    return Frame(units=units, unit_strata=strata) if units else Frame(people=people)


def _people_in(cell: str, line: int) -> int:
    number = int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= len(str(MOST_IN_UNIT)) else -1
    if not 0 <= number <= MOST_IN_UNIT:
        raise Refused("bad_row", f"line {line}: {shortened(cell)} is no number of people from 0 to {MOST_IN_UNIT:,}")
    return number


def draw_again(frame: Frame, *, seed: str, people: int, units: int | None) -> list[Drawn]:
    """`draw`, of a file that somebody brings. Raises Refused."""
    if frame.listed and units is None:
        raise Refused("cannot_draw", "a list of units is drawn from by units: say how many with --units")
    homeless = next((person for person, _, unit in frame.people if not unit), None)
    if units is not None and homeless is not None:
        raise Refused("unit_missing", f"{shortened(homeless)} has no unit, and --units draws units first")
    try:
        return draw(frame, seed=seed, people=people, units=units)
    except ValueError as error:
        raise Refused("cannot_draw", str(error)) from error


def _csv(heading: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return out.getvalue()
