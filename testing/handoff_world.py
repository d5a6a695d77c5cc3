"""A small world for handoffs: customers, a bot, staff at two desks, vendors that fail, crashes; and what must never happen.

The real `Turns`, `HandoffService` and `Deliverer` run on a database in memory. What is written is watched as it is
written (`Witness`), not asked of the code under test.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

from core import customers
from core.bot.texts import Texts
from core.conversations.feedback import Feedback
from core.conversations.inbox import Inbound, InboundSender
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Base, Conversation, Delivery, Handoff, HandoffTransition, Message, Turn, get_current_time
from core.delivery.deliverer import Deliverer
from core.delivery.desk import DeskSender
from core.delivery.payload import Outgoing, Sent
from core.errors import Conflict, Retry, Unknown
from core.events import Hub
from core.handoffs import settings
from core.handoffs.scheduler import HandoffWatch
from core.handoffs.service import HandoffService
from core.handoffs.staff.views import Thread
from core.handoffs.states import PERSON
from core.rasa import RasaItem
from core.sentiment import Mood

T = TypeVar("T")
TENANT = "shop"
TEXTS = Texts(failed="That failed.", waiting="Saved for later.")
INVARIANTS = (
    "bot messages while a person has the word",
    "requests that alerted nobody",
    "replies lost",
    "replies doubled",
    "replies in the wrong conversation",
    "customer messages lost or doubled",
    "not forwarded to the desk",
    "out of order",
    "loops",
)


class Witness:
    """Writes down messages and transitions in the order in which they are committed."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.seen: list[tuple[str, str, Any]] = []
        """(conversation, "message" or "transition", speaker or state)"""
        self._pending: list[tuple[str, str, Any]] = []
        event.listen(sessions, "after_flush", self._flushed)
        event.listen(sessions, "after_commit", self._committed)
        event.listen(sessions, "after_rollback", lambda _: self._pending.clear())

    def _flushed(self, session: Session, _: object) -> None:
        for row in session.new:
            if isinstance(row, Message):
                self._pending.append((row.conversation_id, "message", row.speaker))
            elif isinstance(row, HandoffTransition):
                handoff = session.get_one(Handoff, row.handoff_id)
                self._pending.append((handoff.conversation_id, "transition", row.to_state))

    def _committed(self, _: Session) -> None:
        self.seen += self._pending
        self._pending.clear()


_EMPTY = "".join(f"DELETE FROM {table.name};" for table in reversed(Base.metadata.sorted_tables))


class MemoryDatabase(Database):
    """SQLite in memory, without threads: a coroutine's work is done at once.

    All transactions go through one session, since none runs beside another; what it read once by its key is not read again.
    """

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        Base.metadata.create_all(self.engine)
        self.witness = Witness(self._sessions)
        self._session, self._known = self._sessions(), list[object]()
        for known in ("loaded_as_persistent", "pending_to_persistent"):
            event.listen(self._session, known, lambda _, row: self._known.append(row))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._session.begin():
            yield self._session

    def empty(self) -> None:
        """As new."""
        with self.engine.connect() as connection:
            sqlite: Any = connection.connection.driver_connection
            sqlite.executescript(_EMPTY)
        self._session.expunge_all()
        self._known.clear()
        self.witness.seen.clear()

    async def run(self, work: Callable[[Session], T]) -> T:
        await asyncio.sleep(0)
        with self.session() as session:
            return work(session)

    def close(self) -> None:
        self._session.close()
        self.engine.dispose()


@dataclass
class Bot:
    """Answers when it is told to; remembers nothing."""

    choose: random.Random
    asked: int = 0
    recorded: int = 0

    async def say(self, conversation_id: str, text: str, channel: str, metadata: dict[str, str]) -> list[RasaItem]:
        self.asked += 1
        for _ in range(self.choose.randrange(6)):
            await asyncio.sleep(0)
        if "person" in text:
            return _answer("A person comes.", "handoff")
        if "unknown" in text:
            return _answer("I don't know.", "unknown")
        if "promise" in text:
            return _answer("One of our team will contact you.", "answered")
        if "choose" in text:
            return [{"text": "Which?", "buttons": [{"title": "Refund", "payload": "/refund"}]}]
        return _answer("Two to four days.", "answered")

    press = say

    async def answer_to(self, conversation_id: str, turn_id: str) -> list[RasaItem]:
        return []

    async def record(self, conversation_id: str, said: list[tuple[str, str]]) -> None:
        self.recorded += len(said)

    async def latest_message(self, conversation_id: str) -> dict[str, Any]:
        return {}

    async def ready(self) -> bool:
        return True


