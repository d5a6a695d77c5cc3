"""What happens in a conversation: questions to the bot, then a person who answers and gives it back, over and over."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.traffic.customers import Customer
from benchmarks.traffic.desk import Alert, Desk
from benchmarks.traffic.wire import Wire

QUESTIONS = (
    "Do you sell gift cards?",
    "How long does delivery take?",
    "How much is express delivery?",
    "How can I pay?",
    "Can I change my delivery address?",
)
WANTS_PERSON = "let me talk to a human please"


@dataclass
class Script:
    """How fast they are, and how patient; in seconds."""

    wire: Wire
    desk: Desk
    think: tuple[float, float]
    """Between what somebody reads and writes."""
    patience: float
    choose: random.Random = field(default_factory=lambda: random.Random(7))
    late: Counter[str] = field(default_factory=Counter)
    """What did not come in time."""
    rounds: int = 0
    """Handoffs from the request to the return."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def live(self, customer: Customer, start_after: float) -> None:
        """One customer, until the end."""
        await asyncio.sleep(start_after)
        while not self.wire.stopped:
            for _ in range(self.choose.randint(2, 4)):
                await self._ask(customer, self.choose.choice(QUESTIONS))
            await self._person(customer)

    async def _pause(self) -> None:
        await asyncio.sleep(self.choose.uniform(*self.think))

    async def _ask(self, customer: Customer, question: str) -> None:
        """Until the answer is there, or a person was called in its place."""
        if self.wire.stopped:
            return
        before, alerts, began = len(customer.heard), len(self.desk.alerts[customer.key]), time.perf_counter()
        await customer.say(question)
        there = await customer.until(
            lambda: len(customer.heard) > before or len(self.desk.alerts[customer.key]) > alerts, self.patience
        )
        if there:
            self.wire.took["answer"].append(time.perf_counter() - began)
        else:
            self.late["answers"] += 1
        await self._pause()
        if len(self.desk.alerts[customer.key]) > alerts:
            await self._with_staff(customer)

    async def _person(self, customer: Customer) -> None:
        if self.wire.stopped:
            return
        alerts, began = len(self.desk.alerts[customer.key]), time.perf_counter()
        await customer.say(WANTS_PERSON)
        if await customer.until(lambda: len(self.desk.alerts[customer.key]) > alerts, self.patience):
            self.wire.took["alert"].append(self.desk.alerts[customer.key][-1].at - began)
            await self._with_staff(customer)
        else:
            self.late["alerts"] += 1

    async def _with_staff(self, customer: Customer) -> None:
        alert = self.desk.alerts[customer.key][-1]
        await self._pause()
        await self.desk.press("claim", alert)
        for _ in range(self.choose.randint(1, 3)):
            await asyncio.gather(self._replies(customer, alert), self._goes_on(customer))
            await self._pause()
        await self.desk.press("give_back", alert)
        self.rounds += 1

    async def _replies(self, customer: Customer, alert: Alert) -> None:
        text, began = f"Reply {next(self._numbers)}: I have looked at it.", time.perf_counter()
        await self.desk.write(alert, text, customer.key)
        if await customer.until(lambda: any(said == text for _, said in customer.heard), self.patience):
            self.wire.took["reply"].append(time.perf_counter() - began)
        else:
            self.late["replies"] += 1

    async def _goes_on(self, customer: Customer) -> None:
        """The customer writes at the same time."""
        await asyncio.sleep(self.choose.random())
        await customer.say(f"One more thing, number {next(self._numbers)}.")
