"""How the questions of a delivery were answered: page, xlsx and CSV."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template
from flask_babel import gettext as _

from quizapp.audit.services import record
from quizapp.banks.models import FEWEST_FOR_FLAGS, ItemType, ItemVersion
from quizapp.banks.stock import standing_looks
from quizapp.banks.views.words import flag_words
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Chart, Column, Kind, Point, write_csv, write_xlsx
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.quizzes.models import Delivery
from quizapp.quizzes.views.shortfall_words import type_words
from quizapp.reports.exports import Format
from quizapp.reports.figures import FigureFilters, reachable_delivery, roster_of
from quizapp.reports.item_figures import ItemRow, item_rows
from quizapp.reports.views import bp
from quizapp.reports.views.exporting import MOST_POINTS
from quizapp.reports.views.pass_rates import first_line
from quizapp.reports.views.words import delivery_title
from quizapp.ui.filters import format_moment, lang_text


@bp.get("/reports/deliveries/<int:delivery_id>/items")
@requires(Permission.EXPORT_FIGURES)
def items(delivery_id: int) -> str:
    """Each question: who had it right, who left it open, what most chose instead."""
    delivery, rows = _load(delivery_id)
    looks = standing_looks(get_db(), [row.version.id for row in rows])
    fine = {
        row.code: look
        for row in rows
        if row.kept and (look := looks.get(row.version.id)) and look.holds(row.flags, row.kept.asked)
    }
    return render_template(
        "reports/items.html",
        fine=fine,
        delivery=delivery,
        title=delivery_title(delivery),
        rows=rows,
        shown=[row for row in rows if row.rate is not None],
        flagged=sorted(
            (row for row in rows if row.flags and row.code not in fine),
            key=lambda row: -row.kept.harm if row.kept else 0.0,
        ),
        flag_words=flag_words(),
        fewest_for_flags=FEWEST_FOR_FLAGS,
        counted_at=max((row.kept.counted_at for row in rows if row.kept), default=None),
        may_read=get_scope().allows(Permission.READ_BANKS),
        answer_words=answer_words,
        first_line=_first_line(delivery),
        type_words=type_words(),
    )


@bp.get("/reports/deliveries/<int:delivery_id>/items.xlsx")
@requires(Permission.EXPORT_FIGURES)
def items_xlsx(delivery_id: int) -> Response:
    """The same table as a workbook."""
    delivery, rows = _load(delivery_id)
    facts = [
        (_("范围"), _first_line(delivery)),
        (_("测验"), delivery_title(delivery)),
        (_("统计的答卷"), _("已交卷、没有作废的首次作答")),
        (
            _("答对率"),
            _(
                "答对 ÷ 卷上有这道题的首次作答，没答算没答对。区间为 95% 置信区间，Wilson 法，没有算进同一单位的人相像，多半偏窄。"
            ),
        ),
        (_("区分度、问题"), _("按同一版题在所有测验里的首次作答算，不只是这次测验和您的单位。")),
        (_("不显示"), _("做过的不足 10 人次，不显示比例。")),
        (_("导出时间"), format_moment(get_now(), words=False)),
        (_("导出人"), get_actor().name),
    ]
    content = write_xlsx(
        _columns(), map(_cells, rows), title=_("逐题"), facts_title=_("说明"), facts=facts, chart=_chart(rows)
    )
    return _file(content, Format.XLSX.media_type, delivery, "xlsx", len(rows))


@bp.get("/reports/deliveries/<int:delivery_id>/items.csv")
@requires(Permission.EXPORT_FIGURES)
def items_csv(delivery_id: int) -> Response:
    """The same table as CSV."""
    delivery, rows = _load(delivery_id)
    return _file(write_csv(_columns(), map(_cells, rows)), "text/csv", delivery, "csv", len(rows))


def _load(delivery_id: int) -> tuple[Delivery, list[ItemRow]]:
    db, scope = get_db(), get_scope()
    delivery = reachable_delivery(db, scope, delivery_id, Permission.EXPORT_FIGURES)
    if delivery is None:
        raise NotFound
    return delivery, item_rows(db, scope, delivery)


def _first_line(delivery: Delivery) -> str:
    of_one = FigureFilters(delivery_id=delivery.id)
    return first_line(*roster_of(get_db(), get_scope(), of_one, Permission.EXPORT_FIGURES, delivery=delivery))


def _chart(rows: list[ItemRow]) -> Chart | None:
    """The shares right, the hardest question first; None where none is shown."""
    points = [Point(row.code, row.rate, row.low, row.high) for row in rows if row.rate is not None]
    if not points:
        return None
    ends = (_("95% 区间下限"), _("95% 区间上限"), _("到下限"), _("到上限"))
    return Chart(
        title=_("%(figure)s图", figure=_("答对率")),
        headings=(_("题号"), _("答对率"), *ends),
        points=points[:MOST_POINTS],
    )


def answer_words(version: ItemVersion, options: tuple[str, ...]) -> str:
    """An answer as people read it: the texts of its options."""
    if version.type == ItemType.TRUE_FALSE:
        return str(_("对")) if options == ("t",) else str(_("错"))
    texts = {option["id"]: lang_text(option) for option in version.options}
    return "；".join(texts.get(option, option) for option in options)


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("题号"), Kind.TEXT, 14),
        Column(_("题目"), Kind.TEXT, 60),
        Column(_("主题"), Kind.TEXT, 18),
        Column(_("题型"), Kind.TEXT, 8),
        Column(_("做过（人次）"), Kind.WHOLE),
        Column(_("答了（人次）"), Kind.WHOLE),
        Column(_("答对（人次）"), Kind.WHOLE),
        Column(_("答对率"), Kind.PERCENT),
        Column(_("95% 区间下限"), Kind.PERCENT),
        Column(_("95% 区间上限"), Kind.PERCENT),
        Column(_("没答"), Kind.PERCENT),
        Column(_("正确答案"), Kind.TEXT, 30),
        Column(_("最多人选的错项"), Kind.TEXT, 30),
        Column(_("选它的"), Kind.PERCENT),
        Column(_("全部测验里做过（人次）"), Kind.WHOLE),
        Column(_("区分度"), Kind.DECIMAL),
        Column(_("问题"), Kind.TEXT, 24),
    )


def _cells(row: ItemRow) -> tuple[Any, ...]:
    shown = row.rate is not None
    return (
        row.code,
        lang_text(row.version.stem),
        lang_text(row.topic),
        type_words()[row.version.type],
        row.asked,
        row.answered if shown else None,
        row.right if shown else None,
        row.rate,
        row.low,
        row.high,
        row.omitted_rate,
        answer_words(row.version, tuple(row.version.key)),
        answer_words(row.version, row.wrong) if row.wrong else None,
        row.wrong_rate,
        row.kept.asked if row.kept else None,
        None if row.discrimination is None else round(row.discrimination, 2),
        "；".join(str(flag_words()[code][0]) for code in row.flags) or None,
    )


def _file(content: bytes, mimetype: str, delivery: Delivery, suffix: str, rows: int) -> Response:
    db = get_db()
    with transaction(db):
        record(
            db,
            actor=get_actor(),
            action="figures_exported",
            object_type="delivery",
            object_id=delivery.id,
            unit_id=delivery.unit_id,
            details={"figures": "items", "format": suffix, "delivery_id": delivery.id, "rows": rows},
            now=get_now(),
        )
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=f"items-{delivery.poster_code}.{suffix}")
    response.headers["Cache-Control"] = "private, no-store"
    return response
