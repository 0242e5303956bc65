"""What of the literacy standard was compared with the document, and what is restated from memory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

#: Table → its new columns. What was loaded before says nothing of them: restated until it is loaded again.
COLUMNS = {"benchmark": ("title_seen", "range_seen"), "benchmark_point": ("seen", "unsure")}


def upgrade() -> None:
    for table, names in COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.alter_column(name, existing_type=sa.Boolean(), server_default=None, existing_nullable=False)


def downgrade() -> None:
    for table, names in COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.drop_column(name)
