"""What a figure is asked for: period, delivery or quiz, unit, and the groups of people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum


class GroupDimension(StrEnum):
    """By what people can be grouped. All are of the day of the attempt."""

    UNIT = "unit"
    INDUSTRY = "industry"
    AGE_BAND = "age_band"
    SEX = "sex"
    EDUCATION = "education"
    KEY_GROUP = "key_group"
    IDENTITY = "identity"
    #: Not people but time: the month of the start, "2026-04".
    MONTH = "month"


@dataclass(frozen=True)
class FigureFilters:
    """Everything that narrows a table. None: all."""

    unit_id: int | None = None
    #: One delivery, or all of one quiz.
    delivery_id: int | None = None
    blueprint_id: int | None = None
    #: Local days, both included, by the start of the attempt; None for the whole of a delivery.
    first_day: date | None = None
    last_day: date | None = None
    industry_id: int | None = None
    age_band: str | None = None
    sex: str | None = None
    education: str | None = None
    key_group: str | None = None
    #: `quizzes.IdentityLevel`.
    identity: str | None = None

    @property
    def by_group(self) -> bool:
        """Whether it is narrowed to a group of people."""
        return bool(self.groups)

    @property
    def groups(self) -> dict[GroupDimension, str | None]:
        """The groups to which it is narrowed, as they stand in `sums`."""
        values = {
            GroupDimension.INDUSTRY: self.industry_id,
            GroupDimension.AGE_BAND: self.age_band,
            GroupDimension.SEX: self.sex,
            GroupDimension.EDUCATION: self.education,
            GroupDimension.KEY_GROUP: self.key_group,
            GroupDimension.IDENTITY: self.identity,
        }
        return {dimension: str(value) for dimension, value in values.items() if value}

    def of_everybody(self) -> FigureFilters:
        """The same of all groups."""
        nobody = {"industry_id": None, "age_band": None, "sex": None, "education": None, "key_group": None}
        return replace(self, identity=None, **nobody)

    def for_aggregates(self) -> FigureFilters:
        """What whoever sees aggregates only gets of it: whole months, or the whole of a delivery; no groups."""
        plain = FigureFilters(unit_id=self.unit_id, delivery_id=self.delivery_id)
        if self.delivery_id is not None or self.first_day is None or self.last_day is None:
            return plain
        first, last = whole_months(self.first_day, self.last_day)
        return replace(plain, first_day=first, last_day=last)

    def as_query(self) -> dict[str, str]:
        """As it stands in an address."""
        values = {
            "unit": self.unit_id,
            "delivery": self.delivery_id,
            "quiz": self.blueprint_id,
            "from": self.first_day,
            "to": self.last_day,
            "industry": self.industry_id,
            "age": self.age_band,
            "sex": self.sex,
            "education": self.education,
            "group": self.key_group,
            "identity": self.identity,
        }
        return {name: str(value) for name, value in values.items() if value is not None}


def whole_months(first_day: date, last_day: date) -> tuple[date, date]:
    """The months that two days lie in, from the first day of the one to the last day of the other."""
    after = (last_day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first_day.replace(day=1), after - timedelta(days=1)
