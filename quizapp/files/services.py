"""Keeping files, giving them back, and deleting those whose term is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, digest_bytes, new_secret
from quizapp.files.models import FileKind, StoredFile


def keep_file(
    db: Session,
    content: bytes,
    *,
    kind: FileKind,
    media_type: str,
    name: str,
    expires_at: datetime,
    keys: Keys,
    actor: Actor,
    now: datetime,
) -> StoredFile:
    """Keep a content, encrypted, until its term ends. Whoever calls has checked size and type."""
    file = StoredFile(
        public_id=new_secret(),
        kind=kind.value,
        media_type=media_type,
        name=name,
        size=len(content),
        digest=digest_bytes(content),
        content=keys.seal(content, kind.value),
        account_id=actor.account_id,
        created_at=now,
        expires_at=expires_at,
    )
    db.add(file)
    db.flush()
    return file


def read_file(db: Session, file_id: int, *, keys: Keys, now: datetime) -> bytes:
    """The content again. Raises NotFound when its term is over. Access is checked by whoever knows what the file belongs to."""
    file = db.scalar(select(StoredFile).where(StoredFile.id == file_id, StoredFile.expires_at > now))
    if file is None:
        raise NotFound
    return keys.unseal(file.content, file.kind)


def delete_file(db: Session, file_id: int) -> None:
    """Delete a file before its term. What refers to it is emptied by the database itself."""
    db.execute(delete(StoredFile).where(StoredFile.id == file_id))


def delete_expired(db: Session, *, now: datetime, limit: int = 50) -> int:
    """Delete up to `limit` files whose term is over; gives their number. What refers to them is emptied by the database itself."""
    ids = db.scalars(
        select(StoredFile.id).where(StoredFile.expires_at <= now).order_by(StoredFile.id).limit(limit)
    ).all()
    if ids:
        db.execute(delete(StoredFile).where(StoredFile.id.in_(ids)))
    return len(ids)