def _answer(text: str, outcome: str) -> list[RasaItem]:
    return [{"text": text}, {"custom": {"rejoinder": {"outcome": outcome, "understanding": {"intent": "x"}}}}]


@dataclass
class Vendor:
    """Takes what it is given, or fails: before it took it, after it took it, or for good."""

    choose: random.Random
    got: list[Outgoing] = field(default_factory=list)
    failing: float = 0.3
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, outgoing: Outgoing) -> Sent:
        luck = self.choose.random()
        await asyncio.sleep(0)
        if luck < self.failing / 3:
            raise Retry("busy", after=1)
        self.got.append(outgoing)
        if luck < self.failing * 2 / 3:
            raise Unknown("broke off")
        if luck < self.failing:
            await self.hangs.wait()  # killed in the middle
        return Sent(f"v{len(self.got)}")


@dataclass
class Desk(Vendor):
    """A desk with threads."""

    async def alert(self, outgoing: Outgoing) -> Thread:
        sent = await self.send(outgoing)
        assert sent
        return outgoing.thread or Thread("w", "c", outgoing.handoff.id if outgoing.handoff else "")

    async def forward(self, outgoing: Outgoing) -> str | None:
        return (await self.send(outgoing)).vendor_id

    async def update(self, outgoing: Outgoing) -> str | None:
        return (await self.send(outgoing)).vendor_id


def feel(text: str) -> Mood | None:
    """Angry where it says so."""
    return Mood("angry", "high") if "angry" in text else Mood()


