"""A queue with items, and people who decide."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import AuditEvent, ReviewItem
from core.feedback import settings
from knowledge.curation.review.types import Claim
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor

T = "shop"
ANA, BEN = "ana@example.com", "ben@example.com"


def add_item(database: Database, *questions: str, **fields: Any) -> str:
    values = {"kind": "entry", "answer": "We wrap it for £4.50.", **fields}
    with database.session() as session:
        item = ReviewItem(tenant_id=T, questions=list(questions or ["Do you gift wrap?"]), **values)
        session.add(item)
        session.flush()
        return item.id


def add_entry(database: Database, question: str = "Is it wrapped?", answer: str = "No, never.", **more: Any) -> str:
    with database.session() as session:
        editor = EntryEditor(session, T, Change("import", "imported"))
        return editor.add(Content("faq", answer, (question,), **more), approved=True).id


def claim(database: Database, item_id: str, by: str = ANA) -> Claim:
    """As if they looked at it just now."""
    with database.session() as session:
        return Claim(T, item_id, session.get_one(ReviewItem, item_id).revision, by)


def item(database: Database, item_id: str) -> ReviewItem:
    with database.session() as session:
        return session.get_one(ReviewItem, item_id)


def served(database: Database) -> dict[str, str]:
    """First question and answer of everything that customers get."""
    with database.session() as session:
        return {e.questions[0].text: e.answer for e in entries.list_entries(session, T, "approved")}


def phrasings(database: Database, entry_id: str) -> list[str]:
    with database.session() as session:
        return [q.text for q in entries.get_entry(session, T, entry_id).questions]


def events(database: Database, kind: str = "review") -> list[tuple[str, str]]:
    with database.session() as session:
        rows = session.query(AuditEvent).filter_by(tenant_id=T, kind=kind).order_by(AuditEvent.id)
        return [(row.action, row.by) for row in rows]


def four_eyes(database: Database) -> None:
    with database.session() as session:
        settings.update_learning_settings(session, T, {"four_eyes": True}, "admin")


def status(session: Session, item_id: str) -> str:
    return session.get_one(ReviewItem, item_id).status
