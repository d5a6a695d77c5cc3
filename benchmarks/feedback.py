"""`bench feedback`: WhatsApp rating sequences through the real webhook, signed; is each rating bound to the answer that was meant?

A sequence is one customer's: one to three answers, then ratings by button, quote, reaction or words (English, Urdu, Roman Urdu, thumbs),
some late, out of order, changed, repeated by the vendor, after the 24 hours' window, or after the conversation was closed; and words that
look like ratings and are not. Who made the sequence knows which answer was meant: words without a quote mean the last answer that the
customer has read. Rasa is a double that answers at once, Twilio is a fake at the wire; everything between is the real thing.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select, update

from benchmarks.report import Result, at_least, at_most
from core.conversations import lifecycle
from core.db import Database
from core.db.models import Address, Conversation, Delivery, InteractionFeedback, Message, get_current_time
from core.db.upgrade import upgrade_database
from testing.twilio import FakeTwilio, Taken
from testing.twilio_rig import Rig, answer

SEQUENCES, SEED, GOAL = 600, 7, 0.99
WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "thumb": (("👍", "👍🏻", "👍👍"), ("👎", "👎🏾", "👎 👎")),
    "number": (("1", "1.", "۱"), ("2", " 2 ", "۲")),  # noqa: RUF001 - digits of Urdu
    "english": (("yes", "Yes!", "Yeah", "helpful", "yes thanks"), ("no", "Nope.", "not helpful", "No", "not really")),
    "urdu": (("ہاں", "جی ہاں", "جی", "بالکل"), ("نہیں", "جی نہیں", "نہ")),
    "roman urdu": (("haan", "ji haan", "jee", "han ji", "bilkul"), ("nahi", "nahin", "ji nahi", "nai", "nhi")),
}
QUESTIONS = ("Shall I cancel it?", "Do you mean the blue one?")
WAYS = ("button", "button late", "buttons out of order", "words", "words", "words", "quote", "reaction", "changed", "repeated",
        "not read yet", "after the window", "closed", "no rating")  # fmt: skip


@dataclass
class Customer:
    """One sequence."""

    rig: Rig
    number: str
    choose: random.Random
    expected: dict[str, bool] = field(default_factory=dict)
    """Id of Twilio's message -> thumb."""
    kinds: set[str] = field(default_factory=set)

    async def run(self, way: str) -> None:
        """Answers, then what the customer does."""
        shown = [await self._answered(n) for n in range(self.choose.randint(1, 3))]
        last, any_ = shown[-1], self.choose.choice(shown)
        self.kinds.add(way)
        if way == "no rating":
            await self._no_rating()
        elif way == "buttons out of order":
            for each in self.choose.sample(shown, len(shown)):
                await self._press(each)
        elif way in {"button", "button late", "after the window"}:
            await self._time_passes(way)
            await (self._words(last) if way == "after the window" and self.choose.random() < 0.5 else self._press(any_))
        elif way == "closed":
            await self._time_passes(way)
            await self._words(last)
        elif way == "quote":
            await self._words(any_, OriginalRepliedMessageSid=any_.sid)
        elif way == "not read yet":
            await self._ask("One more", "A newer answer.")
            await self._words(last)
        elif way == "reaction":
            await self._words(any_, "thumb", "reaction", OriginalRepliedMessageSid=any_.sid)
        else:
            await self._again(last, way)

    async def _again(self, last: Taken, way: str) -> None:
        first = await self._words(last) if self.choose.random() < 0.5 else await self._press(last)
        if way == "words":
            return
        if way == "changed":
            self._read()
            await self._words(last)
        else:
            await self.rig.post(first)

    async def _answered(self, n: int) -> Taken:
        await self._ask(f"Question {n}", f"Answer {n} for {self.number}.")
        self._read()
        return [m for m in self.rig.twilio.messages if m.to.endswith(self.number) and m.body.startswith("Answer")][-1]

    async def _ask(self, question: str, said: str, outcome: str = "answered") -> None:
        self.rig.rasa.answers.append(answer(said, outcome=outcome))
        await self._post("text", Body=question)

    async def _press(self, shown: Taken) -> dict[str, str]:
        helpful = self.choose.random() < 0.6
        title, payload = shown.buttons[0 if helpful else 1]
        self.expected[shown.sid] = helpful
        return await self._post("button", Body=title, ButtonText=title, ButtonPayload=payload)

    async def _words(self, shown: Taken, of: str = "", event: str = "text", **fields: str) -> dict[str, str]:
        helpful, of = self.choose.random() < 0.6, of or self.choose.choice(list(WORDS))
        self.expected[shown.sid] = helpful
        self.kinds.add(of)
        return await self._post(event, Body=self.choose.choice(WORDS[of][0 if helpful else 1]), **fields)

    async def _no_rating(self) -> None:
        """A yes to what the bot asked, and a sentence that begins like one."""
        await self._ask("Change my order", self.choose.choice(QUESTIONS), "action")
        self._read()
        await self._post(
            "text", Body=self.choose.choice(("yes", "haan", "نہیں", "no, the other one", "yes please do that"))
        )

    async def _time_passes(self, way: str) -> None:
        with self.rig.database.session() as session:
            here = session.scalars(select(Conversation).filter_by(address=self.number)).one()
            if way == "closed":
                lifecycle.close_conversation(session, here.id)
            if way == "after the window":
                past = get_current_time() - timedelta(hours=30)
                session.execute(update(Address).filter_by(address=self.number).values(last_inbound_at=past))

    def _read(self) -> None:
        """The customer has read what came: it was sent some time ago."""
        with self.rig.database.session() as session:
            for row in session.scalars(select(Delivery).filter_by(address=self.number, state="sent")):
                row.sent_at = row.created_at - timedelta(minutes=1)

    async def _post(self, event: str, **fields: str) -> dict[str, str]:
        posted = self.rig.event(event, From=f"whatsapp:{self.number}", **fields)
        if await self.rig.post(posted) != 200:
            raise AssertionError("the webhook refused it")
        await self.rig.settle()
        return posted


