"""Who was taken off a roster by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roster_removal",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("removed_by", BigId, nullable=True),
        sa.Column("removed_at", BigId, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_roster_removal_person_id_person")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["training_session.id"], name=op.f("fk_roster_removal_session_id_training_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_removal")),
        sa.UniqueConstraint("session_id", "person_id", name=op.f("uq_roster_removal_session_id_person_id")),
    )
    op.create_index("ix_roster_removal_person_id", "roster_removal", ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_roster_removal_person_id", table_name="roster_removal")
    op.drop_table("roster_removal")
