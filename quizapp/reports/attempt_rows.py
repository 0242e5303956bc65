"""The records behind figures as rows of a file: one row an attempt, as it was on its day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from quizapp.core.spreadsheet import Value
from quizapp.organisation.models import Industry, OrgUnit, Person
from quizapp.quizzes.models import Attempt, Delivery
from quizapp.quizzes.queries.afterwards import SHOWN_PASSED, SHOWN_SCORE
from quizapp.reports.figures.sums import joined

#: Rows that are fetched at a time.
PIECE = 2000

#: The columns by name, in the order of a row. Without phone numbers: who needs to call somebody looks the person up.
COLUMNS = (
    "attempt", "delivery", "name", "unit", "unit_code", "industry", "age_band", "sex", "education", "key_group",
    "identity_level", "started_at", "closed_at", "state", "is_first", "try_number", "score", "max_score", "passed",
)  # fmt: skip


def count_attempts(db: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many rows there will be, about: more may come while they are read."""
    return db.scalar(joined(select(func.count())).where(*conditions)) or 0


def attempt_rows(
    db: Session, conditions: Sequence[ColumnElement[bool]], *, english: bool = False
) -> Iterator[Sequence[Value]]:
    """The rows, by their start. They are fetched in pieces: memory does not grow with their number.

    `conditions` hold the scope: what may be seen is decided where the figure is. Codes come as codes, yes and no as "1" and "0".
    Results that a delivery holds back are empty.
    """
    statement = _rows_statement(conditions, english=english).order_by(Attempt.id)
    return map(_plain, db.execute(statement.execution_options(yield_per=PIECE)))


def attempt_page(
    db: Session, conditions: Sequence[ColumnElement[bool]], first: int, size: int, *, english: bool = False
) -> list[Sequence[Value]]:
    """Some of the same rows for a page, the latest first."""
    statement = _rows_statement(conditions, english=english).order_by(Attempt.started_at.desc(), Attempt.id.desc())
    return [_plain(row) for row in db.execute(statement.offset(first).limit(size))]


def _rows_statement(conditions: Sequence[ColumnElement[bool]], *, english: bool) -> Any:
    industry = func.coalesce(Industry.name_en, Industry.name) if english else Industry.name
    unit = func.coalesce(OrgUnit.name_en, OrgUnit.name) if english else OrgUnit.name
    title = func.coalesce(Delivery.title_en, Delivery.title) if english else Delivery.title
    statement = select(
        Attempt.public_id, title, Person.name, unit, OrgUnit.code, industry, Attempt.age_band, Attempt.sex,
        Attempt.education, Attempt.key_group, Attempt.identity_level, Attempt.started_at, Attempt.closed_at,
        Attempt.state, Attempt.is_first, Attempt.try_number, SHOWN_SCORE, Delivery.max_score, SHOWN_PASSED,
    )  # fmt: skip
    people = joined(statement).outerjoin(Person, Person.id == Attempt.person_id)
    return people.outerjoin(Industry, Industry.id == Attempt.industry_id).where(*conditions)


_FLAGS = (COLUMNS.index("is_first"), COLUMNS.index("passed"))


def _plain(row: Any) -> Sequence[Value]:
    cells = list(row)
    for flag in _FLAGS:
        cells[flag] = None if cells[flag] is None else "1" if cells[flag] else "0"
    return cells
