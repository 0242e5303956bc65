"""How pages write days, times, numbers and names. Instants are aware datetimes or integer milliseconds UTC; the calendar is local."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Flask, current_app
from flask_babel import get_locale, gettext

from quizapp.core.clock import LOCAL_ZONE, from_ms, system_clock
from quizapp.core.web import get_now

NOTHING = "–"
_WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: How far apart the figures of a scale may stand, in per cent, and how many it has at most: so many fit into the narrowest column.
_STEPS = (10, 20, 25, 50, 100)
MOST_TICKS = 5

Instant = datetime | int


def is_english() -> bool:
    """Whether the page is in English."""
    locale = get_locale()
    return locale is not None and locale.language == "en"


def _(text: str, **values: object) -> str:
    """The text in the page's language."""
    return str(gettext(text, **values))


def _local(value: Instant) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no instant: pass an aware one")
        return value.astimezone(LOCAL_ZONE)
    return from_ms(value).astimezone(LOCAL_ZONE)


def _now() -> datetime:
    return get_now() if "quizapp" in current_app.extensions else system_clock()


def _day(day: date, *, words: bool) -> str:
    today = _now().astimezone(LOCAL_ZONE).date()
    if words and abs((day - today).days) <= 1:
        return {-1: _("昨天"), 0: _("今天"), 1: _("明天")}[(day - today).days]
    if is_english():
        text = f"{_WEEKDAYS_EN[day.weekday()]} {day.day} {_MONTHS_EN[day.month - 1]}"
        return text if day.year == today.year else f"{text} {day.year}"
    text = f"{day.month}月{day.day}日"
    text = text if day.year == today.year else f"{day.year}年{text}"
    return f"{text} {_WEEKDAYS_ZH[day.weekday()]}"


def format_day(value: Instant | date | None, words: bool = True) -> str:
    """11月27日 周五 / Fri 27 Nov; with the year when it is another; yesterday, today and tomorrow by word unless `words` is false."""
    if value is None:
        return NOTHING
    if isinstance(value, date) and not isinstance(value, datetime):
        return _day(value, words=words)
    return _day(_local(value).date(), words=words)


def format_clock(value: Instant | None) -> str:
    """14:03."""
    return NOTHING if value is None else f"{_local(value):%H:%M}"


def _day_and_clock(value: Instant, *, end: bool) -> tuple[date, str]:
    """The day and the time of day; a period that ends at midnight ends at 24:00 of the day before."""
    moment = _local(value)
    if end and moment.time() == time.min:
        return moment.date() - timedelta(days=1), "24:00"
    return moment.date(), f"{moment:%H:%M}"


def format_moment(value: Instant | None, end: bool = False, words: bool = True) -> str:
    """11月27日 周五 14:03 / Fri 27 Nov, 14:03. With `end`, midnight reads 24:00 of the day before."""
    if value is None:
        return NOTHING
    day, clock = _day_and_clock(value, end=end)
    return _join(_day(day, words=words), clock)


def _join(day: str, clock: str) -> str:
    return f"{day}, {clock}" if is_english() else f"{day} {clock}"


def format_period(start: Instant | None, end: Instant | None, words: bool = False) -> str:
    """11月27日 周五 14:00–15:30; over several days both ends are written in full. An open end is said."""
    if start is None and end is None:
        return NOTHING
    if start is None:
        return _("%(moment)s 止", moment=format_moment(end, end=True, words=words))
    if end is None:
        return _("%(moment)s 起", moment=format_moment(start, words=words))
    first, opens = _day_and_clock(start, end=False)
    last, closes = _day_and_clock(end, end=True)
    if first == last:
        return _join(_day(first, words=words), f"{opens}–{closes}")
    return _(
        "%(start)s 至 %(end)s",
        start=_join(_day(first, words=words), opens),
        end=_join(_day(last, words=words), closes),
    )


