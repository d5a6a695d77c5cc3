"""Answers questions from the knowledge base: an approved answer, an extract with its source, or an honest no."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.entries import INTENT, entry_button, pressed_entry
from actions.reply import Button, Note, send_reply
from actions.tenants import language_of
from core import language
from core.bot.texts import Texts
from core.errors import KnowledgeUnavailable
from core.events import Hub
from core.llm.types import RequestOrigin
from knowledge.answers.citations import without_marks
from knowledge.answers.draft import GAP, Viewer
from knowledge.answers.writer import Writer
from knowledge.types import Answer, AnswerPart, Choice, Question, Source, Speaker, Utterance, Writing

log = structlog.get_logger()

HISTORY_TURNS = 10
MOST_CHOICES = 3
MOST_LANGUAGES = 4
UNKNOWN_COUNT = "unknown_count"
_SPEAKERS: dict[str, Speaker] = {"user": "customer", "bot": "bot"}


class Entries(Protocol):
    def answer_entry(self, question: Question, entry_id: str) -> Answer | None:
        """Return the approved answer of one entry verbatim, or None if it may not be served."""

    def languages(self, tenant_id: str) -> list[str]:
        """Return the languages in which questions can be answered (ISO 639-1), the most common first."""


class ActionAnswer(Action):
    """Queries the knowledge base and the models; streams if the conversation is watched."""

    def __init__(self, writer: Writer, entries: Entries, texts: Texts, hub: Hub) -> None:
        self._writer = writer
        self._entries = entries
        self._texts = texts
        self._hub = hub

    def name(self) -> str:
        return "rejoinder_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Answer the latest message in the context of the previous ones."""
        with self._hub.stoppable(tracker.sender_id) as stop:
            viewer = _Streaming(dispatcher, stop)
            try:
                answer = await self._first_answer(tracker, viewer)
            except KnowledgeUnavailable as error:
                log.warning("knowledge unavailable", error=str(error))
                send_reply(dispatcher, Note(outcome="unknown"), response="utter_knowledge_unavailable")
                return []
            finally:
                await viewer.end()
        if answer.outcome == "unknown":
            return await self._send_unknown_reply(dispatcher, tracker, answer, stopped=stop.is_set())
        texts = self._texts.said_in(language_of(tracker))
        if answer.outcome == "clarified":
            send_reply(dispatcher, _build_note(answer), response="utter_suggest", buttons=_build_buttons(answer, texts))
            return []
        send_reply(
            dispatcher, _build_note(answer), text=_format_answer(answer, texts), buttons=_build_buttons(answer, texts)
        )
        return [SlotSet(UNKNOWN_COUNT, 0.0)]

    async def _first_answer(self, tracker: Tracker, viewer: Viewer) -> Answer:
        questions = questions_of(tracker)
        entry_id = pressed_entry(tracker)
        if entry_id:
            chosen = await asyncio.to_thread(self._entries.answer_entry, questions[-1], entry_id)
            if chosen:
                return chosen
        caller = _build_caller(tracker)
        answer = await self._writer.answer(questions[0], caller, viewer)
        for question in questions[1:]:
            if answer.outcome == "unknown":
                answer = await self._writer.answer(question, caller, viewer)
        return answer

    async def _send_unknown_reply(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, answer: Answer, *, stopped: bool
    ) -> list[dict[str, Any]]:
        """Say that the answer is not known, and offer a person."""
        if stopped:
            send_reply(dispatcher, replace(_build_note(answer), outcome="action"), response="utter_stopped")
            return []
        question, spoken = questions_of(tracker)[0], language_of(tracker)
        foreign = await asyncio.to_thread(self._said_in_other_language, question, spoken)
        if foreign:
            texts = self._texts.said_in(spoken)
            send_reply(
                dispatcher, _build_note(answer), text=foreign, buttons=(Button(texts.person, "/talk_to_person"),)
            )
            return []
        count = float(tracker.get_slot(UNKNOWN_COUNT) or 0) + 1
        response = "utter_unknown" if count == 1 else "utter_unknown_again"
        send_reply(dispatcher, _build_note(answer), response=response)
        return [SlotSet(UNKNOWN_COUNT, count)]

    def _said_in_other_language(self, question: Question, spoken: str) -> str:
        """Return the reply that questions are only answered in other languages, or "" if that is not the reason.

        The reply is in the customer's language; text of unknown language counts as ``spoken``.
        """
        asked = language.language_of(question.text, spoken or "en")
        known = self._entries.languages(question.tenant_id)
        text = self._texts.other_language.get(asked, "")
        if not text or not known or asked in known:
            return ""
        return text.replace(
            "{languages}", ", ".join(language.name_language(each, asked) for each in known[:MOST_LANGUAGES])
        )


