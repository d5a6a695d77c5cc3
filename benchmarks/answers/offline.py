"""The knowledge alone, without Rasa: all worlds imported into one temporary instance and asked in this process.

No skill can take a message here, so it shows what retrieval, reader and bars do, in a minute or two. What counts is the
running bot.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks.answers.score import Case, Reply
from benchmarks.answers.worlds import World
from core.db import Database
from core.db.upgrade import upgrade_database
from core.errors import InvalidInput
from core.settings import Settings
from knowledge.answers.decision import Answering, build_search_texts
from knowledge.index.retriever import HybridRetriever
from knowledge.services import Knowledge, make_embedder
from knowledge.types import SPEAKERS, Answer, Entry, Question, Utterance
from testing.instance import chroma_server

CANDIDATES = 12
UNSURE = "I'm not sure I know that one."


@dataclass(frozen=True)
class Offline:
    """An instance's knowledge, opened in this process."""

    database: Database
    answering: Answering
    retriever: HybridRetriever
    answers: dict[tuple[str, Case], Answer] = field(default_factory=dict)
    """Those that were given, so that their evidence can be looked at."""

    def ask(self, tenant: str, case: Case) -> Reply:
        """One question, in a conversation of its own."""
        started = perf_counter()
        self.answers[tenant, case] = answer = self.answering.answer(question_of(tenant, case))
        return reply_of(answer, (perf_counter() - started) * 1000)

    def talk(self, tenant: str, case: Case) -> Reply:
        """A conversation in which every turn is the customer's; what came of the last one."""
        said: list[Utterance] = []
        for _, text in case.turns:
            reply = reply_of(self.answering.answer(Question(tenant, text, tuple(said))))
            said += [Utterance("customer", text), Utterance("bot", reply.text or UNSURE)]
        return reply

    def candidates(self, tenant: str, case: Case) -> list[Entry]:
        """What is found for it, best first."""
        question = question_of(tenant, case)
        found = self.retriever.candidates(tenant, build_search_texts(question), CANDIDATES)
        return [candidate.entry for candidate in found]

    def evidence(self, tenant: str, case: Case) -> list[Entry]:
        """What a language model would be shown."""
        if (tenant, case) not in self.answers:
            self.ask(tenant, case)
        return [entry for part in self.answers[tenant, case].parts for entry in part.evidence]


@dataclass(frozen=True)
class Tenant:
    """The knowledge of one world."""

    knowledge: Offline
    name: str

    def ask(self, case: Case) -> Reply:
        """One question."""
        return self.knowledge.ask(self.name, case)

    def talk(self, case: Case) -> Reply:
        """A conversation."""
        return self.knowledge.talk(self.name, case)


@contextmanager
def opened(worlds: Sequence[World]) -> Iterator[Offline]:
    """Every world imported as a tenant of its own."""
    with tempfile.TemporaryDirectory() as folder, chroma_server(Path(folder)) as url:
        settings = Settings.load(home=Path(folder), chroma_url=url)
        database = Database(settings.database())
        upgrade_database(database)
        for world in worlds:
            _import(settings, database, world)
        database.close()
        with attached(settings) as offline:
            yield offline


@contextmanager
def attached(settings: Settings) -> Iterator[Offline]:
    """The knowledge of an instance, opened beside it where it runs."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    database, embedder = Database(settings.database()), make_embedder(settings)
    knowledge = Knowledge(settings, database, embedder)
    yield Offline(database, knowledge.answering, knowledge.retriever)
    knowledge.close()
    database.close()


def _import(settings: Settings, database: Database, world: World) -> None:
    """What cannot be read leaves the world empty: then nothing is known."""
    try:
        with closing(Knowledge(settings, database)) as knowledge:
            knowledge.import_folder(world.name, world.documents)
    except InvalidInput as error:
        print(f"answers: {world.name}: {error}", file=sys.stderr)


def question_of(tenant: str, case: Case) -> Question:
    """As the answering takes it."""
    turns = [Utterance(SPEAKERS[speaker], text) for speaker, text in case.turns]
    return Question(tenant, turns[-1].text, tuple(turns[:-1]))


def reply_of(answer: Answer, milliseconds: float = 0.0) -> Reply:
    """What the bot would make of an answer."""
    choices = tuple(choice.title for part in answer.parts for choice in part.choices)
    text = "\n\n".join(part.text for part in answer.parts if part.text)
    return Reply(text, answer.outcome, choices, "", tuple(entry.id for entry in answer.entries), milliseconds)
