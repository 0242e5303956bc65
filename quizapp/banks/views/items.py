"""Items of a bank: a list by place on the map, and one item as a reviewer reads it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import select

from quizapp.accounts.queries import names_of
from quizapp.banks.forms import LookForm
from quizapp.banks.models import FEWEST_FOR_FLAGS, ItemBank, ItemFigure, ItemVersion
from quizapp.banks.queries import estimate_of
from quizapp.banks.stock import (
    FoundItem,
    StockItem,
    find_bank_calibration,
    find_calibration,
    find_figure,
    flagged_items,
    flags_of,
    get_bank,
    get_item,
    items_by_code,
    standard_points,
    stock_of,
    topics_of,
    versions_of,
)
from quizapp.banks.views import bp
from quizapp.banks.views.calibration_words import calibration_words, missing_words
from quizapp.banks.views.trail import Trail, looks_at, read_trail
from quizapp.banks.views.words import (
    ability_words,
    audience_words,
    flag_words,
    level_words,
    state_words,
    type_words,
    use_words,
)
from quizapp.core.scope import Permission
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.core.web import get_db, get_scope, requires
from quizapp.measurement.guessing import guess_probability
from quizapp.measurement.rates import Corrected, corrected_for_guessing

PAGE = 50


def _wanted(item: StockItem, asked: dict[str, str]) -> bool:
    wants = {
        "point": str(item.point or ""),
        "topic": item.topic,
        "type": item.type,
        "dimension": item.dimension,
        "state": item.state,
    }
    if any(asked[name] and asked[name] != value for name, value in wants.items()):
        return False
    if asked["audience"] and asked["audience"] not in item.audience:
        return False
    if (asked["use"] == "test" and not item.for_test) or (asked["use"] == "practice" and not item.for_practice):
        return False
    return not asked["due"] or item.review_by <= asked["due"]


@bp.get("/banks/<code>/items")
@requires(Permission.READ_BANKS)
def items(code: str) -> str:
    """The items of a bank, narrowed by what the address asks for."""
    db = get_db()
    bank = get_bank(db, code)
    names = ("point", "topic", "type", "dimension", "state", "audience", "use", "due")
    asked = {name: request.args.get(name, "")[:40] for name in names}
    found = [item.code for item in stock_of(db, bank.id) if _wanted(item, asked)]
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), pages)

    def page_url(number: int) -> str:
        kept: dict[str, Any] = {name: value for name, value in asked.items() if value}
        return url_for("banks.items", code=code, page=number, **kept)

    return render_template(
        "banks/items.html",
        bank=bank,
        asked=asked,
        rows=items_by_code(db, found[(page - 1) * PAGE : page * PAGE]),
        total=len(found),
        page=page,
        pages=pages,
        page_url=page_url,
        topics=topics_of(db, bank.id),
        points=[point for _benchmark, points in standard_points(db) for point in points],
        type_words=type_words(),
        state_words=state_words(),
        use_words=use_words(),
        ability_words=ability_words(),
        audience_words=audience_words(),
    )


@bp.get("/items/<code>")
@requires(Permission.READ_BANKS)
def item(code: str) -> str:
    """One item: what a taker sees, key, reason, source, and what it is for."""
    return item_page(get_item(get_db(), code), read_trail(request.args), LookForm(formdata=None))


def item_page(found: FoundItem, trail: Trail, form: LookForm) -> str:
    """The page, with what was typed into the form of a look."""
    db = get_db()
    figure = shown_figure(find_figure(db, found.version.id))
    calibration = find_calibration(db, found.version.id)
    return render_template(
        "banks/item.html",
        found=found,
        looks=looks_at(db, found, trail, form),
        version=found.version,
        versions=versions_of(db, found.item.id),
        figure=figure,
        knew=figure and _knew(found.version, figure),
        flags=flags_of(figure, calibration),
        calibration=calibration,
        calibration_rows=calibration_words(calibration),
        calibration_missing=missing_words(figure, find_bank_calibration(db, found.bank.id), found.version.id),
        fewest_for_flags=FEWEST_FOR_FLAGS,
        flag_words=flag_words(),
        options=_options(found.version),
        level=estimate_of(found.version.difficulty),
        level_words=level_words(),
        type_words=type_words(),
        state_words=state_words(),
        use_words=use_words(),
        ability_words=ability_words(),
        audiences=[audience_words()[code] for code in found.version.audience],
    )


def _knew(version: ItemVersion, figure: ItemFigure) -> Corrected | None:
    """What may be left of the share that is right, where those who did not know guessed blindly."""
    chance = guess_probability(version.type, len(version.options) or None)
    return corrected_for_guessing(figure.figures["right"], figure.asked, chance)


@bp.get("/items/work-list")
@requires(Permission.READ_BANKS)
def work() -> str:
    """Items whose answers say that something is wrong, the most harmful first."""
    db = get_db()
    trail, looked = read_trail(request.args), request.args.get("looked") == "1"
    flagged = flagged_items(db, **trail.query)
    found = [row for row in flagged if row.looked_at is looked]
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), pages)
    rows = found[(page - 1) * PAGE : page * PAGE]

    def address(number: int | None = None, looked: bool = looked) -> str:
        return url_for("banks.work", page=number, looked=1 if looked else None, **trail.query)

    return render_template(
        "banks/work_list.html",
        rows=rows,
        total=len(found),
        counts=(sum(not row.looked_at for row in flagged), sum(row.looked_at for row in flagged)),
        looked=looked,
        names=names_of(db, {row.look.looked_by for row in rows if row.look}),
        may_look=get_scope().allows(Permission.REVIEW_ITEMS),
        page=page,
        pages=pages,
        address=address,
        trail=trail,
        banks=list(db.scalars(select(ItemBank).order_by(ItemBank.id))),
        flag_words=flag_words(),
        type_words=type_words(),
        fewest_for_flags=FEWEST_FOR_FLAGS,
    )


def shown_figure(figure: ItemFigure | None) -> ItemFigure | None:
    """The figures of an item, unless so few met it that they say nothing and could point at somebody."""
    return figure if figure is not None and figure.asked >= FEWEST_ANSWERS else None


def _options(version: ItemVersion) -> list[dict[str, Any]]:
    """The options with their letters; of a true/false item without."""
    return [
        {
            "id": option["id"],
            "letter": option["id"].upper(),
            "text": option if "zh" in option else None,
            "right": option["id"] in version.key,
        }
        for option in version.options
    ]
