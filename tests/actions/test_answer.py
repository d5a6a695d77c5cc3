"""The answering action: what it asks, what it says, what it notes."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import ActionAnswer, questions_of
from core.errors import KnowledgeUnavailable
from core.texts import Texts
from knowledge.types import Answer, AnswerPart, Question, Source, UsedEntry, Utterance

KNOWN = AnswerPart("How long?", "answered", "Two days.", 0.9, (UsedEntry("e1", 1, 0.9),), (Source("Delivery"),))
UNKNOWN = AnswerPart("what about the moon", "unknown", "", 0.0)


class FakeAnswering:
    """Knows what it was told."""

    def __init__(self, **known: tuple[AnswerPart, ...]) -> None:
        self.known = known
        self.asked: list[Question] = []
        self.away = False

    def answer(self, question: Question) -> Answer:
        if self.away:
            raise KnowledgeUnavailable
        self.asked.append(question)
        parts = self.known.get(question.text.split()[0], (UNKNOWN,))
        outcome = "answered" if any(part.outcome == "answered" for part in parts) else "unknown"
        return Answer(outcome, parts, 0.9, entries=parts[0].entries, sources=parts[0].sources)


def tracker(*said: str, pressed: str = "", slots: dict[str, Any] | None = None) -> Tracker:
    events = [
        {"event": "bot" if text.startswith("bot:") else "user", "text": text.removeprefix("bot:")} for text in said
    ]
    latest = {"text": said[-1], "metadata": {"tenant_id": "shop", "pressed": pressed}}
    return Tracker("c", slots or {}, latest, events, False, None, {}, None)


async def run(answering: FakeAnswering, asked: Tracker) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    dispatcher = CollectingDispatcher()
    action = ActionAnswer(answering, Texts("Failed.", "Waiting.", "About “{part}” I'm not sure."))  # type: ignore[arg-type]
    events = await action.run(dispatcher, asked, {})
    (message,) = dispatcher.messages
    return message, events


def test_the_turns_before_go_along() -> None:
    (question,) = questions_of(tracker("Hi", "bot:Hello!", "How long?"))
    assert (question.tenant_id, question.text) == ("shop", "How long?")
    assert question.history == (Utterance("customer", "Hi"), Utterance("bot", "Hello!"))


def test_after_a_press_the_unclear_message_is_asked_and_then_the_title() -> None:
    asked = tracker("mony bak", "bot:Are you asking about:", "/refund", pressed="A refund")
    assert [question.text for question in questions_of(asked)] == ["mony bak", "A refund"]


async def test_an_answer_is_noted_with_entries_and_sources() -> None:
    message, events = await run(FakeAnswering(How=(KNOWN,)), tracker("How long?"))
    note = message["custom"]["rejoinder"]
    assert message["text"] == "Two days."
    assert (note["outcome"], note["entries"][0]["id"], note["sources"][0]["title"]) == ("answered", "e1", "Delivery")
    assert events[0]["value"] == 0.0


async def test_the_part_that_is_not_known_is_named() -> None:
    message, _ = await run(FakeAnswering(How=(KNOWN, UNKNOWN)), tracker("How long, and what about the moon?"))
    assert message["text"] == "Two days.\n\nAbout “what about the moon” I'm not sure."


async def test_not_knowing_twice_is_said_differently_and_counted() -> None:
    message, events = await run(FakeAnswering(), tracker("moon?"))
    assert (message["response"], events[0]["value"]) == ("utter_unknown", 1.0)
    message, events = await run(FakeAnswering(), tracker("mars?", slots={"unknown_count": 1.0}))
    assert (message["response"], events[0]["value"]) == ("utter_unknown_again", 2.0)


async def test_without_the_index_the_customer_is_told() -> None:
    answering = FakeAnswering()
    answering.away = True
    message, _ = await run(answering, tracker("How long?"))
    assert message["response"] == "utter_knowledge_unavailable"


async def test_known_questions_that_come_near_are_offered_in_their_own_words() -> None:
    near = AnswerPart("policy?", "unknown", "", 0.0, suggestions=("How do I return something?",))
    message, events = await run(FakeAnswering(What=(near,)), tracker("What about the policy?"))
    assert (message["response"], message["custom"]["rejoinder"]["outcome"]) == ("utter_suggest", "clarified")
    assert message["buttons"] == [
        {"title": "How do I return something?", "payload": "How do I return something?"},
        {"title": "Talk to a person", "payload": "/talk_to_person"},
    ]
    assert events == []
