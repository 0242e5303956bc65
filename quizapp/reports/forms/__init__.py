"""The filters of a table, as they stand in the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from quizapp.organisation.models import Education, Sex
from quizapp.quizzes.models import IdentityLevel
from quizapp.reports.figures.filters import FigureFilters, GroupDimension

#: Targets to compare with, in per cent.
TARGETS = (60, 70, 75, 80, 90)
#: Years that can be asked for.
YEARS = range(1900, 3000)
Code = TypeVar("Code", bound=StrEnum)
_CODE = re.compile(r"[a-z0-9_+-]{1,20}")


@dataclass(frozen=True)
class Filters:
    """What was asked. A value that is no number, day or known code is as if it had not been asked; `wrong_days` says it of days."""

    figures: FigureFilters
    #: A fraction.
    target: float | None
    page: int
    wrong_days: bool
    #: By what the table groups, and its second dimension.
    by: GroupDimension | None
    second: GroupDimension | None

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Filters:
        """From the query of the address."""
        first, last = read_day(values.get("from")), read_day(values.get("to"))
        wrong = any(values.get(name) and day is None for name, day in (("from", first), ("to", last)))
        target = _number(values.get("target"))
        by, second = read_one_of(values.get("by"), GroupDimension), read_one_of(values.get("second"), GroupDimension)
        return cls(
            figures=FigureFilters(
                unit_id=_number(values.get("unit")),
                delivery_id=_number(values.get("delivery")),
                blueprint_id=_number(values.get("quiz")),
                first_day=first,
                last_day=last,
                industry_id=_number(values.get("industry")),
                age_band=_code(values.get("age")),
                sex=read_one_of(values.get("sex"), Sex),
                education=read_one_of(values.get("education"), Education),
                key_group=_code(values.get("group")),
                identity=read_one_of(values.get("identity"), IdentityLevel),
            ),
            target=target / 100 if target in TARGETS else None,
            page=max(1, _number(values.get("page")) or 1),
            wrong_days=wrong or bool(first and last and last < first),
            by=by,
            second=second if second is not by else None,
        )

    def in_period(self, first_day: date, last_day: date) -> FigureFilters:
        """The figures' filters with the days that were not asked; wrong days are as if not asked."""
        if self.wrong_days:
            return replace(self.figures, first_day=first_day, last_day=last_day)
        first, last = self.figures.first_day or first_day, self.figures.last_day or last_day
        return replace(self.figures, first_day=first, last_day=max(first, last))

    def as_query(self) -> dict[str, str]:
        """As they were asked, for links."""
        values = {
            "target": round(self.target * 100) if self.target else None,
            "by": self.by.value if self.by else None,
            "second": self.second.value if self.second else None,
        }
        return self.figures.as_query() | {name: str(value) for name, value in values.items() if value is not None}


def read_period_before(query: Mapping[str, str], first: date, last: date) -> tuple[tuple[date, date], bool]:
    """The period to compare with, and whether one of its days could not be read. Not asked: as many days just before."""
    start, end = read_day(query.get("from2")), read_day(query.get("to2"))
    wrong = any(query.get(name) and day is None for name, day in (("from2", start), ("to2", end)))
    wrong = wrong or bool(start and end and end < start)
    day, length, least = first.toordinal(), (last - first).days, date(YEARS[0], 1, 1).toordinal()
    usual = (date.fromordinal(max(least, day - length - 1)), date.fromordinal(max(least, day - 1)))
    return usual if wrong else (start or usual[0], max(start or usual[0], end or usual[1])), wrong


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def read_day(text: str | None) -> date | None:
    """A day as it stands in an address; None for what is none, and for years in which there are no figures."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _code(text: str | None) -> str | None:
    return text if text and _CODE.fullmatch(text) else None


def read_one_of(text: str | None, kind: type[Code]) -> Code | None:
    """A code as it stands in an address; None for one that is not known."""
    try:
        return kind(text or "")
    except ValueError:
        return None