def _format_answer(answer: Answer, texts: Texts) -> str:
    """Join the parts; a likely answer gets the title of what it answers, and other choices get an introduction."""
    worded = [_format_part(part, texts) for part in answer.parts]
    if _collect_choices(answer):
        worded.append(texts.not_meant)
    return GAP.join(worded)


def _format_part(part: AnswerPart, texts: Texts) -> str:
    if not part.text:
        return texts.unknown_part.replace("{part}", part.question)
    if part.outcome != "suggested":
        return part.text
    template = texts.disputed if part.disputed else texts.suggested
    return template.replace("{title}", part.title).replace("{text}", part.text)


def _build_buttons(answer: Answer, texts: Texts) -> tuple[Button, ...]:
    """Build buttons for other possible meanings, and for a person if a part is unanswered."""
    buttons = [entry_button(choice.title, choice.entry_id) for choice in _collect_choices(answer)][:MOST_CHOICES]
    is_open = any(part.outcome != "answered" for part in answer.parts)
    return (*buttons, Button(texts.person, "/talk_to_person")) if is_open else tuple(buttons)


def _collect_choices(answer: Answer) -> list[Choice]:
    """Collect the other possible meanings of all parts, except those that another part answers."""
    sent = {entry.id for part in answer.parts for entry in part.entries}
    return list(dict.fromkeys(c for part in answer.parts for c in part.choices if c.entry_id not in sent))


class _Streaming:
    """Passes a draft to rasa-sdk's stream if watched; otherwise each chunk would become a separate message."""

    def __init__(self, dispatcher: CollectingDispatcher, stop: asyncio.Event) -> None:
        self.stop = stop
        self._dispatcher = dispatcher
        self._watched = dispatcher._stream_sink is not None  # noqa: SLF001 - rasa-sdk 3.21 has no public way to ask

    async def estimate(self, seconds: float | None) -> None:
        await self._send_chunk(json_message={"estimate": seconds})

    async def cite(self, sources: Sequence[Source]) -> None:
        await self._send_chunk(json_message={"sources": [asdict(source) for source in sources]})

    async def append(self, text: str) -> None:
        await self._send_chunk(text=text)

    async def replace(self, text: str) -> None:
        await self._send_chunk(json_message={"draft": text})

    async def end(self) -> None:
        """End the stream after the answer or a failure."""
        if self._watched and self._dispatcher.is_streaming_active:
            await self._dispatcher.stream_end()

    async def _send_chunk(self, **chunk: Any) -> None:
        if self._watched:
            await self._dispatcher.stream_chunk(**chunk)


def questions_of(tracker: Tracker) -> list[Question]:
    """Return the latest customer message, with the previous messages.

    After a pressed button, return the previous message, which was not understood, and then the button's title.
    """
    turns = [
        Utterance(_SPEAKERS[event["event"]], without_marks(text))
        for event in tracker.events
        if event["event"] in _SPEAKERS and (text := _get_event_text(event))
    ]
    while turns and turns[-1].speaker != "customer":
        turns.pop()
    metadata = tracker.latest_message.get("metadata") or {}
    tenant, history = metadata.get("tenant_id", "default"), tuple(turns[:-1][-HISTORY_TURNS:])
    asked = [turns[-1].text if turns else "", metadata.get("pressed", "")]
    sender, mood = tracker.sender_id, metadata.get("sentiment", "")
    question = Question(tenant, "", history, sender, metadata.get("turn_id"), mood)
    return [replace(question, text=text) for text in asked if text] or [question]


def _get_event_text(event: dict[str, Any]) -> str:
    """Return an event's text; for a pressed known question, that question."""
    text = str(event.get("text") or "")
    if text.startswith(f"/{INTENT}"):
        return str((event.get("metadata") or {}).get("pressed") or "")
    return "" if text.startswith("/") else text


def _build_caller(tracker: Tracker) -> RequestOrigin:
    metadata = tracker.latest_message.get("metadata") or {}
    return RequestOrigin(metadata.get("tenant_id", "default"), tracker.sender_id, metadata.get("turn_id"))


def _build_note(answer: Answer) -> Note:
    return Note(
        outcome=answer.outcome,
        confidence=answer.confidence,
        entries=answer.entries,
        sources=answer.sources,
        retrieval_ms=answer.retrieval_ms,
        generation_ms=answer.generation_ms,
        written_by=answer.written_by or None,
        **(_format_writing(answer.writing) if answer.writing else {}),
    )


def _format_writing(writing: Writing) -> dict[str, Any]:
    return {**asdict(writing), "cost": str(writing.cost), "prompt_version": writing.prompt_version or None}
