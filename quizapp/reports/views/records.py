"""The attempts behind a number."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_scope, requires
from quizapp.quizzes.models import Attempt
from quizapp.reports.attempt_rows import COLUMNS, attempt_page, count_attempts
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figure_words import RULES, heading
from quizapp.reports.figures.sums import joined
from quizapp.reports.forms import Filters
from quizapp.reports.record_words import code_words
from quizapp.reports.records import WITH_RECORDS, attempt_conditions, holds_results
from quizapp.reports.views import bp
from quizapp.reports.views.words import filter_words, period_words
from quizapp.ui.filters import is_english
from quizapp.ui.setup import optional_url

#: Rows on one page.
PAGE_SIZE = 50


@bp.get("/reports/records")
@requires(Permission.EXPORT_FIGURES)
def records() -> str:
    """Each attempt that a number counts: whose, of which unit on its day, when, and what became of it."""
    db, scope = get_db(), get_scope()
    query = request.args.to_dict()
    figure = query.get("figure", FigureCode.STARTED.value)
    if figure not in WITH_RECORDS:
        raise NotFound
    code = FigureCode(figure)
    filters = Filters.read(query)
    found = attempt_conditions(db, scope, query)
    total = count_attempts(db, found)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(filters.page, pages)
    people = None
    if code is FigureCode.PERSONS:
        people = db.scalar(joined(select(func.count(func.distinct(Attempt.person_id)))).where(*found)) or 0
    query.pop("page", None)
    rows = attempt_page(db, found, (page - 1) * PAGE_SIZE, PAGE_SIZE, english=is_english())
    back: dict[str, Any] = {
        name: value for name, value in query.items() if name not in ("figure", "at", "part", "level")
    }
    return render_template(
        "reports/records.html",
        figure=heading(code),
        rule=RULES[code],
        people=people,
        held=holds_results(db, scope, query),
        total=total,
        rows=[dict(zip(COLUMNS, row, strict=True)) for row in rows],
        words=code_words(),
        facts=[(_("时间"), period_words(filters.figures)), *filter_words(db, filters.figures)],
        back=url_for("reports.pass_rates", **back),
        page=page,
        pages=pages,
        page_url=lambda number: url_for("reports.records", **dict(query, page=number)),
        attempt_url=lambda public_id: optional_url("quizzes.attempt", public_id=public_id),
    )
