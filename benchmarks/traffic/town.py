"""A whole instance with its customers and staff, who live in this process beside both vendors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from benchmarks.traffic.conversations import Script
from benchmarks.traffic.customers import PUBLIC, SHOP, Browser, Customer, Phone
from benchmarks.traffic.desk import Desk, Slack
from benchmarks.traffic.wire import Wire
from core.db import Database
from core.handoffs import settings
from core.settings import Settings
from testing.instance import Instance, instance
from testing.slack import BOT_TOKEN, CHANNEL, SECRET, TEAM
from testing.twilio import ACCOUNT, TOKEN, FakeTwilio

LOOK_SECONDS = 0.02


@dataclass
class Town:
    """Everybody."""

    bot: Instance
    twilio: FakeTwilio
    slack: Slack
    database: Database
    customers: list[Customer] = field(default_factory=list)
    lives: list[asyncio.Task[None]] = field(default_factory=list)
    """What the customers do; done some time after `Wire.stopped`."""
    _status: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def living(
        self, count: int, think: tuple[float, float], patience: float, ramp: float
    ) -> AsyncIterator[Script]:
        """``count`` conversations go on, three of five on the web; at the end nobody says anything any more."""
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(base_url=self.bot.url, connector=connector, timeout=timeout) as http:
            wire = Wire(http)
            script = Script(wire, Desk(wire, self.slack), think, patience)
            self.customers = [(Browser if n % 5 < 3 else Phone)(wire, n) for n in range(count)]
            await asyncio.gather(*(customer.start() for customer in self.customers))
            looking = asyncio.create_task(self._look(script.desk))
            self.lives = [
                asyncio.create_task(script.live(each, ramp * n / count)) for n, each in enumerate(self.customers)
            ]
            try:
                yield script
            finally:
                running = (looking, *self.lives, *self._status)
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
                await asyncio.gather(*(each.stop() for each in self.customers if isinstance(each, Browser)))

    async def _look(self, desk: Desk) -> None:
        """What the vendors took reaches people's eyes; both lists only grow."""
        people = {customer.key: customer for customer in self.customers}
        messages, posts, told, seen = self.twilio.messages, self.slack.workspace.channels[CHANNEL], 0, 0
        while True:
            while told < len(messages):
                phone = people[messages[told].to.removeprefix("whatsapp:")]
                assert isinstance(phone, Phone)
                self._status.add(task := asyncio.create_task(phone.gets(messages[told])))
                task.add_done_callback(self._status.discard)
                told += 1
            while seen < len(posts):
                if key := desk.sees(posts[seen]):
                    people[key].notice()
                seen += 1
            await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def town() -> Iterator[Town]:
    """An instance that knows both vendors; nobody lives there yet."""
    with FakeTwilio() as twilio, Slack() as slack:
        env = {
            "PUBLIC_ADDRESS": PUBLIC, "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_WHATSAPP_NUMBER": SHOP, "TWILIO_URL": twilio.url,
            "SLACK_TEAM": TEAM, "SLACK_CHANNEL": CHANNEL, "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_URL": slack.url, "MESSAGES_PER_MINUTE": "1000", "LOG_FORMAT": "json",
        }  # fmt: skip
        with instance({f"REJOINDER_{name}": value for name, value in env.items()}) as bot:
            database = Database(Settings(home=bot.home, _env_file=None).database())
            with database.session() as session:
                settings.update_handoff_settings(session, "default", {"desks": ["console", "slack"]}, "bench")
            with suppress(KeyboardInterrupt):
                yield Town(bot, twilio, slack, database)
            database.close()
