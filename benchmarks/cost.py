"""`bench cost`: one day's questions, priced: everything to the balanced model, routed, and routed with approved answers.

The traffic: the 1,886 probes of `kb_growth` with their history (its 257 seeds are the approved answers), 250 questions of
`banking77` asked of the bank documents of `tau2`, and 250 of `clapnq` asked of its passages. Every call goes through the
real router and the vendors' own SDKs to servers that answer as the vendors do, with about as many tokens as there are in
the evidence's first sentences; prices are those of `models.yml`. "Everything to the balanced model" is plain retrieval and
generation: the five nearest entries and the question, always to the balanced model.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_least
from core.db import Database
from core.db.models import LlmCall
from core.db.upgrade import upgrade_database
from core.llm.factory import make_router
from core.llm.router.router import Router
from core.llm.router.store import RoutingStore
from core.llm.types import Request, RequestOrigin, RequestSignals
from core.settings import Settings
from knowledge.answers.prompt_texts import Prompts
from knowledge.curation.conversation_import import parse_conversations, store_conversations
from knowledge.embeddings.embedder import Embedder
from knowledge.entries.editor import Change
from knowledge.services import Knowledge
from knowledge.types import SPEAKERS, Answer, Question, Utterance
from testing import FakeGemini, FakeOpenAI
from testing.instance import chroma_server

TENANT = "bench"
EACH = 250
NEAREST = 5
BY_BENCH = Change("bench", "cost")


@dataclass(frozen=True)
class Arm:
    """One way to answer the day's questions."""

    cost: Decimal
    calls: int
    by_route: dict[str, dict[str, Any]]


def run(data: Path) -> Result:
    """The same questions three times."""
    return asyncio.run(_run(data))


async def _run(data: Path) -> Result:
    questions = _questions(data)
    with _running(data) as (settings, database):
        router = make_router(settings, database)
        await router.start()
        _all_to_balanced(database)
        knowledge = Knowledge(settings, database, Embedder())
        print("everything to the balanced model, and routed", file=sys.stderr)
        for question in questions:
            request = _plain(knowledge, question)
            for arm in ("balanced", "routed"):
                await router.complete(_of(request, arm))
                router.invalidate(arm)
        print("routed, with approved answers", file=sys.stderr)
        approved = await _with_reuse(settings, database, router, questions)
        await router.close()
        arms = {name: _arm(database, name) for name in ("balanced", "routed", TENANT)}
        knowledge.close()
        database.close()
    return _result(arms, approved, len(questions))


async def _with_reuse(settings: Settings, database: Database, router: Router, questions: Sequence[Question]) -> int:
    writer = Knowledge(settings, database).make_writer(router)
    approved = 0
    for question in questions:
        answer: Answer = await writer.answer(question, RequestOrigin(TENANT))
        router.invalidate(TENANT)
        approved += answer.written_by == "approved"
    return approved


def _result(arms: dict[str, Arm], approved: int, asked: int) -> Result:
    base = arms["balanced"].cost
    saved = {name: float(100 * (1 - arms[name].cost / base)) for name in ("routed", TENANT)}
    figures: dict[str, Any] = {
        "questions": asked,
        "all to the balanced model, USD": float(base),
        "routed, USD": float(arms["routed"].cost),
        "routed with approved answers, USD": float(arms[TENANT].cost),
        "answered without a model": approved,
        "routed": arms["routed"].by_route,
        "routed with approved answers": arms[TENANT].by_route,
    }
    targets = [
        at_least("saved by routing, %", saved["routed"], 60),
        at_least("saved with approved answers, %", saved[TENANT], 85),
    ]
    return {"figures": figures, "targets": targets, "notes": [NOTE]}


NOTE = (
    "a day's questions come seconds apart here, so the one-minute cache of answers is emptied before each; reasoning models "
    "are priced without the thoughts that a real one would also charge for"
)


@contextmanager
def _running(data: Path) -> Iterator[tuple[Settings, Database]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        chroma_server(Path(folder)) as chroma,
        FakeOpenAI() as openai,
        FakeGemini() as gemini,
    ):
        settings = Settings.load(
            home=Path(folder),
            chroma_url=chroma,
            openai_api_key="bench",
            openai_url=openai.url,
            gemini_api_key="bench",
            gemini_url=gemini.url,
        )
        database = Database(settings.database())
        upgrade_database(database)
        _fill(settings, database, data)
        yield settings, database


def _fill(settings: Settings, database: Database, data: Path) -> None:
    seeds = (data / "kb_growth/seed_conversations.jsonl").read_text(encoding="utf-8").splitlines()
    store_conversations(database, TENANT, parse_conversations(seeds)[0], BY_BENCH, approve=True)
    documents = [(row["title"], row["text"]) for row in read_rows(data / "tau2/banking_docs.jsonl")]
    documents += [(row["passage_title"], row["passage"]) for row in read_rows(data / "clapnq/dev.jsonl")[:EACH]]
    folder = settings.home / "documents"
    folder.mkdir()
    for number, (title, text) in enumerate(documents):
        (folder / f"{number}.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    with closing(Knowledge(settings, database)) as knowledge:
        knowledge.import_folder(TENANT, folder)


def _questions(data: Path) -> list[Question]:
    probes = [
        [Utterance(SPEAKERS[t["speaker"]], t["text"]) for t in row["turns"]]
        for row in read_rows(data / "kb_growth/probes.jsonl")
    ]
    asked = [Question(TENANT, turns[-1].text, tuple(turns[:-1])) for turns in probes]
    rows = read_rows(data / "banking77/train.jsonl")
    asked += [Question(TENANT, row["text"]) for row in rows[:: len(rows) // EACH][:EACH]]
    return asked + [Question(TENANT, row["question"]) for row in read_rows(data / "clapnq/dev.jsonl")[:EACH]]


def _plain(knowledge: Knowledge, question: Question) -> Request:
    found = knowledge.retriever.candidates(TENANT, [question.text], NEAREST)
    signals = RequestSignals(
        question.text,
        len(question.history),
        found[0].dense if found else 0.0,
        evidence=tuple(c.entry.id for c in found),
    )
    return Request(Prompts.load().answer(question, [c.entry for c in found]), RequestOrigin(TENANT), signals)


def _of(request: Request, arm: str) -> Request:
    return replace(request, caller=RequestOrigin(arm))


def _all_to_balanced(database: Database) -> None:
    routing = RoutingStore(database)
    approved = routing.get("balanced").model_dump(mode="json")["rules"][0]
    routing.put("balanced", {"rules": [approved, {"name": "all", "use": "balanced"}]}, by="bench")


def _arm(database: Database, tenant: str) -> Arm:
    routes: dict[str, dict[str, Any]] = {}
    total = Decimal(0)
    with database.session() as session:
        calls = session.scalars(select(LlmCall).where(LlmCall.tenant_id == tenant)).all()
    for call in calls:
        row = routes.setdefault(f"{call.purpose}: {call.route} to {call.model}", {"calls": 0, "tokens": 0, "USD": 0.0})
        row["calls"] += 1
        row["tokens"] += call.input_tokens + call.output_tokens
        row["USD"] += float(call.cost or 0)
        total += call.cost or Decimal(0)
    return Arm(total, len(calls), routes)
