"""Answers a question from the knowledge base: an approved answer, an extract with its source, or an honest no."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Button, Note, say
from core.errors import KnowledgeUnavailable
from core.texts import Texts
from knowledge.answering import Answering
from knowledge.types import Answer, AnswerPart, Question, Speaker, Utterance

log = structlog.get_logger()

HISTORY_TURNS = 10
UNKNOWN_COUNT = "unknown_count"
_CHUNKS = re.compile(r".+?(?:[.!?:;\n]\s*|$)", re.DOTALL)
"""Sentences: the text is there already, so smaller pieces would only cost."""
_SPEAKERS: dict[str, Speaker] = {"user": "customer", "bot": "bot"}


class ActionAnswer(Action):
    """Asks the knowledge base; streams what it finds while somebody watches."""

    def __init__(self, answering: Answering, texts: Texts) -> None:
        self._answering = answering
        self._texts = texts

    def name(self) -> str:
        """As in ``domain.yml``."""
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Answer the latest message in the light of those before."""
        try:
            answer = await asyncio.to_thread(self._first_answer, questions_of(tracker))
        except KnowledgeUnavailable as error:
            log.warning("knowledge unavailable", error=str(error))
            say(dispatcher, Note(outcome="unknown"), response="utter_knowledge_unavailable")
            return []
        if answer.outcome == "unknown":
            return _admit(dispatcher, tracker, answer, self._texts.person)
        text = "\n\n".join(self._worded(part) for part in answer.parts)
        await _stream(dispatcher, text)
        say(dispatcher, _note(answer), text=text)
        return [SlotSet(UNKNOWN_COUNT, 0.0)]

    def _first_answer(self, questions: list[Question]) -> Answer:
        answers = (self._answering.answer(question) for question in questions)
        answer = next(answers)
        while answer.outcome == "unknown" and (another := next(answers, None)):
            answer = another
        return answer

    def _worded(self, part: AnswerPart) -> str:
        return part.text if part.outcome == "answered" else self._texts.unknown_part.replace("{part}", part.question)


def questions_of(tracker: Tracker) -> list[Question]:
    """The latest customer message with the turns before it.

    After a press on a button that is the message before, which we had not understood, and then the button's title.
    """
    turns = [
        Utterance(_SPEAKERS[event["event"]], event["text"])
        for event in tracker.events
        if event["event"] in _SPEAKERS and event.get("text") and not event["text"].startswith("/")
    ]
    while turns and turns[-1].speaker != "customer":
        turns.pop()
    metadata = tracker.latest_message.get("metadata") or {}
    tenant, history = metadata.get("tenant_id", "default"), tuple(turns[:-1][-HISTORY_TURNS:])
    asked = [turns[-1].text if turns else "", metadata.get("pressed", "")]
    return [Question(tenant, text, history) for text in asked if text] or [Question(tenant, "", history)]


async def _stream(dispatcher: CollectingDispatcher, text: str) -> None:
    """Sentence by sentence, only where somebody watches: else each chunk would become a message of its own."""
    if dispatcher._stream_sink is None:  # noqa: SLF001 - rasa-sdk 3.21 has no public way to ask
        return
    await dispatcher.stream_start()
    for chunk in _CHUNKS.findall(text):
        await dispatcher.stream_chunk(text=chunk)
    await dispatcher.stream_end()


def _admit(dispatcher: CollectingDispatcher, tracker: Tracker, answer: Answer, person: str) -> list[dict[str, Any]]:
    """Offer the questions that come near; else say that we do not know, and offer a person."""
    if len(answer.parts) == 1 and (near := answer.parts[0].suggestions):
        buttons = tuple(Button(question, question) for question in near)
        note = replace(_note(answer), outcome="clarified")
        say(dispatcher, note, response="utter_suggest", buttons=(*buttons, Button(person, "/talk_to_person")))
        return []
    count = float(tracker.get_slot(UNKNOWN_COUNT) or 0) + 1
    response = "utter_unknown" if count == 1 else "utter_unknown_again"
    say(dispatcher, _note(answer), response=response)
    return [SlotSet(UNKNOWN_COUNT, count)]


def _note(answer: Answer) -> Note:
    return Note(
        outcome=answer.outcome,
        confidence=answer.confidence,
        entries=answer.entries,
        sources=answer.sources,
        retrieval_ms=answer.retrieval_ms,
        generation_ms=answer.generation_ms,
    )
