"""Which attempts stand behind a figure: its table's filters, its row and its rule, as conditions within a scope."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, false, select
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope, below
from quizapp.quizzes.models import Attempt, AttemptState, Delivery
from quizapp.quizzes.queries.deliveries import standard_of
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figures import reachable_delivery, reachable_unit
from quizapp.reports.figures.literacy import ADULTS, AGE_UNKNOWN, MINORS, reaches
from quizapp.reports.figures.sums import CLOSED, DAY_PATH, FIRST, conditions, joined
from quizapp.reports.forms import Filters

_PATH = re.compile(r"(/[0-9]{1,18}){1,20}/")

#: Which attempts a figure counts.
RULES: dict[FigureCode, Any] = {
    FigureCode.CLOSED: CLOSED,
    FigureCode.FIRST: FIRST,
    FigureCode.PASSED: and_(FIRST, Attempt.passed.is_(True), Delivery.scores_held.is_(False)),
    FigureCode.VOID: Attempt.state == AttemptState.VOID,
    FigureCode.UNIDENTIFIED: and_(CLOSED, Attempt.person_id.is_(None)),
    FigureCode.PERSONS: and_(CLOSED, Attempt.person_id.is_not(None)),
    FigureCode.ADULTS: ADULTS,
    FigureCode.MINORS: MINORS,
    FigureCode.AGE_UNKNOWN: AGE_UNKNOWN,
}
#: All figures that have records: who is literate depends on the delivery's standard.
WITH_RECORDS = frozenset({FigureCode.STARTED, FigureCode.LITERATE, *RULES})


def attempt_conditions(
    db: Session, scope: Scope, query: Mapping[str, str], permission: Permission = Permission.EXPORT_FIGURES
) -> list[ColumnElement[bool]]:
    """Conditions on `Attempt` as `figures.sums.joined` joins it, from an address: its filters, and `figure`, `at`, `part` of a number.

    The unit counts by its path of the day, the scope by today's tree, as in the tables. Raises NotFound for a unit or delivery out of
    reach, and for who is literate by a delivery that follows no standard. Who passed or is literate is not told of a delivery that holds
    results back: these lists are then shorter than their number.
    """
    filters = Filters.read(query).figures
    delivery = reachable_delivery(db, scope, filters.delivery_id, permission)
    found = list(conditions(scope, permission, filters))
    unit = reachable_unit(db, scope, filters.unit_id, permission)
    if unit is not None:
        found.append(below(DAY_PATH, unit.path))
    if _PATH.fullmatch(at := query.get("at", "")):
        found.append(below(DAY_PATH, at))
    if (part := query.get("part")) in ("own", "no_unit") and unit is not None:
        found += [
            unit.path == DAY_PATH,
            Attempt.unit_id.is_(None) if part == "no_unit" else Attempt.unit_id.is_not(None),
        ]
    figure = query.get("figure")
    if figure in RULES:
        found.append(RULES[FigureCode(figure)])
    if figure == FigureCode.LITERATE:
        standard = standard_of(delivery)
        if standard is None:
            raise NotFound
        found.append(
            and_(reaches(standard, query.get("level") or None), Delivery.scores_held.is_(False))
            if query.get("level", "") in ("", *standard.levels)
            else false()
        )
    return found


def holds_results(
    db: Session, scope: Scope, query: Mapping[str, str], permission: Permission = Permission.EXPORT_FIGURES
) -> bool:
    """Whether results of some attempts behind a table are held back: a survey that uses their delivery goes on."""
    place = {name: value for name, value in query.items() if name not in ("figure", "level")}
    found = [*attempt_conditions(db, scope, place, permission), Delivery.scores_held.is_(True)]
    return db.scalar(joined(select(Attempt.id)).where(*found).limit(1)) is not None
