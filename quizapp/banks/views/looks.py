"""What reviewers found on items that their answers flag: noting it, taking it back, and going on to the next."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts.queries import names_of
from quizapp.banks.errors import LookOutdated, NothingFlagged
from quizapp.banks.forms import LookForm
from quizapp.banks.services import look_at, take_look_back
from quizapp.banks.stock import get_item, next_waiting, said_of, waiting_items
from quizapp.banks.views import bp
from quizapp.banks.views.items import item_page
from quizapp.banks.views.trail import Trail, read_trail
from quizapp.core.db import transaction
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, requires
from quizapp.ui.words import words_for


@bp.post("/items/<code>/looks")
@requires(Permission.REVIEW_ITEMS)
def look(code: str) -> str | BaseResponse | tuple[str, int]:
    """Note that an item is fine in spite of its flags, and go on with the next."""
    db, form, trail = get_db(), LookForm(), read_trail(request.form)
    if not form.validate():
        return item_page(get_item(db, code), trail, form), 422
    try:
        with transaction(db):
            taken = look_at(
                db,
                code=code,
                version=form.seen_version,
                flags=form.seen_flags,
                note=form.note.data or "",
                actor=get_actor(),
                now=get_now(),
            )
    except (LookOutdated, NothingFlagged) as refusal:
        flash(words_for(refusal), "attention")
        return redirect(_item(code, trail), 303)
    if taken.looked_by == get_actor().account_id:
        flash(_("%(code)s 已记为“看过，题没问题”。", code=code), "success")
    else:
        name = names_of(db, [taken.looked_by]).get(taken.looked_by or 0, "–")
        flash(_("%(name)s 已经先看过 %(code)s，题没问题。", name=name, code=code), "note")
    return redirect(_after(db, code, trail), 303)


@bp.post("/items/<code>/looks/<int:look_id>/take-back")
@requires(Permission.REVIEW_ITEMS)
def take_back(code: str, look_id: int) -> BaseResponse:
    """Put an item back among those to look at."""
    db = get_db()
    with transaction(db):
        take_look_back(db, code=code, look_id=look_id, actor=get_actor(), now=get_now())
    flash(_("已收回，%(code)s 又列在要看的题里。", code=code), "success")
    return redirect(_item(code, read_trail(request.form)), 303)


def _item(code: str, trail: Trail) -> str:
    return trail.item(code) if trail.on else f"{url_for('banks.item', code=code)}#answers"


def _after(db: Session, code: str, trail: Trail) -> str:
    """Where a reviewer goes on: the list that he pressed in, at the next item; the next item's page; or where he was."""
    listed = request.form.get("page", type=int)
    if not trail.on and listed is None:
        return _item(code, trail)
    said = said_of(db, get_item(db, code).version.id)
    waiting = waiting_items(db, **trail.query)
    following = next_waiting(waiting, harm=said.harm, code=code)
    if trail.on and following is not None:
        return trail.item(following)
    address = url_for("banks.work", page=listed if listed and listed > 1 else None, **trail.query)
    return f"{address}#item-{following}" if following is not None else address
