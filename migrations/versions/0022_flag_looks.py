"""What reviewers found when they looked at an item that its answers flag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId, Json, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_look",
        sa.Column("id", BigId, nullable=False),
        sa.Column("item_version_id", BigId, nullable=False),
        sa.Column("flags", Json, nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(300), nullable=True),
        sa.Column("looked_by", BigId, nullable=True),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("taken_back_by", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["item_version_id"], ["item_version.id"], name=op.f("fk_item_look_item_version_id_item_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_look")),
    )
    op.create_index("ix_item_look_item_version_id", "item_look", ["item_version_id"])
    op.create_index(
        "uq_item_look_standing",
        "item_look",
        ["item_version_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("item_look")
