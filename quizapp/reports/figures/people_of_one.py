"""How many different people took one delivery, without counting a million attempts.

Each person has at most one first attempt at a delivery, so those with a closed one are as many as these attempts, which are summed. To
them come the people whose only closed attempts are repeated ones: few, and found by an index of their own. Of several deliveries there
is no such way: people are counted over the attempts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.scope import Permission, Scope
from quizapp.quizzes.models import Attempt
from quizapp.reports.figures.filters import FigureFilters
from quizapp.reports.figures.people import People, people_by_step
from quizapp.reports.figures.sums import CLOSED, DAY_PATH, FIRST, SumRow, conditions, joined

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
    for row in found:
        step = _step(row.path, above, tops, no_unit=row.no_unit)
        if step is not None:
            steps[step] += row.counts.first
            repeated += row.counts.repeated
    if filters.delivery_id is None or repeated > MOST_REPEATED:
        return people_by_step(db, scope, permission, filters, above, tops)
    total = sum(steps.values())
    if repeated:
        again = _people_and_steps(db, scope, permission, filters, above, tops)
        first = _first_of(db, scope, permission, filters, above, tops, {person for person, _ in again})
        for _, step in again - first:
            steps[step] += 1
        total += len({person for person, _ in again} - {person for person, _ in first})
    return People(total, steps)


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
