"""Reading sessions and who came; each module is a part of it."""

from __future__ import annotations

from quizapp.trainings.queries.attendance import (
    Arrival,
    arrivals,
    attendances_of_person,
    count_arrivals,
    counts,
    find_attendance,
)
from quizapp.trainings.queries.door import Registered, count_registered, open_rotating_sessions, right_is_used
from quizapp.trainings.queries.marks import SLOW_MS, Mark, MarkKind, marks
from quizapp.trainings.queries.sessions import (
    SessionWithCount,
    count_sessions,
    find_by_code,
    get_by_code,
    get_session,
    list_sessions,
)

__all__ = [
    "SLOW_MS",
    "Arrival",
    "Mark",
    "MarkKind",
    "Registered",
    "SessionWithCount",
    "arrivals",
    "attendances_of_person",
    "count_arrivals",
    "count_registered",
    "count_sessions",
    "counts",
    "find_attendance",
    "find_by_code",
    "get_by_code",
    "get_session",
    "list_sessions",
    "marks",
    "open_rotating_sessions",
    "right_is_used",
]
