"""How items are answered: counts by paper and day, and what follows of each version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core import db
from quizapp.core.db import BigId, Json

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_tally",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("paper_id", BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("item_version_id", BigId, sa.ForeignKey("item_version.id"), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("unreached", sa.Integer(), nullable=False),
        sa.UniqueConstraint("paper_id", "position", "day"),
    )
    op.create_index("ix_item_tally_item_version_id", "item_tally", ["item_version_id"])
    op.create_table(
        "item_tally_state",
        sa.Column("delivery_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("mark", sa.String(64), nullable=False),
    )
    op.create_table(
        "item_figure",
        sa.Column("item_version_id", BigId, sa.ForeignKey("item_version.id"), primary_key=True, autoincrement=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("figures", Json, nullable=False),
        sa.Column("flags", Json, nullable=False),
        sa.Column("harm", sa.Float(), nullable=False),
        sa.Column("counted_at", db.UtcDateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_item_figure_harm", "item_figure", ["harm"])


def downgrade() -> None:
    op.drop_table("item_figure")
    op.drop_table("item_tally_state")
    op.drop_table("item_tally")
