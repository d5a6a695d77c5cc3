"""The loop in `app` that empties the outbox: in order per conversation and destination, otherwise concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import structlog

from core.db import Database
from core.db.models import get_current_time
from core.delivery import attempts
from core.delivery.payload import Outgoing, Sender, Sent
from core.errors import DeliveryFailed, Retry, Unknown

log = structlog.get_logger()

POLL_SECONDS = 1.0
"""Needed because other processes write deliveries without waking this one."""
STOP_SECONDS = 5.0
SEND_SECONDS = 60.0
"""Timeout of one attempt; whether the vendor accepted it is then unknown."""


class Deliverer:
    """Passes due deliveries to their senders, with retries until each is accepted or lost."""

    def __init__(
        self, database: Database, senders: Mapping[str, Sender], clock: Callable[[], datetime] = get_current_time
    ) -> None:
        self._database = database
        self._senders = senders
        self._clock = clock
        self._wake = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Signal that a new delivery is due."""
        self._wake.set()

    async def start(self) -> None:
        """Requeue what an earlier process left in progress, and start polling."""
        if again := await self._database.run(attempts.requeue_deliveries):
            log.warning("deliveries are sent again; some may arrive twice", deliveries=again)
        self._loop = asyncio.create_task(self._for_ever())

    async def stop(self) -> None:
        """Stop polling, and give attempts in progress some seconds to finish."""
        if self._loop:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        _, late = await asyncio.wait(self._sending, timeout=STOP_SECONDS) if self._sending else ((), ())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def deliver_due(self) -> int:
        """Start sending the deliveries that are due; return how many."""
        due = await self._database.run(lambda session: attempts.claim_due_deliveries(session, self._clock()))
        for outgoing in due:
            task = asyncio.create_task(self._attempt_delivery(outgoing))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return len(due)

    async def idle(self) -> None:
        """Deliver until nothing is due; deliveries scheduled for later stay."""
        while await self.deliver_due() or self._sending:
            await asyncio.gather(*self._sending)

    async def _for_ever(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.deliver_due()
            except Exception:  # process boundary: the next poll may succeed
                log.exception("the outbox could not be read")
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _attempt_delivery(self, outgoing: Outgoing) -> None:
        with structlog.contextvars.bound_contextvars(
            delivery_id=outgoing.id, conversation_id=outgoing.conversation_id, tenant_id=outgoing.tenant_id
        ):
            try:
                sent = await self._send_outgoing(outgoing)
            except DeliveryFailed as error:
                log.warning("delivery missed", destination=outgoing.destination, error=str(error))
                await self._store_outcome(partial(attempts.record_failed_attempt, delivery_id=outgoing.id, error=error))
            else:
                await self._store_outcome(partial(attempts.record_sent_attempt, delivery_id=outgoing.id, sent=sent))
        self.wake()

    async def _store_outcome(self, outcome: Callable[..., None]) -> None:
        """Store the result of an attempt, retrying until the database accepts it."""
        while True:
            try:
                await self._database.run(lambda session: outcome(session, at=self._clock()))
            except Exception:  # process boundary: until then, the conversation's next delivery waits
                log.exception("what became of a delivery could not be stored")
                await asyncio.sleep(POLL_SECONDS)
            else:
                return

    async def _send_outgoing(self, outgoing: Outgoing) -> Sent:
        sender = self._senders.get(outgoing.destination)
        if sender is None:
            raise Retry(f"{outgoing.destination} is not set up in this installation")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await sender.send(outgoing)
        except DeliveryFailed:
            raise
        except TimeoutError as error:
            raise Unknown(f"no answer within {SEND_SECONDS:.0f} s") from error
        except Exception as error:  # process boundary: a bug in a sender must not stop the others
            log.exception("a sender failed")
            raise Unknown(f"{type(error).__name__}: {error}") from error
