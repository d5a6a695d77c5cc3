"""A message is stored first, answered once, in order, and the customer always gets a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.bot.texts import Texts
from core.conversations import turns as service
from core.conversations.feedback import Feedback
from core.conversations.inbox import Inbound, Press
from core.conversations.knowledge_lookup import Asked, KnowledgeMatch, history_before
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Conversation, InteractionFeedback, Message, Turn
from core.errors import InvalidInput, NotFound, RasaUnavailable, Unavailable
from core.events import Hub, MessageStored, TurnEnded, Typing
from core.feedback import settings
from core.feedback.surveys import Ending
from testing.fake_rasa import FakeRasa
from testing.waiting import soon

TEXTS = Texts(failed="That failed.", waiting="Saved for later.")
ANSWER = [
    {"text": "Two to four days."},
    {
        "custom": {
            "rejoinder": {
                "outcome": "answered",
                "confidence": 0.9,
                "entries": [{"id": "e1", "version": 2, "score": 0.9, "external_id": None}],
                "sources": [{"title": "Delivery", "url": None}],
                "retrieval_ms": 3.5,
                "generation_ms": 0.0,
                "understanding": {"intent": "ask_delivery", "confidence": 0.8, "nlu_ms": 5.0},
            }
        }
    },
]


class Knowing:
    """Answers everything; fails once it is ``broken``."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.broken = False

    def match(self, asked: Asked) -> KnowledgeMatch | None:
        if self.broken:
            raise RuntimeError
        self.asked.append(asked)
        return KnowledgeMatch("sure", 0.8)


@asynccontextmanager
async def running(database: Database, rasa: FakeRasa, knowing: Knowing | None = None) -> AsyncIterator[Turns]:
    turns = Turns(database, rasa, Hub(), TEXTS, 4000, knowledge=knowing)  # type: ignore[arg-type]
    try:
        yield turns
    finally:
        await turns.stop()


async def say(turns: Turns, conversation: str, text: str, client_id: str = "c1") -> str:
    return (await turns.receive(Inbound(conversation, client_id, text))).turn_id


async def ended(turns: Turns, conversation: str) -> None:
    await soon(lambda: conversation not in turns._queues)


async def texts(turns: Turns, conversation: str) -> list[str]:
    return [message.text for message in await turns.history(conversation)]


async def test_an_answer_is_stored_with_all_that_is_known_about_it(database: Database) -> None:
    rasa = FakeRasa()
    rasa.answers.append(ANSWER)
    async with running(database, rasa) as turns:
        conversation = await turns.open("shop", "web")
        turn_id = await say(turns, conversation, "How long does delivery take?")
        await ended(turns, conversation)
        question, answer = await turns.history(conversation)
    with database.session() as session:
        turn = session.get_one(Turn, turn_id)
    assert (question.speaker, answer.speaker, answer.text) == ("customer", "bot", "Two to four days.")
    assert answer.rateable and answer.sources == ({"title": "Delivery", "url": None},)
    assert (turn.status, turn.outcome, turn.confidence, turn.channel) == ("answered", "answered", 0.9, "web")
    assert (turn.intent, turn.nlu_ms, turn.retrieval_ms, turn.generation_ms) == ("ask_delivery", 5.0, 3.5, 0.0)
    assert turn.entries[0]["id"] == "e1"
    assert turn.total_ms is not None and turn.tenant_id == "shop"


async def test_the_same_client_id_twice_is_one_message(database: Database) -> None:
    rasa = FakeRasa()
    async with running(database, rasa) as turns:
        conversation = await turns.open("shop", "web")
        first = await turns.receive(Inbound(conversation, "c1", "Hi"))
        second = await turns.receive(Inbound(conversation, "c1", "Hi"))
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "Hello!"]
    assert first.new and not second.new and first.message_id == second.message_id
    assert rasa.heard == ["Hi"]


async def test_the_same_client_id_at_the_same_moment_is_one_message(database: Database) -> None:
    rasa = FakeRasa()
    async with running(database, rasa) as turns:
        conversation = await turns.open("shop", "web")
        sent = [turns.receive(Inbound(conversation, "c1", "Hi")) for _ in range(5)]
        received = await asyncio.gather(*sent)
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "Hello!"]
    assert sorted(r.new for r in received) == [False] * 4 + [True]


