"""What was imported before sources had names is named, and what contradicts is marked."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import core.db
from core.db import Database
from core.db.upgrade import upgrade_database


def at(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(core.db.__file__).parent / "migrations"))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_old_imports_get_names_and_contradictions_their_marks(database: Database) -> None:
    at(database, "0005")
    moment = "2026-01-01 00:00:00+00:00"
    with database.engine.begin() as connection:
        for id_, origin in (("d1", "/a/faq.csv"), ("d2", "/b/faq.csv"), ("d3", "https://shop.example/sitemap.xml")):
            row = "(id, tenant_id, origin, uri, title, content_hash, imported_at)"
            values = f"('{id_}', 'shop', '{origin}', 'x', 'X', 'h', '{moment}')"
            connection.execute(text(f"INSERT INTO source_documents {row} VALUES {values}"))
            entry = "(id, tenant_id, kind, status, answer, context, language, version, revision, author, source_id, created_at, updated_at)"
            values = f"('e{id_}', 'shop', 'faq', 'approved', '{origin}', '[]', 'en', 1, 1, 'a', '{id_}', '{moment}', '{moment}')"
            connection.execute(text(f"INSERT INTO knowledge_entries {entry} VALUES {values}"))
            asked = "Why?" if id_ != "d3" else "Who?"
            values = f"('q{id_}', 'shop', 'e{id_}', 0, '{asked}')"
            connection.execute(
                text(f"INSERT INTO entry_questions (id, tenant_id, entry_id, position, text) VALUES {values}")
            )
    upgrade_database(database)
    with database.engine.connect() as connection:
        sources = connection.execute(text("SELECT name, place FROM knowledge_sources ORDER BY name")).all()
        origins = connection.execute(text("SELECT origin FROM source_documents ORDER BY id")).scalars().all()
        disputed = connection.execute(text("SELECT disputed FROM knowledge_entries ORDER BY id")).scalars().all()
    assert [tuple(source) for source in sources] == [
        ("faq", "/a/faq.csv"), ("faq-2", "/b/faq.csv"), ("shop.example", "https://shop.example/sitemap.xml")
    ]  # fmt: skip
    assert origins == ["faq", "faq-2", "shop.example"]
    assert [bool(one) for one in disputed] == [True, True, False]
    at(database, "0005")
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT origin FROM source_documents WHERE id = 'd2'")).scalar() == "/b/faq.csv"
    upgrade_database(database)
