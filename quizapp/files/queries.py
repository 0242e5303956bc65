"""Finding kept files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor
from quizapp.files.models import FileKind, StoredFile


def get_own_result(db: Session, public_id: str, actor: Actor, now: datetime) -> StoredFile:
    """A file that was made for the actor. Raises NotFound for somebody else's, and when its term is over."""
    file = db.scalar(
        select(StoredFile).where(
            StoredFile.public_id == public_id,
            StoredFile.kind == FileKind.RESULT,
            StoredFile.account_id == actor.account_id,
            StoredFile.expires_at > now,
        )
    )
    if file is None:
        raise NotFound
    return file
