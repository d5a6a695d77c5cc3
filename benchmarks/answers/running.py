"""The running bot: documents imported by the command line, questions asked through the web channel."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx
from sqlalchemy import select

from benchmarks.answers.score import GIVEN, Case, Reply
from benchmarks.answers.worlds import World
from console.chat import Chat
from core.db import Database
from core.db.models import Conversation, Message, Turn
from core.rasa import Rasa
from core.secrets import derive_key
from core.settings import Settings
from knowledge.types import SPEAKERS
from testing.instance import Instance, instance

MANY = {"REJOINDER_MESSAGES_PER_MINUTE": "100000"}
WITHOUT_DEMO = ("--no-demo",)
WAYS_OUT = ("/talk_to_person", "/out_of_scope")
"""Payloads of buttons that choose nothing: a person, and something else."""


@dataclass(frozen=True)
class Bot:
    """A running instance, asked as its customers ask it."""

    running: Instance
    settings: Settings
    database: Database
    rasa: Rasa
    runner: asyncio.Runner
    http: httpx.Client

    def ask(self, case: Case) -> Reply:
        """One question in a conversation of its own, in which the turns before it were said already."""
        chat = Chat.open(self.http)
        self._tell(chat.conversation_id, case.turns[:-1])
        started = perf_counter()
        chat.ask(case.text)
        return self._came(chat.conversation_id, (perf_counter() - started) * 1000)

    def talk(self, case: Case) -> Reply:
        """A conversation in which every turn is the customer's; what came of the last one."""
        chat = Chat.open(self.http)
        for _, text in case.turns:
            started = perf_counter()
            chat.ask(text)
        return self._came(chat.conversation_id, (perf_counter() - started) * 1000)

    def fill(self, world: World) -> None:
        """Import a help centre; what cannot be read is told, and not known."""
        self._try("knowledge", "import", str(world.documents), "--as", world.name)

    def empty(self, world: World) -> None:
        """Forget it, before the next one comes."""
        self._try("knowledge", "forget", world.name, "--yes")

    def _try(self, *arguments: str) -> None:
        try:
            self.command(*arguments)
        except RuntimeError as error:
            print(f"answers: {error}", file=sys.stderr)

    def command(self, *arguments: str) -> str:
        """What a user types; its output.

        Raises:
            RuntimeError: it failed; with what it printed.
        """
        env = {"REJOINDER_HOME": str(self.running.home), "REJOINDER_PORT": str(self.running.port)}
        done = subprocess.run(
            [str(Path(sys.executable).parent / "rejoinder"), *arguments],
            env={**os.environ, "REJOINDER_ENV_FILE": os.devnull, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"rejoinder {' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return done.stdout

    def _tell(self, conversation_id: str, turns: Sequence[tuple[str, str]]) -> None:
        """What was said before, where the bot would have kept it: the conversation's messages, and Rasa's tracker."""
        said = [(SPEAKERS[speaker], text) for speaker, text in turns]
        with self.database.session() as session:
            conversation = Conversation.lock(session, conversation_id)
            assert conversation is not None
            for speaker, text in said:
                seq = conversation.next_seq()
                kept = {"tenant_id": self.settings.tenant, "conversation_id": conversation_id, "seq": seq}
                session.add(Message(**kept, speaker=speaker, text=text))
        self.runner.run(self.rasa.record(conversation_id, [*said]))

    def _came(self, conversation_id: str, milliseconds: float) -> Reply:
        with self.database.session() as session:
            turns = select(Turn).filter_by(conversation_id=conversation_id).order_by(Turn.id.desc())
            turn = session.scalars(turns.limit(1)).one()
            query = select(Message).filter_by(conversation_id=conversation_id, turn_id=turn.id, speaker="bot")
            said = session.scalars(query.order_by(Message.seq)).all()
            buttons = [button for message in said for button in message.buttons]
            return Reply(
                text="\n\n".join(message.text for message in said),
                outcome=turn.outcome or turn.status,
                choices=tuple(b["title"] for b in buttons if b["payload"] not in WAYS_OUT),
                skill=_skill(turn),
                entries=tuple(entry["id"] for entry in turn.entries or ()),
                milliseconds=milliseconds,
            )


def _skill(turn: Turn) -> str:
    """What took the message, where it was not the knowledge; that alone notes how long it looked."""
    looked = turn.outcome in {*GIVEN, "unknown"} or turn.retrieval_ms is not None
    return "" if looked else turn.intent or turn.outcome or turn.status


@contextmanager
def bot(*, demo: bool) -> Iterator[Bot]:
    """With the demo shop as `make run` gives it, or empty."""
    with instance(MANY, arguments=() if demo else WITHOUT_DEMO) as running, opened(running) as asked:
        yield asked


@contextmanager
def opened(running: Instance) -> Iterator[Bot]:
    """An instance that is running already."""
    settings = Settings.load(home=running.home, port=running.port)
    database = Database(settings.database())
    rasa = Rasa(settings.rasa(), token=derive_key(settings.secret_key(), "rasa"))
    with asyncio.Runner() as runner, httpx.Client(base_url=running.url, timeout=60) as http:
        yield Bot(running, settings, database, rasa, runner, http)
        runner.run(rasa.close())
    database.close()
