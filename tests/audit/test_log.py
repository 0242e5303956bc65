"""The log is append-only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.scope import Actor


def write(db: Session, at: datetime) -> None:
    with transaction(db):
        record(
            db,
            actor=Actor(account_id=7),
            action="unit_created",
            object_type="org_unit",
            object_id=3,
            unit_id=3,
            details={"kind": "street"},
            now=at,
        )


def count(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(AuditEvent)) or 0


def test_an_event_says_who_did_what_to_which_object(either_db: Session) -> None:
    write(either_db, datetime.now(UTC))
    event = either_db.scalars(select(AuditEvent)).one()
    assert (event.account_id, event.action, event.object_type, event.object_id) == (7, "unit_created", "org_unit", 3)
    assert event.details == {"kind": "street"}


def test_no_row_is_ever_changed(either_db: Session) -> None:
    write(either_db, datetime.now(UTC) - timedelta(days=4000))
    with pytest.raises(DatabaseError, match="never changed"), transaction(either_db):
        either_db.execute(update(AuditEvent).values(account_id=8))


def test_no_row_younger_than_three_years_is_deleted(either_db: Session) -> None:
    write(either_db, datetime.now(UTC) - timedelta(days=3 * 365 - 10))
    with pytest.raises(DatabaseError, match="younger than three years"), transaction(either_db):
        either_db.execute(delete(AuditEvent))
    assert count(either_db) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET account_id = 8 WHERE id = 1",
        "UPDATE audit_event SET at = '2001-01-01 00:00:00'",
        "DELETE FROM audit_event WHERE id = 1",
        "DELETE FROM audit_event",
        {
            "sqlite": "INSERT OR REPLACE INTO audit_event (id, at, action, object_type, details)"
            " VALUES (1, '2026-01-01', 'x', 'x', '{}')",
            "postgresql": "TRUNCATE audit_event",
        },
    ],
    ids=["update", "back-date", "delete", "delete-all", "round-the-triggers"],
)
def test_plain_sql_changes_nothing(either_db: Session, statement: str | dict[str, str]) -> None:
    write(either_db, datetime.now(UTC) - timedelta(hours=1))
    if isinstance(statement, dict):
        statement = statement[either_db.get_bind().dialect.name]
    with pytest.raises(DatabaseError, match="audit_event"), transaction(either_db):
        either_db.execute(text(statement))
    assert either_db.scalars(select(AuditEvent.account_id)).all() == [7]


def test_an_older_row_may_go(either_db: Session) -> None:
    write(either_db, datetime.now(UTC) - timedelta(days=3 * 366 + 1))
    with transaction(either_db):
        either_db.execute(delete(AuditEvent))
    assert count(either_db) == 0


def test_a_refused_service_leaves_no_event(db: Session) -> None:
    def refused() -> None:
        with transaction(db):
            record(db, actor=Actor(account_id=7), action="x", object_type="org_unit", now=datetime.now(UTC))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        refused()
    assert count(db) == 0
