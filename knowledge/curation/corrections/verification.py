"""Ask the affected questions again after a correction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from core.db.models import HumanCorrection, Turn, get_current_time
from core.errors import KnowledgeUnavailable
from core.feedback.types import match_used_entry
from knowledge.curation.corrections import turn_context
from knowledge.curation.corrections.edits import content_of, version_of
from knowledge.curation.corrections.publication import history_of
from knowledge.curation.corrections.types import Again, Served
from knowledge.entries import editor
from knowledge.entries.content import Content
from knowledge.text.features import normalise_text
from knowledge.types import Answer, Question, Utterance

MOST_PHRASINGS = 60
MOST_PAST = 40
LOOKED_BACK = timedelta(days=90)
LONGEST_SHOWN = 300


class Answers(Protocol):
    """Answers a question from the knowledge base."""

    def answer(self, question: Question) -> Answer:
        """Answer a question from the knowledge base.

        Raises:
            KnowledgeUnavailable: The index cannot be reached.
        """


def list_check_questions(session: Session, correction: HumanCorrection) -> list[Again]:
    """Return the asked question, the phrasings of the old and new entries, and past questions."""
    asked = Again(correction.question, "asked", history_of(session, correction))
    contents = _list_contents(session, correction)
    phrasings = [Again(text, "phrasing", _get_context(content)) for content in contents for text in content.questions]
    found = [asked, *phrasings[:MOST_PHRASINGS], *_list_past_questions(session, correction)]
    return list({(normalise_text(one.text), one.history): one for one in reversed(found)}.values())[::-1]


def ask_check_questions(answers: Answers, correction: HumanCorrection, again: Sequence[Again]) -> list[dict[str, Any]]:
    """Ask each question and return its present answer."""
    rows = []
    for one in again:
        try:
            answer = answers.answer(Question(correction.tenant_id, one.text, one.history))
        except KnowledgeUnavailable:
            rows.append({"question": one.text, "kind": one.kind, "served": "unavailable", "answer": ""})
            continue
        said = "\n\n".join(part.text for part in answer.parts if part.text)
        row = {"question": one.text, "kind": one.kind, "served": classify_answer(correction, answer, said)}
        rows.append({**row, "answer": said[:LONGEST_SHOWN]})
    return rows


def classify_answer(correction: HumanCorrection, answer: Answer, said: str) -> Served:
    """Classify an answer in relation to the correction."""
    used_ids = {entry.id for entry in answer.entries}
    if correction.effects.get("entry_id") in used_ids and correction.answer in said:
        return "new"
    if correction.bot_answer and normalise_text(correction.bot_answer) in normalise_text(said):
        return "old"
    return "other" if said else "unknown"


def _list_contents(session: Session, correction: HumanCorrection) -> list[Content]:
    """Return the content of the correction's entry and the earlier content of the misleading one."""
    target, misled = correction.effects.get("entry_id"), correction.entry_id
    found = [editor.content_of(editor.get_entry(session, correction.tenant_id, target))] if target else []
    before = [c["before"] for c in correction.effects.get("entries", []) if c["id"] == misled and c["before"]]
    return found + [content_of(version_of(session, misled, version)) for version in before if misled]


def _get_context(content: Content) -> tuple[Utterance, ...]:
    """Return the turns that a phrasing needs before it to be understood."""
    if content.context or not content.subject:
        return content.context
    return (Utterance("customer", content.subject),)


def _list_past_questions(session: Session, correction: HumanCorrection) -> list[Again]:
    """Return recent customer questions that were answered from the misleading entry."""
    if correction.entry_id is None or correction.entry_action == "keep":
        return []
    since = str(ULID.from_datetime(get_current_time() - LOOKED_BACK))
    query = select(Turn).where(
        Turn.id > since, Turn.tenant_id == correction.tenant_id, match_used_entry(correction.entry_id)
    )
    turns = session.scalars(query.order_by(Turn.id.desc()).limit(MOST_PAST))
    return [
        Again(turn_context.question_of(session, turn), "past", turn_context.list_turns_before(session, turn))
        for turn in turns
    ]
