"""The path of a session's day, and who closed attempts in a month of a delivery."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId, PathText

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("training_session", sa.Column("unit_path", PathText, nullable=True))
    op.create_index(
        "ix_person_key_group",
        "person",
        ["key_group"],
        sqlite_where=sa.text("key_group IS NOT NULL"),
        postgresql_where=sa.text("key_group IS NOT NULL"),
    )
    op.create_table(
        "rollup_place",
        sa.Column("id", BigId, nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("unit_path", PathText, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_place")),
    )
    op.create_index(op.f("ix_rollup_place_unit_id"), "rollup_place", ["unit_id"])
    op.create_table(
        "rollup_people",
        sa.Column("delivery_id", BigId, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.Column("days", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_rollup_people_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("delivery_id", "day", name=op.f("pk_rollup_people")),
    )
    # what is summed already gets its people by the next run of the job; until then it is read from the attempts
    op.execute("INSERT INTO rollup_stale (delivery_id, local_date) SELECT DISTINCT delivery_id, day FROM rollup_day")


def downgrade() -> None:
    op.drop_index("ix_person_key_group", table_name="person")
    op.drop_table("rollup_people")
    op.drop_table("rollup_place")
    with op.batch_alter_table("training_session") as table:
        table.drop_column("unit_path")
