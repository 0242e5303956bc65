"""Items carry tags, audiences, a stimulus and a picture; banks keep what their reviews say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import Json

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_picture",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("svg", sa.Text(), nullable=False),
    )
    op.add_column("item_version", sa.Column("tags", Json, nullable=False, server_default="[]"))
    op.add_column("item_version", sa.Column("audience", Json, nullable=False, server_default="[]"))
    op.add_column("item_version", sa.Column("stimulus", sa.String(12), nullable=True))
    op.add_column("item_version", sa.Column("image", Json, nullable=True))
    op.add_column("item_bank", sa.Column("reviews", Json, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("item_bank") as table:
        table.drop_column("reviews")
    with op.batch_alter_table("item_version") as table:
        for name in ("image", "stimulus", "audience", "tags"):
            table.drop_column(name)
    op.drop_table("item_picture")
