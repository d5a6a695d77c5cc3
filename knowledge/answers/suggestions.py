"""Suggests replies to agents from the knowledge base, for the customer's last messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core import messages
from core.attachments import in_words
from core.db import Database
from core.errors import KnowledgeUnavailable
from knowledge.answers.decision import Answering
from knowledge.types import SPEAKERS, AnswerPart, Question, Source, Utterance

log = structlog.get_logger()
SUGGESTED = 3
ASKED = 2
"""Number of the customer's last messages considered: the very last one is often “a person please”."""


@dataclass(frozen=True)
class SuggestedReply:
    """A suggested answer and its source."""

    answer: str
    title: str | None = None
    url: str | None = None


Suggest = Callable[[str, str], list[SuggestedReply]]
"""(tenant, conversation) -> suggestions, best first; empty if the knowledge base is unavailable; runs on a thread."""


def make_suggest(database: Database, answering: Callable[[], Answering]) -> Suggest:
    """Return a function that queries the knowledge base as the bot would."""

    def suggest_replies(tenant_id: str, conversation_id: str) -> list[SuggestedReply]:
        with database.session() as session:
            said = messages.messages_after(session, conversation_id, 0)
        asked = [place for place, message in enumerate(said) if message.speaker == "customer" and message.text]
        found: dict[str, SuggestedReply] = {}
        for place in reversed(asked[-ASKED:]):
            history = tuple(Utterance(SPEAKERS[m.speaker], in_words(m.text, m.attachments)) for m in said[:place])
            try:
                answer = answering().answer(Question(tenant_id, said[place].text, history))
            except KnowledgeUnavailable:
                log.warning("no suggestions: the knowledge base is away", conversation_id=conversation_id)
                return []
            for part in answer.parts:
                found = _collect_replies(part) | found
        return list(found.values())[:SUGGESTED]

    return suggest_replies


def _collect_replies(part: AnswerPart) -> dict[str, SuggestedReply]:
    given = [(part.text, next(iter(part.sources), None))] if part.text else []
    given += [(entry.answer, entry.source) for entry in part.evidence if entry.kind == "faq"]
    return {answer: _build_suggested_reply(answer, source) for answer, source in given}


def _build_suggested_reply(answer: str, source: Source | None) -> SuggestedReply:
    web = bool(source and source.url and source.url.startswith("http"))
    return SuggestedReply(answer, source.title if source else None, source.url if source and web else None)
