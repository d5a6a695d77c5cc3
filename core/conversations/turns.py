"""Process the turns of a conversation one after the other."""

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
"""How long a turn waits for an unavailable Rasa before the customer is told."""
RECOVERY_SECONDS = 2.0
UPSET = ("negative", "angry")


@dataclass(frozen=True)
class Job:
    """A queued turn that awaits its reply."""

    turn_id: str
    conversation_id: str
    tenant_id: str
    channel: str
    text: str
    """The customer's text with commands escaped for Rasa, or the title of the button they pressed."""
    payload: str = ""
    """The payload of the pressed button."""
    sentiment: str = ""
    """The sentiment of the message, if known."""
    again: bool = False
    """Whether the turn was tried before, in which case Rasa may already have the message."""


class Turns:
    """Stores customer messages and gets replies, one turn of a conversation at a time."""

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
        """``knowledge`` is queried before Rasa; ``wake`` is called when a delivery may be due in the outbox."""
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
        """Start a conversation and return its id."""

        def create_conversation(session: Session) -> str:
            customer = customers.get_or_create_customer(session, tenant_id, customer_id).id if customer_id else None
            conversation = Conversation(tenant_id=tenant_id, channel=channel, customer_id=customer)
            session.add(conversation)
            session.flush()
            return conversation.id

        return await self._database.run(create_conversation)

    async def receive(self, inbound: Inbound) -> Received:
        """Store a message and get its reply in the background; a repeated client id changes nothing.

        While an agent owns the conversation, the message goes to the agent instead of the bot.

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
        """Return the choices that a message may answer, the likeliest first."""
        return await self._database.run(lambda session: inbox.list_offered_choices(session, inbound))

    def stop_writing(self, conversation_id: str) -> bool:
        """Ask to stop the reply in progress; return False if there is none."""
        return self.hub.stop(conversation_id)

    async def history(self, conversation_id: str, after: int = 0) -> list[MessageStored]:
        """Return the stored messages numbered above ``after``, oldest first.

        Raises:
            NotFound: there is no such conversation.
        """
        return await self._database.run(lambda session: messages_after(session, conversation_id, after))

    async def standing(self, conversation_id: str) -> CustomerStatus:
        """Return who the customer is talking to."""
        return await self._database.run(lambda session: get_handoff_standing(session, conversation_id))

    async def start(self) -> None:
        """Resume the turns that an earlier process left unanswered, and keep polling."""
        self._spawn_task(self._recover_for_ever())

    async def stop(self) -> None:
        """Cancel all tasks; unanswered turns stay stored."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def recover(self) -> None:
        """Enqueue every waiting turn that this process is not working on."""
        if not await self._rasa.ready():
            return
        for job in await self._database.run(_list_waiting_jobs):
            if job.conversation_id not in self._queues:
                self._enqueue_job(job)

    async def _recover_for_ever(self) -> None:
        while True:
            try:
                await self.recover()
            except Exception:  # process boundary: the next poll may succeed
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
        except Exception as error:  # process boundary: the customer always gets a reply
            log.exception("turn failed")
            await self._send_apology(job, "failed", error)

    async def _can_ask_bot(self, job: Job) -> bool:
        return await self._database.run(lambda s: ownership.can_ask_bot(s, job.conversation_id, job.turn_id))

    async def _tell_rasa(self, job: Job) -> None:
        """Add to Rasa's tracker what was said while an agent owned the conversation."""
        said, up_to = await self._database.run(
            lambda s: ownership.list_unheard_messages(s, job.conversation_id, job.turn_id)
        )
        if said:
            await self._rasa.record(job.conversation_id, said)
            await self._database.run(lambda s: ownership.mark_messages_recorded(s, job.conversation_id, up_to))

    async def _ask_rasa(self, job: Job) -> list[RasaItem]:
        """Return Rasa's reply, retrying for a while if it is unavailable; a reply it may already have given is used first."""
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
        """Build the metadata that Rasa and its actions receive with the message."""
        metadata: dict[str, Any] = {"turn_id": job.turn_id, "tenant_id": job.tenant_id}
        metadata["pressed"] = job.text if job.payload else ""
        metadata["language"] = await self._database.run(lambda s: self._texts.language(s, job.conversation_id))
        metadata |= {"sentiment": job.sentiment} if job.sentiment else {}
        return metadata | (await self._match_knowledge(job) if not job.payload else {})

    async def _match_knowledge(self, job: Job) -> dict[str, Any]:
        """Match a free text against the knowledge base; if that fails, the skills decide without it."""
        try:
            history = await self._database.run(lambda s: history_before(s, job.turn_id))
            asked = Asked(job.tenant_id, job.conversation_id, job.turn_id, job.text, history)
            found = await asyncio.to_thread(self._knowledge.match, asked)
        except Exception:  # boundary: the lookup only helps understanding, so its failure must not fail the message
            log.exception("not looked up")
            return {}
        return found.metadata() if found else {}

    async def _deliver_answer(self, job: Job, reading: RasaAnswer, total_ms: float) -> None:
        is_noted = bool(reading.note.get("understanding"))
        if not is_noted and job.sentiment in UPSET:  # a form value shows no sentiment, so the intent is needed now
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
        """Read from the tracker how Rasa understood a turn without an action of ours."""
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
