"""The clock, as a value that is passed in.

Hot tables keep instants as integer milliseconds UTC, everything else as aware datetimes. A rule never reads the clock itself: it is
given `now`. The local calendar (Asia/Shanghai unless a setting says otherwise) decides to which day an instant belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


def system_clock() -> datetime:
    """The present instant, aware, UTC."""
    return datetime.now(UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware datetime; a naive one is a programming error."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no instant: pass an aware one")
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """The aware UTC datetime of an integer millisecond instant."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def local_date(moment: datetime | int, zone: ZoneInfo = LOCAL_ZONE) -> date:
    """The local day on which an instant falls."""
    aware = from_ms(moment) if isinstance(moment, int) else moment
    return aware.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo = LOCAL_ZONE) -> datetime:
    """The instant at which a local day begins, UTC; periods are half-open: start of the first to start of the day after the last."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_after(day: date) -> date:
    """The next calendar day."""
    return day + timedelta(days=1)
