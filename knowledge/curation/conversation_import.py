"""Import conversations and turn approved ones into approved entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import Conversation, KnowledgeEntry, Message
from core.errors import InvalidInput
from core.language import language_of
from knowledge.entries.content import Content, clean_for_storage
from knowledge.entries.editor import Change, EntryEditor
from knowledge.imports.sources.document import Failure
from knowledge.text.topic import subjects_of
from knowledge.types import SPEAKERS, Speaker, Utterance

IMPORTED_SPEAKERS: dict[str, Speaker] = {**SPEAKERS, "human": "agent"}
LONGEST_ID = 190
CHANNEL = "import"
TURNS_KEPT = 12
"""The maximum number of turns before the question that are kept with an entry."""
STORED_AT_ONCE = 200


@dataclass(frozen=True)
class ImportedConversation:
    """A conversation as read from a file."""

    external_id: str
    turns: tuple[Utterance, ...]
    approved: bool


@dataclass(frozen=True)
class Learnt:
    """The result of an import of conversations."""

    added: int
    unchanged: int
    entries: int
    failed: tuple[Failure, ...]


def parse_conversations(lines: Iterable[str]) -> tuple[list[ImportedConversation], list[Failure]]:
    """Parse a JSON-lines file into conversations and failures."""
    conversations: list[ImportedConversation] = []
    failed: list[Failure] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            conversations.append(_parse_conversation(line))
        except InvalidInput as error:
            failed.append(Failure(f"line {number}", str(error)))
    return conversations, failed


def store_conversations(
    database: Database, tenant_id: str, conversations: Sequence[ImportedConversation], change: Change, *, approve: bool
) -> Learnt:
    """Store the conversations, and with ``approve`` learn from the approved ones."""
    added = entries = 0
    failed: list[Failure] = []
    subjects = iter(_find_subjects(database, tenant_id, conversations) if approve else ())
    for start in range(0, len(conversations), STORED_AT_ONCE):
        with database.session() as session:
            editor = EntryEditor(session, tenant_id, change)
            for conversation in conversations[start : start + STORED_AT_ONCE]:
                added += _store_conversation(session, tenant_id, conversation)
                if approve and conversation.approved:
                    try:
                        entries += learn_from_conversation(session, tenant_id, conversation, next(subjects), editor)
                    except InvalidInput as error:
                        failed.append(Failure(conversation.external_id, str(error)))
    return Learnt(added, len(conversations) - added, entries, tuple(failed))


def _find_subjects(
    database: Database, tenant_id: str, conversations: Sequence[ImportedConversation]
) -> list[str | None]:
    """Return the subject of each approved conversation; names match those of other conversations or entries in any spelling."""
    named = select(KnowledgeEntry.subject).where(
        KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.subject.is_not(None)
    )
    with database.session() as session:
        known = [subject for subject in session.scalars(named.distinct()) if subject]
    return subjects_of([conversation.turns for conversation in conversations if conversation.approved], known)


def learn_from_conversation(
    session: Session, tenant_id: str, conversation: ImportedConversation, subject: str | None, editor: EntryEditor
) -> bool:
    """Add an entry for an approved conversation. Return False if it exists already.

    Raises:
        InvalidInput: The conversation does not end in an agent's answer to a customer's question.
    """
    content = content_of(conversation, subject).checked()
    known = select(KnowledgeEntry).where(
        KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.external_id == conversation.external_id
    )
    if any((e.answer, e.questions[0].text) == (content.answer, content.questions[0]) for e in session.scalars(known)):
        return False
    editor.add(content, approved=True)
    return True


def content_of(conversation: ImportedConversation, subject: str | None = None) -> Content:
    """Build an entry's content from the last customer question, the agent's answer and the turns before."""
    turns = conversation.turns
    asked = next((n for n in reversed(range(len(turns))) if turns[n].speaker == "customer"), None)
    if asked is None:
        raise InvalidInput("no customer asks anything in it")
    answers = [turn.text for turn in turns[asked + 1 :] if turn.speaker == "agent"]
    if not answers:
        raise InvalidInput("no agent answers its last question")
    return Content(
        "faq",
        "\n\n".join(answers),
        (turns[asked].text,),
        subject=subject,
        context=turns[max(0, asked - TURNS_KEPT) : asked],
        language=language_of(" ".join((turns[asked].text, *answers))),
        external_id=conversation.external_id,
    )


def _store_conversation(session: Session, tenant_id: str, imported: ImportedConversation) -> bool:
    """Store a conversation; a different one with the same id (a later export) is stored beside it."""
    for number in count(1):
        name = imported.external_id if number == 1 else f"{imported.external_id}#{number}"
        known = session.scalar(
            select(Conversation).where(Conversation.tenant_id == tenant_id, Conversation.external_id == name)
        )
        if known is None:
            session.add(_build_conversation(tenant_id, name, imported))
            session.flush()
            return True
        if [(m.speaker, m.text) for m in known.messages] == [(t.speaker, t.text) for t in imported.turns]:
            return False
    return False


def _build_conversation(tenant_id: str, name: str, imported: ImportedConversation) -> Conversation:
    conversation = Conversation(
        tenant_id=tenant_id,
        channel=CHANNEL,
        status="closed",
        external_id=name,
        approved=imported.approved,
        last_seq=len(imported.turns),
    )
    conversation.messages = [
        Message(tenant_id=tenant_id, seq=seq, speaker=turn.speaker, text=turn.text)
        for seq, turn in enumerate(imported.turns, start=1)
    ]
    return conversation


def _parse_conversation(line: str) -> ImportedConversation:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InvalidInput(f"this is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidInput("this is no JSON object")
    external_id = value.get("conversation_id")
    if not isinstance(external_id, str | int) or not str(external_id).strip():
        raise InvalidInput("conversation_id is missing")
    if len(str(external_id)) > LONGEST_ID:
        raise InvalidInput(f"conversation_id is longer than {LONGEST_ID} characters")
    turns = value.get("turns")
    if not isinstance(turns, list) or not turns:
        raise InvalidInput("turns is missing or empty")
    approved = value.get("approved", False)
    if not isinstance(approved, bool):
        raise InvalidInput("approved is neither true nor false")
    said = tuple(_parse_turn(number, turn) for number, turn in enumerate(turns, start=1))
    return ImportedConversation(clean_for_storage(str(external_id)), said, approved)


def _parse_turn(number: int, turn: Any) -> Utterance:
    if not isinstance(turn, dict) or not isinstance(turn.get("text"), str) or not clean_for_storage(turn["text"]):
        raise InvalidInput(f"turn {number} has no text")
    speaker = IMPORTED_SPEAKERS.get(str(turn.get("speaker", "")).lower())
    if speaker is None:
        raise InvalidInput(f"turn {number} has an unknown speaker {turn.get('speaker')!r}")
    return Utterance(speaker, clean_for_storage(turn["text"]))
