"""How long a certificate holds."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from enum import StrEnum


class CertificateState(StrEnum):
    """What anybody reads of a certificate."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month where it has no such day.

    >>> add_months(date(2026, 8, 31), 6)
    datetime.date(2027, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_valid_day(run_ended: date, months: int | None) -> date | None:
    """The last local day on which a certificate of a run holds; None: for good.

    As the Civil Code counts months (articles 201 and 202): the first day is not counted, the period ends with the corresponding day, or
    with the month where it has no such day.

    >>> last_valid_day(date(2026, 11, 23), 12)
    datetime.date(2027, 11, 23)
    """
    return None if months is None else add_months(run_ended, months)
