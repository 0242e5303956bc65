"""Two periods side by side: each unit's pass rate then and now, and how it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from quizapp.core.errors import Forbidden
from quizapp.core.scope import Permission, Scope
from quizapp.measurement.clusters import clustered_difference
from quizapp.reports.figures.filters import FigureFilters
from quizapp.reports.figures.reach import aggregates_only
from quizapp.reports.figures.unit_table import PassRateTable, Row, pass_rate_table


@dataclass(frozen=True)
class Change:
    """One unit in both periods; a row is None where the unit has no row in one of them."""

    before: Row | None
    after: Row
    #: after − before, with its interval by unit clusters; None where a rate is hidden. It has an interval also where the rosters are
    #: complete: what is asked is whether something changed, not how those few hundred people did on those days.
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Comparison:
    """The tables of both periods and their rows side by side."""

    before: PassRateTable
    after: PassRateTable
    changes: Sequence[Change]


def compare(
    db: Session,
    scope: Scope,
    filters: FigureFilters,
    days_before: tuple[date, date],
    permission: Permission = Permission.SEE_FIGURES,
) -> Comparison:
    """The units of a table now, each with its figures of an earlier period. Raises Forbidden for whoever sees aggregates only."""
    if aggregates_only(scope, permission):
        raise Forbidden
    after = pass_rate_table(db, scope, filters, permission)
    earlier = replace(filters, first_day=days_before[0], last_day=days_before[1])
    before = pass_rate_table(db, scope, earlier, permission)
    known = {(row.kind, row.path): row for row in before.rows}
    return Comparison(before, after, [_change(known.get((row.kind, row.path)), row) for row in after.rows])


def _change(before: Row | None, after: Row) -> Change:
    found = None
    if before is not None and before.rate is not None and after.rate is not None:
        found = clustered_difference(before.clusters, after.clusters)
    return Change(before, after, *(found or (None, None, None)))
