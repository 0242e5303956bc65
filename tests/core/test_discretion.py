"""What somebody typed does not reach the log by way of a database's error."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.hot import HotConnections, HotStatement
from quizapp.core.web import get_db

#: Statements that fail, each in another way, and all of them over what was typed.
FAILING = {
    "unique": "INSERT INTO item_bank (code, title) VALUES (:typed, '{}')",
    "null": "INSERT INTO person (name, source) VALUES (:typed, NULL)",
    "reference": "INSERT INTO topic (bank_id, code, title) VALUES (900000000 + length(:typed), :typed, '{}')",
    "number": "SELECT CAST(:typed AS integer)",
    "date": "SELECT CAST(:typed AS date)",
    "json": "SELECT CAST(:typed AS jsonb)",
}
TYPED = "张秘密13800001234"


def fail(db: Session, statement: str) -> None:
    with transaction(db):
        db.execute(text("INSERT INTO item_bank (code, title) VALUES (:typed, '{}')"), {"typed": TYPED})
        db.execute(text(statement), {"typed": TYPED})


@pytest.mark.postgres
@pytest.mark.parametrize("kind", FAILING)
def test_no_typed_value_reaches_the_log(
    kind: str, postgres_database: Database, make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(postgres_database)
    app.testing = False

    @app.get("/fail")
    def failing() -> str:
        fail(get_db(), FAILING[kind])
        return ""

    with caplog.at_level(logging.DEBUG):
        assert app.test_client().get("/fail").status_code == 500
    assert "Error" in caplog.text
    assert "138" not in caplog.text
    assert "秘密" not in caplog.text
    assert "900000014" not in caplog.text


@pytest.mark.postgres
def test_the_cause_can_still_be_found(postgres_database: Database) -> None:
    with postgres_database.session() as db, pytest.raises(DBAPIError) as caught:
        fail(db, FAILING["unique"])
    assert "duplicate key value violates unique constraint" in str(caught.value)
    assert "uq_item_bank_code" in str(caught.value)
    assert TYPED not in str(caught.value) + repr(caught.value.orig)


@pytest.mark.postgres
def test_the_plain_connections_are_as_discreet(postgres_database: Database) -> None:
    hot = HotConnections(postgres_database)
    first = HotStatement.of(FAILING["unique"] + " RETURNING code")

    def run_both(statement: HotStatement) -> None:
        with hot.run(together=True) as run:
            run(first, {"typed": TYPED})
            run(statement, {"typed": TYPED})

    for text_of_it in FAILING.values():
        with pytest.raises(psycopg.Error) as caught:
            run_both(HotStatement.of(text_of_it))
        assert TYPED not in str(caught.value)
        assert "900000014" not in str(caught.value)
    hot.close()
