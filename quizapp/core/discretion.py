"""Errors of the database without the rows in them.

What PostgreSQL says of a refused row quotes it: "Key (phone)=(…) already exists", "Failing row contains (…)", "invalid input syntax for
type integer: …". Such a text goes wherever an error goes: into a log, into a traceback. So the values leave it as soon as it is raised;
what is needed to find the cause stays: the kind of error, the constraint, the statement without its parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: What PostgreSQL quotes: values, and names of constraints, columns and types. The names are kept where the error is not about a value.
_QUOTED = re.compile(r'"[^"]*"')
#: The class of SQLSTATE "data exception": its first line quotes the value itself.
_DATA_EXCEPTION = "22"


def without_values(error: Any) -> str:
    """The text of a psycopg error without values: its first line, and of a data exception not even what that quotes."""
    primary = error.diag.message_primary
    if primary is None:  # raised by the driver itself
        return str(error).split("\n", 1)[0]
    if (error.sqlstate or "").startswith(_DATA_EXCEPTION):
        # "invalid input syntax for type integer: "…"" keeps all but the value
        primary = _QUOTED.sub('"…"', primary.split(": ", 1)[0])
    return str(primary)


def take_values_out(error: BaseException) -> None:
    """Let a psycopg error say no value, wherever it is printed from now on."""
    import psycopg

    if isinstance(error, psycopg.Error):
        error.args = (without_values(error), *error.args[1:])


@contextmanager
def discreet() -> Iterator[None]:
    """Errors of psycopg leave the block without values (for connections that SQLAlchemy does not see)."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        take_values_out(error)
        raise
