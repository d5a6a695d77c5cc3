"""The answering action: what it asks, what it says, what it notes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import ActionAnswer, questions_of
from core.bot.texts import Texts
from core.errors import KnowledgeUnavailable
from core.events import Hub
from core.llm.types import RequestOrigin
from knowledge.answers.decision import merge_answer_parts
from knowledge.answers.draft import Viewer
from knowledge.types import Answer, AnswerPart, Choice, Question, Source, UsedEntry, Utterance, Writing

KNOWN = AnswerPart("How long?", "answered", "Two days.", 0.9, (UsedEntry("e1", 1, 0.9),), (Source("Delivery"),))
DELIVERY = Answer("answered", (KNOWN,), 1.0, entries=KNOWN.entries, sources=KNOWN.sources)
LIKELY = replace(
    KNOWN, outcome="suggested", title="Standard delivery", choices=(Choice("e2", "Express"), Choice("e3", "Abroad"))
)
UNKNOWN = AnswerPart("what about the moon", "unknown", "", 0.0)


class FakeWriter:
    """Knows what it was told."""

    def __init__(self, **known: tuple[AnswerPart, ...]) -> None:
        self.known = known
        self.asked: list[Question] = []
        self.away = False

    async def answer(self, question: Question, caller: RequestOrigin, viewer: Viewer) -> Answer:
        self.caller = caller
        if self.away:
            raise KnowledgeUnavailable
        self.asked.append(question)
        parts = self.known.get(question.text.split()[0], (UNKNOWN,))
        return merge_answer_parts(parts)

    def answer_entry(self, question: Question, entry_id: str) -> Answer | None:
        return replace(DELIVERY, parts=(replace(KNOWN, question=question.text),)) if entry_id == "e1" else None

    def languages(self, tenant_id: str) -> list[str]:
        return ["en", "fr"]


def tracker(*said: str, pressed: str = "", slots: dict[str, Any] | None = None) -> Tracker:
    events = [
        {"event": "bot" if text.startswith("bot:") else "user", "text": text.removeprefix("bot:")} for text in said
    ]
    latest = {"text": said[-1], "metadata": {"tenant_id": "shop", "pressed": pressed}}
    return Tracker("c", slots or {}, latest, events, False, None, {}, None)


async def run(
    writer: FakeWriter, asked: Tracker, hub: Hub | None = None, sink: list[dict[str, Any]] | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    dispatcher = CollectingDispatcher()
    if sink is not None:
        dispatcher._stream_sink = _into(sink)
    texts = Texts("Failed.", "Waiting.", unknown_part="About “{part}” I'm not sure.")
    texts = replace(texts, other_language={"de": "Nur auf {languages}."})
    action = ActionAnswer(writer, writer, texts, hub or Hub())  # type: ignore[arg-type]
    events = await action.run(dispatcher, asked, {})
    (message,) = dispatcher.messages
    return message, events


def _into(sink: list[dict[str, Any]]) -> Any:
    async def put(item: dict[str, Any]) -> None:
        sink.append(item)

    return put


def test_the_turns_before_go_along() -> None:
    (question,) = questions_of(tracker("Hi", "bot:Hello!", "How long?"))
    assert (question.tenant_id, question.text) == ("shop", "How long?")
    assert question.history == (Utterance("customer", "Hi"), Utterance("bot", "Hello!"))


def test_after_a_press_the_unclear_message_is_asked_and_then_the_title() -> None:
    asked = tracker("mony bak", "bot:Are you asking about:", "/refund", pressed="A refund")
    assert [question.text for question in questions_of(asked)] == ["mony bak", "A refund"]


async def test_an_answer_is_noted_with_entries_and_sources() -> None:
    message, events = await run(FakeWriter(How=(KNOWN,)), tracker("How long?"))
    note = message["custom"]["rejoinder"]
    assert message["text"] == "Two days."
    assert (note["outcome"], note["entries"][0]["id"], note["sources"][0]["title"]) == ("answered", "e1", "Delivery")
    assert events[0]["value"] == 0.0


async def test_the_part_that_is_not_known_is_named() -> None:
    message, _ = await run(FakeWriter(How=(KNOWN, UNKNOWN)), tracker("How long, and what about the moon?"))
    assert message["text"] == "Two days.\n\nAbout “what about the moon” I'm not sure."


async def test_not_knowing_twice_is_said_differently_and_counted() -> None:
    message, events = await run(FakeWriter(), tracker("moon?"))
    assert (message["response"], events[0]["value"]) == ("utter_unknown", 1.0)
    message, events = await run(FakeWriter(), tracker("mars?", slots={"unknown_count": 1.0}))
    assert (message["response"], events[0]["value"]) == ("utter_unknown_again", 2.0)


async def test_a_language_that_the_knowledge_does_not_have_is_said_in_that_language() -> None:
    message, _ = await run(FakeWriter(), tracker("Wie lange dauert die Lieferung und was kostet sie?"))
    assert message["text"] == "Nur auf Englisch, français."
    assert message["custom"]["rejoinder"]["outcome"] == "unknown"


async def test_without_the_index_the_customer_is_told() -> None:
    writer = FakeWriter()
    writer.away = True
    message, _ = await run(writer, tracker("How long?"))
    assert message["response"] == "utter_knowledge_unavailable"


PERSON = {"title": "Talk to a person", "payload": "/talk_to_person"}


def entry_button(entry_id: str, title: str) -> dict[str, str]:
    return {"title": title, "payload": f'/ask_entry{{"entry": "{entry_id}"}}'}


async def test_known_questions_that_come_near_are_offered_as_entries() -> None:
    near = AnswerPart("policy?", "clarified", "", 0.2, choices=(Choice("e7", "How do I return something?"),))
    message, events = await run(FakeWriter(What=(near,)), tracker("What about the policy?"))
    assert (message["response"], message["custom"]["rejoinder"]["outcome"]) == ("utter_suggest", "clarified")
    assert message["buttons"] == [entry_button("e7", "How do I return something?"), PERSON]
    assert events == []


async def test_a_likely_answer_says_what_it_answers_and_offers_the_others() -> None:
    message, _ = await run(FakeWriter(How=(LIKELY,)), tracker("How long?"))
    assert message["text"] == "From “Standard delivery”:\n\nTwo days.\n\nNot what you meant?"
    assert message["buttons"] == [entry_button("e2", "Express"), entry_button("e3", "Abroad"), PERSON]
    assert message["custom"]["rejoinder"]["outcome"] == "suggested"


async def test_what_one_part_answers_is_no_choice_beside_another() -> None:
    abroad = replace(KNOWN, text="Five days.", entries=(UsedEntry("e3", 1, 0.9),))
    message, _ = await run(FakeWriter(How=(LIKELY, abroad)), tracker("How long, and abroad?"))
    assert message["buttons"] == [entry_button("e2", "Express"), PERSON]


async def test_answers_that_contradict_each_other_are_named_as_such() -> None:
    both = replace(LIKELY, title="Ticket?", text="- 8 euros\n- 11 euros", choices=(), disputed=True)
    message, _ = await run(FakeWriter(How=(both,)), tracker("How much?"))
    assert "more than one answer" in message["text"]
    assert "- 8 euros\n- 11 euros" in message["text"]
    assert message["buttons"] == [PERSON]


async def test_a_press_gets_exactly_the_entry_that_the_button_carries() -> None:
    asked = tracker("How long?", "bot:Is it one of these?", '/ask_entry{"entry": "e1"}', pressed="Standard delivery")
    asked.latest_message |= {"intent": {"name": "ask_entry"}, "entities": [{"entity": "entry", "value": "e1"}]}
    writer = FakeWriter()
    message, _ = await run(writer, asked)
    assert (message["text"], writer.asked) == ("Two days.", [])


class Drafting(FakeWriter):
    """Writes a draft before its viewer, and stops when told."""

    async def answer(self, question: Question, caller: RequestOrigin, viewer: Viewer) -> Answer:
        await viewer.estimate(2.5)
        await viewer.cite([Source("Delivery")])
        await viewer.append("Two ")
        await viewer.replace("Two days.")
        if viewer.stop.is_set():
            return Answer("unknown", (UNKNOWN,), 0.0)
        writing = Writing("cheap", 0.2, Decimal("0.00012"), "answer-1", 0.97)
        part = replace(KNOWN, written_by="openai/small", writing=writing)
        return Answer("answered", (part,), 0.9, writing=writing)


async def test_a_draft_goes_out_as_it_is_written_and_how_it_was_made_is_noted() -> None:
    sink: list[dict[str, Any]] = []
    message, _ = await run(Drafting(), tracker("How long?"), sink=sink)
    said = [{k: v for k, v in item.items() if k != "event"} for item in sink if item["event"] == "stream_chunk"]
    sources = [{"title": "Delivery", "url": None}]
    assert said == [
        {"custom": {"estimate": 2.5}},
        {"custom": {"sources": sources}},
        {"text": "Two "},
        {"custom": {"draft": "Two days."}},
    ]
    assert sink[-1]["event"] == "stream_end"
    note = message["custom"]["rejoinder"]
    made = ("written_by", "route", "cost", "groundedness", "prompt_version")
    assert [note[name] for name in made] == ["openai/small", "cheap", "0.00012", 0.97, "answer-1"]


async def test_without_a_watcher_nothing_is_streamed() -> None:
    message, _ = await run(Drafting(), tracker("How long?"))
    assert message["text"] == "Two days."


async def test_a_customer_who_stops_before_a_word_is_told_so() -> None:
    class Stopping(Drafting):
        async def answer(self, question: Question, caller: RequestOrigin, viewer: Viewer) -> Answer:
            assert hub.stop("c")
            return await super().answer(question, caller, viewer)

    hub = Hub()
    message, events = await run(Stopping(), tracker("How long?"), hub)
    assert (message["response"], events) == ("utter_stopped", [])
    assert not hub.stop("c")
