"""The words and addresses of the literacy shares of a delivery.

What can be done for an estimate that speaks for everybody comes through the slot "literacy_links": a provider is given the delivery and
gives a list of links (`quizzes.views.delivery_words.DeliveryLink`).
"""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from quizapp.core.scope import Permission
from quizapp.core.web import get_scope
from quizapp.reports.definitions import FigureCode
from quizapp.reports.figure_words import heading
from quizapp.reports.figures import Literacy, PassRateTable
from quizapp.reports.tables import Hidden
from quizapp.ui.filters import format_interval, format_number, format_percent


def level_words() -> dict[str, str]:
    """The levels of the standards."""
    return {"advanced": _("高阶"), "literate": _("具备"), "basic": _("基本具备")}


def literacy_records(table: PassRateTable, code: FigureCode, **more: str) -> str | None:
    """The address of the attempts behind a number of the card, for whoever may see them."""
    if not get_scope().allows(Permission.EXPORT_FIGURES):
        return None
    query: dict[str, Any] = table.filters.as_query() | {"figure": str(code), **more}
    if table.unit is not None:
        query["unit"] = table.unit.id
    return url_for("reports.records", **query)


def literacy_facts(literacy: Literacy) -> tuple[tuple[str, str], ...]:
    """The same for the first sheet of a file."""
    found = literacy.literate
    numbers = {
        "adults": format_number(literacy.adults),
        "minors": format_number(literacy.minors),
        "unknown": format_number(literacy.unknown),
    }
    if literacy.hidden is not None:
        rate = hidden_share_words(literacy.hidden)
        counted = _(
            "18 岁及以上 %(adults)s 人；不满 18 岁 %(minors)s 人、年龄不明 %(unknown)s 人不算在内；参加者中，不代表全体居民",
            **numbers,
        )
        return ((heading(FigureCode.LITERACY_RATE), f"{rate} · {counted}"),)
    rate = format_percent(found.share)
    if found.low is not None and found.high is not None:
        rate = _("%(rate)s（95%% 区间 %(interval)s）", rate=rate, interval=format_interval(found.low, found.high))
    counted = _(
        "%(literate)s ÷ %(adults)s 人；不满 18 岁 %(minors)s 人、年龄不明 %(unknown)s 人不算在内；参加者中，不代表全体居民",
        literate=format_number(found.reached),
        **numbers,
    )
    return ((heading(FigureCode.LITERACY_RATE), f"{rate} · {counted}"),)


def hidden_share_words(hidden: Hidden) -> str:
    """Why the card has no share."""
    words = {
        Hidden.FEW: _("18 岁及以上的不足 10 人，不显示"),
        Hidden.NARROW: _("三种以上分组叠在一起，不显示"),
    }
    return str(words.get(hidden, _("能推算出人数少的另一张表，不显示")))
