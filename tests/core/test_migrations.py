"""One head, a schema that equals the tables, and the way up and down on both databases with data in them."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select

from quizapp.core import migrate
from quizapp.core.db import Database, transaction
from quizapp.models import Base
from quizapp.quizzes.models import Attempt
from tests.factories import make_attempt, make_delivery


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(migrate._config()).get_heads()) == 1


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_make_exactly_the_tables_of_the_models(either_database: Database) -> None:
    with either_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_down_and_up_again_with_data_in_it(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        delivery = make_delivery(db)
        make_attempt(db, delivery)
    migrate.downgrade(either_database, "base")
    assert set(inspect(either_database.engine).get_table_names()) <= {"alembic_version"}
    migrate.upgrade(either_database)
    assert migrate.current(either_database) == migrate.head()
    with either_database.session() as db:
        assert db.scalar(select(func.count()).select_from(Attempt)) == 0


def test_an_upgrade_of_the_newest_schema_changes_nothing(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        make_delivery(db)
    migrate.upgrade(either_database)
    assert migrate.current(either_database) == migrate.head()
