"""Recover messages missed while Twilio's webhooks failed: read them from Twilio's log and handle them like webhooks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connectors.twilio.client import Logged, Twilio
from connectors.twilio.inbound import InboundHandler
from connectors.twilio.keywords import wants_messages
from connectors.twilio.profile import Kind
from connectors.twilio.system_messages import has_seen_event
from core.db import Database
from core.db.models import get_current_time
from core.errors import DeliveryFailed, RejoinderError
from core.jobs import heartbeat

log = structlog.get_logger()

LOOK_SECONDS = 600.0
SOON_SECONDS = 60.0
START_SECONDS = 120.0
"""Maximum wait for Rasa after start-up, so customers are not told that it is unavailable."""
FARTHEST = timedelta(days=3)
OVERLAP = timedelta(minutes=10)
"""Overlap of consecutive scans: young messages are left to the next scan, and clocks differ."""
YOUNG = timedelta(seconds=60)
"""Twilio may still deliver these by webhook, with more data than the log has: it retries for 15 s, and handling takes time."""
MINUTE = timedelta(seconds=75)
"""The rate-limit window: one minute plus the 15 s for which a webhook may have been retried."""
APART_SECONDS = 0.1
"""Pause between two messages, so a long backlog leaves room for live traffic."""


class Backfill:
    """Scans Twilio's log at start-up and every ten minutes."""

    def __init__(
        self,
        twilio: Twilio,
        incoming: InboundHandler,
        database: Database,
        ready: Callable[[], Awaitable[bool]],
        clock: Callable[[], datetime] = get_current_time,
    ) -> None:
        """Create the backfill; ``ready`` returns whether a message could be answered."""
        self._twilio, self._incoming, self._database = twilio, incoming, database
        self._ready, self._clock = ready, clock
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._for_ever())

    async def stop(self) -> None:
        """Stop scanning; the next start finds what was not handled."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def look(self) -> bool:
        """Handle missing messages; return True if some were too young and another scan is due soon."""
        numbers = self._twilio.config.numbers
        return any([await self._scan_log(kind) for kind in self._incoming.channel.kinds if kind.name in numbers])

    async def _for_ever(self) -> None:
        with suppress(TimeoutError, ValueError):  # ValueError: the server that responded is not Rasa
            async with asyncio.timeout(START_SECONDS):
                while not await self._ready():  # noqa: ASYNC110 - Rasa offers no readiness event
                    await asyncio.sleep(1)
        while True:
            soon = False
            try:
                soon = await self.look()
            except Exception:  # process boundary: the next scan may succeed
                log.exception("Twilio's log was not looked through")
            await asyncio.sleep(SOON_SECONDS if soon else LOOK_SECONDS)

    async def _scan_log(self, kind: Kind) -> bool:
        began, number = self._clock(), kind.prefix + self._twilio.config.numbers[kind.name]
        reached = await self._database.run(lambda session: heartbeat.find_last_heartbeat(session, number))
        if reached is None:  # first run: messages older than the installation are not handled
            await self._database.run(lambda session: heartbeat.record_heartbeat(session, number, began))
            return False
        since = max(reached, began - FARTHEST)
        try:
            logged = await self._twilio.received_since(kind, since)
        except DeliveryFailed as error:
            log.warning(
                "Twilio's log could not be read, the next try is in ten minutes", number=number, error=str(error)
            )
            return False
        look = _Look(logged, self._twilio.config.messages_per_minute)
        for message in logged:
            await self._check_logged_message(look, kind, message, began)
        if not look.failed:
            await self._database.run(
                lambda session: heartbeat.record_heartbeat(session, number, max(reached, began - OVERLAP))
            )
        look.tell(number, since if since > reached else None)
        return look.young > 0

    async def _check_logged_message(self, look: _Look, kind: Kind, message: Logged, began: datetime) -> None:
        """Handle a logged message unless it is stored already, too young or to be skipped."""
        tenant = self._twilio.config.tenant
        if await self._database.run(lambda session: has_seen_event(session, tenant, kind.name, message.sid)):
            look.count(message)
        elif message.at > began - YOUNG:
            look.young += 1
        elif look.wants(message):
            try:
                await self._receive_logged_message(message)
                look.fetched += 1
            except DeliveryFailed as error:
                look.failed += 1
                log.warning("a message's files could not be listed", sid=message.sid, error=str(error))
            except RejoinderError as error:
                log.warning("a message of Twilio's log cannot be taken", sid=message.sid, error=str(error))
            except Exception:  # process boundary: the other messages are handled, and this one is retried
                look.failed += 1
                log.exception("a message of Twilio's log was not taken", sid=message.sid)
            await asyncio.sleep(APART_SECONDS)

    async def _receive_logged_message(self, message: Logged) -> None:
        files = await self._twilio.files_of(message.sid) if message.files else []
        fields = {
            "MessageSid": message.sid,
            "AccountSid": self._twilio.config.account_sid,
            "From": message.from_,
            "To": message.to,
            "Body": message.body,
            "NumMedia": str(len(files)),
        }
        for n, (url, content_type) in enumerate(files):
            fields |= {f"MediaUrl{n}": url, f"MediaContentType{n}": content_type}
        await replace(self._incoming, clock=lambda: message.at).take(fields)


class _Look:
    """The state of one scan of the log, oldest message first."""

    def __init__(self, logged: list[Logged], per_minute: int) -> None:
        self.fetched = self.failed = self.young = self.too_many = 0
        self._per_minute = per_minute
        self._times: dict[str, list[datetime]] = defaultdict(list)
        self._wishes = {each.from_: each.sid for each in logged if wants_messages(each.body) is not None}

    def wants(self, message: Logged) -> bool:
        """Whether to handle the message.

        Skips opt-out keywords superseded by a later one, and messages that exceeded the rate limit when they were written.
        """
        if wants_messages(message.body) is not None and self._wishes[message.from_] != message.sid:
            return False
        lately = [at for at in self._times[message.from_] if message.at - at < MINUTE]
        if len(lately) >= self._per_minute:
            self.too_many += 1
            return False
        self.count(message)
        return True

    def count(self, message: Logged) -> None:
        """Count a message that was handled, now or before, towards the rate limit."""
        self._times[message.from_].append(message.at)

    def tell(self, number: str, cut: datetime | None) -> None:
        """Log a warning for the operator if messages were missing or cut off."""
        told = {name: n for name in ("fetched", "failed", "too_many") if (n := getattr(self, name))}
        if told:
            log.warning("messages that had not reached us were fetched from Twilio's log", number=number, **told)
        if cut:
            log.warning("what was written before this stays in Twilio's log only", number=number, before=str(cut))
