"""The filters of the table of sessions, as they stand in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from quizapp.reports.figures.sessions import SessionFilters, UnitBy
from quizapp.reports.forms import Filters, read_one_of
from quizapp.trainings.models import SessionKind


@dataclass(frozen=True)
class AskedSessions:
    """What was asked. A value that is no number, day or known code is as if it had not been asked; `wrong_days` says it of days."""

    filters: SessionFilters
    page: int
    wrong_days: bool
    #: Whether anything but the page was asked.
    narrowed: bool

    @classmethod
    def read(cls, values: Mapping[str, str], today: date) -> AskedSessions:
        """From the query of the address; without days this year so far."""
        common = Filters.read(values)
        period = common.in_period(today.replace(month=1, day=1), today)
        kind, by = read_one_of(values.get("kind"), SessionKind), read_one_of(values.get("by"), UnitBy)
        return cls(
            filters=SessionFilters(
                first_day=period.first_day or today,
                last_day=period.last_day or today,
                unit_id=period.unit_id,
                kind=kind,
                by=by or UnitBy.HOLDER,
            ),
            page=common.page,
            wrong_days=common.wrong_days,
            narrowed=any(values.get(name) for name in ("unit", "kind", "from", "to")),
        )
