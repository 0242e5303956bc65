"""How the commands on files answer: one JSON object or lines, UTF-8 in any locale; a refusal ends with 1."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import click


class Refused(Exception):
    """Refused for a stated reason; `code` is stable, `facts` stand beside the error in the JSON answer."""

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


def refuse(refusal: Refused, *, as_json: bool) -> NoReturn:
    """Say why, and end with exit status 1."""
    if as_json:
        answer_json({"error": {"code": refusal.code, "message": str(refusal), **_inside(refusal)}, **_beside(refusal)})
    else:
        click.echo(f"quizapp: refused ({refusal.code}): {refusal}".encode(), err=True)
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
    click.echo(json.dumps(_defined(answer), ensure_ascii=False, allow_nan=False).encode())


def _defined(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _defined(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_defined(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def answer_line(line: str) -> None:
    """A line of the table."""
    click.echo(line.encode())
