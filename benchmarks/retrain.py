"""`bench retrain`: from an approved correction to the model that understands it, while customers go on chatting.

A whole instance with a copy of the training data. Customers ask one question after the other over the web channel; one
of them stands in the middle of a form when the models are swapped. A correction with an intent is approved, exported,
and the worker trains, tries out and swaps, as the console's button has it do. Every message that was stored must be
answered in the end, once, and none with an apology. Then Rasa is killed, and must come back with the new model.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx
import numpy as np
from sqlalchemy import func, select

from benchmarks.report import Result, at_most
from benchmarks.turn import QUESTIONS, _events
from console.chat import Chat
from core.db import Database
from core.db.models import Message, TrainingSession, Turn
from core.jobs.queue import make_queue
from core.llm.masking import make_masker
from core.settings import Settings
from evaluation.training.examples import export_examples
from evaluation.training.service import TrainingService, make_training
from knowledge.curation.corrections import decisions, proposals
from knowledge.curation.corrections.types import Proposal
from testing.instance import ROOT, Instance, _descendants, _read, instance

CUSTOMERS = 4
PAUSE = 0.5
"""Seconds between an answer and the customer's next message."""
CORRECTED = "my sofa has gone walkabout on its way to me"
INTENT = "delivery_delay"
LONGEST = 1200.0
BY = "bench"


@dataclass
class Load:
    """What the customers saw."""

    sent: int = 0
    answered: int = 0
    took: list[float] = field(default_factory=list)
    stopped: bool = False


