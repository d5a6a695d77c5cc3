"""Who is upset, or had to wait, reads a sentence about it first: a message of its own beside an answer that stays as it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.bot.parts import BotParts
from core.bot.texts import Texts
from core.conversations.inbox import Inbound
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Message, get_current_time
from core.events import Hub
from core.handoffs import settings
from core.sentiment import Mood
from testing.fake_rasa import FakeRasa
from tests.core.test_turns import ended

TEXTS = Texts.load(BotParts())
OPENINGS = {said for texts in (TEXTS, *TEXTS.translated.values()) for said in texts.empathy}


def feels(text: str) -> Mood | None:
    return Mood("negative") if "bad" in text or "خراب" in text else None


class Talk:
    """One customer on the web; the bot says what the test says."""

    def __init__(self, database: Database, **chosen: Any) -> None:
        self.database, self.rasa, self.number = database, FakeRasa(), 0
        self.turns = Turns(database, self.rasa, Hub(), TEXTS, 4000, sentiment=feels)  # type: ignore[arg-type]
        with database.session() as session:
            settings.update_handoff_settings(session, "shop", {"negative": 0, **chosen}, "test")

    async def say(self, text: str, answer: str, outcome: str = "answered", minutes: float = 0) -> list[str]:
        """What the customer reads who wrote so many minutes before it came to us."""
        if not self.number:
            self.conversation_id = await self.turns.open("shop", "web", "ada")
        self.number += 1
        written = get_current_time() - timedelta(minutes=minutes) if minutes else None
        self.rasa.answers.append([{"text": answer}, {"custom": {"rejoinder": {"outcome": outcome, "entries": []}}}])
        received = await self.turns.receive(Inbound(self.conversation_id, f"c{self.number}", text, sent_at=written))
        await ended(self.turns, self.conversation_id)
        return [m.text for m in await self.turns.history(self.conversation_id, received.seq) if m.speaker == "bot"]


async def test_before_what_is_no_answer_only_an_angry_customer_reads_that_we_are_sorry(sqlite: Database) -> None:
    for outcome in ("clarified", "unknown"):
        assert await Talk(sqlite).say("It is bad", "I don't know.", outcome) == ["I don't know."]


@pytest.mark.parametrize("outcome", ["answered", "suggested"])
async def test_an_upset_customer_reads_that_we_are_sorry_and_then_the_answer_word_for_word(
    sqlite: Database, outcome: str
) -> None:
    opening, answer = await Talk(sqlite).say("It is bad", "Refunds take 5 days.", outcome)
    assert opening in TEXTS.empathy and answer == "Refunds take 5 days."
    with sqlite.session() as session:
        stored = session.query(Message).filter_by(speaker="bot").order_by(Message.seq).all()
        assert [(m.text in OPENINGS, m.turn_id is None) for m in stored] == [(True, True), (False, False)]


async def test_it_is_said_in_urdu_to_who_writes_urdu(sqlite: Database) -> None:
    opening, _ = await Talk(sqlite).say("سروس بہت خراب ہے", "Refunds take 5 days.")
    assert opening in TEXTS.said_in("ur").empathy


async def test_it_is_not_said_twice_in_a_row(sqlite: Database) -> None:
    talk = Talk(sqlite)
    said = [await talk.say("this is bad", f"Answer {n}.") for n in range(3)]
    assert [len(each) for each in said] == [2, 1, 2]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("so it is", "answered"), ("it is bad", "action"), ("it is bad", "handoff"), ("bad", "answered")],
)
async def test_it_is_not_said_otherwise(sqlite: Database, text: str, outcome: str) -> None:
    assert OPENINGS.isdisjoint(await Talk(sqlite).say(text, "So it is.", outcome))


async def test_it_is_not_said_once_a_person_has_the_word(sqlite: Database) -> None:
    talk = Talk(sqlite)
    await talk.say("A person please", "A person comes.", "handoff")
    assert await talk.say("It is bad", "Refunds take 5 days.") == []


@pytest.mark.parametrize("outcome", ["answered", "unknown", "action", "handoff"])
async def test_who_wrote_over_an_hour_ago_reads_that_we_are_sorry_before_any_answer(
    sqlite: Database, outcome: str
) -> None:
    assert await Talk(sqlite).say("fine", "So it is.", outcome, minutes=61) == [TEXTS.late, "So it is."]
    assert await Talk(sqlite).say("fine", "So it is.", outcome, minutes=59) == ["So it is."]


async def test_it_is_said_once_for_all_that_was_written_before_it(sqlite: Database) -> None:
    talk = Talk(sqlite)
    said = [await talk.say("fine", f"Answer {n}.", minutes=200 - n) for n in range(3)]
    assert [len(each) for each in said] == [2, 1, 1]


async def test_it_is_said_before_a_person_is_announced_too(sqlite: Database) -> None:
    said = await Talk(sqlite, negative=1).say("It is bad", "It is on its way.", minutes=61)
    assert said[0] == TEXTS.late and said[-2] == "It is on its way."
    assert said[-1] in {TEXTS.handoff, TEXTS.handoff_nobody}
