"""Apply an approved correction to the entries: amend or retire the misleading one, publish the right answer."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import EntryQuestion, HumanCorrection, KnowledgeEntry, Turn
from core.errors import Conflict, InvalidInput, NotFound
from core.language import language_of
from knowledge.curation.corrections import turn_context
from knowledge.curation.corrections.edits import Edits, version_of
from knowledge.entries import editor
from knowledge.entries.content import Content
from knowledge.relevance.extract import sentences_of
from knowledge.text import topic
from knowledge.text.features import normalise_text
from knowledge.types import Utterance

SHORTEST_QUOTE = 12
"""The minimum length of a quoted sentence; a shorter one may occur in an answer by chance."""


def publish_correction(session: Session, correction: HumanCorrection, edits: Edits) -> KnowledgeEntry | None:
    """Return the entry that gives the right answer from now on, or None if there is no answer to publish.

    Raises:
        Conflict: The misleading entry is gone, or its answer changed since the correction was proposed.
    """
    if not correction.answer:
        return None
    misled = _find_misleading_entry(session, correction)
    if misled is not None and correction.entry_action == "amend" and misled.kind == "faq":
        target = misled
        said = editor.content_of(misled)
        edits.amend(
            misled,
            replace(said, answer=correction.answer, questions=_add_asked_phrasing(session, said.questions, correction)),
        )
    else:
        content = _build_content(session, correction, misled)
        if misled is not None:
            _take_out(correction, misled, edits)
        target = _publish_content(session, correction.tenant_id, content, edits)
    _clear_rivals(session, correction, target, edits)
    return target


def history_of(session: Session, correction: HumanCorrection) -> tuple[Utterance, ...]:
    """Return the turns before the question if it depends on them."""
    turn = session.get(Turn, correction.turn_id) if correction.turn_id else None
    return turn_context.list_turns_before(session, turn) if turn and topic.is_dependent(correction.question) else ()


def _find_misleading_entry(session: Session, correction: HumanCorrection) -> KnowledgeEntry | None:
    if correction.entry_id is None or correction.entry_action == "keep":
        return None
    try:
        entry = editor.get_entry(session, correction.tenant_id, correction.entry_id)
    except NotFound as error:
        raise Conflict(f"The entry that misled, {correction.entry_id}, does not exist any more.") from error
    session.refresh(entry)
    if entry.status != "approved":
        raise Conflict(f"The entry that misled, {entry.id}, is not served any more; propose it anew with keep.")
    seen = correction.effects.get("seen_version")
    if seen and version_of(session, entry.id, seen)["answer"] != entry.answer:
        raise Conflict(
            f"Entry {entry.id} says something else since this was proposed (version {seen}, now {entry.version})."
        )
    return entry


def _add_asked_phrasing(session: Session, questions: tuple[str, ...], correction: HumanCorrection) -> tuple[str, ...]:
    """Add the asked phrasing, unless it is only understood with the turns before it."""
    known = set(map(normalise_text, questions))
    if normalise_text(correction.question) in known or history_of(session, correction):
        return questions
    return (*questions, correction.question)


def _build_content(session: Session, correction: HumanCorrection, misled: KnowledgeEntry | None) -> Content:
    before = history_of(session, correction)
    asked = Utterance("customer", correction.question)
    subject = misled.subject if misled else topic.subject_of((*before, asked)) if before else None
    phrasings = editor.content_of(misled).questions if misled and misled.kind == "faq" else ()
    return Content(
        "faq",
        correction.answer,
        (correction.question, *phrasings),
        subject=subject,
        context=before,
        language=misled.language if misled else language_of(f"{correction.question} {correction.answer}"),
    )


def _take_out(correction: HumanCorrection, misled: KnowledgeEntry, edits: Edits) -> None:
    """Retire the misleading entry; from a passage to amend, remove only the sentences that the answer quoted."""
    if correction.entry_action == "retire":
        edits.retire(misled)
        return
    quoted = [s for s in sentences_of(misled.answer) if len(s) >= SHORTEST_QUOTE and s in correction.bot_answer]
    if not quoted:
        raise InvalidInput(
            f"Entry {misled.id} is a passage, and the answer quotes none of its sentences: propose it anew with "
            "retire or keep, or change the document."
        )
    left = misled.answer
    for sentence in quoted:
        left = left.replace(sentence, "")
    if left.strip():
        edits.amend(misled, replace(editor.content_of(misled), answer=left))
    else:
        edits.retire(misled)


def _publish_content(session: Session, tenant_id: str, content: Content, edits: Edits) -> KnowledgeEntry:
    """Add the phrasings to an entry with this very answer, or add a new entry."""
    query = select(KnowledgeEntry).where(
        KnowledgeEntry.tenant_id == tenant_id,
        KnowledgeEntry.status == "approved",
        KnowledgeEntry.kind == "faq",
        KnowledgeEntry.answer == content.checked().answer,
        KnowledgeEntry.subject.is_not_distinct_from(content.subject),
    )
    known = None if content.context else session.scalar(query.order_by(KnowledgeEntry.id).limit(1))
    if known is None:
        return edits.add(content)
    said = editor.content_of(known)
    edits.amend(known, replace(said, questions=tuple(dict.fromkeys((*said.questions, *content.questions)))))
    return known


def _clear_rivals(session: Session, correction: HumanCorrection, target: KnowledgeEntry, edits: Edits) -> None:
    """Remove the asked phrasing from other entries about the same subject: with two exact matches, none would be certain."""
    asked = normalise_text(correction.question)
    if not asked:
        return
    session.flush()
    word = max((word for word in asked.split() if word.isascii()), key=len, default="")
    query = (
        select(KnowledgeEntry)
        .join(EntryQuestion, EntryQuestion.entry_id == KnowledgeEntry.id)
        .where(KnowledgeEntry.tenant_id == correction.tenant_id, KnowledgeEntry.status == "approved")
        .where(KnowledgeEntry.kind == "faq", KnowledgeEntry.id != target.id)
        .where(KnowledgeEntry.subject.is_not_distinct_from(target.subject), EntryQuestion.text.icontains(word))
    )
    for rival in session.scalars(query).unique().all():
        said = editor.content_of(rival)
        left = tuple(question for question in said.questions if normalise_text(question) != asked)
        if left == said.questions:
            continue
        if left:
            edits.amend(rival, replace(said, questions=left))
        else:
            edits.retire(rival)
