"""The table of kept files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, BigId, UtcDateTime


class FileKind(StrEnum):
    """What a file is kept for."""

    EVIDENCE = "evidence"
    IMPORT = "import"
    RESULT = "result"


class StoredFile(Base):
    """A file, encrypted in the database: it is found on every machine and goes with the backup, and nothing serves it by its name."""

    __tablename__ = "stored_file"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Unguessable name in links (128 bits).
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: `FileKind`.
    kind: Mapped[str] = mapped_column(String(10))
    #: Media type, by its content: "image/jpeg", "application/pdf" …
    media_type: Mapped[str] = mapped_column(String(80))
    #: Name for downloads, made by us.
    name: Mapped[str] = mapped_column(String(120))
    #: Bytes before encryption.
    size: Mapped[int]
    #: SHA-256 of the content, so that the same file twice is seen.
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    #: The content, encrypted.
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    #: The account that brought it; None for the system.
    account_id: Mapped[int | None] = mapped_column(BigId)
    #: When.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When its term ends and it is deleted.
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
