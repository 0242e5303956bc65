"""Who hears that a result changed: features above the quizzes that stand on results (certificates, contests) bring a part.

A part runs in the transaction of the change: it marks what is theirs for a look, it never takes anything away by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

#: Name → what hears of the id of an attempt whose result changed; filled by the features' modules that `quizapp.parts` imports.
RESULT_CHANGED: dict[str, Callable[[Session, int], None]] = {}


def add_result_changed(name: str, part: Callable[[Session, int], None]) -> None:
    """Bring a feature's part."""
    RESULT_CHANGED[name] = part


def changed_results(db: Session, attempt_id: int) -> None:
    """Tell all parts, in the order of their names."""
    for name in sorted(RESULT_CHANGED):
        RESULT_CHANGED[name](db, attempt_id)
