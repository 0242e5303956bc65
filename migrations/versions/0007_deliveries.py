"""Deliveries: whom one is for, and the revision that two editors are held against."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("delivery") as table:
        table.add_column(sa.Column("asked_at", BigId, nullable=True))
        table.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("limited", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("delivery") as table:
        table.alter_column("revision", server_default=None)
        table.alter_column("limited", server_default=None)
    op.create_table(
        "delivery_audience",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("unit_id", BigId, nullable=False),
        sa.Column("industry_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_audience_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_delivery_audience_unit_id_org_unit")),
        sa.ForeignKeyConstraint(
            ["industry_id"], ["industry.id"], name=op.f("fk_delivery_audience_industry_id_industry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_audience")),
        sa.UniqueConstraint(
            "delivery_id", "unit_id", "industry_id", name=op.f("uq_delivery_audience_delivery_id_unit_id_industry_id")
        ),
    )
    op.create_index(op.f("ix_delivery_audience_unit_id"), "delivery_audience", ["unit_id"], unique=False)
    op.create_index(
        "uq_delivery_audience_unit",
        "delivery_audience",
        ["delivery_id", "unit_id"],
        unique=True,
        sqlite_where=sa.text("industry_id IS NULL"),
        postgresql_where=sa.text("industry_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("delivery_audience")
    with op.batch_alter_table("delivery") as table:
        table.drop_column("limited")
        table.drop_column("revision")
        table.drop_column("asked_at")
