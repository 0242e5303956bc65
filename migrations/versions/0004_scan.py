"""Scanning phones: what an attendance was before phones wrote it down, and why an entry waits for the trainer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attendance", sa.Column("direct_at_ms", BigId, nullable=True))
    op.add_column("attendance", sa.Column("direct_method", sa.String(length=20), nullable=True))
    op.add_column("attendance", sa.Column("direct_matched", sa.String(length=10), nullable=True))
    op.add_column("attendance_entry", sa.Column("reason", sa.String(length=20), nullable=True))
    op.add_column("attendance_entry", sa.Column("sure", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("attendance_entry", "sure")
    op.drop_column("attendance_entry", "reason")
    op.drop_column("attendance", "direct_matched")
    op.drop_column("attendance", "direct_method")
    op.drop_column("attendance", "direct_at_ms")
