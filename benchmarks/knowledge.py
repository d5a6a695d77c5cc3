"""Growing knowledge: 257 approved conversations become entries, 1,886 later questions are asked with their history."""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from sqlalchemy import select

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_least, at_most
from benchmarks.split import part_of
from core.db import Database
from core.db.models import KnowledgeEntry
from core.db.upgrade import upgrade_database
from core.settings import Settings
from knowledge.curation.conversation_import import parse_conversations, store_conversations
from knowledge.entries.editor import Change
from knowledge.services import Knowledge
from knowledge.types import SPEAKERS, Answer, Question, Utterance
from testing.instance import chroma_server

Verdict = Literal["right", "honest", "wrong", "missed"]
TENANT = "bench"


@dataclass(frozen=True)
class Asked:
    """One probe with what came back."""

    probe: dict[str, Any]
    verdict: Verdict
    milliseconds: float

    @property
    def kind(self) -> str:
        """What it is about, and whether it can be answered."""
        return f"{self.probe['target_doc_ids'][0].split(':')[0]}, expects {self.probe['expect']}"


def run(data: Path) -> Result:
    """Import, ask, count; the targets hold for the part that neither trained nor tuned anything."""
    folder = data / "kb_growth"
    asked = list(ask(folder / "seed_conversations.jsonl", read_rows(folder / "probes.jsonl")))
    parts = {name: [a for a in asked if _part(a) == name] for name in ("train", "tune", "report")}
    reported = shares(parts["report"])
    times = [a.milliseconds for a in asked]
    figures: dict[str, Any] = {
        "reported part": reported | _kinds(parts["report"]),
        "tuning part": shares(parts["tune"]),
        "training part": shares(parts["train"]),
        "all probes": shares(asked),
        "ms a question": {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]},
    }
    honest = "right or honestly unknown, % (reported part)"
    targets = [
        at_least(honest, reported["right or honest %"], 72.0),
        at_most("wrong, % (reported part)", reported["wrong %"], 12.0),
    ]
    return {"figures": figures, "targets": targets, "notes": [NOTE]}


NOTE = (
    "Named places are split by name, trains and taxis by dialogue (benchmarks/split.py). Nothing of the reported "
    "part trained the matcher or its threshold; a missed question is one that an entry answers and the bot did not know."
)


def ask(seeds: Path, probes: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    """Every probe, asked of a new instance's knowledge: a database, a Chroma server, and the seeds as approved entries."""
    with tempfile.TemporaryDirectory() as folder, chroma_server(Path(folder)) as url:
        settings = Settings.load(home=Path(folder), chroma_url=url)
        database = Database(settings.database())
        upgrade_database(database)
        document = _learnt(settings, database, seeds)
        answering = Knowledge(settings, database).answering
        for probe in probes:
            turns = _turns(probe)
            started = perf_counter()
            answer = answering.answer(Question(TENANT, turns[-1].text, turns[:-1]))
            yield Asked(probe, judged(probe, answer, document.__getitem__), (perf_counter() - started) * 1000)
        database.close()


def _learnt(settings: Settings, database: Database, seeds: Path) -> dict[str, str]:
    """The document that each entry stands for; the fields that name entity and document are looked at here alone."""
    conversations, _ = parse_conversations(seeds.read_text(encoding="utf-8").splitlines())
    store_conversations(database, TENANT, conversations, Change("bench", "approved"), approve=True)
    Knowledge(settings, database).sync_indexes()
    documents = {
        _key(seed["turns"][-2]["text"], seed["turns"][-1]["text"]): seed["doc_id"] for seed in read_rows(seeds)
    }
    with database.session() as session:
        entries = session.scalars(select(KnowledgeEntry)).all()
        return {entry.id: documents[_key(entry.questions[0].text, entry.answer)] for entry in entries}


def _key(question: str, answer: str) -> tuple[str, str]:
    return question.strip(), answer.strip()


def judged(probe: dict[str, Any], answer: Answer, document_of: Callable[[str], str]) -> Verdict:
    """Right: only the entry that answers was served; honest: unknown, and nothing was there to know."""
    served = {document_of(entry.id) for entry in answer.entries}
    if not served:
        return "honest" if probe["expect"] == "unknown" else "missed"
    return "right" if probe["expect"] == "answer" and served == {probe["seed_doc_id"]} else "wrong"


def shares(asked: Sequence[Asked]) -> dict[str, float]:
    """Percentages of a part."""
    count = Counter(a.verdict for a in asked)
    total = max(len(asked), 1)
    share = {name: 100 * count[name] / total for name in ("right", "honest", "wrong", "missed")}
    return {
        "questions": len(asked),
        "right or honest %": share["right"] + share["honest"],
        "right %": share["right"],
        "honestly unknown %": share["honest"],
        "wrong %": share["wrong"],
        "missed %": share["missed"],
        "handed over %": share["honest"] + share["missed"],
    }


def _kinds(asked: Sequence[Asked]) -> dict[str, str]:
    counts = Counter((a.kind, a.verdict) for a in asked)
    kinds = sorted({a.kind for a in asked})
    return {kind: ", ".join(f"{v} {n}" for (k, v), n in sorted(counts.items()) if k == kind) for kind in kinds}


def _part(asked: Asked) -> str:
    return part_of(asked.probe["dialogue_id"], asked.probe["target_doc_ids"][0])


def _turns(row: dict[str, Any]) -> tuple[Utterance, ...]:
    return tuple(Utterance(SPEAKERS[turn["speaker"]], turn["text"]) for turn in row["turns"])
