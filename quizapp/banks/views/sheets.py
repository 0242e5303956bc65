"""A spreadsheet of items, checked in the browser: for a subject expert who writes a few items and sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, render_template

from quizapp.banks.faults import Fault, Level
from quizapp.banks.forms import SheetForm
from quizapp.banks.queries import known_banks, point_list, topic_list
from quizapp.banks.views import bp
from quizapp.banks.views.fault_words import correction_text, fault_text
from quizapp.banks.views.words import type_words
from quizapp.core.clock import local_date
from quizapp.core.errors import Invalid
from quizapp.core.scope import Permission
from quizapp.core.tables import TableKind
from quizapp.core.web import get_db, get_now, requires
from quizapp.ui.words import words_for

if TYPE_CHECKING:
    from quizapp.banks.formats.sheet import SheetReading


@bp.get("/banks/template.xlsx")
@requires(Permission.READ_BANKS)
def sheet_template() -> Response:
    """The empty workbook to write items in."""
    from quizapp.banks.formats.sheet import template  # readers of files only where one comes or goes

    db = get_db()
    response = Response(template(topic_list(db), point_list(db)), mimetype=TableKind.XLSX.media_type)
    response.headers.set("Content-Disposition", "attachment", filename="new-items.xlsx")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.route("/banks/check-sheet", methods=["GET", "POST"])
@requires(Permission.READ_BANKS)
def check_sheet() -> str | tuple[str, int]:
    """Check a filled workbook: each fault at its row. Nothing is stored."""
    from quizapp.banks.checks.sheets import check_sheet as check
    from quizapp.banks.formats.sheet import read_sheet

    form = SheetForm()
    if not form.validate_on_submit():
        return _page(form), 422 if form.is_submitted() else 200
    banks, gone = known_banks(get_db())
    try:
        reading = read_sheet(form.file.data.read(), banks, gone)
    except Invalid as refusal:
        form.file.errors = [*form.file.errors, words_for(refusal)]
        return _page(form), 422
    return _page(form, reading=reading, faults=check(reading, banks, local_date(get_now())))


def _page(form: SheetForm, reading: SheetReading | None = None, faults: list[Fault] | None = None) -> str:
    return render_template(
        "banks/check_sheet.html",
        form=form,
        reading=reading,
        faults=faults or [],
        refused=sum(fault.level == Level.REFUSE for fault in faults or []),
        type_words=type_words(),
        fault_text=fault_text,
        correction_text=correction_text,
    )
