"""Figures: sums of attempts with the triggers that say what changed, and the grid of the roles that see aggregates only."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId, PathText
from quizapp.reports.rollups.triggers import CREATE_TRIGGERS, DROP_TRIGGERS

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    state = op.create_table(
        "rollup_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", BigId, nullable=False),
        sa.Column("marks_before", sa.Date(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("before_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_state")),
    )
    op.bulk_insert(state, [{"id": 1, "version": 0, "marks_before": date(1970, 1, 1), "before_day": date(1970, 1, 1)}])
    op.create_table(
        "rollup_stale",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_stale")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rollup_day",
        *_sums(),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_rollup_day_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_day")),
    )
    op.create_index("ix_rollup_day_delivery_id_day", "rollup_day", ["delivery_id", "day"])
    op.create_index("ix_rollup_day_day", "rollup_day", ["day"])
    op.create_table(
        "rollup_month",
        *_sums(),
        sa.Column("dimension", sa.String(length=12), nullable=False),
        sa.Column("value", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_rollup_month_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_month")),
    )
    op.create_index("ix_rollup_month_dimension_delivery_id_day", "rollup_month", ["dimension", "delivery_id", "day"])
    op.create_index("ix_rollup_month_dimension_day", "rollup_month", ["dimension", "day"])
    op.create_table(
        "leader_sheet",
        sa.Column("delivery_id", BigId, autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("state_of", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_leader_sheet_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_leader_sheet")),
    )
    op.create_index(op.f("ix_leader_sheet_month"), "leader_sheet", ["month"])
    op.create_table(
        "leader_cell",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("dimension", sa.String(length=12), nullable=False),
        sa.Column("key", PathText, nullable=False),
        sa.Column("above", PathText, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("state_of", sa.Date(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Integer(), nullable=True),
        sa.Column("void", sa.Integer(), nullable=True),
        sa.Column("unidentified", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["leader_sheet.delivery_id"], name=op.f("fk_leader_cell_delivery_id_leader_sheet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leader_cell")),
    )
    op.create_index("ix_leader_cell_delivery_id_dimension", "leader_cell", ["delivery_id", "dimension"])
    op.create_index(op.f("ix_leader_cell_unit_id"), "leader_cell", ["unit_id"])
    op.create_index("ix_attempt_delivery_id_local_date", "attempt", ["delivery_id", "local_date"])
    op.create_index(
        "ix_attempt_repeated",
        "attempt",
        ["delivery_id", "person_id"],
        sqlite_where=sa.text("is_first = 0"),
        postgresql_where=sa.text("NOT is_first"),
    )
    for statement in CREATE_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in DROP_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_attempt_repeated", table_name="attempt")
    op.drop_index("ix_attempt_delivery_id_local_date", table_name="attempt")
    for table in ("leader_cell", "leader_sheet", "rollup_month", "rollup_day", "rollup_stale", "rollup_state"):
        op.drop_table(table)


def _sums() -> list[sa.Column]:
    return [
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("unit_path", PathText, nullable=True),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("started", "closed", "first", "passed", "void", "unidentified")
        ),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("squares", sa.BigInteger(), nullable=False),
    ]
