"""The words of rows and filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.clock import local_date
from quizapp.core.web import get_now
from quizapp.organisation.models import Industry, OrgUnit
from quizapp.quizzes.models import Delivery
from quizapp.reports.figures import FigureFilters, GroupDimension, PassRateTable, Row, RowKind
from quizapp.reports.figures.sessions import SessionRow, SessionTable
from quizapp.reports.record_words import code_words
from quizapp.ui.filters import format_day, is_english

_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def unit_name(unit: OrgUnit) -> str:
    """A unit's name in the page's language."""
    return unit.name_en if is_english() and unit.name_en else unit.name


def row_name(row: Row | SessionRow, table: PassRateTable | SessionTable) -> str:
    """What stands in the first cell."""
    if row.kind is RowKind.TOTAL and table.unit is None:
        return str(_("全部单位合计"))
    if row.kind is RowKind.OWN:
        return str(_("本级，不在下级单位"))
    if row.kind is RowKind.NO_UNIT:
        return str(_("没有填单位"))
    if row.unit is None:
        return ""
    name = unit_name(row.unit)
    if row.kind is RowKind.TOTAL:
        return str(_("%(unit)s合计", unit=name))
    return str(_("%(unit)s（已移走）", unit=name)) if row.moved else name


def delivery_title(delivery: Delivery) -> str:
    """A delivery's title in the page's language."""
    return delivery.title_en if is_english() and delivery.title_en else delivery.title


def period_words(filters: FigureFilters) -> str:
    """The days of a table, in words."""
    if filters.first_day is None or filters.last_day is None:
        return str(_("整个测验安排"))
    first, last = format_day(filters.first_day, words=False), format_day(filters.last_day, words=False)
    return str(_("%(start)s 至 %(end)s", start=first, end=last))


def usual_periods() -> list[tuple[str, date, date]]:
    """The periods that are asked for most: this month and year so far, the whole month and year before."""
    today = local_date(get_now())
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    month_before, year_before = month - timedelta(days=1), year - timedelta(days=1)
    return [
        (str(_("本月")), month, today),
        (str(_("上月")), month_before.replace(day=1), month_before),
        (str(_("今年")), year, today),
        (str(_("去年")), year_before.replace(month=1, day=1), year_before),
    ]


def dimension_words() -> dict[GroupDimension, str]:
    """The names of the dimensions."""
    return {
        GroupDimension.UNIT: str(_("单位")),
        GroupDimension.INDUSTRY: str(_("行业")),
        GroupDimension.AGE_BAND: str(_("年龄段")),
        GroupDimension.SEX: str(_("性别")),
        GroupDimension.EDUCATION: str(_("文化程度")),
        GroupDimension.KEY_GROUP: str(_("重点人群")),
        GroupDimension.IDENTITY: str(_("身份核实")),
        GroupDimension.MONTH: str(_("月份")),
    }


def month_words(value: str) -> str:
    """ "2026-04" as 2026年4月 / Apr 2026."""
    year, month = value.split("-")
    return (
        f"{_MONTHS_EN[int(month) - 1]} {year}"
        if is_english()
        else str(_("%(year)s年%(month)s月", year=year, month=int(month)))
    )


def group_words(db: Session, dimension: GroupDimension) -> Mapping[str, str]:
    """Value as stored → word, in the order of a table; those that are not named stand for themselves."""
    if dimension is GroupDimension.INDUSTRY:
        rows = db.scalars(select(Industry).order_by(Industry.id))
        return {str(row.id): row.name_en if is_english() and row.name_en else row.name for row in rows}
    names = {
        GroupDimension.SEX: "sex",
        GroupDimension.EDUCATION: "education",
        GroupDimension.KEY_GROUP: "key_group",
        GroupDimension.IDENTITY: "identity_level",
    }
    return code_words()[names[dimension]] if dimension in names else {}


def filter_words(db: Session, filters: FigureFilters) -> list[tuple[str, str]]:
    """The groups that a table is narrowed to, as (name, value)."""
    asked = {
        GroupDimension.INDUSTRY: filters.industry_id,
        GroupDimension.AGE_BAND: filters.age_band,
        GroupDimension.SEX: filters.sex,
        GroupDimension.EDUCATION: filters.education,
        GroupDimension.KEY_GROUP: filters.key_group,
        GroupDimension.IDENTITY: filters.identity,
    }
    names = dimension_words()
    return [
        (names[dimension], group_words(db, dimension).get(str(value), str(value)))
        for dimension, value in asked.items()
        if value is not None
    ]
