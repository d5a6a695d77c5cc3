"""Alembic's environment; it runs on the connection passed to it and reads no settings."""

from alembic import context

from core.db.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
