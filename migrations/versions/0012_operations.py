"""The audit log cannot be emptied or overwritten either."""

from __future__ import annotations

from alembic import op

from quizapp.audit.triggers import CREATE_FURTHER_TRIGGERS, DROP_FURTHER_TRIGGERS

revision = "0012"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in CREATE_FURTHER_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in DROP_FURTHER_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
