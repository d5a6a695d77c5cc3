"""Knowledge entries with their phrasings and history, and the sources and documents they came from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db.models.base import Base, get_current_time
from core.db.models.statuses import EntryKind, EntryStatus


class KnowledgeSource(Base):
    """What a team imports under one name: a help centre, a table, a site."""

    __tablename__ = "knowledge_sources"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(100))
    place: Mapped[str] = mapped_column(String(1000))
    """The path or address that it was last imported from."""
    base_url: Mapped[str | None] = mapped_column(String(1000), default=None)
    author: Mapped[str] = mapped_column(String(200), default="import")
    failed: Mapped[int] = mapped_column(default=0)
    """How many documents and rows could not be used at the last import."""
    failures: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"uri", "reason"}]: the first of them."""
    passed_over: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    imported_at: Mapped[datetime] = mapped_column(default=get_current_time)
    forgotten_at: Mapped[datetime | None] = mapped_column(default=None)


class ImportLease(Base):
    """One row a tenant: who imports just now. Two imports at once would add the same documents twice."""

    __tablename__ = "import_leases"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    holder: Mapped[str | None] = mapped_column(String(26), default=None)
    """None: nobody."""
    what: Mapped[str] = mapped_column(String(1000), default="")
    since: Mapped[datetime] = mapped_column(default=get_current_time)
    renewed_at: Mapped[datetime] = mapped_column(default=get_current_time)


class SourceDocument(Base):
    """A file, page or table that entries were imported from."""

    __tablename__ = "source_documents"
    __table_args__ = (UniqueConstraint("tenant_id", "origin", "uri"),)

    origin: Mapped[str] = mapped_column(String(1000))
    """The name of its source. What vanishes from that is retired."""
    uri: Mapped[str] = mapped_column(String(1000))
    """The document inside its source."""
    title: Mapped[str] = mapped_column(String(500))
    url: Mapped[str | None] = mapped_column(String(1000), default=None)
    """Where a customer can read it."""
    content_hash: Mapped[str] = mapped_column(String(64))
    """Of its bytes and of how they were read; empty: read it again."""
    data_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Of its bytes alone: by it a document is recognised at another path."""
    gone: Mapped[bool] = mapped_column(default=False, server_default=false())
    """It was no longer in its source at the last import."""
    imported_at: Mapped[datetime] = mapped_column(default=get_current_time)


class KnowledgeEntry(Base):
    """One piece of knowledge; SQL is the truth, the indexes are made from it."""

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
    """The same for answers that differ only in blanks and capitals."""
    disputed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Another approved entry answers the same question, or one of its own, differently."""
    title: Mapped[str | None] = mapped_column(String(500), default=None)
    subject: Mapped[str | None] = mapped_column(String(200), default=None)
    """The one thing the entry is about, where its question does not name it."""
    context: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"speaker", "text"}]: the turns before the question, when it was learnt from a conversation."""
    language: Mapped[str] = mapped_column(String(8), default="en")
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=0)
    """The tenant's knowledge revision at the last change; the indexes catch up by it."""
    author: Mapped[str] = mapped_column(String(200), default="import")
    source_id: Mapped[str | None] = mapped_column(ForeignKey("source_documents.id"), default=None, index=True)
    url: Mapped[str | None] = mapped_column(String(1000), default=None)
    """Where a customer can read this very entry, when that is not where its document is."""
    source_key: Mapped[str | None] = mapped_column(String(500), default=None)
    """What finds it again inside its document when that is imported again: its heading or its first question."""
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
    """The same for every entry that is asked the same about the same subject; None where it depends on what was said
    before."""

    entry: Mapped[KnowledgeEntry] = relationship(back_populates="questions")


class EntryConflict(Base):
    """An entry that states something else than another one does to a question of either; both have the same ``key``."""

    __tablename__ = "entry_conflicts"
    __table_args__ = (Index("ix_entry_conflicts_key", "tenant_id", "key"),)

    entry_id: Mapped[str] = mapped_column(ForeignKey("knowledge_entries.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    """The question."""
    key: Mapped[str] = mapped_column(String(32))


class EntryVersion(Base):
    """What an entry was at one version: who changed it, when and why."""

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
    """One row a tenant: counts up with every change, so that an index knows what it has missed.

    Its id tells an index whether it was made from this database or from one that was there before.
    """

    __tablename__ = "knowledge_revisions"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    revision: Mapped[int] = mapped_column(default=0)
    indexed: Mapped[int] = mapped_column(default=0)
    """The revision up to which Chroma holds everything."""
