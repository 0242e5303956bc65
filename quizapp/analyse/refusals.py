"""How the commands on files answer: one JSON object or lines, UTF-8 in any locale; a refusal ends with 1."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click


class Refused(Exception):
    """Refused for a stated reason; `code` is stable, `facts` stand beside the error in the JSON answer."""

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


#: What reading and computing raise of input that no rule foresaw.
_UNFIT = (ValueError, ArithmeticError, RecursionError, MemoryError, csv.Error)


@contextmanager
def refusing(*, as_json: bool) -> Iterator[None]:
    """Around everything that a command does with its files: what they hold ends in a refusal of one line, never in a traceback.

    Readers refuse with the line and the cure; what passes them and cannot be computed all the same is `unfit`.
    """
    try:
        yield
    except Refused as refusal:
        refuse(refusal, as_json=as_json)
    except OSError as error:
        refuse(Refused("unreadable", f"{error.filename or 'a file'} cannot be read: {error.strerror}"), as_json=as_json)
    except _UNFIT as error:
        said = str(error) or type(error).__name__
        message = f"the files hold what cannot be computed ({said}): look at their numbers and sizes"
        refuse(Refused("unfit", message), as_json=as_json)


def refuse(refusal: Refused, *, as_json: bool) -> NoReturn:
    """Say why, and end with exit status 1."""
    if as_json:
        answer_json({"error": {"code": refusal.code, "message": str(refusal), **_inside(refusal)}, **_beside(refusal)})
    else:
        line = " ".join(f"quizapp: refused ({refusal.code}): {refusal}".split())
        click.echo(utf8(line), err=True)
    raise SystemExit(1)


def shortened(text: str, most: int = 60) -> str:
    """What stands in a file, in quotes and short enough for a line."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def _inside(refusal: Refused) -> dict[str, Any]:
    return {name: value for name, value in refusal.facts.items() if name == "conflicts"}


def _beside(refusal: Refused) -> dict[str, Any]:
    return {name: value for name, value in refusal.facts.items() if name != "conflicts"}


def answer_json(answer: dict[str, Any]) -> None:
    """One JSON object at full precision; what is not defined is null."""
    click.echo(utf8(json.dumps(_defined(answer), ensure_ascii=False, allow_nan=False)))


def _defined(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _defined(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_defined(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def answer_line(line: str) -> None:
    """A line of the table."""
    click.echo(utf8(line))


def utf8(text: str) -> bytes:
    """UTF-8; half characters, which a command line in another encoding can bring in, stand as \\udc80."""
    return text.encode(errors="backslashreplace")
