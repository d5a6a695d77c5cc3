"""The migrations lead to the models, and every table knows its tenant."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from core.db import Database
from core.db.models import Base


def test_the_migrated_database_is_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_table_has_a_tenant() -> None:
    for table in Base.metadata.tables.values():
        assert "tenant_id" in table.columns, table.name
        assert not table.columns["tenant_id"].nullable
