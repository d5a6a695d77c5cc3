"""Suggested answers for staff, from the knowledge base, to what the customer last asked."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from connectors.slack.text import escaped
from core import messages
from core.db import Database
from core.errors import KnowledgeUnavailable
from knowledge.answering import Answering
from knowledge.types import SPEAKERS, AnswerPart, Question, Source, Utterance

log = structlog.get_logger()
SUGGESTED = 3
ASKED = 2
"""How many of the customer's last messages are looked at: the very last one is often “a person please”."""


def make_suggest(database: Database, answering: Callable[[], Answering]) -> Callable[[str, str], list[tuple[str, str]]]:
    """(tenant, conversation) -> [(answer, its source)], none where the knowledge base is away."""

    def suggest(tenant_id: str, conversation_id: str) -> list[tuple[str, str]]:
        with database.session() as session:
            said = messages.messages_after(session, conversation_id, 0)
        asked = [place for place, message in enumerate(said) if message.speaker == "customer" and message.text]
        found: dict[str, str] = {}
        for place in reversed(asked[-ASKED:]):
            history = tuple(Utterance(SPEAKERS[m.speaker], m.text) for m in said[:place])
            try:
                answer = answering().answer(Question(tenant_id, said[place].text, history))
            except KnowledgeUnavailable:
                log.warning("no suggestions: the knowledge base is away", conversation_id=conversation_id)
                return []
            for part in answer.parts:
                found = _known(part) | found
        return list(found.items())[:SUGGESTED]

    return suggest


def _known(part: AnswerPart) -> dict[str, str]:
    sources = [*part.sources, None]
    given = {part.text: _source(sources[0])} if part.text else {}
    return given | {entry.answer: _source(entry.source) for entry in part.evidence if entry.kind == "faq"}


def _source(source: Source | None) -> str:
    if source is None:
        return ""
    title = escaped(source.title)
    return f"<{escaped(source.url)}|{title}>" if source.url and source.url.startswith("http") else title
