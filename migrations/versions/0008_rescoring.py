"""Results afterwards: corrections of keys, voiding by two persons, extra time, and how results changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core.db import BigId, Json

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def upgrade() -> None:
    op.create_table(
        "key_correction",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("item_version_id", BigId, nullable=False),
        sa.Column("accepted", Json, nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("proposed_by", BigId, nullable=False),
        sa.Column("proposed_at", BigId, nullable=False),
        sa.Column("decided_by", BigId, nullable=True),
        sa.Column("decided_at", BigId, nullable=True),
        _foreign("key_correction", "delivery_id", "delivery"),
        _foreign("key_correction", "item_version_id", "item_version"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_correction")),
    )
    op.create_index(op.f("ix_key_correction_delivery_id"), "key_correction", ["delivery_id"])
    op.create_index(
        "uq_key_correction_proposed",
        "key_correction",
        ["delivery_id", "item_version_id"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "corrected_key",
        sa.Column("paper_id", BigId, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("accepted", Json, nullable=False),
        sa.Column("correction_id", BigId, nullable=False),
        _foreign("corrected_key", "paper_id", "paper"),
        _foreign("corrected_key", "correction_id", "key_correction"),
        sa.PrimaryKeyConstraint("paper_id", "position", "revision", name=op.f("pk_corrected_key")),
    )
    op.create_index(op.f("ix_corrected_key_correction_id"), "corrected_key", ["correction_id"])
    op.create_table(
        "voiding",
        sa.Column("id", BigId, nullable=False),
        sa.Column("attempt_id", BigId, nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("proposed_by", BigId, nullable=False),
        sa.Column("proposed_at", BigId, nullable=False),
        sa.Column("decided_by", BigId, nullable=True),
        sa.Column("decided_at", BigId, nullable=True),
        _foreign("voiding", "attempt_id", "attempt"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voiding")),
    )
    op.create_index(op.f("ix_voiding_attempt_id"), "voiding", ["attempt_id"])
    op.create_index(
        "uq_voiding_proposed",
        "voiding",
        ["attempt_id"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "extra_time",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("given_by", BigId, nullable=False),
        sa.Column("given_at", BigId, nullable=False),
        _foreign("extra_time", "delivery_id", "delivery"),
        _foreign("extra_time", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extra_time")),
        sa.UniqueConstraint("delivery_id", "person_id", name=op.f("uq_extra_time_delivery_id_person_id")),
    )
    op.create_index(op.f("ix_extra_time_person_id"), "extra_time", ["person_id"])
    op.create_table(
        "result_change",
        sa.Column("id", BigId, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("attempt_id", BigId, nullable=False),
        sa.Column("cause", sa.String(12), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.Column("account_id", BigId, nullable=True),
        sa.Column("at", BigId, nullable=False),
        _foreign("result_change", "delivery_id", "delivery"),
        _foreign("result_change", "attempt_id", "attempt"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_change")),
    )
    op.create_index("ix_result_change_delivery_id_id", "result_change", ["delivery_id", "id"])
    op.create_index(op.f("ix_result_change_attempt_id"), "result_change", ["attempt_id"])
    with op.batch_alter_table("delivery") as table:
        table.add_column(sa.Column("extra_time", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("delivery") as table:
        table.alter_column("extra_time", server_default=None)
    with op.batch_alter_table("attempt") as table:
        table.add_column(sa.Column("extra_s", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("attempt") as table:
        table.alter_column("extra_s", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("attempt") as table:
        table.drop_column("extra_s")
    with op.batch_alter_table("delivery") as table:
        table.drop_column("extra_time")
    for table_name in ("result_change", "extra_time", "voiding", "corrected_key", "key_correction"):
        op.drop_table(table_name)