async def test_messages_are_answered_in_order(sqlite: Database) -> None:
    rasa = FakeRasa()
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        for number in range(5):
            await say(turns, conversation, f"question {number}", f"c{number}")
        await ended(turns, conversation)
    assert rasa.heard == [f"question {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/restart", "restart"),
        ("  //session_start", "session start"),
        ('/greet{"a": 1}', "greet"),
        ('/ book_table { "day" : "Monday" }', "book table"),
        ("/", "|"),
        ("and/or", "and/or"),
    ],
)
async def test_what_a_customer_types_is_never_a_command(sqlite: Database, said: str, heard: str) -> None:
    rasa = FakeRasa()
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, said)
        await ended(turns, conversation)
        assert (await turns.history(conversation))[0].text == said.strip()
    assert rasa.heard == [heard]


async def test_a_button_sends_the_payload_that_we_issued(sqlite: Database) -> None:
    rasa = FakeRasa()
    rasa.answers.append([{"text": "Which?", "buttons": [{"title": "Refund", "payload": "/ask_refund"}]}])
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, "money")
        await ended(turns, conversation)
        offered = (await turns.history(conversation))[-1]
        assert offered.buttons == ("Refund",)
        with pytest.raises(NotFound):
            await turns.receive(Inbound(conversation, "c2", press=Press(offered.id, 7)))
        other = await turns.open("shop", "web")
        with pytest.raises(NotFound):
            await turns.receive(Inbound(other, "c2", press=Press(offered.id, 0)))
        await turns.receive(Inbound(conversation, "c2", press=Press(offered.id, 0)))
        await ended(turns, conversation)
        assert (await turns.history(conversation))[2].text == "Refund"
    assert rasa.heard == ["money", "/ask_refund"]


async def test_a_button_of_the_latest_answer_may_be_typed(sqlite: Database) -> None:
    rasa = FakeRasa()
    rasa.answers.append([{"text": "Which?", "buttons": [{"title": "Get a refund", "payload": "/ask_refund"}]}])
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        for number, text in enumerate(("money", "get a refund", "get a refund")):
            await say(turns, conversation, text, f"c{number}")
            await ended(turns, conversation)
    assert rasa.heard == ["money", "/ask_refund", "get a refund"], "said again after another answer it is a message"


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07", "\u200b\u200d", "x" * 4001])
async def test_nothing_and_too_much_are_refused_and_not_stored(sqlite: Database, text: str) -> None:
    async with running(sqlite, FakeRasa()) as turns:
        conversation = await turns.open("shop", "web")
        with pytest.raises(InvalidInput):
            await say(turns, conversation, text)
        assert await turns.history(conversation) == []


@pytest.mark.parametrize(
    "text", ["\U0001f600\U0001f44d", "مرحبا, where is my طلب?", "<script>alert(1)</script>", "'; DROP TABLE x;--"]
)
async def test_odd_texts_arrive_as_they_were_written(sqlite: Database, text: str) -> None:
    rasa = FakeRasa()
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, text)
        await ended(turns, conversation)
    assert rasa.heard == [text]


@pytest.mark.parametrize("answer", [[], Unavailable("cut off"), ValueError("a bug")])
async def test_a_failed_turn_gets_a_sentence_and_keeps_its_cause(sqlite: Database, answer: object) -> None:
    rasa = FakeRasa()
    rasa.answers.append(answer)  # type: ignore[arg-type]
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        turn_id = await say(turns, conversation, "Hi")
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "That failed."]
    with sqlite.session() as session:
        turn = session.get_one(Turn, turn_id)
        assert (turn.status, turn.outcome) == ("failed", "failed") and turn.error


async def test_a_turn_whose_answer_is_that_something_went_wrong_has_failed(sqlite: Database) -> None:
    rasa = FakeRasa()
    note = {"outcome": "failed", "error": "utter_default"}
    rasa.answers.append([{"text": "Sorry, that went wrong."}, {"custom": {"rejoinder": note}}])
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        turn_id = await say(turns, conversation, "Hi")
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "Sorry, that went wrong."]
    with sqlite.session() as session:
        turn = session.get_one(Turn, turn_id)
        assert (turn.status, turn.outcome, turn.error) == ("failed", "failed", "utter_default")


async def test_with_rasa_away_the_message_waits_and_is_answered_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE_SECONDS", 0.0)
    rasa = FakeRasa()
    rasa.away = True
    async with running(database, rasa) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, "Hi")
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "Saved for later."]
        await turns.recover()
        assert rasa.heard == []
        rasa.away = False
        await turns.recover()
        await ended(turns, conversation)
        await turns.recover()
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "Saved for later.", "Hello!"]
    assert rasa.heard == ["Hi"]


