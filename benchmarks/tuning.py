"""`bench tuning`: an embedding model fine-tuned on one part of a real set, measured on the other, swapped under load.

`banking77`: one entry an intent with ten of its questions as phrasings and six more as confirmed ones, among 3,000
passages (utterances of `clinc150`). Three in ten intents are held back and train nothing. `stackfaq`: 125 threads with
all their paraphrases, where the base model is nearly perfect: here the refusal is what is looked at. Everything is the
shipped path: SQL, a real Chroma server, training in `.venv-train`, evaluation of the exported file, the swap.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.instance import chroma_server
from benchmarks.report import Result, at_least, at_most
from core.db import Database
from core.db.models import ReuseObservation
from core.db.upgrade import upgrade
from core.settings import Settings
from evaluation.tuning import pairs
from evaluation.tuning.desk import INDEXING, Tuning
from evaluation.tuning.wiring import make_tuning
from knowledge.content import Content
from knowledge.entries import Change, EntryEditor
from knowledge.wiring import make_knowledge

OWN, CONFIRMED, PASSAGES = 10, 6, 3_000
BANK, FORUM = "bank", "forum"
LATE = "May my parrot countersign a mortgage?"


def run(data: Path) -> Result:
    """Both sets, each as a tenant of its own."""
    with tempfile.TemporaryDirectory() as folder, chroma_server(Path(folder)) as url:
        settings = Settings(home=Path(folder), chroma_url=url, _env_file=None)
        database = Database(settings.database())
        upgrade(database)
        _store_bank(database, data)
        _store_forum(database, data)
        tuning = make_tuning(settings, database)
        for tenant in (BANK, FORUM):
            tuning.knowledge.synchroniser.sync(tenant)
        figures = _bank(settings, database, tuning)
        forum = _trained(tuning, FORUM)
        tuning.knowledge.close()
        database.close()
    bank = figures["banking77"]
    return {
        "figures": {**figures, "stackfaq": forum},
        "targets": [
            at_least("banking77: lower bound of the gain in MRR", bank["difference"]["mrr"][0], 0.0),
            at_least(
                "banking77: recall@1 after less before", bank["after"]["recall@1"] - bank["before"]["recall@1"], 0.0
            ),
            at_most("queries failed during training, swap and rollback", figures["queries"]["failed"], 0),
            at_least("an entry added during the swap is found after it", figures["added_during_swap_found"], 1),
            at_most("size of the model, MB", bank["megabytes"], 30),
        ],
        "notes": [
            "before and after: by meaning alone; retriever_recall_at_1: meaning and words, confirmed held-back questions",
            "queries are asked by a second instance of the retrieval, one after the other, all the time",
        ],
    }


def _bank(settings: Settings, database: Database, tuning: Tuning) -> dict[str, Any]:
    with database.session() as session:
        held_back = [one for one in pairs.read(session, BANK) if one.held_back]
    asked = [(text, one.entry.id) for one in held_back for text in one.confirmed]
    before = _recall(settings, database, asked)
    with _customers(settings, database, [text for text, _ in asked]) as customers:
        steps: dict[str, float] = {}
        late = threading.Event()

        def tell(step: str, _progress: float) -> None:
            steps.setdefault(step, time.monotonic())
            if step == INDEXING and not late.is_set():
                late.set()
                _add(database, BANK, Content("faq", "It may not.", (LATE,)))

        bank = _trained(tuning, BANK, tell)
        ended = time.monotonic()
        after = _recall(settings, database, asked)
        found = tuning.knowledge.retriever.candidates(BANK, [LATE], 1)
        began = time.monotonic()
        if bank["status"] == "deployed":
            tuning.rollback(BANK, "bench")
        back = time.monotonic() - began
    return {
        "banking77": {**bank, "retriever_recall_at_1": {"before": before, "after": after}},
        "reindexing_seconds": round(ended - steps.get(INDEXING, ended), 1),
        "rollback_seconds": round(back, 1),
        "added_during_swap_found": int(bool(found) and found[0].entry.answer == "It may not."),
        "queries": customers.figures(),
    }


def _trained(tuning: Tuning, tenant: str, tell: Any = lambda _step, _progress: None) -> dict[str, Any]:
    shown: set[str] = set()

    def said(step: str, progress: float) -> None:
        if step not in shown:
            print(f"{tenant}: {step} ({progress:.0%})", file=sys.stderr)
            shown.add(step)
        tell(step, progress)

    status = tuning.run(tuning.start_training(tenant, "bench"), tell=said)
    row = tuning.listed(tenant)[0]
    return {"status": status, **row["metrics"], "why": row["error"]}


@dataclass
class Customers:
    """What the askers met."""

    took: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """How many, how quick, how many failed."""
        p50, p95 = np.percentile(self.took, [50, 95]) if self.took else (0.0, 0.0)
        figures = {"asked": len(self.took), "failed": len(self.errors)}
        return {**figures, "p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1), "errors": self.errors[:3]}


@contextmanager
def _customers(settings: Settings, database: Database, texts: list[str]) -> Iterator[Customers]:
    """Somebody asks all the time, by an instance of the retrieval of its own."""
    knowledge, customers, over = make_knowledge(settings, database), Customers(), threading.Event()

    def ask() -> None:
        place = 0
        while not over.wait(0.05):
            began = time.perf_counter()
            try:
                if not knowledge.retriever.candidates(BANK, [texts[place % len(texts)]], 5):
                    customers.errors.append("nothing found")
            except Exception as error:  # noqa: BLE001 - whatever it is, a customer met it
                customers.errors.append(repr(error))
            customers.took.append((time.perf_counter() - began) * 1000)
            place += 1

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield customers
    finally:
        over.set()
        asking.join()
        knowledge.close()


def _recall(settings: Settings, database: Database, asked: list[tuple[str, str]]) -> float:
    knowledge = make_knowledge(settings, database)
    first = [knowledge.retriever.candidates(BANK, [text], 1)[0].entry.id == entry for text, entry in asked]
    knowledge.close()
    return round(float(np.mean(first)), 4)


def _store_bank(database: Database, data: Path) -> None:
    texts: dict[str, list[str]] = defaultdict(list)
    for row in _rows(data / "banking77/train.jsonl"):
        texts[row["intent"]].append(row["text"].strip())
    random = np.random.default_rng(7)
    for intent, own in sorted(texts.items()):
        chosen = [own[n] for n in random.permutation(len(own))[: OWN + CONFIRMED]]
        entry = _add(database, BANK, Content("faq", f"About {intent.replace('_', ' ')}.", tuple(chosen[:OWN])))
        with database.session() as session:
            session.add_all(
                ReuseObservation(tenant_id=BANK, entry_id=entry, text=text, score=0.5, reused=False, correct=True)
                for text in chosen[OWN:]
            )
    others = list(dict.fromkeys(row["text"].strip() for row in _rows(data / "clinc150/train.jsonl")))
    _add(database, BANK, *(Content("passage", others[n]) for n in random.permutation(len(others))[:PASSAGES]))


def _store_forum(database: Database, data: Path) -> None:
    asked: dict[str, list[str]] = defaultdict(list)
    for row in _rows(data / "stackfaq/queries_dev.jsonl"):
        asked[row["target_doc_ids"][0]].append(row["query"].strip())
    faq = _rows(data / "stackfaq/faq.jsonl")
    threads = [(row["question"].strip(), row["answers"][0][:4000], asked[row["doc_id"]]) for row in faq]
    _add(database, FORUM, *(Content("faq", answer, tuple(dict.fromkeys([q, *more]))) for q, answer, more in threads))


def _add(database: Database, tenant: str, *contents: Content) -> str:
    with database.session() as session:
        editor = EntryEditor(session, tenant, Change("bench", "bench"))
        return [editor.add(content, approved=True).id for content in contents][-1]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