def run(_: Path) -> Result:
    """One correction, end to end."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(ROOT / "bot/data", data)
        env = {"REJOINDER_BOT_DATA": str(data), "REJOINDER_MESSAGES_PER_MINUTE": "100000"}
        with instance(env) as bot:
            return asyncio.run(_measured(bot, data))


async def _measured(bot: Instance, data: Path) -> Result:
    settings = Settings(
        home=bot.home, port=bot.port, bot_data=data, secret=(bot.home / "secret").read_text(), _env_file=None
    )
    database = Database(settings.database())
    training = make_training(settings, database)
    memory = bot.memory_mb()["rasa"]
    with httpx.Client(base_url=bot.url, timeout=300) as http:
        before = await asyncio.to_thread(_understood, database, Chat.open(http))
        form = Chat.open(http)
        await asyncio.to_thread(form.ask, "where is my parcel?")
        load, started = Load(), time.perf_counter()
        customers = asyncio.gather(*(_customer(bot.url, load) for _ in range(CUSTOMERS)))
        row, seconds = await asyncio.to_thread(_retrained, settings, database, training)
        load.stopped = True
        await customers
        under_load = time.perf_counter() - started
        after = await asyncio.to_thread(_understood, database, Chat.open(http))
        held = await asyncio.to_thread(_form_goes_on, form)
        swapped = bot.memory_mb()["rasa"]
        again = await asyncio.to_thread(_after_a_crash, bot, training)
    with database.session() as session:
        lost = session.scalar(select(func.count(Turn.id)).where(Turn.status != "answered")) or 0
        replies = select(Message.turn_id).where(Message.speaker == "bot").group_by(Message.turn_id)
        twice = len(session.execute(replies.having(func.count(Message.id) > 1)).all())
    database.close()
    figures: dict[str, Any] = {
        "training": row.status,
        "s from approval to the new model serving": seconds,
        "understood as": {"before": before, "after": after},
        "held back, understood": row.metrics.get("understood", {}),
        "messages": {"sent": load.sent, "answered": load.answered, "a second": load.sent / under_load},
        "ms until answered": {
            n: float(np.percentile(load.took, p)) for n, p in (("p50", 50), ("p99", 99), ("most", 100))
        },
        "memory of Rasa, MB": {"before": memory, "after the swap": swapped},
    }
    targets = [
        at_most("messages lost or failed", (load.sent - load.answered) + lost, 0),
        at_most("messages answered twice", twice, 0),
        at_most("corrected message still misunderstood", int(after != INTENT), 0),
        at_most("conversations that lost their form", int(not held), 0),
        at_most("wrong model after Rasa was killed", int(again != row.model), 0),
    ]
    return {"figures": figures, "targets": targets, "notes": ["customers, training and servers share two cores"]}


def _retrained(settings: Settings, database: Database, training: TrainingService) -> tuple[TrainingSession, float]:
    """The training in the end, and the seconds since the approval."""
    tenant = settings.tenant
    with database.session() as session:
        wrong = Proposal(
            answer="I'm sorry that it is late; let me look it up.", category="wrong_intent", author=BY,
            question=CORRECTED, bot_answer="I don't know that yet.", intent=INTENT,
        )  # fmt: skip
        correction = proposals.propose_correction(session, tenant, wrong).id
    started = time.perf_counter()
    with database.session() as session:
        decisions.approve_correction(session, tenant, correction, BY)
    with database.session() as session:
        export_examples(session, tenant, training.model.parts, make_masker(), BY)
    training_id = training.start_training(tenant, BY, "bench")
    make_queue("", settings.home).send_task("train_nlu", [training_id])
    while time.perf_counter() - started < LONGEST:
        with database.session() as session:
            row = session.get_one(TrainingSession, training_id)
        if row.status in {"deployed", "refused", "failed"}:
            if row.status != "deployed":
                raise RuntimeError(f"the training is {row.status}: {row.error}")
            return row, time.perf_counter() - started
        time.sleep(0.1)
    raise RuntimeError(f"the training is still {row.status}: {row.step}")


async def _customer(url: str, load: Load) -> None:
    """A session, an open stream, one question after the other until it is over."""
    async with aiohttp.ClientSession(base_url=url) as http:
        async with http.post("/api/chat/sessions", json={}, headers={"Origin": url}) as opened:
            headers = {"Authorization": f"Bearer {(await opened.json())['token']}"}
        async with http.get("/api/chat/stream", headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as stream:
            events = _events(stream)
            while not load.stopped:
                began = time.perf_counter()
                body = {"client_id": uuid4().hex, "text": QUESTIONS[load.sent % len(QUESTIONS)]}
                load.sent += 1
                async with http.post("/api/chat/messages", json=body, headers=headers) as posted:
                    turn = (await posted.json())["turn_id"]
                async for name, data in events:
                    if name == "ended" and data["turn_id"] == turn:
                        load.answered += data["outcome"] is not None
                        load.took.append((time.perf_counter() - began) * 1000)
                        break
                await asyncio.sleep(PAUSE)


def _understood(database: Database, chat: Chat) -> str | None:
    """The intent; of a turn without an action of ours it is stored shortly after the answer."""
    chat.ask(CORRECTED)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with database.session() as session:
            if intent := session.scalar(select(Turn.intent).filter_by(conversation_id=chat.conversation_id)):
                return intent
        time.sleep(0.1)
    return None


def _form_goes_on(chat: Chat) -> bool:
    texts = [message["text"] for said in ("R104233", "ada@example.com") for message in chat.ask(said)]
    return "on its way" in "\n".join(texts)


def _after_a_crash(bot: Instance, training: TrainingService) -> str | None:
    """What Rasa serves after it was killed and came back."""
    lines = {pid: _read(pid, "cmdline").replace("\0", " ") for pid in _descendants(bot.pid)}
    for pid in (pid for pid, line in lines.items() if "rasa_server run" in line and "deploy/keep" not in line):
        os.kill(pid, signal.SIGKILL)

    async def served() -> str | None:
        rasa = training.make_rasa()
        try:
            return await rasa.model() if await rasa.ready() else None
        finally:
            await rasa.close()

    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if name := asyncio.run(served()):
            return f"models/releases/{name.removesuffix('.tar.gz')}"
        time.sleep(0.5)
    return None