class World:
    """Three conversations, on the web and on a channel that calls its vendor."""

    def __init__(self, seed: int, database: MemoryDatabase) -> None:
        self.choose = random.Random(seed)
        self.database = database
        self.at = get_current_time()
        self.phone, self.desk = Vendor(self.choose), Desk(self.choose)
        self.bot = Bot(self.choose)
        self.numbers = itertools.count(1)
        self.conversations: list[str] = []
        self.sent: list[Inbound] = []
        self.replies: dict[str, tuple[str, str]] = {}
        """Event id -> (conversation, text) of replies that were accepted."""
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        """What staff did, to be repeated."""

    async def begin(self) -> None:
        with self.database.session() as session:
            settings.update_handoff_settings(
                session, TENANT, {"desks": ["console", "slack"], "on_call": ["ana", "ben"]}, "test"
            )
        self._boot()
        await self.deliverer.start()
        self.conversations = [await self.turns.open(TENANT, "web", f"browser-{n}") for n in range(2)]
        await self.customer(2, "Hi")

    def _boot(self) -> None:
        senders: dict[str, Any] = {
            "web": self.phone,
            "text": self.phone,
            "console": DeskSender(Desk(self.choose, failing=0.0), self.database),
            "slack": DeskSender(self.desk, self.database),
        }
        self.deliverer = Deliverer(self.database, senders, self.clock)
        self.service = HandoffService(self.database, TEXTS, self.deliverer.wake, self.clock)
        self.feedback = Feedback(self.database, self.service.consider_thumbs)
        self.watch = HandoffWatch(self.database, TEXTS, self.deliverer.wake, self.clock)
        self.turns = Turns(
            self.database,
            self.bot,  # type: ignore[arg-type]
            Hub(),
            TEXTS,
            4000,
            sentiment=feel,
            wake=self.deliverer.wake,
        )

    def clock(self) -> datetime:
        return self.at

    # ---- events

    async def customer(self, which: int, text: str) -> None:
        """A customer writes: 0 and 1 on the web, 2 on a phone."""
        number = f"m{next(self.numbers)}"
        if which == 2:
            inbound = Inbound(None, number, text, sender=InboundSender(TENANT, "text", "+447700900123"))
        else:
            inbound = Inbound(self.conversations[which], number, text)
        self.sent.append(inbound)
        received = await self.turns.receive(inbound)
        if which == 2 and received.conversation_id not in self.conversations:
            self.conversations.append(received.conversation_id)

    async def again(self) -> None:
        """A vendor repeats an old message."""
        if self.sent:
            received = await self.turns.receive(self.choose.choice(self.sent))
            assert not received.new

    async def staff(self, what: str, which: int, by: str) -> None:
        """Staff claim, reply, return, close or take over, at a desk; what is not possible is refused."""
        conversation_id = self.conversations[which % len(self.conversations)]
        with self.database.session() as session:
            query = select(Handoff.id).filter_by(conversation_id=conversation_id).order_by(Handoff.id.desc())
            handoff_id = session.scalar(query.limit(1))
        number = f"e{next(self.numbers)}"
        if what == "take_over":
            await self._try(what, self.service.take_over, TENANT, conversation_id, by, number)
        elif handoff_id:
            await self._do(what, handoff_id, by, number, conversation_id)

    async def _do(self, what: str, handoff_id: str, by: str, number: str, conversation_id: str) -> None:
        if what != "reply":
            await self._try(what, getattr(self.service, what), TENANT, handoff_id, by, number)
            return
        try:
            await self._reply(handoff_id, f"reply {number}", by, number)
        except Conflict:
            return
        self.replies[number] = (conversation_id, f"reply {number}")
        self.events.append(("reply", (handoff_id, f"reply {number}", by, number)))

    async def repeat(self) -> None:
        """A desk repeats an event."""
        if self.events:
            what, values = self.choose.choice(self.events)
            await (self._reply(*values) if what == "reply" else getattr(self.service, what)(*values))

    async def _reply(self, handoff_id: str, text: str, by: str, number: str) -> None:
        await self.service.reply(TENANT, handoff_id, text, by, desk="slack", event_id=number)

    async def _try(self, what: str, do: Callable[..., Awaitable[object]], *values: Any) -> None:
        try:
            if what == "close":
                await self.service.close(*values[:3], event_id=values[3])
                return
            await do(*values)
        except Conflict:
            return
        self.events.append((what, values))

    async def leave(self, which: int) -> None:
        """The customer ends the conversation."""
        await self.feedback.end(self.conversations[which % len(self.conversations)])

    async def thumb(self, which: int) -> None:
        """The last answer did not help."""
        conversation_id = self.conversations[which % len(self.conversations)]
        answers = [m.id for m in await self.turns.history(conversation_id) if m.rateable]
        if answers:
            await self.feedback.rate(conversation_id, answers[-1], helpful=False, comment=None)

    async def hours(self, attended: bool) -> None:
        """The office opens or closes."""
        with self.database.session() as session:
            settings.update_handoff_settings(session, TENANT, {"office_hours": None if attended else {}}, "test")

    async def move(self) -> None:
        """A customer of the web goes on by phone."""
        with self.database.session() as session:
            conversation = Conversation.lock(session, self.conversations[0])
            assert conversation
            customers.verify_address(session, TENANT, "text", "+447700900999", self.at)
            customers.move_conversation(session, conversation, "text", "+447700900999", "customer")

    async def wait(self, minutes: float) -> None:
        """Time passes."""
        self.at += timedelta(minutes=minutes)
        await self.watch.tick()

    async def step(self) -> None:
        """Whatever runs beside goes on a little."""
        for _ in range(self.choose.randrange(8)):
            await asyncio.sleep(0)

    async def crash(self) -> None:
        """All processes are killed and started again."""
        tasks = [
            *self.turns._tasks,
            *self.deliverer._sending,
            *([self.deliverer._loop] if self.deliverer._loop else []),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._boot()
        await self.deliverer.start()
        await self.turns.recover()

    # ---- the end

    async def settle(self) -> None:
        """Everything works again, and goes on until nothing is left to do."""
        self.phone.failing = self.desk.failing = 0.0
        await self.crash()
        if self.deliverer._loop:
            self.deliverer._loop.cancel()
            await asyncio.gather(self.deliverer._loop, return_exceptions=True)
        for _ in range(1000):
            self.at += timedelta(minutes=6)
            await self.turns.recover()
            tasks = list(self.turns._tasks)
            await asyncio.gather(*tasks, return_exceptions=True)
            if not await self.deliverer.deliver_due() and not tasks and not self.deliverer._sending:
                return
            await asyncio.gather(*self.deliverer._sending, return_exceptions=True)
        self.stuck = True

    stuck = False

    def violations(self) -> Counter[str]:
        """How often each thing happened that must never happen."""
        found = Counter[str]()
        with self.database.session() as session:
            messages = session.scalars(select(Message).order_by(Message.seq)).all()
            transitions = session.scalars(select(HandoffTransition)).all()
            deliveries = session.scalars(select(Delivery).order_by(Delivery.seq)).all()
            turns = session.scalars(select(Turn)).all()
        found[INVARIANTS[0]] = self._spoken_out_of_turn()
        self._alerts(found, transitions, deliveries)
        self._replies(found, messages)
        self._customers(found, messages, turns)
        self._forwarded(found, messages, turns, deliveries)
        self._order(found)
        answered = Counter(m.turn_id for m in messages if m.speaker == "bot" and m.turn_id)
        found["loops"] += int(self.stuck) + sum(count > 3 for count in answered.values())
        return found

    def _spoken_out_of_turn(self) -> int:
        states: dict[str, str] = {}
        wrong = 0
        for conversation_id, kind, what in self.database.witness.seen:
            if kind == "transition":
                states[conversation_id] = what
            elif what == "bot" and states.get(conversation_id, "bot") in PERSON:
                wrong += 1
        return wrong

    def _alerts(self, found: Counter[str], transitions: Any, deliveries: Any) -> None:
        alerted = {(d.key, d.destination) for d in deliveries if d.kind == "alert"}
        shown = {each.id for each in self.desk.got}
        arrived = {d.key for d in deliveries if d.kind == "alert" and d.destination == "slack" and d.id in shown}
        for transition in transitions:
            if transition.event == "request":
                there = (transition.id, "slack") in alerted and transition.id in arrived
                found["requests that alerted nobody"] += not there

    def _replies(self, found: Counter[str], messages: Any) -> None:
        stored = [m for m in messages if m.speaker == "agent"]
        by_text = Counter(m.text for m in stored)
        got = Counter(o.message.id for o in self.phone.got if o.message and not o.maybe_sent)
        for conversation_id, text in self.replies.values():
            found["replies lost"] += by_text[text] == 0
            found["replies doubled"] += max(0, by_text[text] - 1)
            mine = [m for m in stored if m.text == text]
            found["replies in the wrong conversation"] += sum(m.conversation_id != conversation_id for m in mine)
        arrived = {o.message.id for o in self.phone.got if o.message}
        found["replies lost"] += sum(m.id not in arrived for m in stored)
        found["replies doubled"] += sum(max(0, got[m.id] - 1) for m in stored)
        found["replies in the wrong conversation"] += sum(
            o.message.id not in {m.id for m in messages if m.conversation_id == o.conversation_id}
            for o in self.phone.got
            if o.message
        )

    def _customers(self, found: Counter[str], messages: Any, turns: Any) -> None:
        stored = Counter(m.client_id for m in messages if m.speaker == "customer")
        found["customer messages lost or doubled"] += sum(stored[inbound.client_id] != 1 for inbound in self.sent)
        found["customer messages lost or doubled"] += sum(turn.status == "waiting" for turn in turns)

    def _forwarded(self, found: Counter[str], messages: Any, turns: Any, deliveries: Any) -> None:
        """What a customer said while a person had the word; what was said before is in the transcript."""
        told = {(d.message_id, d.destination) for d in deliveries if d.handoff_id and d.message_id}
        state: dict[str, str] = {}
        numbers: Counter[str] = Counter()
        by_seq = {(m.conversation_id, m.seq): m for m in messages}
        for conversation_id, kind, what in self.database.witness.seen:
            if kind == "transition":
                state[conversation_id] = what
                continue
            numbers[conversation_id] += 1
            message = by_seq[conversation_id, numbers[conversation_id]]
            if what == "customer" and state.get(conversation_id, "bot") in PERSON:
                found["not forwarded to the desk"] += (message.id, "slack") not in told

    def _order(self, found: Counter[str]) -> None:
        for vendor in (self.phone, self.desk):
            last: dict[tuple[str, str], int] = {}
            for outgoing in vendor.got:
                if outgoing.message and outgoing.kind == "message":
                    lane = outgoing.conversation_id, outgoing.destination
                    found["out of order"] += outgoing.message.seq < last.get(lane, 0)
                    last[lane] = outgoing.message.seq


EVENTS = (
    *(("customer", which, text) for which in range(3) for text in ("Hi", "person", "unknown", "angry", "promise")),
    *(("staff", what, which, by) for what in ("claim", "reply", "reply", "give_back", "close", "take_over") for which in range(3) for by in ("ana", "ben")),
    *(("wait", minutes) for minutes in (0.01, 1.0, 4.0, 40.0)),
    ("again",), ("again",), ("repeat",), ("repeat",), ("step",), ("step",), ("step",), ("crash",),
    *((name, which) for name in ("leave", "thumb") for which in range(3)),
    ("hours", True), ("hours", False), ("move",),
)  # fmt: skip


async def play(database: MemoryDatabase, seed: int, happenings: Iterable[tuple[Any, ...]]) -> Counter[str]:
    """One sequence from its beginning to its end; the violations."""
    world = World(seed, database)
    await world.begin()
    for name, *values in happenings:
        await getattr(world, name)(*values)
    await world.settle()
    found = world.violations()
    database.empty()
    return found
