"""`bench tuning`: an embedding model fine-tuned on one part of a real set, measured on the other, swapped under load.

One entry an intent of `clinc150`, with six of its utterances as phrasings and three more as confirmed ones, among 3,000
passages (questions of `banking77`). Three in ten intents are held back and train nothing. Everything is the shipped
path: SQL, a real Chroma server, training in `.venv-train`, evaluation of the exported file, the swap, the rollback.
"""

from __future__ import annotations

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

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_least, at_most
from core.db import Database
from core.db.models import ReuseObservation
from core.db.upgrade import upgrade_database
from core.settings import Settings
from evaluation.tuning import pairs
from evaluation.tuning.service import INDEXING, Tuning, make_tuning
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.services import Knowledge
from testing.instance import chroma_server

OWN, CONFIRMED, PASSAGES = 6, 3, 3_000
TENANT = "bench"
LATE = "May my parrot countersign a mortgage?"


def run(data: Path) -> Result:
    """Train, deploy and go back while somebody asks all the time."""
    with tempfile.TemporaryDirectory() as folder, chroma_server(Path(folder)) as url:
        settings = Settings(home=Path(folder), chroma_url=url, _env_file=None)
        database = Database(settings.database())
        upgrade_database(database)
        _store(database, data)
        tuning = make_tuning(settings, Knowledge(settings, database))
        tuning.knowledge.synchroniser.sync(TENANT)
        figures = _measured(settings, database, tuning)
        tuning.knowledge.close()
        database.close()
    gained = figures["after"]["recall@1"] - figures["before"]["recall@1"]
    return {
        "figures": figures,
        "targets": [
            at_least("lower bound of the gain in MRR", figures["difference"]["mrr"][0], 0.0),
            at_least("gain in recall@1", gained, 0.0),
            at_most("queries failed during training, swap and rollback", figures["queries"]["failed"], 0),
            at_least("an entry added during the swap is found after it", figures["added_during_swap_found"], 1),
            at_most("size of the model, MB", figures["megabytes"], 30),
        ],
        "notes": [
            "before and after: by meaning alone; retriever_recall_at_1: meaning and words, confirmed held-back questions",
            "queries are asked by a second instance of the retrieval, one after the other, all the time",
        ],
    }


def _measured(settings: Settings, database: Database, tuning: Tuning) -> dict[str, Any]:
    with database.session() as session:
        held_back = [one for one in pairs.load_phrased_entries(session, TENANT) if one.held_back]
    asked = [(text, one.entry.id) for one in held_back for text in one.confirmed]
    before, steps = _recall(settings, database, asked), dict[str, float]()

    def tell(step: str, progress: float) -> None:
        if step not in steps:
            print(f"{step} ({progress:.0%})", file=sys.stderr)
            if step == INDEXING:
                _add(database, Content("faq", "It may not.", (LATE,)))
        steps.setdefault(step, time.monotonic())

    with _customers(settings, database, [text for text, _ in asked]) as customers:
        status = tuning.run(tuning.start_training(TENANT, "bench"), tell=tell)
        ended = time.monotonic()
        after = _recall(settings, database, asked)
        found = tuning.knowledge.retriever.candidates(TENANT, [LATE], 1)
        began = time.monotonic()
        if status == "deployed":
            tuning.rollback(TENANT, "bench")
        back = time.monotonic() - began
    return {
        "status": status,
        **tuning.listed(TENANT)[0]["metrics"],
        "retriever_recall_at_1": {"before": before, "after": after},
        "reindexing_seconds": round(ended - steps.get(INDEXING, ended), 1),
        "rollback_seconds": round(back, 1),
        "added_during_swap_found": int(bool(found) and found[0].entry.answer == "It may not."),
        "queries": customers.figures(),
    }


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
    knowledge, customers, over = Knowledge(settings, database), Customers(), threading.Event()

    def ask() -> None:
        place = 0
        while not over.wait(0.05):
            began = time.perf_counter()
            try:
                if not knowledge.retriever.candidates(TENANT, [texts[place % len(texts)]], 5):
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
    knowledge = Knowledge(settings, database)
    first = [knowledge.retriever.candidates(TENANT, [text], 1)[0].entry.id == entry for text, entry in asked]
    knowledge.close()
    return round(float(np.mean(first)), 4)


def _store(database: Database, data: Path) -> None:
    texts: dict[str, list[str]] = defaultdict(list)
    for row in read_rows(data / "clinc150/train.jsonl"):
        texts[row["intent"]].append(row["text"].strip())
    random = np.random.default_rng(7)
    for intent, own in sorted(texts.items()):
        if intent == "oos":
            continue
        chosen = [own[n] for n in random.permutation(len(own))[: OWN + CONFIRMED]]
        entry = _add(database, Content("faq", f"About {intent.replace('_', ' ')}.", tuple(chosen[:OWN])))
        with database.session() as session:
            session.add_all(
                ReuseObservation(tenant_id=TENANT, entry_id=entry, text=text, score=0.5, reused=False, correct=True)
                for text in chosen[OWN:]
            )
    others = list(dict.fromkeys(row["text"].strip() for row in read_rows(data / "banking77/train.jsonl")))
    _add(database, *(Content("passage", others[n]) for n in random.permutation(len(others))[:PASSAGES]))


def _add(database: Database, *contents: Content) -> str:
    with database.session() as session:
        editor = EntryEditor(session, TENANT, Change("bench", "bench"))
        return [editor.add(content, approved=True).id for content in contents][-1]
