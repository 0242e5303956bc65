"""The overview: what needs attention, the year so far."""

from __future__ import annotations

import math

from flask import render_template
from flask_babel import gettext as _

from quizapp.core.clock import local_date
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_now, get_scope, requires
from quizapp.reports.figures import aggregates_only
from quizapp.reports.overview import Month, months, needs_of, year_so_far
from quizapp.reports.views import bp
from quizapp.ui.filters import is_english

_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@bp.get("/overview")
@requires(Permission.SEE_FIGURES)
def overview() -> str:
    """Where we stand, and what is behind."""
    db, scope, now = get_db(), get_scope(), get_now()
    strict = aggregates_only(scope)
    series = [] if strict else months(db, scope, now)
    today = local_date(now)
    return render_template(
        "reports/overview.html",
        strict=strict,
        year=today.year,
        first_day=today.replace(month=1, day=1),
        today=today,
        needs=needs_of(db, scope, now),
        so_far=None if strict else year_so_far(db, scope, now),
        months=series,
        points=[{"label": month_name(m), "value": m.rate, "low": m.low, "high": m.high} for m in series],
        scale=_scale(series),
        month_name=month_name,
    )


def month_name(month: Month) -> str:
    """4月 / Apr."""
    number = month.first_day.month
    return _MONTHS_EN[number - 1] if is_english() else str(_("%(month)s月", month=number))


def _scale(series: list[Month]) -> tuple[float, float]:
    """By tens, with all intervals in it, at least three steps high."""
    lows = [month.low for month in series if month.low is not None] or [0.5]
    highs = [month.high for month in series if month.high is not None] or [1.0]
    low, high = math.floor(min(lows) * 10) / 10, math.ceil(max(highs) * 10) / 10
    low = min(low, round(high - 0.3, 1)) if high >= 0.3 else 0.0
    return max(0.0, low), min(1.0, max(high, round(low + 0.3, 1)))
