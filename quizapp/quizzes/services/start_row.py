"""The row of a started attempt, in one statement.

A unit of work with a savepoint around it costs eight times the insert. The statement itself says whether somebody was before us: no row
comes back when the same form has made the attempt, or when the person's first flag is set.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached

from quizapp.quizzes.models import Attempt

_TABLE = cast("Table", Attempt.__table__)
_COLUMNS = frozenset(_TABLE.c.keys())
_INSERT = {
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.id),
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.id),
}


def insert_attempt(db: Session, attempt: Attempt) -> bool:
    """Insert a new attempt, which then belongs to the session; False when one with the same name or the same first flag stands.

    On PostgreSQL it waits for a twin that is being inserted, and sees it once that is stored.
    """
    db.flush()  # a person that the row names
    values = {name: value for name, value in attempt.__dict__.items() if name in _COLUMNS}
    connection = db.connection()
    attempt_id = connection.execute(_INSERT[connection.dialect.name], values).scalar()
    if attempt_id is None:
        return False
    attempt.id = attempt_id
    make_transient_to_detached(attempt)  # it has its row: nothing is left to write
    db.add(attempt)
    return True
