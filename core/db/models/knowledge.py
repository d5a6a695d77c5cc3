"""Knowledge entries with their phrasings and history, and the sources and documents they came from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db.models.base import Base, get_current_time
from core.db.models.statuses import EntryKind, EntryStatus


class KnowledgeSource(Base):
    """A named source that a team imports: a help centre, a table, a site."""

    __tablename__ = "knowledge_sources"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(100))
    place: Mapped[str] = mapped_column(String(1000))
    """The path or address of the last import."""
    base_url: Mapped[str | None] = mapped_column(String(1000), default=None)
    author: Mapped[str] = mapped_column(String(200), default="import")
    failed: Mapped[int] = mapped_column(default=0)
    """The number of documents and rows that the last import could not use."""
    failures: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"uri", "reason"}]: the first failures."""
    passed_over: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    imported_at: Mapped[datetime] = mapped_column(default=get_current_time)
    forgotten_at: Mapped[datetime | None] = mapped_column(default=None)


class ImportLease(Base):
    """A tenant's import lock; one row per tenant. Concurrent imports would add the same documents twice."""

    __tablename__ = "import_leases"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    holder: Mapped[str | None] = mapped_column(String(26), default=None)
    """None: no import is running."""
    what: Mapped[str] = mapped_column(String(1000), default="")
    since: Mapped[datetime] = mapped_column(default=get_current_time)
    renewed_at: Mapped[datetime] = mapped_column(default=get_current_time)


class SourceDocument(Base):
    """A file, page or table that entries were imported from."""

    __tablename__ = "source_documents"
    __table_args__ = (UniqueConstraint("tenant_id", "origin", "uri"),)

    origin: Mapped[str] = mapped_column(String(1000))
    """The name of its source. Documents that disappear from the source are retired."""
    uri: Mapped[str] = mapped_column(String(1000))
    """The document within its source."""
    title: Mapped[str] = mapped_column(String(500))
    url: Mapped[str | None] = mapped_column(String(1000), default=None)
    """Where a customer can read it."""
    content_hash: Mapped[str] = mapped_column(String(64))
    """Hash of its bytes and of how they were parsed; empty forces the next import to read it again."""
    data_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Hash of its bytes alone; identifies a document that moved to another path."""
    gone: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it was missing from its source at the last import."""
    imported_at: Mapped[datetime] = mapped_column(default=get_current_time)


class KnowledgeEntry(Base):
    """One piece of knowledge. The database is authoritative; the indexes are built from it."""

    __tablename__ = "knowledge_entries"
    __table_args__ = (
        Index("ix_knowledge_entries_served", "tenant_id", "status"),
        Index("ix_knowledge_entries_changed", "tenant_id", "revision"),
        Index("ix_knowledge_entries_external", "tenant_id", "external_id"),
    )

    kind: Mapped[EntryKind] = mapped_column(String(16), default="faq")
    """faq: its answer is sent verbatim; passage: an extract is sent."""
    status: Mapped[EntryStatus] = mapped_column(String(16), default="draft")
    answer: Mapped[str] = mapped_column(Text)
    answer_key: Mapped[str | None] = mapped_column(String(32), default=None)
    """Equal for answers that differ only in whitespace and case."""
    disputed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Another approved entry answers the same question, or a question of its own, differently."""
    title: Mapped[str | None] = mapped_column(String(500), default=None)
    subject: Mapped[str | None] = mapped_column(String(200), default=None)
    """The one thing that the entry is about, where its question does not name it."""
    context: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"speaker", "text"}]: the messages before the question, if it was learnt from a conversation."""
    language: Mapped[str] = mapped_column(String(8), default="en")
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=0)
    """The tenant's knowledge revision at the last change; the indexes use it to catch up."""
    author: Mapped[str] = mapped_column(String(200), default="import")
    source_id: Mapped[str | None] = mapped_column(ForeignKey("source_documents.id"), default=None, index=True)
    url: Mapped[str | None] = mapped_column(String(1000), default=None)
    """Where a customer can read this entry, if that differs from its document's address."""
    source_key: Mapped[str | None] = mapped_column(String(500), default=None)
    """Identifies the entry within its document on re-import: its heading or its first question."""
    external_id: Mapped[str | None] = mapped_column(String(200), default=None)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)

    questions: Mapped[list[EntryQuestion]] = relationship(
        order_by="EntryQuestion.position", cascade="all, delete-orphan", back_populates="entry"
    )
    source: Mapped[SourceDocument | None] = relationship()


class EntryQuestion(Base):
    """One phrasing of the question that an entry answers."""

    __tablename__ = "entry_questions"
    __table_args__ = (Index("ix_entry_questions_key", "tenant_id", "key"),)

    entry_id: Mapped[str] = mapped_column(ForeignKey("knowledge_entries.id"), index=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(String(32), default=None)
    """Equal for entries that answer the same question about the same subject; None where the question depends on earlier messages."""

    entry: Mapped[KnowledgeEntry] = relationship(back_populates="questions")


class EntryConflict(Base):
    """A conflict between two entries that answer a question of either differently; both rows have the same ``key``."""

    __tablename__ = "entry_conflicts"
    __table_args__ = (Index("ix_entry_conflicts_key", "tenant_id", "key"),)

    entry_id: Mapped[str] = mapped_column(ForeignKey("knowledge_entries.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    """The question that both entries answer."""
    key: Mapped[str] = mapped_column(String(32))


class EntryVersion(Base):
    """A snapshot of an entry: its content, who changed it, when and why."""

    __tablename__ = "entry_versions"
    __table_args__ = (UniqueConstraint("entry_id", "version"),)

    entry_id: Mapped[str] = mapped_column(ForeignKey("knowledge_entries.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    """The whole entry at that version."""
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)

    entry: Mapped[KnowledgeEntry] = relationship()


class KnowledgeRevision(Base):
    """A tenant's revision counter, one row per tenant; every change increments it, so an index knows which changes it lacks.

    The row's id tells an index whether it was built from this database or from a previous one.
    """

    __tablename__ = "knowledge_revisions"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    revision: Mapped[int] = mapped_column(default=0)
    indexed: Mapped[int] = mapped_column(default=0)
    """The revision up to which Chroma is complete."""
