"""The scores of a survey's single answers are held back until it is closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("delivery") as batch:
        batch.add_column(sa.Column("scores_held", sa.Boolean, nullable=False, server_default=sa.false()))
    with op.batch_alter_table("delivery") as batch:
        batch.alter_column("scores_held", existing_type=sa.Boolean, server_default=None, existing_nullable=False)
    with op.batch_alter_table("survey") as batch:
        batch.add_column(sa.Column("first_closed_at", UtcDateTime))
    op.execute("UPDATE survey SET first_closed_at = closed_at")
    delivery = sa.table("delivery", sa.column("id", sa.BigInteger), sa.column("scores_held", sa.Boolean))
    names = ("delivery_id", "drawn_at", "closed_at")
    survey = sa.table("survey", *(sa.column(name) for name in names))
    going_on = sa.select(survey.c.delivery_id).where(survey.c.drawn_at.is_not(None), survey.c.closed_at.is_(None))
    op.execute(delivery.update().where(delivery.c.id.in_(going_on)).values(scores_held=sa.true()))


def downgrade() -> None:
    with op.batch_alter_table("survey") as batch:
        batch.drop_column("first_closed_at")
    with op.batch_alter_table("delivery") as batch:
        batch.drop_column("scores_held")