async def test_a_rasa_that_breaks_off_is_looked_up_before_it_is_asked_again(sqlite: Database) -> None:
    rasa = FakeRasa()
    rasa.answers.append(RasaUnavailable("broke off", maybe_heard=True))
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        received = await turns.receive(Inbound(conversation, "c1", "Hi"))
        rasa.tracker[received.turn_id] = ANSWER
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "Two to four days."]
    assert rasa.heard == ["Hi"]


async def test_after_a_crash_an_answer_that_rasa_gave_is_not_asked_for_again(sqlite: Database) -> None:
    rasa = FakeRasa()
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
    # stored by a process that died between Rasa's answer and our storing it
    with sqlite.session() as session:
        from core.conversations import inbox

        _, turn, _ = inbox.store_inbound_message(session, Inbound(conversation, "c1", "Hi"), 4000)
        rasa.tracker[turn.id] = ANSWER
    async with running(sqlite, rasa) as turns:
        await turns.recover()
        await ended(turns, conversation)
        assert await texts(turns, conversation) == ["Hi", "Two to four days."]
    assert rasa.heard == []


async def test_watchers_see_the_message_the_typing_and_the_answer(sqlite: Database) -> None:
    async with running(sqlite, FakeRasa()) as turns:
        conversation = await turns.open("shop", "web")
        with turns.hub.watch(conversation) as queue:
            await say(turns, conversation, "Hi")
            seen = [await asyncio.wait_for(queue.get(), 5) for _ in range(4)]
        assert [type(event) for event in seen] == [MessageStored, Typing, MessageStored, TurnEnded]
        assert not turns.hub.watched(conversation)


async def test_a_thumb_can_be_changed_and_belongs_to_its_conversation(database: Database) -> None:
    rasa = FakeRasa()
    rasa.answers.append(ANSWER)
    async with running(database, rasa) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, "How long?")
        await ended(turns, conversation)
        answer = (await turns.history(conversation))[-1]
        feedback = Feedback(database)
        await feedback.rate(conversation, answer.id, helpful=True, comment=None)
        await feedback.rate(conversation, answer.id, helpful=False, comment="No.")
        assert (await turns.history(conversation))[-1].helpful is False
        other = await turns.open("shop", "web")
        with pytest.raises(NotFound):
            await feedback.rate(other, answer.id, helpful=True, comment=None)
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(InteractionFeedback)) == 1
        assert session.scalars(select(InteractionFeedback)).one().comment == "No."


@pytest.mark.parametrize(("frequency", "asked"), [("always", True), ("never", False)])
async def test_thumbs_are_offered_as_often_as_the_tenant_wants(sqlite: Database, frequency: str, asked: bool) -> None:
    with sqlite.session() as session:
        settings.update_learning_settings(session, "shop", {"ask_feedback": frequency}, "test")
    rasa = FakeRasa()
    rasa.answers.append(ANSWER)
    async with running(sqlite, rasa) as turns:
        conversation = await turns.open("shop", "web")
        with turns.hub.watch(conversation) as queue:
            turn_id = await say(turns, conversation, "How long?")
            await ended(turns, conversation)
            seen = [queue.get_nowait() for _ in range(queue.qsize())]
        assert (await turns.history(conversation))[-1].rateable is asked
    assert [event.rateable for event in seen if isinstance(event, MessageStored)] == [False, asked]
    with sqlite.session() as session:
        assert session.get_one(Turn, turn_id).rateable


async def test_a_conversation_that_ended_goes_on_with_a_new_message(sqlite: Database) -> None:
    async with running(sqlite, FakeRasa()) as turns:
        conversation = await turns.open("shop", "web", "customer-1")
        await say(turns, conversation, "Hi")
        await ended(turns, conversation)
        feedback = Feedback(sqlite)
        assert await feedback.end(conversation) == Ending(closed=True, survey="csat")
        assert await feedback.answer(conversation, "csat", 5, "Nice") == Ending(closed=True, survey=None)
        await say(turns, conversation, "Hi again", "c2")
        await ended(turns, conversation)
        assert await feedback.ending(conversation) == Ending(closed=False, survey=None)
    with sqlite.session() as session:
        stored = session.get_one(Conversation, conversation)
        assert (stored.status, stored.closed_at, stored.customer_id) == ("open", None, "customer-1")


