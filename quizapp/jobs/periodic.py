"""Tasks that run again and again.

    @every(30)
    @task("close_overdue")
    def close_overdue(context: JobContext, arguments: dict[str, Any]) -> None: ...

Each has one row in the job table: when it ends, the row waits for its next turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quizapp.core.registry import TASKS

#: Name of a periodic task → seconds from the end of one run to the start of the next.
PERIODIC: dict[str, int] = {}


def every(seconds: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a registered task every so many seconds."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name = next(name for name, known in TASKS.items() if known is function)
        PERIODIC[name] = seconds
        return function

    return register
