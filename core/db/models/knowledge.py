"""Knowledge entries with their phrasings and history, and the documents they came from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db.models.base import Base, now


class SourceDocument(Base):
    """A file, page or table that entries were imported from."""

    __tablename__ = "source_documents"
    __table_args__ = (UniqueConstraint("tenant_id", "origin", "uri"),)

    origin: Mapped[str] = mapped_column(String(1000))
    """What was given to the import: a folder, a file, a URL. What vanishes from it is retired."""
    uri: Mapped[str] = mapped_column(String(1000))
    """The document inside its origin."""
    title: Mapped[str] = mapped_column(String(500))
    url: Mapped[str | None] = mapped_column(String(1000), default=None)
    """Where a customer can read it."""
    content_hash: Mapped[str] = mapped_column(String(64))
    imported_at: Mapped[datetime] = mapped_column(default=now)


class KnowledgeEntry(Base):
    """One piece of knowledge; SQL is the truth, the indexes are made from it."""

    __tablename__ = "knowledge_entries"
    __table_args__ = (
        Index("ix_knowledge_entries_served", "tenant_id", "status"),
        Index("ix_knowledge_entries_changed", "tenant_id", "revision"),
        Index("ix_knowledge_entries_external", "tenant_id", "external_id"),
    )

    kind: Mapped[str] = mapped_column(String(16), default="faq")
    """faq (answer sent verbatim) or passage (an extract is sent)"""
    status: Mapped[str] = mapped_column(String(16), default="draft")
    """draft, approved (served) or retired"""
    answer: Mapped[str] = mapped_column(Text)
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
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    questions: Mapped[list[EntryQuestion]] = relationship(
        order_by="EntryQuestion.position", cascade="all, delete-orphan", back_populates="entry"
    )
    source: Mapped[SourceDocument | None] = relationship()


class EntryQuestion(Base):
    """One phrasing of the question that an entry answers."""

    __tablename__ = "entry_questions"

    entry_id: Mapped[str] = mapped_column(ForeignKey("knowledge_entries.id"), index=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)

    entry: Mapped[KnowledgeEntry] = relationship(back_populates="questions")


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
    created_at: Mapped[datetime] = mapped_column(default=now)

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
