"""A kept file that is deleted leaves nothing that points at it."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("import_batch", "session_evidence")


def upgrade() -> None:
    _renew("SET NULL")


def downgrade() -> None:
    _renew(None)


def _renew(ondelete: str | None) -> None:
    for table in TABLES:
        name = op.f(f"fk_{table}_file_id_stored_file")
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(name, type_="foreignkey")
            batch_op.create_foreign_key(name, "stored_file", ["file_id"], ["id"], ondelete=ondelete)
