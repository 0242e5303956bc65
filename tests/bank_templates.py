"""Templates with the question banks in them: a server that starts on a copy has nothing to load."""

from __future__ import annotations

import uuid
from pathlib import Path
from shutil import copyfile

import pytest

from quizapp.core.db import Database
from quizapp.core.tokens import Keys
from quizapp.operations.installation import Installation
from quizapp.operations.services import load_bank_files
from tests.conftest import START, _postgres_admin, _postgres_url, make_settings


def _load_banks_into(database: Database, folder: Path) -> None:
    """Load the banks as a first start does."""
    installation = Installation(make_settings(folder, database), database, Keys.load(folder / "keys"), lambda: START)
    load_bank_files(installation, lambda _: None)


@pytest.fixture(scope="session")
def sqlite_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("banks")
    path = folder / "template.sqlite3"
    copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    _load_banks_into(database, folder)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, postgres_template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = f"template_{uuid.uuid4().hex}"  # each module that asks for it makes its own
    _postgres_admin(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    database = Database(_postgres_url(postgres_server, name), pooled=False)
    _load_banks_into(database, tmp_path_factory.mktemp("banks"))
    database.dispose()
    return name
