"""How many different people took part, without reading a million attempts.

Of one delivery: each person has at most one first attempt, so those with a closed one are as many as these attempts, which are summed. To
them come the people whose only closed attempts are repeated ones, found by an index of their own where they are few. Of several
deliveries: who took part is kept by month (`rollups.people`). Of a group of people they are counted over the attempts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope
from quizapp.quizzes.models import CLOSED_STATES, Attempt
from quizapp.reports.figures.filters import FigureFilters
from quizapp.reports.figures.people import People, people_by_step
from quizapp.reports.figures.sums import CLOSED, DAY_PATH, FIRST, SumRow, conditions, joined
from quizapp.reports.rollups.people import count_people

#: With more repeated attempts than this all attempts are counted.
MOST_REPEATED = 20_000
#: Persons that are looked up at a time.
_PIECE = 500


def people_of(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    above: str | None,
    tops: Sequence[str],
    found: Sequence[SumRow],
) -> People:
    """The people as `people_by_step` gives them; `found` are the sums of the same scope and filters."""
    steps, repeated = Counter[str](), 0
    for row in found if filters.delivery_id is not None else ():
        step = _step(row.path, above, tops, no_unit=row.no_unit)
        if step is not None:
            steps[step] += row.counts.first
            repeated += row.counts.repeated
    if filters.delivery_id is None or repeated > MOST_REPEATED:
        kept = _kept(db, scope, permission, filters, above, tops)
        return kept or people_by_step(db, scope, permission, filters, above, tops)
    total = sum(steps.values())
    if repeated:
        again = _people_and_steps(db, scope, permission, filters, above, tops)
        first = _first_of(db, scope, permission, filters, above, tops, {person for person, _ in again})
        for _, step in again - first:
            steps[step] += 1
        total += len({person for person, _ in again} - {person for person, _ in first})
    return People(total, steps)


def _kept(
    db: Session, scope: Scope, permission: Permission, filters: FigureFilters, above: str | None, tops: Sequence[str]
) -> People | None:
    """The same from who is kept by month; None for groups of people, of which nobody is kept."""

    def step(path: str, no_unit: bool) -> str | None:
        return _step(path, above, tops, no_unit=no_unit)

    def from_records(
        condition: ColumnElement[bool], first_day: date, last_day: date
    ) -> Iterable[tuple[int, str, bool]]:
        if last_day < first_day:
            return ()
        narrowed = replace(filters, first_day=first_day, last_day=last_day if last_day != date.max else None)
        rows = joined(select(Attempt.person_id, DAY_PATH, Attempt.unit_id.is_(None))).where(
            *conditions(scope, permission, narrowed), condition
        )
        # which ones are closed, not as a bare column: SQLite would go through the index of states instead of days
        rows = rows.where(func.coalesce(Attempt.state, "").in_(CLOSED_STATES))
        found = db.execute(rows.distinct())
        return ((person, path, bool(no_unit)) for person, path, no_unit in found if person is not None)

    found = count_people(db, scope, permission, filters, step, from_records)
    return None if found is None else People(*found)


def _people_and_steps(
    db: Session, scope: Scope, permission: Permission, filters: FigureFilters, above: str | None, tops: Sequence[str]
) -> set[tuple[int, str]]:
    """Who has a closed attempt that is not the first, with the row under which it counts."""
    rows = joined(select(Attempt.person_id, DAY_PATH, Attempt.unit_id.is_(None))).where(
        *conditions(scope, permission, filters), CLOSED, ~Attempt.is_first, Attempt.person_id.is_not(None)
    )
    return _placed(db.execute(rows).all(), above, tops)


def _first_of(
    db: Session,
    scope: Scope,
    permission: Permission,
    filters: FigureFilters,
    above: str | None,
    tops: Sequence[str],
    persons: set[int],
) -> set[tuple[int, str]]:
    """Who of these has a closed first attempt, with the row under which it counts."""
    found, wanted = set[tuple[int, str]](), sorted(persons)
    for start in range(0, len(wanted), _PIECE):
        rows = joined(select(Attempt.person_id, DAY_PATH, Attempt.unit_id.is_(None))).where(
            *conditions(scope, permission, filters), FIRST, Attempt.person_id.in_(wanted[start : start + _PIECE])
        )
        found |= _placed(db.execute(rows).all(), above, tops)
    return found


def _placed(rows: Sequence[tuple[int, str, bool]], above: str | None, tops: Sequence[str]) -> set[tuple[int, str]]:
    steps = ((person, _step(path, above, tops, no_unit=bool(no_unit))) for person, path, no_unit in rows)
    return {(person, step) for person, step in steps if step is not None}


def _step(path: str, above: str | None, tops: Sequence[str], *, no_unit: bool) -> str | None:
    """The row under which a path counts, as in `people_by_step`; None for one that is not below."""
    if above is None:
        return next((top for top in tops if path.startswith(top)), None)
    if path == above:
        return f"{above}no_unit" if no_unit else f"{above}own"
    if not path.startswith(above):
        return None
    return path[: path.index("/", len(above)) + 1]
