"""Alembic's entry: runs on the connection that `quizapp.core.migrate` hands over."""

from __future__ import annotations

from alembic import context

from quizapp.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
    user_module_prefix="db.",
)
with context.begin_transaction():
    context.run_migrations()
