"""Administration: merges of units, sign-ins that are ended one by one, second factors, a log that nobody goes round."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.audit.triggers import CREATE_FURTHER_TRIGGERS, DROP_FURTHER_TRIGGERS
from quizapp.core import db
from quizapp.core.db import BigId, Json

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "unit_merge",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kept_id", BigId, nullable=False),
        sa.Column("merged_id", BigId, nullable=False),
        sa.Column("moved", Json, nullable=False),
        sa.Column("carry_grants", sa.Boolean(), nullable=False),
        sa.Column("done_by", BigId, nullable=True),
        sa.Column("done_at", MOMENT, nullable=False),
        sa.Column("undone_by", BigId, nullable=True),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["kept_id"], ["org_unit.id"], name=op.f("fk_unit_merge_kept_id_org_unit")),
        sa.ForeignKeyConstraint(["merged_id"], ["org_unit.id"], name=op.f("fk_unit_merge_merged_id_org_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_merge")),
    )
    op.create_index(op.f("ix_unit_merge_kept_id"), "unit_merge", ["kept_id"], unique=False)
    op.create_index(op.f("ix_unit_merge_merged_id"), "unit_merge", ["merged_id"], unique=False)
    standing = sa.text("undone_at IS NULL")
    op.create_index(
        "uq_unit_merge_standing",
        "unit_merge",
        ["merged_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_table(
        "account_session",
        sa.Column("id", BigId, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_session_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_account_session_secret_hash")),
    )
    op.create_index(
        "ix_account_session_account_id_ended_at", "account_session", ["account_id", "ended_at"], unique=False
    )
    op.create_table(
        "second_factor",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", BigId, nullable=False),
        sa.Column("enrolled_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_second_factor_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", BigId, nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("account_id", "code_hash", name=op.f("uq_recovery_code_account_id_code_hash")),
    )
    for statement in CREATE_FURTHER_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in DROP_FURTHER_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    op.drop_table("account_session")
    op.drop_table("unit_merge")
