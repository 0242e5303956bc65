"""PostgreSQL: every table of one instant by COPY through the driver, so that no client program of the server's version is needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import sql
from sqlalchemy import Connection

from quizapp.core.db import Database
from quizapp.operations.backup.archive import (
    CHUNK,
    ArchiveReader,
    ArchiveWriter,
    BackupRefused,
    Manifest,
    Progress,
    Say,
)

#: How values are written, whatever the server's own settings.
_FORM = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL client_encoding = 'UTF8'",
    "SET LOCAL timezone = 'UTC'",
)
_VERSION_TABLE = "alembic_version"


def save(database: Database, archive: ArchiveWriter, manifest: Manifest, say: Say) -> None:
    """Put every table as of one instant into the backup; those who write are not held up."""
    with database.engine.connect() as plain:
        connection = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            _set_form(connection)
            manifest.revision = connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").scalar_one()  # noqa: S608 # a constant
            manifest.columns = _columns(connection)
            progress = Progress(say, "Backup: copying the tables", _size(connection))
            done = 0
            for table, columns in manifest.columns.items():
                with archive.member(f"tables/{table}.copy") as write:
                    manifest.rows[table] = 0
                    for chunk in _copy_out(connection, table, columns):
                        write(chunk)
                        # in COPY's text form a row is a line: a line break inside a value is written as \n
                        manifest.rows[table] += chunk.count(b"\n")
                        done += len(chunk)
                        progress.at(done)
            # Not part of the snapshot, so never behind it: a number once given is not given again.
            manifest.sequences = dict(
                connection.exec_driver_sql(
                    "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL"
                ).all()
            )


def load(connection: Connection, archive: ArchiveReader, say: Say) -> None:
    """Fill the tables of a fresh schema, inside the caller's transaction. Raises BackupRefused."""
    manifest = archive.manifest
    _set_form(connection)
    if set(_columns(connection)) != set(manifest.columns):
        raise BackupRefused("the tables of the backup are not those of its revision: install the version that made it")
    references = connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
    ).all()
    for table, name, _ in references:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for table in manifest.columns:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
    connection.exec_driver_sql("TRUNCATE " + ", ".join(f'"{table}"' for table in manifest.columns))
    total = sum(member.size for member in manifest.members.values())
    progress, done = Progress(say, "Restore: filling the tables", total), 0
    for table, columns in manifest.columns.items():
        with _cursor(connection).copy(_statement("COPY {} ({}) FROM STDIN", table, columns)) as copy:
            for chunk in archive.chunks(f"tables/{table}.copy"):
                copy.write(chunk)
                done += len(chunk)
                progress.at(done)
    say("Restore: checking references and counts")
    for table in manifest.columns:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
    for table, name, definition in references:  # adding one checks every row
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for sequence, last in manifest.sequences.items():
        connection.exec_driver_sql("SELECT setval(quote_ident(%s)::regclass, %s)", (sequence, last))
    connection.exec_driver_sql("ANALYZE")


def count_rows(connection: Connection) -> dict[str, int]:
    """Table → rows."""
    return {
        table: connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one()  # noqa: S608 # names from the schema itself
        for table in _columns(connection)
    }


def is_empty(connection: Connection) -> bool:
    """Whether the schema has no table."""
    return not connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").scalar()


def _set_form(connection: Connection) -> None:
    for statement in _FORM:
        connection.exec_driver_sql(statement)


def _columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of each table, without those that the database computes itself."""
    found: dict[str, list[str]] = {}
    rows = connection.exec_driver_sql(
        "SELECT c.table_name, c.column_name FROM information_schema.columns c"
        " JOIN pg_tables t ON t.schemaname = c.table_schema AND t.tablename = c.table_name"
        " WHERE c.table_schema = current_schema() AND c.is_generated = 'NEVER'"
        " ORDER BY c.table_name, c.ordinal_position"
    )
    for table, column in rows:
        if table != _VERSION_TABLE:
            found.setdefault(table, []).append(column)
    return found


def _size(connection: Connection) -> int:
    found = connection.exec_driver_sql(
        "SELECT coalesce(sum(pg_table_size(format('%I.%I', schemaname, tablename)::regclass)), 0)::bigint"
        " FROM pg_tables WHERE schemaname = current_schema()".replace("%", "%%")
    ).scalar_one()
    return int(found)


def _copy_out(connection: Connection, table: str, columns: list[str]) -> Iterable[bytes]:
    """A table in COPY's text form, in pieces of about a megabyte."""
    piece = bytearray()
    with _cursor(connection).copy(_statement("COPY {} ({}) TO STDOUT", table, columns)) as copy:
        for row in copy:
            piece += row
            if len(piece) >= CHUNK:
                yield bytes(piece)
                piece.clear()
    if piece:
        yield bytes(piece)


def _statement(text: str, table: str, columns: list[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(text).format(sql.Identifier(table), names)


def _cursor(connection: Connection) -> Any:
    return connection.connection.driver_connection.cursor()  # type: ignore[union-attr] # it is open
