"""The daily quizzes of somebody without an account: the last seven days in one signed cookie.

The text is "20261122-11111_20261123-110": day and results. A text that we did not sign is no text.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from quizapp.core.tokens import Keys
from quizapp.practice.rounds import DAILY_COUNT

COOKIE = "daily"
#: How many days are kept and shown.
DAYS = 7

_PURPOSE = "daily-quiz"
_DAY = re.compile(rf"(\d{{4}})(\d{{2}})(\d{{2}})-([01]{{1,{2 * DAILY_COUNT}}})")


def read_days(cookie: str | None, keys: Keys, today: date) -> dict[date, str]:
    """The results by day of a cookie; nothing from one that is forged, and no day that is past showing."""
    text, _, signature = (cookie or "").rpartition(".")
    if not text or not keys.verify(signature, _PURPOSE, text):
        return {}
    days = {}
    for part in text.split("_"):
        if match := _DAY.fullmatch(part):
            year, month, day, results = match.groups()
            days[date(int(year), int(month), int(day))] = results
    return _recent(days, today)


def write_days(days: dict[date, str], keys: Keys, today: date) -> str:
    """The cookie of these days."""
    text = "_".join(f"{day:%Y%m%d}-{results}" for day, results in sorted(_recent(days, today).items()) if results)
    return f"{text}.{keys.sign(_PURPOSE, text)}"


def _recent(days: dict[date, str], today: date) -> dict[date, str]:
    return {day: results for day, results in days.items() if today - timedelta(days=DAYS) < day <= today}
