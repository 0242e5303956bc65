"""The tests before and after a training session."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base


class SessionTests(Base):
    """Which deliveries a session's people take before and after it: of one quiz, so that their papers are parallel."""

    __tablename__ = "session_test_pair"

    #: The session.
    session_id: Mapped[int] = mapped_column(ForeignKey("training_session.id"), primary_key=True, autoincrement=False)
    #: The delivery before it.
    before_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: The delivery after it.
    after_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
