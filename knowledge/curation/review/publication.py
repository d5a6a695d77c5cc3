"""Apply approved items to entries and training examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import KnowledgeEntry, ReviewItem, TrainingExample
from core.errors import Conflict, InvalidInput
from knowledge.curation.corrections.edits import Edits
from knowledge.curation.review.types import ItemWording
from knowledge.entries import contradictions, editor
from knowledge.entries.content import Content
from knowledge.types import Utterance


def get_default_action(item: ReviewItem) -> ItemWording:
    """Return the action of a plain approval of this item.

    Raises:
        InvalidInput: The item is a contradiction, so an answer must be chosen.
    """
    if item.kind == contradictions.KIND:
        raise InvalidInput("Choose which answer stays, or say why all of them may.")
    if item.kind == "phrasing":
        return ItemWording("merge", item.entry_id)
    return ItemWording("publish")


def check_publication(session: Session, item: ReviewItem, wanted: ItemWording) -> None:
    """Check early whether an item can be published.

    Raises:
        InvalidInput: The item is incomplete, or the entry cannot take it.
        NotFound: There is no such entry.
        Conflict: The entry was changed or retired since.
    """
    if item.kind == "example":
        if not item.intent:
            raise InvalidInput("Say which intent these messages have: edit the item first.")
    elif wanted.action == "keep":
        _get_kept_entry(session, item, wanted)
    elif wanted.action == "publish":
        build_item_content(item).checked()
    else:
        _get_target_entry(session, item, wanted)


def publish_item(session: Session, item: ReviewItem, wanted: ItemWording, edits: Edits, by: str) -> dict[str, Any]:
    """Publish an item and return the record with which it can be undone."""
    check_publication(session, item, wanted)
    if item.kind == "example":
        return {"examples": _store_examples(session, item, by)}
    if wanted.action == "keep":
        kept = _get_kept_entry(session, item, wanted)
        for entry in contradictions.entries_of(session, item.tenant_id, item.key or ""):
            if entry.answer_key != kept.answer_key:
                edits.retire(entry)
        item.entry_id = kept.id
    elif wanted.action == "publish":
        item.entry_id = edits.add(build_item_content(item)).id
    else:
        entry = _get_target_entry(session, item, wanted)
        edits.amend(entry, _merge_content(entry, item, wanted))
        item.entry_id = entry.id
    return {"entries": edits.record}


def build_item_content(item: ReviewItem) -> Content:
    """Return the item as the content of an entry."""
    return Content(
        "faq",
        item.answer,
        tuple(item.questions),
        subject=item.subject,
        context=tuple(Utterance(turn["speaker"], turn["text"]) for turn in item.context),
        language=item.language,
    )


def _merge_content(entry: KnowledgeEntry, item: ReviewItem, wanted: ItemWording) -> Content:
    before, new = editor.content_of(entry), tuple(item.questions)
    if wanted.action == "amend":
        return replace(before, answer=item.answer, questions=new, subject=item.subject, title=wanted.title)
    answer = item.answer if wanted.take_answer else before.answer
    return replace(before, answer=answer, questions=before.questions + new)


def _get_target_entry(session: Session, item: ReviewItem, wanted: ItemWording) -> KnowledgeEntry:
    if not wanted.entry_id:
        raise InvalidInput("Say which entry this goes into.")
    entry = editor.get_entry(session, item.tenant_id, wanted.entry_id)
    if wanted.version is not None and entry.version != wanted.version:
        raise Conflict(
            f"The entry was changed by {entry.author} since this was proposed (version {entry.version}): reject it, and change the entry anew."
        )
    if wanted.action == "merge" and entry.kind != "faq":
        raise InvalidInput("A part of a document has no phrasings: approve this as an entry of its own.")
    if wanted.action == "merge" and entry.status == "retired":
        raise Conflict(f"The entry was retired by {entry.author}: approve this as an entry of its own.")
    return entry


def _get_kept_entry(session: Session, item: ReviewItem, wanted: ItemWording) -> KnowledgeEntry:
    """Return the entry to keep, if it is still a side of the contradiction."""
    sides = contradictions.entries_of(session, item.tenant_id, item.key or "")
    kept = next((entry for entry in sides if entry.id == wanted.entry_id), None)
    if kept is None:
        raise Conflict("This entry does not answer the question any more: look at the item again.")
    return kept


def _store_examples(session: Session, item: ReviewItem, by: str) -> list[str]:
    """Store the examples that are new and return their ids."""
    known = select(TrainingExample.text).filter_by(tenant_id=item.tenant_id, intent=item.intent)
    have = set(session.scalars(known.where(TrainingExample.status.in_(["approved", "exported"]))))
    rows = [
        TrainingExample(
            tenant_id=item.tenant_id,
            text=text,
            intent=item.intent,
            status="approved",
            source="cluster",
            source_id=item.id,
            author=by,
        )
        for text in item.questions
        if text not in have
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]
