"""Privacy: when a person was erased, and which photos somebody should look at because of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core import db
from quizapp.core.db import BigId

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("erased_at", db.UtcDateTime(timezone=True), nullable=True))
    op.add_column("session_evidence", sa.Column("look_since", BigId, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("session_evidence") as table:
        table.drop_column("look_since")
    with op.batch_alter_table("person") as table:
        table.drop_column("erased_at")
