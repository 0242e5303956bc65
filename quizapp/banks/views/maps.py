"""What the banks cover: the list of banks, and each bank's map."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from flask import render_template, request
from sqlalchemy import select

from quizapp.banks.models import ItemBank, ItemState
from quizapp.banks.queries import estimate_of
from quizapp.banks.stock import (
    StockItem,
    find_scale,
    get_bank,
    standard_points,
    stock_of,
    topics_of,
    waiting_items,
    work_list,
)
from quizapp.banks.views import bp
from quizapp.banks.views.words import ability_words, audience_words, flag_words, level_words, reader_words, type_words
from quizapp.core.clock import local_date
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_now, requires
from quizapp.measurement.floors import FEWEST, FEWEST_ANCHORS

#: The bank that follows the standard of 26 benchmarks.
STANDARD_BANK = "literacy"
#: How far ahead a bank's page tells what is to be looked at again, in months.
DUE_MONTHS = 6
#: Number of items → step of colour on the map; fewer than the first is an empty place.
STEPS = (1, 2, 4, 6)


def month_after(day: date, months: int) -> str:
    """The month so many months later, "2027-05"."""
    count = day.year * 12 + day.month - 1 + months
    return f"{count // 12:04}-{count % 12 + 1:02}"


def step_of(count: int) -> int:
    """The step of colour of a place on the map, 0 (nothing) to 4."""
    return sum(count >= step for step in STEPS)


@dataclass(frozen=True)
class BankLine:
    """A bank in the list."""

    bank: ItemBank
    approved: int
    for_test: int
    for_practice: int
    in_work: int
    due: int
    #: Items whose answers say that something is wrong.
    flagged: int = 0


def _line(bank: ItemBank, stock: list[StockItem], due_by: str, flagged: int = 0) -> BankLine:
    approved = [item for item in stock if item.state == ItemState.APPROVED]
    return BankLine(
        bank=bank,
        approved=len(approved),
        for_test=sum(item.for_test for item in approved),
        for_practice=sum(item.for_practice for item in approved),
        in_work=len(stock) - len(approved),
        due=sum(item.review_by <= due_by for item in approved),
        flagged=flagged,
    )


@bp.get("/banks")
@requires(Permission.READ_BANKS)
def banks() -> str:
    """All banks with their size, their reviews and what is due."""
    db = get_db()
    due_by = month_after(local_date(get_now()), DUE_MONTHS)
    found = db.scalars(select(ItemBank).order_by(ItemBank.id))
    flagged = work_list(db)
    by_bank = Counter(row.bank.id for row in flagged)
    lines = [_line(bank, stock_of(db, bank.id), due_by, by_bank[bank.id]) for bank in found]
    return render_template(
        "banks/banks.html",
        lines=lines,
        due_by=due_by,
        flagged=len(flagged),
        worst=flagged[0] if flagged else None,
        by_flag=Counter(flag for row in flagged for flag in row.flags),
        flag_words=flag_words(),
    )


@bp.get("/banks/<code>")
@requires(Permission.READ_BANKS)
def bank(code: str) -> str:
    """What one bank covers: a map by benchmark point, or a table by topic; audiences, difficulty, reviews, what is due."""
    db = get_db()
    found = get_bank(db, code)
    use = request.args.get("use", "")
    stock = stock_of(db, found.id)
    approved = [item for item in stock if item.state == ItemState.APPROVED]
    shown = [item for item in approved if (use != "test" or item.for_test) and (use != "practice" or item.for_practice)]
    due_by = month_after(local_date(get_now()), DUE_MONTHS)
    mapped = code == STANDARD_BANK
    return render_template(
        "banks/bank.html",
        bank=found,
        use=use if use in ("test", "practice") else "",
        line=_line(found, stock, due_by),
        shown=shown,
        scale=find_scale(db, found.id),
        misfits=len(waiting_items(db, bank=code, flag="misfit")),
        fewest=FEWEST["rasch"],
        fewest_anchors=FEWEST_ANCHORS,
        benchmarks=standard_points(db) if mapped else [],
        points=Counter(item.point for item in shown),
        topics=topics_of(db, found.id),
        cells=Counter((item.topic, item.type) for item in shown),
        abilities=Counter(item.dimension for item in shown),
        audiences=Counter(audience for item in shown for audience in item.audience),
        levels=_levels(shown),
        due=sorted(Counter(item.review_by for item in approved if item.review_by <= due_by).items()),
        due_by=due_by,
        this_month=month_after(local_date(get_now()), 0),
        step_of=step_of,
        type_words=type_words(),
        ability_words=ability_words(),
        audience_words=audience_words(),
        level_words=level_words(),
        reader_words=reader_words(),
    )


def _levels(shown: list[StockItem]) -> list[int]:
    """How many items have each estimate, 1 to 5."""
    counts = Counter(estimate_of(item.expected) for item in shown)
    return [counts[level] for level in range(1, 6)]