def format_duration(value: timedelta | float | None) -> str:
    """31 分 20 秒, from seconds or a timedelta; from an hour up without seconds."""
    if value is None:
        return NOTHING
    seconds = max(0, round(value.total_seconds() if isinstance(value, timedelta) else value))
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    if hours and minutes:
        return _("%(hours)s 小时 %(minutes)s 分", hours=hours, minutes=minutes)
    if hours:
        return _("%(hours)s 小时", hours=hours)
    if minutes and rest:
        return _("%(minutes)s 分 %(seconds)s 秒", minutes=minutes, seconds=rest)
    if minutes:
        return _("%(minutes)s 分钟", minutes=minutes)
    return _("%(seconds)s 秒", seconds=rest)


def format_number(value: float | None, decimals: int = 0) -> str:
    """6,042."""
    return NOTHING if value is None else f"{value:,.{decimals}f}"


def format_percent(fraction: float | None, decimals: int = 1) -> str:
    """A fraction from 0 to 1 as 77.9%."""
    return NOTHING if fraction is None else f"{fraction * 100:.{decimals}f}%"


def format_interval(low: float | None, high: float | None) -> str:
    """Two fractions from 0 to 1 as 76.7–78.9 (per cent, without the sign)."""
    return NOTHING if low is None or high is None else f"{low * 100:.1f}–{high * 100:.1f}"


def masked_name(name: str | None) -> str:
    """李*国: first and last character, so that a person finds themselves and others do not."""
    text = (name or "").strip()
    if len(text) <= 1:
        return "*" if text else NOTHING
    return f"{text[0]}*" if len(text) == 2 else f"{text[0]}*{text[-1]}"


def lang_text(texts: Mapping[str, str] | str | None) -> str:
    """The text of the page's language from {"zh": …, "en": …}; Chinese where the other is missing."""
    if texts is None:
        return ""
    if isinstance(texts, str):
        return texts
    return (texts.get("en") if is_english() else None) or texts.get("zh") or next(iter(texts.values()), "")


def page_language() -> str:
    """The page's language as our texts name it: zh or en."""
    return "en" if is_english() else "zh"


def date_parts(value: Instant | date) -> dict[str, Any]:
    """What a date block shows: the day's number, and its weekday."""
    day = value if isinstance(value, date) and not isinstance(value, datetime) else _local(value).date()
    names = _WEEKDAYS_EN if is_english() else _WEEKDAYS_ZH
    return {"day": day.day, "weekday": names[day.weekday()], "iso": day.isoformat()}


def tally(rows: Iterable[Mapping[str, Any]], name: str) -> Counter[Any]:
    """How many rows have each value of one field."""
    return Counter(row.get(name) for row in rows)


def format_points(value: float | None) -> str:
    """A difference of fractions in percentage points, with its sign: +3.2, −1.0."""
    if value is None:
        return NOTHING
    text = f"{abs(value) * 100:.1f}"
    return text if text == "0.0" else f"{'+' if value > 0 else '−'}{text}"  # the minus sign of figures


def scale_ticks(scale: tuple[float, float]) -> list[float]:
    """Where a drawing of fractions has its lines and figures: the multiples of the finest step with which they do not crowd.

    An end of the scale that is no multiple has no figure: (0.5, 1.0) has 60, 80 and 100 %.
    """
    low, high = (round(100 * end) for end in scale)
    for step in _STEPS:
        found = [place / 100 for place in range(-(-low // step) * step, high + 1, step)]
        if len(found) <= MOST_TICKS:
            break
    return found


def init_filters(app: Flask) -> None:
    """Give the filters to the templates."""
    app.jinja_env.filters.update(
        day=format_day,
        clock=format_clock,
        moment=format_moment,
        period=format_period,
        duration=format_duration,
        number=format_number,
        percent=format_percent,
        points=format_points,
        interval=format_interval,
        masked_name=masked_name,
        lang_text=lang_text,
        date_parts=date_parts,
        tally=tally,
        ticks=scale_ticks,
    )
    app.jinja_env.globals["page_language"] = page_language
