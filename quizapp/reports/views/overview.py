"""The overview: what needs attention, the year so far."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flask import render_template

from quizapp.core.clock import local_date
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_now, get_scope, requires
from quizapp.reports.figures import FigureFilters, GroupDimension, GroupRow, aggregates_only, group_table
from quizapp.reports.overview import needs_of, year_so_far
from quizapp.reports.views import bp
from quizapp.reports.views.leader import MonthOfGrid, grid_overview
from quizapp.reports.views.words import month_words


@bp.get("/overview")
@requires(Permission.SEE_FIGURES)
def overview() -> str:
    """Where we stand, and what is behind."""
    db, scope, now = get_db(), get_scope(), get_now()
    needs = needs_of(db, scope, now)
    if aggregates_only(scope):
        return grid_overview(needs if scope.allows(Permission.EXPORT_FIGURES) else None, _scale)
    today = local_date(now)
    first_day = today.replace(month=1, day=1)
    year = FigureFilters(first_day=first_day, last_day=today)
    total, *months = group_table(db, scope, year, GroupDimension.MONTH).rows
    return render_template(
        "reports/overview.html",
        year=today.year,
        first_day=first_day,
        today=today,
        needs=needs,
        so_far=year_so_far(db, scope, now),
        total=total,
        months=months,
        points=[{"label": month_words(m.group or ""), "value": m.rate, "low": m.low, "high": m.high} for m in months],
        scale=_scale(months),
        month_words=month_words,
    )


def _scale(months: Sequence[GroupRow] | Sequence[MonthOfGrid]) -> tuple[float, float]:
    """By tens, with all intervals in it, at least three steps high."""
    lows = [month.low for month in months if month.low is not None] or [0.5]
    highs = [month.high for month in months if month.high is not None] or [1.0]
    low, high = math.floor(min(lows) * 10) / 10, math.ceil(max(highs) * 10) / 10
    low = min(low, round(high - 0.3, 1)) if high >= 0.3 else 0.0
    return max(0.0, low), min(1.0, max(high, round(low + 0.3, 1)))
