"""Registration: public pages of sessions, guests' links, what was read; calendars with a secret address; mail that waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quizapp.core import db
from quizapp.core.db import BigId
from quizapp.core.tokens import new_poster_code

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("training_session") as table:
        table.add_column(sa.Column("page_code", sa.String(length=8), nullable=True))
    session = sa.table("training_session", sa.column("id"), sa.column("page_code"))
    connection = op.get_bind()
    for (session_id,) in connection.execute(sa.select(session.c.id)).all():
        connection.execute(session.update().where(session.c.id == session_id).values(page_code=new_poster_code()))
    with op.batch_alter_table("training_session") as table:
        table.alter_column("page_code", existing_type=sa.String(length=8), nullable=False)
        table.create_unique_constraint(op.f("uq_training_session_page_code"), ["page_code"])
    with op.batch_alter_table("registration") as table:
        table.add_column(sa.Column("seen_at", BigId, nullable=True))
        table.add_column(sa.Column("secret_hash", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("language", sa.String(length=5), nullable=False, server_default="zh"))
        table.create_unique_constraint(op.f("uq_registration_secret_hash"), ["secret_hash"])
    with op.batch_alter_table("registration") as table:
        table.alter_column("language", server_default=None)
    op.create_table(
        "calendar_feed",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", BigId, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_calendar_feed_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_calendar_feed_secret_hash")),
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("id", BigId, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("about_id", BigId, nullable=False),
        sa.Column("mark", BigId, nullable=False),
        sa.Column("address_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outgoing_mail_public_id")),
        sa.UniqueConstraint("kind", "about_id", "mark", name=op.f("uq_outgoing_mail_kind_about_id_mark")),
    )
    op.create_index("ix_outgoing_mail_state_due_at", "outgoing_mail", ["state", "due_at"], unique=False)


def downgrade() -> None:
    op.drop_table("outgoing_mail")
    op.drop_table("calendar_feed")
    with op.batch_alter_table("registration") as table:
        table.drop_constraint(op.f("uq_registration_secret_hash"), type_="unique")
        table.drop_column("language")
        table.drop_column("secret_hash")
        table.drop_column("seen_at")
    with op.batch_alter_table("training_session") as table:
        table.drop_constraint(op.f("uq_training_session_page_code"), type_="unique")
        table.drop_column("page_code")
