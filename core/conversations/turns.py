"""Answers conversations one turn after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Literal

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import customers
from core.bot.texts import Texts
from core.conversations import inbox, ownership, replies
from core.conversations.inbox import Inbound, Offered, Received
from core.conversations.knowledge_lookup import Asked, KnowledgeLookup, NoKnowledge, history_before
from core.db import Database
from core.db.models import Conversation, Message, Turn
from core.errors import RasaUnavailable, RejoinderError, Unavailable
from core.events import Hub, MessageStored, TurnEnded, Typing
from core.handoffs.customer_status import CustomerStatus, get_handoff_standing
from core.messages import as_event, messages_after
from core.rasa import Rasa, RasaItem, escape_commands
from core.rasa.answer import RasaAnswer, extract_understanding, parse_rasa_answer
from core.sentiment import LEARNT, Sentiment, skip_sentiment

log = structlog.get_logger()

PATIENCE_SECONDS = 4.0
"""How long a customer waits for a Rasa that is away before being told."""
RECOVERY_SECONDS = 2.0
UPSET = ("negative", "angry")


@dataclass(frozen=True)
class Job:
    """A turn to be answered."""

    turn_id: str
    conversation_id: str
    tenant_id: str
    channel: str
    text: str
    """What the customer wrote, as Rasa hears it, or the title of the button that they pressed."""
    payload: str = ""
    """That of the button."""
    sentiment: str = ""
    """How the message sounds, where that is known."""
    again: bool = False
    """It was tried before, so Rasa may have heard it already."""


class Turns:
    """Stores what customers say and gets it answered, one turn of a conversation at a time."""

    def __init__(
        self,
        database: Database,
        rasa: Rasa,
        hub: Hub,
        texts: Texts,
        max_chars: int,
        *,
        sentiment: Sentiment = skip_sentiment,
        knowledge: KnowledgeLookup | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """``knowledge`` is asked before Rasa; ``wake`` is called when something may be due in the outbox."""
        self.hub = hub
        self._database = database
        self._rasa = rasa
        self._texts = texts
        self._max_chars = max_chars
        self._sentiment = sentiment
        self._knowledge = knowledge or NoKnowledge()
        self._wake = wake
        self._queues: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, tenant_id: str, channel: str, customer_id: str | None = None) -> str:
        """Begin a conversation; its id."""

        def create_conversation(session: Session) -> str:
            customer = customers.get_or_create_customer(session, tenant_id, customer_id).id if customer_id else None
            conversation = Conversation(tenant_id=tenant_id, channel=channel, customer_id=customer)
            session.add(conversation)
            session.flush()
            return conversation.id

        return await self._database.run(create_conversation)

    async def receive(self, inbound: Inbound) -> Received:
        """Store a message, then have it answered in the background; the same client id again changes nothing.

        While a person has the word it goes to them, and the bot is not asked.

        Raises:
            NotFound: there is no such conversation, message or button.
            InvalidInput: the text is empty or too long.
        """
        felt = inbound.text and self._texts.recogniser.language_of([inbound.text]) in LEARNT
        mood = await asyncio.to_thread(self._sentiment, inbound.text) if inbound.text and felt else None

        def store_received_message(session: Session) -> tuple[Received, Job | None, list[MessageStored]]:
            message, turn, new = inbox.store_inbound_message(session, inbound, self._max_chars, mood)
            received = Received(message.conversation_id, message.id, turn.id, message.seq, new)
            if not new:
                return received, None, []
            said = ownership.instead_of_bot(session, message.conversation, message, turn, self._texts)
            job = _build_job(turn, message) if said is None else None
            return received, job, [as_event(each) for each in (message, *(said or ()))]

        received, job, events = await self._database.run(store_received_message)
        for event in events:
            self.hub.publish(received.conversation_id, event)
        if job:
            self._enqueue_job(job)
        elif events:
            self.hub.publish(received.conversation_id, TurnEnded(received.turn_id, None))
            self._wake()
        return received

    async def offered(self, inbound: Inbound) -> list[Offered]:
        """The choices that a message may answer, the likeliest first."""
        return await self._database.run(lambda session: inbox.list_offered_choices(session, inbound))

    def stop_writing(self, conversation_id: str) -> bool:
        """Ask for the answer that is being written to end here; False where none is."""
        return self.hub.stop(conversation_id)

    async def history(self, conversation_id: str, after: int = 0) -> list[MessageStored]:
        """The stored messages whose number is above ``after``, oldest first.

        Raises:
            NotFound: there is no such conversation.
        """
        return await self._database.run(lambda session: messages_after(session, conversation_id, after))

    async def standing(self, conversation_id: str) -> CustomerStatus:
        """Whom the customer is talking to."""
        return await self._database.run(lambda session: get_handoff_standing(session, conversation_id))

    async def start(self) -> None:
        """Take up what an earlier process left unanswered, and keep looking."""
        self._spawn_task(self._recover_for_ever())

    async def stop(self) -> None:
        """Stop working; what is unanswered stays stored."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def recover(self) -> None:
        """Take up every waiting turn that nobody in this process works on."""
        if not await self._rasa.ready():
            return
        for job in await self._database.run(_list_waiting_jobs):
            if job.conversation_id not in self._queues:
                self._enqueue_job(job)

    async def _recover_for_ever(self) -> None:
        while True:
            try:
                await self.recover()
            except Exception:  # a process edge: the next look may succeed
                log.exception("recovery failed")
            await asyncio.sleep(RECOVERY_SECONDS)

    def _enqueue_job(self, job: Job) -> None:
        queue = self._queues.get(job.conversation_id)
        if queue is not None:
            queue.append(job)
            return
        self._queues[job.conversation_id] = deque([job])
        self._spawn_task(self._process_jobs(job.conversation_id))

    def _spawn_task(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process_jobs(self, conversation_id: str) -> None:
        queue = self._queues[conversation_id]
        try:
            while queue:
                with structlog.contextvars.bound_contextvars(
                    conversation_id=conversation_id, turn_id=queue[0].turn_id, tenant_id=queue[0].tenant_id
                ):
                    await self._answer_job(queue[0])
                queue.popleft()
        finally:
            del self._queues[conversation_id]

    async def _answer_job(self, job: Job) -> None:
        if not await self._can_ask_bot(job):
            self.hub.publish(job.conversation_id, TurnEnded(job.turn_id, None))
            return
        self.hub.publish(job.conversation_id, Typing(job.turn_id))
        started = perf_counter()
        try:
            reading = parse_rasa_answer(await self._ask_rasa(job))
            if not reading.replies:
                raise Unavailable("Rasa gave no answer; its log has the cause")
            await self._deliver_answer(job, reading, (perf_counter() - started) * 1000)
        except RasaUnavailable as error:
            log.warning("turn waits", error=str(error))
            await self._send_apology(job, "waiting", error)
        except Exception as error:  # a process edge: the customer always gets a sentence
            log.exception("turn failed")
            await self._send_apology(job, "failed", error)

    async def _can_ask_bot(self, job: Job) -> bool:
        return await self._database.run(lambda s: ownership.can_ask_bot(s, job.conversation_id, job.turn_id))

    async def _tell_rasa(self, job: Job) -> None:
        """What was said while a person had the word."""
        said, up_to = await self._database.run(
            lambda s: ownership.list_unheard_messages(s, job.conversation_id, job.turn_id)
        )
        if said:
            await self._rasa.record(job.conversation_id, said)
            await self._database.run(lambda s: ownership.mark_messages_recorded(s, job.conversation_id, up_to))

    async def _ask_rasa(self, job: Job) -> list[RasaItem]:
        """Ask, waiting a little for a Rasa that is away; what it may have heard is looked up first."""
        metadata = await self._build_metadata(job)
        deadline, again = perf_counter() + (0 if job.again else PATIENCE_SECONDS), job.again
        while True:
            try:
                known = await self._rasa.answer_to(job.conversation_id, job.turn_id) if again else []
                if known:
                    return known
                await self._tell_rasa(job)
                if job.payload:
                    return await self._rasa.press(job.conversation_id, job.payload, job.channel, metadata)
                return await self._rasa.say(job.conversation_id, job.text, job.channel, metadata)
            except RasaUnavailable as error:
                again = again or error.maybe_heard
                if perf_counter() > deadline:
                    raise
                await asyncio.sleep(0.25)

    async def _build_metadata(self, job: Job) -> dict[str, Any]:
        """What Rasa, and the actions behind it, are told beside the message."""
        metadata: dict[str, Any] = {"turn_id": job.turn_id, "tenant_id": job.tenant_id}
        metadata["pressed"] = job.text if job.payload else ""
        metadata["language"] = await self._database.run(lambda s: self._texts.language(s, job.conversation_id))
        metadata |= {"sentiment": job.sentiment} if job.sentiment else {}
        return metadata | (await self._match_knowledge(job) if not job.payload else {})

    async def _match_knowledge(self, job: Job) -> dict[str, Any]:
        """What the knowledge has for a free text; a skill decides alone where it cannot be looked up."""
        try:
            history = await self._database.run(lambda s: history_before(s, job.turn_id))
            asked = Asked(job.tenant_id, job.conversation_id, job.turn_id, job.text, history)
            found = await asyncio.to_thread(self._knowledge.match, asked)
        except Exception:  # an edge: a message never fails for what only helps to understand it
            log.exception("not looked up")
            return {}
        return found.metadata() if found else {}

    async def _deliver_answer(self, job: Job, reading: RasaAnswer, total_ms: float) -> None:
        is_noted = bool(reading.note.get("understanding"))
        if not is_noted and job.sentiment in UPSET:  # a value that a form asked for shows no feeling
            reading = replace(reading, note={**reading.note, "understanding": await self._get_understanding(job)})
            is_noted = True
        events = await self._database.run(
            lambda s: replies.finish_turn(s, job.conversation_id, job.turn_id, reading, total_ms, self._texts)
        )
        self._publish_turn_events(job, events, reading.outcome)
        log.info("turn answered", outcome=reading.outcome, total_ms=round(total_ms, 1))
        if not is_noted and (found := await self._get_understanding(job)):
            await self._database.run(lambda s: replies.note_understanding(s.get_one(Turn, job.turn_id), found))

    async def _get_understanding(self, job: Job) -> dict[str, Any]:
        """Of a turn without an action of ours: the tracker knows how it was understood."""
        try:
            return extract_understanding(await self._rasa.latest_message(job.conversation_id))
        except RejoinderError as error:
            log.warning("understanding unknown", error=str(error))
            return {}

    async def _send_apology(self, job: Job, status: Literal["waiting", "failed"], error: Exception) -> None:
        cause = f"{type(error).__name__}: {error}"
        events = await self._database.run(
            lambda s: replies.apologise_for_failure(
                s, job.conversation_id, job.turn_id, self._texts, status=status, error=cause
            )
        )
        self._publish_turn_events(job, events, None)

    def _publish_turn_events(self, job: Job, events: list[MessageStored], outcome: str | None) -> None:
        for event in events:
            self.hub.publish(job.conversation_id, event)
        self.hub.publish(job.conversation_id, TurnEnded(job.turn_id, outcome))
        self._wake()


def _list_waiting_jobs(session: Session) -> list[Job]:
    rows = session.execute(
        select(Turn, Message)
        .join(Message, Message.id == Turn.message_id)
        .where(Turn.status == "waiting")
        .order_by(Turn.id)
    ).all()
    return [_build_job(turn, message, again=True) for turn, message in rows]


def _build_job(turn: Turn, message: Message, *, again: bool = False) -> Job:
    text, payload, feeling = message.text, message.payload or "", message.sentiment or ""
    text = text if payload else escape_commands(text)
    return Job(turn.id, turn.conversation_id, turn.tenant_id, turn.channel, text, payload, feeling, again)
