"""Explains why a question gets its answer: the knowledge's reasons, the skill decision, and the record of the time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.conversations.turn_record import TurnRecord, find_turn
from core.db import Database
from core.db.models import KnowledgeEntry
from core.errors import InvalidInput, RejoinderError
from core.feedback import settings as learning
from core.rasa import Rasa
from knowledge.answers.citations import without_marks
from knowledge.answers.decision import LONGEST_QUESTION, Answering
from knowledge.answers.explanation import describe_explanation
from knowledge.types import SPEAKERS, Question, Utterance

SETTINGS = ("wrong_answers", "reuse_error", "hold_out")
RANKED = 3
"""Number of intents shown."""


@dataclass(frozen=True)
class Explanations:
    """Explains answers; ``answering`` is built on first use, in a thread."""

    database: Database
    answering: Callable[[], Answering]
    rasa: Rasa

    async def explain(self, tenant_id: str, text: str, history: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """Explain how a message would be answered now, after a history of (customer | bot | agent, text).

        Raises:
            InvalidInput: the message is empty or too long.
            KnowledgeUnavailable: the index cannot be reached.
        """
        if not text.strip():
            raise InvalidInput("The question is empty.")
        if len(text) > LONGEST_QUESTION:
            raise InvalidInput(f"The question is longer than {LONGEST_QUESTION} characters.")
        return await self._explain_question(Question(tenant_id, text, _build_utterances(history)))

    async def explain_turn(
        self, tenant_id: str, *, turn_id: str | None = None, conversation_id: str | None = None
    ) -> dict[str, Any]:
        """Explain how a stored turn, or a conversation's last one, would be answered now, next to how it was answered then.

        Raises:
            NotFound: there is no such turn.
            KnowledgeUnavailable: the index cannot be reached.
        """

        def read_turn(session: Session) -> tuple[TurnRecord, list[str]]:
            turn = find_turn(session, tenant_id, turn_id=turn_id, conversation_id=conversation_id)
            return turn, changes_since(session, turn)

        turn, changes = await self.database.run(read_turn)
        question = Question(tenant_id, turn.text, _build_utterances(turn.history), turn.conversation_id)
        return {**await self._explain_question(question), "then": {**asdict(turn), "changes": changes}}

    async def _explain_question(self, question: Question) -> dict[str, Any]:
        explained = await asyncio.to_thread(lambda: describe_explanation(self.answering().explain(question)))
        settings = await self.database.run(lambda session: learning.get_learning_settings(session, question.tenant_id))
        return {
            **explained,
            "settings": {name: getattr(settings, name) for name in SETTINGS},
            "skill": await self._explain_skill(question.text, explained["level"]),
            "then": None,
        }

    async def _explain_skill(self, text: str, level: str) -> dict[str, Any]:
        """Explain whether a skill or the knowledge would take the message, outside a form."""
        try:
            understood = await self.rasa.understand(text)
        except RejoinderError as error:
            return {"understood": False, "why": f"Rasa does not say: {error}"}
        return describe_skill(understood, level)


def describe_skill(understood: dict[str, Any], level: str) -> dict[str, Any]:
    """Describe Rasa's decision on a message, given the level of evidence that the knowledge has for it."""
    decision = understood.get("decision") or {}
    taken = {**decision, **decision.get("at", {}).get(level, {})}
    intent = taken.get("intent") or (understood.get("intent") or {}).get("name")
    found = {
        "understood": True,
        "intent": intent,
        "by": taken.get("by"),
        "rule": taken.get("why"),
        "likeliest": taken.get("likeliest"),
        "score": taken.get("score"),
        "level": level,
        "ranking": (understood.get("intent_ranking") or [])[:RANKED],
    }
    return {**found, "why": _sentence_of_skill(found)}


def changes_since(session: Session, turn: TurnRecord) -> list[str]:
    """List the changes since then to the entries used for an answer."""
    changes: list[str] = []
    for used in turn.facts["entries"] or ():
        entry = session.get(KnowledgeEntry, used["id"])
        if entry is None or entry.status != "approved":
            changes.append(f"Entry {used['id']} is served no longer.")
        elif entry.version != used["version"]:
            changes.append(f"Entry {used['id']} was at version {used['version']}, and is at {entry.version} now.")
    return changes


RULES = {
    "wording": "the message is one of its examples",
    "exact": "the knowledge has the very words of the message",
    "certain": "its score is certain",
    "sure": "its score is enough beside what the knowledge has",
    "probable": "the knowledge probably has an answer, and no skill is surer",
    "unsure": "nothing is sure",
    "low": "no skill comes near",
    "form": "a form waits for it",
    "value": "it is nothing but a number or an e-mail address",
}


def _sentence_of_skill(found: dict[str, Any]) -> str:
    intent, rule = found["intent"], found["rule"]
    if not found["by"]:
        return f"Rasa understands it as {intent}; its model does not say who takes it."
    why = "the knowledge has an answer" if found["by"] == "knowledge" and rule == "sure" else RULES.get(rule, rule)
    taker = "The knowledge takes it" if found["by"] == "knowledge" else "A skill takes it"
    return f"{taker}, as {intent}: {why} (likeliest intent {found['likeliest']}; its probability times the likeness to its examples is {found['score']:.2f})."


def _build_utterances(history: Sequence[tuple[str, str]]) -> tuple[Utterance, ...]:
    return tuple(Utterance(SPEAKERS[speaker], without_marks(text)) for speaker, text in history)
