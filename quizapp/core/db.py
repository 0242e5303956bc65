"""The database: one `Database` per process, one `Session` per request, one place that commits.

SQLite runs in WAL mode with `synchronous=FULL` on the connections of this module (the answers' own connections in `core.hot` use
NORMAL); a writing transaction takes the write lock at once, so that it never fails half-way for a lock. PostgreSQL runs READ COMMITTED.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData, String, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Dialect, Engine, ExceptionContext, make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.types import TypeDecorator

from quizapp.core.discretion import take_values_out

#: Seconds a statement may take before the database gives up and the visitor reads "try again".
STATEMENT_SECONDS = 15
#: Seconds that a writer waits for SQLite's single write lock.
LOCK_SECONDS = 10

#: Integer key: 64 bits on PostgreSQL, SQLite's own rowid on SQLite.
BigId = BigInteger().with_variant(Integer, "sqlite")
#: A JSON document.
Json = JSON().with_variant(postgresql.JSONB(), "postgresql")
#: Text compared byte by byte, so that a prefix of a path is a range of an index.
PathText = String(255).with_variant(postgresql.VARCHAR(255, collation="C"), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no instant: pass an aware one")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back (SQLite has no zones)."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table. Constraint names follow one convention, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={LOCK_SECONDS * 1000}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _keep_values_out(engine: Engine) -> None:
    """What a row holds does not go into the text of an error."""

    @event.listens_for(engine, "handle_error")
    def _take_out(context: ExceptionContext) -> None:
        original, wrapped = context.original_exception, context.sqlalchemy_exception
        take_values_out(original)
        if wrapped is not None:
            kind = type(original)
            wrapped.args = (f"({kind.__module__}.{kind.__name__}) {original}",)


class Database:
    """The engine and the session factory of one database URL."""

    def __init__(self, url: str | URL, *, pooled: bool = True) -> None:
        self.url = make_url(url)
        # an error's text goes to the log, where no name and no number may stand
        options: dict[str, Any] = {"hide_parameters": True}
        if self.url.get_backend_name() == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
            options["connect_args"] = {
                "options": f"-c statement_timeout={STATEMENT_SECONDS * 1000}",
                "connect_timeout": 5,
            }
            options["pool_pre_ping"] = True
            if pooled:
                options.update(pool_size=5, max_overflow=5, pool_timeout=10)
        if not pooled:
            options["poolclass"] = NullPool
        elif self.is_sqlite:
            options["poolclass"] = QueuePool
        self.engine = create_engine(self.url, **options)
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        else:
            _keep_values_out(self.engine)
        self.session_factory = sessionmaker(self.engine, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def sqlite_path(self) -> str:
        """The file of the embedded database."""
        if not self.is_sqlite or not self.url.database:
            raise ValueError("only the embedded database has a file")
        return self.url.database

    def session(self) -> Session:
        """A new session; the caller closes it."""
        return self.session_factory()

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


@contextmanager
def transaction(db: Session) -> Iterator[Session]:
    """One unit of work: everything in the block is stored, or nothing.

    A read that the session began before is ended first, so that the block sees the present state under its locks. On SQLite the write
    lock is taken at once. This is the only place that commits.
    """
    db.rollback()
    db.connection(execution_options={"writes": True})
    try:
        yield db
        db.commit()
    except BaseException:
        db.rollback()
        raise


def insert_once(db: Session, model: type[Base], values: dict[str, Any], conflict: list[str], where: Any = None) -> bool:
    """Insert a row unless one with the same `conflict` columns stands (`where`: the condition of a partial unique index).

    Returns True when this call made the row. Two calls at the same time make one row.
    """
    dialect = db.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(model).values(**values).on_conflict_do_nothing(index_elements=conflict, index_where=where)
    # not the row count: SQLAlchemy leaves it at -1 for an ORM insert on PostgreSQL
    return db.execute(statement.returning(*model.__table__.primary_key)).first() is not None
