"""What stands behind the tables that can take their records along into a file: attempts, or people at sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.clock import local_date
from quizapp.core.scope import Scope
from quizapp.core.spreadsheet import Value
from quizapp.reports.attempt_rows import attempt_rows, count_attempts
from quizapp.reports.forms.sessions import AskedSessions
from quizapp.reports.records import attempt_conditions
from quizapp.reports.session_records import count_lines, line_rows


@dataclass(frozen=True)
class Source:
    """Records by the query of a table's address, within a scope."""

    count: Callable[[Session, Scope, Mapping[str, str], datetime], int]
    #: In pieces: memory does not grow with their number. The last argument: names in English.
    rows: Callable[[Session, Scope, Mapping[str, str], datetime, bool], Iterator[Sequence[Value]]]


def _attempt_rows(
    db: Session, scope: Scope, query: Mapping[str, str], _now: datetime, english: Any
) -> Iterator[Sequence[Value]]:
    return attempt_rows(db, attempt_conditions(db, scope, query), english=english)


def _count_lines(db: Session, scope: Scope, query: Mapping[str, str], now: datetime) -> int:
    return count_lines(db, scope, AskedSessions.read(query, local_date(now)).filters, now)


def _line_rows(
    db: Session, scope: Scope, query: Mapping[str, str], now: datetime, english: Any
) -> Iterator[Sequence[Value]]:
    return line_rows(db, scope, AskedSessions.read(query, local_date(now)).filters, now, english=english)


#: By the name that a plan carries.
SOURCES: dict[str, Source] = {
    "attempts": Source(
        lambda db, scope, query, _: count_attempts(db, attempt_conditions(db, scope, query)), _attempt_rows
    ),
    "lines": Source(_count_lines, _line_rows),
}
