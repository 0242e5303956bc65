"""Lists of surveys are announced before their draw."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import Json

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("survey") as batch:
        batch.add_column(sa.Column("announcements", Json, nullable=False, server_default="[]"))
        batch.alter_column("seed", existing_type=sa.String(120), type_=sa.String(200), existing_nullable=False)
    with op.batch_alter_table("survey") as batch:
        batch.alter_column("announcements", existing_type=Json, server_default=None, existing_nullable=False)


def downgrade() -> None:
    # a list that waits for its numbers is none any more: the plan is drawn from as it stands
    op.execute("UPDATE survey SET frame = NULL, frame_digest = NULL WHERE drawn_at IS NULL")
    op.execute("UPDATE survey SET seed = substr(seed, 1, 120)")
    with op.batch_alter_table("survey") as batch:
        batch.alter_column("seed", existing_type=sa.String(200), type_=sa.String(120), existing_nullable=False)
        batch.drop_column("announcements")
