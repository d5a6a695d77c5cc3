"""Finished conversations become analyses and suggested entries."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from core.db.models import Conversation, Message, ReviewItem
from core.errors import NotFound
from tests.knowledge.harvest.conftest import ANSWER, ANSWERED, ASKED, QUESTION, Desk

THANKS = "customer: Great, thank you!"


def test_what_a_person_answered_is_suggested_with_its_evidence(desk: Desk) -> None:
    (item,) = desk.harvest(ASKED, ANSWERED, THANKS)
    assert (item.questions, item.answer, item.kind, item.status) == ([QUESTION], ANSWER, "entry", "open")
    assert (item.asks, item.effect, item.language) == (1, 1.0, "en")
    assert item.expires_at is not None
    with desk.database.session() as session:
        message = session.get(Message, item.evidence[0]["message_id"])
    assert message is not None
    assert message.text == ANSWER


def test_the_same_conversation_twice_is_harmless(desk: Desk) -> None:
    desk.harvest(ASKED, ANSWERED)
    conversation_id = desk.analyses()[0].conversation_id
    assert desk.harvester.process(desk.tenant).conversations == 0
    again = desk.harvester.process_conversation(desk.tenant, conversation_id)
    assert (len(again.pairs), again.new, again.grown) == (1, 0, 0)
    (item,) = desk.items()
    assert (item.asks, len(item.evidence), len(desk.analyses())) == (1, 1, 1)


def test_the_same_question_in_other_words_is_more_evidence(desk: Desk) -> None:
    desk.hears(ASKED, ANSWERED)
    (item,) = desk.harvest("customer: do you deliver to northern ireland as well?", ANSWERED)
    assert (item.asks, item.effect, len(item.questions)) == (2, 2.0, 2)
    assert len({each["conversation_id"] for each in item.evidence}) == 2


def test_two_answers_that_contradict_are_two_suggestions(small_desk: Desk) -> None:
    other = (
        "agent: Yes, we deliver to all of the UK. Delivery to Northern Ireland takes nine working days and costs £9."
    )
    small_desk.hears(ASKED, ANSWERED)
    assert [item.asks for item in small_desk.harvest(ASKED, other)] == [1, 1]


def test_what_a_reviewer_decided_is_not_suggested_again(small_desk: Desk) -> None:
    small_desk.harvest(ASKED, ANSWERED)
    with small_desk.database.session() as session:
        session.execute(update(ReviewItem).values(status="rejected"))
    (item,) = small_desk.harvest(ASKED, ANSWERED)
    assert (item.status, item.asks) == ("rejected", 1)


def test_a_conversation_that_went_on_is_read_again(small_desk: Desk) -> None:
    small_desk.harvest(ASKED, ANSWERED)
    with small_desk.database.session() as session:
        conversation = session.scalars(select(Conversation)).one()
        more = (
            ("customer", "Can I return a lamp without its box?"),
            ("agent", "Yes, you can return a lamp without the box."),
        )
        for speaker, text in more:
            conversation.messages.append(
                Message(tenant_id=small_desk.tenant, seq=conversation.next_seq(), speaker=speaker, text=text)
            )
    assert [item.questions[0] for item in small_desk.harvest()] == [QUESTION, "Can I return a lamp without its box?"]
    assert small_desk.analyses()[0].last_seq == 4


def test_another_tenants_conversation_is_not_found(small_desk: Desk) -> None:
    small_desk.harvest(ASKED, ANSWERED)
    with pytest.raises(NotFound):
        small_desk.harvester.process_conversation("other", small_desk.analyses()[0].conversation_id)


def test_an_open_conversation_waits(small_desk: Desk) -> None:
    small_desk.hears(ASKED, ANSWERED)
    with small_desk.database.session() as session:
        session.execute(update(Conversation).values(status="open"))
    assert small_desk.harvest() == []


def test_a_conversation_that_cannot_be_read_keeps_no_other_one_back(
    small_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = small_desk.harvester._finder
    small_desk.hears("customer: Do you sell broken things?", "agent: No, we do not sell broken things.")
    small_desk.hears(ASKED, ANSWERED)
    real = finder.pairs

    def fails_once(transcript: object, *rest: object) -> object:
        if "broken" in transcript.said[0].text:
            raise ValueError("broken")
        return real(transcript, *rest)

    monkeypatch.setattr(finder, "pairs", fails_once)
    run = small_desk.harvester.process(small_desk.tenant)
    assert (run.conversations, run.failed, run.new) == (1, 1, 1)
    monkeypatch.undo()
    assert small_desk.harvester.process(small_desk.tenant).conversations == 1


def test_many_conversations_are_told_of_and_resumed(small_desk: Desk) -> None:
    for _ in range(3):
        small_desk.hears(ASKED, ANSWERED)
    told: list[int] = []
    assert small_desk.harvester.process(small_desk.tenant, tell=lambda run: told.append(run.conversations)).grown == 2
    assert told[-1] == 3
    assert small_desk.harvester.process(small_desk.tenant).conversations == 0