async def test_numbers_count_up_without_gaps(database: Database) -> None:
    async with running(database, FakeRasa()) as turns:
        conversation = await turns.open("shop", "web")
        for number in range(4):
            await say(turns, conversation, "Hi", f"c{number}")
        await ended(turns, conversation)
    with database.session() as session:
        numbers = session.scalars(select(Message.seq).order_by(Message.seq)).all()
    assert list(numbers) == list(range(1, 9))


async def test_a_turn_without_an_action_learns_its_intent_from_the_tracker(sqlite: Database) -> None:
    async with running(sqlite, FakeRasa()) as turns:
        conversation = await turns.open("shop", "web")
        turn_id = await say(turns, conversation, "Hi")
        await ended(turns, conversation)
    with sqlite.session() as session:
        turn = session.get_one(Turn, turn_id)
        assert (turn.intent, turn.intent_confidence, turn.nlu_ms) == ("greet", 0.97, 4.0)


async def test_what_the_knowledge_has_is_known_before_rasa_hears_the_message(database: Database) -> None:
    rasa, knowing = FakeRasa(), Knowing()
    rasa.answers.append(ANSWER)
    async with running(database, rasa, knowing) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, "How long does delivery take?")
        await ended(turns, conversation)
        turn_id = await say(turns, conversation, "/and to Spain?", "c2")
        await ended(turns, conversation)
    assert [told["knowledge"] for told in rasa.told] == [{"level": "sure", "confidence": 0.8}] * 2
    history = (("customer", "How long does delivery take?"), ("bot", "Two to four days."))
    assert knowing.asked[1] == Asked("shop", conversation, turn_id, "and to Spain?", history)


async def test_a_question_may_lean_on_what_a_customer_wanted_of_a_skill_but_not_on_what_its_form_asked(
    database: Database,
) -> None:
    said = (
        ("I want to cancel my order", "What is your order number?", "action", "cancel_order"),
        ("R104233", "Which e-mail address?", "action", "inform"),
        ("it is ada@example.com", "It is cancelled.", "action", "cancel_order"),
        ("How long does delivery take?", "Two to four days.", "answered", "ask_knowledge"),
    )
    with database.session() as session:
        conversation = Conversation(tenant_id="default", channel="web")
        session.add(conversation)
        session.flush()
        for question, answer, outcome, intent in (*said, ("and to France?", "", None, None)):
            turn = _stored(session, conversation, question, answer)
            turn.outcome, turn.intent = outcome, intent
        session.flush()
        assert history_before(session, turn.id) == (
            ("customer", "I want to cancel my order"),
            ("customer", "How long does delivery take?"),
            ("bot", "Two to four days."),
        )


def _stored(session: Session, conversation: Conversation, question: str, answer: str) -> Turn:
    about = {"tenant_id": "default", "conversation_id": conversation.id}
    asked = Message(**about, seq=conversation.next_seq(), speaker="customer", text=question)
    session.add(asked)
    session.flush()
    turn = Turn(**about, message_id=asked.id, channel="web")
    session.add(turn)
    session.flush()
    session.add(Message(**about, seq=conversation.next_seq(), speaker="bot", text=answer, turn_id=turn.id))
    return turn


async def test_a_press_is_what_it_is_whatever_the_knowledge_has(database: Database) -> None:
    rasa, knowing = FakeRasa(), Knowing()
    button = {"title": "How long does delivery take?", "payload": '/ask_entry{"entry": "e1"}'}
    rasa.answers.append([{"text": "Is it this?", "buttons": [button]}])
    async with running(database, rasa, knowing) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, "delivery")
        await ended(turns, conversation)
        offer = (await turns.history(conversation))[-1]
        await turns.receive(Inbound(conversation, "c2", press=Press(offer.id, 0)))
        await ended(turns, conversation)
    assert rasa.heard[-1] == '/ask_entry{"entry": "e1"}'
    assert rasa.told[-1]["pressed"] == "How long does delivery take?" and "knowledge" not in rasa.told[-1]
    assert len(knowing.asked) == 1


async def test_a_lookup_that_fails_costs_nobody_an_answer(database: Database) -> None:
    rasa, knowing = FakeRasa(), Knowing()
    knowing.broken = True
    async with running(database, rasa, knowing) as turns:
        conversation = await turns.open("shop", "web")
        await say(turns, conversation, "hello")
        await ended(turns, conversation)
        assert (await texts(turns, conversation))[-1] == "Hello!"
    assert "knowledge" not in rasa.told[0]
