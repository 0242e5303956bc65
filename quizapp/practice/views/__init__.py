"""Pages of practice, one module per page family."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from flask import Blueprint, Flask
from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.web import Runtime
from quizapp.practice.services import note_wrong

bp = Blueprint("practice", "quizapp.practice", template_folder="templates")


def register(app: Flask) -> None:
    """Let the wrong book hear of tests that are handed in."""
    cast("Runtime", app.extensions["quizapp"]).registry.fill("attempt_closed", note_test)


def note_test(db: Session, account_id: int, item_ids: list[int], now: datetime) -> None:
    """Put what an account answered wrong in a test into its wrong book; it comes back once no open test uses it."""
    if item_ids:
        with transaction(db):
            for item_id in item_ids:
                note_wrong(db, account_id, item_id, to_ms(now))


from quizapp.practice.views import daily, rounds, wrong_book  # noqa: E402, F401 # they need `bp`
