"""Item statistics follow single attempts: triggers note which are lacking, a mark over all attempts goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId
from quizapp.reports.item_notes import CREATE_TRIGGERS, DROP_TRIGGERS

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_note",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("attempt_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_note")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_item_note_delivery_id_local_date", "item_note", ["delivery_id", "local_date"])
    state = op.create_table(
        "item_count_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_count_state")),
    )
    op.bulk_insert(state, [{"id": 1, "version": 0}])
    # every day that counts or was counted is counted anew, once
    op.execute(
        "INSERT INTO item_note (delivery_id, local_date) SELECT delivery_id, day FROM item_tally_state UNION"
        " SELECT delivery_id, local_date FROM attempt WHERE is_first AND state IN ('submitted', 'expired')"
    )
    op.drop_table("item_tally_state")
    for statement in CREATE_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in DROP_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    # no marks: the version before counts every day anew; days of which no attempt counts any more are told by an empty one
    op.create_table(
        "item_tally_state",
        sa.Column("delivery_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("mark", sa.String(64), nullable=False),
    )
    op.execute(
        "INSERT INTO item_tally_state (delivery_id, day, mark) SELECT DISTINCT paper.delivery_id, item_tally.day, 'x'"
        " FROM item_tally JOIN paper ON paper.id = item_tally.paper_id"
    )
    op.drop_table("item_count_state")
    op.drop_table("item_note")
