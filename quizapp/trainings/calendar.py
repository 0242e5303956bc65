"""Sessions as iCalendar (RFC 5545): one file per session, and feeds of several. Pure: rows in, bytes out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from quizapp.core.clock import LOCAL_ZONE, from_ms

if TYPE_CHECKING:
    import icalendar

#: How often a calendar program is asked to look again.
REFRESH = timedelta(hours=1)


@dataclass(frozen=True)
class CalendarEntry:
    """One session in a calendar."""

    #: The code of the session's public page: its entry keeps its name through every change.
    code: str
    title: str
    place: str
    #: What stands below: lines of text.
    text: str
    #: The session's public page.
    url: str
    #: Begin and end, ms UTC.
    starts_at: int
    ends_at: int
    #: Raised with each change: a calendar takes the higher one.
    revision: int
    #: When it changed last, ms UTC.
    changed_at: int
    cancelled: bool = False
    #: Whoever waits for a place is not expected yet.
    tentative: bool = False


def build_calendar(entries: Iterable[CalendarEntry], *, name: str) -> bytes:
    """A calendar of these sessions, named for the list of calendars that a program shows."""
    import icalendar  # only calendars need it

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//quizapp//trainings//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", str(LOCAL_ZONE))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add_component(_zone())
    for entry in entries:
        calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _event(entry: CalendarEntry) -> icalendar.Event:
    import icalendar

    event = icalendar.Event()
    event.add("uid", f"session-{entry.code}@trainings.quizapp")
    event.add("sequence", entry.revision + (1 if entry.cancelled else 0))
    event.add("dtstamp", from_ms(entry.changed_at).replace(microsecond=0).astimezone(UTC))
    event.add("dtstart", _local(entry.starts_at))
    event.add("dtend", _local(entry.ends_at))
    event.add("summary", entry.title)
    event.add("location", entry.place)
    event.add("description", entry.text)
    event.add("url", entry.url)
    event.add("status", "CANCELLED" if entry.cancelled else "TENTATIVE" if entry.tentative else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.cancelled else "OPAQUE")
    return event


def _local(moment: int) -> datetime:
    return from_ms(moment).astimezone(LOCAL_ZONE).replace(microsecond=0)


def _zone() -> icalendar.Timezone:
    """China's one time: eight hours ahead, all year."""
    import icalendar

    zone, standard = icalendar.Timezone(), icalendar.TimezoneStandard()
    zone.add("tzid", str(LOCAL_ZONE))
    standard.add("dtstart", datetime(1992, 1, 1))  # noqa: DTZ001 # a zone's own begin has none; summer time ended in 1991
    standard.add("tzoffsetfrom", timedelta(hours=8))
    standard.add("tzoffsetto", timedelta(hours=8))
    standard.add("tzname", "CST")
    zone.add_component(standard)
    return zone
