"""What customers wrote while nobody took Twilio's webhooks: read from Twilio's log, and taken as if it came by one."""

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
"""After a start Rasa is waited for so long: nobody shall be told first that it is away."""
FARTHEST = timedelta(days=3)
OVERLAP = timedelta(minutes=10)
"""Each look goes so far behind the one before: what is young is left to it, and clocks differ."""
YOUNG = timedelta(seconds=60)
"""Twilio may still bring it, with more than its log has: it repeats for 15 s, and we take some to answer."""
MINUTE = timedelta(seconds=75)
"""In which a number may write as often as in a minute: what a webhook brought may have been repeated for 15 s."""
APART_SECONDS = 0.1
"""Between two messages, so that a long list leaves room for those who write now."""


class Backfill:
    """Looks when `app` has started, and every ten minutes."""

    def __init__(
        self,
        twilio: Twilio,
        incoming: InboundHandler,
        database: Database,
        ready: Callable[[], Awaitable[bool]],
        clock: Callable[[], datetime] = get_current_time,
    ) -> None:
        """``ready`` says whether a message could be answered."""
        self._twilio, self._incoming, self._database = twilio, incoming, database
        self._ready, self._clock = ready, clock
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._for_ever())

    async def stop(self) -> None:
        """Look no more; what was not taken is found after the next start."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def look(self) -> bool:
        """Take what is missing; True where something is still too young to be, and is to be looked for soon."""
        numbers = self._twilio.config.numbers
        return any([await self._scan_log(kind) for kind in self._incoming.channel.kinds if kind.name in numbers])

    async def _for_ever(self) -> None:
        with suppress(TimeoutError, ValueError):  # the second: what answers there is no Rasa
            async with asyncio.timeout(START_SECONDS):
                while not await self._ready():  # noqa: ASYNC110 - Rasa tells no event
                    await asyncio.sleep(1)
        while True:
            soon = False
            try:
                soon = await self.look()
            except Exception:  # a process edge: the next look may succeed
                log.exception("Twilio's log was not looked through")
            await asyncio.sleep(SOON_SECONDS if soon else LOOK_SECONDS)

    async def _scan_log(self, kind: Kind) -> bool:
        began, number = self._clock(), kind.prefix + self._twilio.config.numbers[kind.name]
        reached = await self._database.run(lambda session: heartbeat.find_last_heartbeat(session, number))
        if reached is None:  # what was written before we were here is not ours
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
        """Take it, unless we have it, or it is to be left."""
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
            except Exception:  # a process edge: the other messages are taken, and this one is tried again
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
    """One reading of the log, oldest message first."""

    def __init__(self, logged: list[Logged], per_minute: int) -> None:
        self.fetched = self.failed = self.young = self.too_many = 0
        self._per_minute = per_minute
        self._times: dict[str, list[datetime]] = defaultdict(list)
        self._wishes = {each.from_: each.sid for each in logged if wants_messages(each.body) is not None}

    def wants(self, message: Logged) -> bool:
        """Is it to be taken? Not what a later STOP or START has settled, nor what was too much when it was written."""
        if wants_messages(message.body) is not None and self._wishes[message.from_] != message.sid:
            return False
        lately = [at for at in self._times[message.from_] if message.at - at < MINUTE]
        if len(lately) >= self._per_minute:
            self.too_many += 1
            return False
        self.count(message)
        return True

    def count(self, message: Logged) -> None:
        """It was taken, now or before."""
        self._times[message.from_].append(message.at)

    def tell(self, number: str, cut: datetime | None) -> None:
        """The operator, where there was something to do."""
        told = {name: n for name in ("fetched", "failed", "too_many") if (n := getattr(self, name))}
        if told:
            log.warning("messages that had not reached us were fetched from Twilio's log", number=number, **told)
        if cut:
            log.warning("what was written before this stays in Twilio's log only", number=number, before=str(cut))
