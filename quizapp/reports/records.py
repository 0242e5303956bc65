"""Which attempts stand behind a table of figures: the filters of its address as conditions, within a scope."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from quizapp.core.clock import day_after
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Scope, below
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.models import Attempt
from quizapp.reports.forms import Filters


def attempt_conditions(
    db: Session, scope: Scope, query: Mapping[str, str], permission: Permission = Permission.EXPORT_FIGURES
) -> list[ColumnElement[bool]]:
    """Conditions on `Attempt`, joined with `Delivery` and with `OrgUnit` as the unit of the day (or the delivery's).

    The unit counts by its path of the day, the scope by today's tree, as in the tables. Raises NotFound for a unit out of reach.
    """
    filters = Filters.read(query)
    conditions = [scope.condition(permission, OrgUnit.path, Attempt.industry_id)]
    if filters.unit_id is not None:
        unit = db.get(OrgUnit, filters.unit_id)
        if unit is None or not any(
            grant.path is None or unit.path.startswith(grant.path) for grant in scope.with_permission(permission)
        ):
            raise NotFound
        conditions.append(below(func.coalesce(Attempt.unit_path, OrgUnit.path), unit.path))
    if filters.delivery_id is not None:
        conditions.append(Attempt.delivery_id == filters.delivery_id)
    if filters.first_day is not None:
        conditions.append(Attempt.local_date >= filters.first_day)
    if filters.last_day is not None:
        conditions.append(Attempt.local_date < day_after(filters.last_day))
    return conditions
