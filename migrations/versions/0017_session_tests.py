"""A training session can carry a test before and one after it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_test_pair",
        sa.Column("session_id", BigId, sa.ForeignKey("training_session.id"), primary_key=True, autoincrement=False),
        sa.Column("before_id", BigId, sa.ForeignKey("delivery.id"), nullable=False),
        sa.Column("after_id", BigId, sa.ForeignKey("delivery.id"), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("session_test_pair")
