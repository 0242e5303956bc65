"""Difficulty and discrimination of item versions, and when a bank was calibrated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core import db
from quizapp.core.db import BigId, Json

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_calibration",
        sa.Column("item_version_id", BigId, sa.ForeignKey("item_version.id"), primary_key=True, autoincrement=False),
        sa.Column("a", sa.Float(), nullable=False),
        sa.Column("b", sa.Float(), nullable=False),
        sa.Column("se_a", sa.Float()),
        sa.Column("se_b", sa.Float()),
        sa.Column("own_slope", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("infit", sa.Float(), nullable=False),
        sa.Column("outfit", sa.Float(), nullable=False),
        sa.Column("off", sa.Float()),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("flags", Json, nullable=False),
        sa.Column("harm", sa.Float(), nullable=False),
        sa.Column("calibrated_at", db.UtcDateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "bank_calibration",
        sa.Column("bank_id", BigId, sa.ForeignKey("item_bank.id"), primary_key=True, autoincrement=False),
        sa.Column("mark", sa.String(80), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("apart", Json, nullable=False),
        sa.Column("calibrated_at", db.UtcDateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("bank_calibration")
    op.drop_table("item_calibration")