def run(_: Path) -> Result:
    """Replay, then compare what is stored with what was meant."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    return asyncio.run(_run())


async def _run() -> Result:
    choose = random.Random(SEED)
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        twilio, database = stack.enter_context(FakeTwilio()), Database(f"sqlite:///{home / 'bench.db'}")
        upgrade_database(database)
        rig = await stack.enter_async_context(Rig(database, twilio, home, per_minute=100_000).running())
        customers = [Customer(rig, f"+4477{n:08d}", choose) for n in range(SEQUENCES)]
        for n, customer in enumerate(customers):
            await customer.run(WAYS[n % len(WAYS)])
        figures = _compared(rig, customers)
        database.close()
    return {
        "figures": figures,
        "targets": [
            at_least("ratings bound to the right answer", figures["bound"], GOAL),
            at_most("ratings that nobody gave", figures["not_given"], 0),
        ],
        "notes": [
            '0.9867 when first run: all 8 misses were the spelling "han ji", which the lists had not; they and the sequences have one author',
            "the sequences are made by a seeded generator; no public set of rating sequences exists",
        ],
    }


def _compared(rig: Rig, customers: list[Customer]) -> dict[str, Any]:
    with rig.database.session() as session:
        query = select(Delivery.vendor_id, InteractionFeedback.helpful)
        query = query.join(Message, Message.id == Delivery.message_id)
        query = query.join(InteractionFeedback, InteractionFeedback.message_id == Message.id)
        stored = {sid: helpful for sid, helpful in session.execute(query) if helpful is not None}
    meant = {sid: helpful for customer in customers for sid, helpful in customer.expected.items()}
    right, all_ = Counter[str](), Counter[str]()
    for customer in customers:
        good = all(stored.get(sid) is helpful for sid, helpful in customer.expected.items())
        for kind in customer.kinds:
            all_[kind] += 1
            right[kind] += good
    return {
        "sequences": len(customers),
        "ratings": len(meant),
        "bound": round(sum(stored.get(sid) is helpful for sid, helpful in meant.items()) / len(meant), 4),
        "not_given": len(stored.keys() - meant.keys()),
        "by_kind": {kind: f"{right[kind]} of {count}" for kind, count in sorted(all_.items())},
    }
