"""`bench correction`: 1,000 corrections, one after the other, over a real Chroma server.

A thousand entries with phrasings that customers really used (BANKING77 and CLINC150, training part). Each is corrected
once, every fifth by retiring it, for a phrasing that it did not know yet. Another instance of the answering, as the app
is beside a command, is asked every stored phrasing until it gives the new answer; the clock runs from the approval,
which asks them itself. At the end every phrasing is asked once more.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import structlog

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_most
from core.db import Database
from core.db.upgrade import upgrade_database
from core.settings import Settings
from knowledge.answers.decision import Answering
from knowledge.curation.corrections import proposals
from knowledge.curation.corrections.service import Corrections
from knowledge.curation.corrections.types import Proposal
from knowledge.embeddings.embedder import Embedder
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.services import Knowledge
from knowledge.text.features import normalise_text
from knowledge.types import Question
from testing.instance import chroma_server

COUNT = 1000
STORED, ASKED = 2, 1
RETIRED = 5
LONGEST_WAIT = 30.0
SETS = ("banking77", "clinc150")
TENANT = "bench"


@dataclass(frozen=True)
class Case:
    """An entry, and how it will be asked for when it is corrected."""

    number: int
    stored: tuple[str, ...]
    asked: str

    @property
    def phrasings(self) -> tuple[str, ...]:
        """Every phrasing that is stored once it is corrected."""
        return (*self.stored, self.asked)

    def answer(self, *, right: bool) -> str:
        """Before, or after."""
        return f"The {'right' if right else 'wrong'} answer, number {self.number}."


def run(data: Path, count: int = COUNT) -> Result:
    """Correct everything once, then ask everything once more."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with tempfile.TemporaryDirectory() as folder, chroma_server(Path(folder)) as url:
        settings = Settings(home=Path(folder), chroma_url=url, _env_file=None)
        database = Database(settings.database())
        upgrade_database(database)
        cases = _cases(data, count)
        ids = _filled(settings, database, cases)
        embedder = Embedder()
        corrections, beside = (
            Knowledge(settings, database, embedder).corrections,
            Knowledge(settings, database).answering,
        )
        took, decided = [], []
        for case, entry_id in zip(cases, ids, strict=True):
            live, approved = _corrected(database, corrections, beside, case, entry_id)
            took.append(live)
            decided.append(approved)
            if case.number % 100 == 0:
                print(f"{case.number} corrected, p95 {np.percentile(took, 95):.2f} s", file=sys.stderr)
        afterwards = [_said(beside, text) for case in cases for text in case.phrasings]
        corrections.close()
        database.close()
    return _result(cases, took, decided, afterwards)


def _result(cases: list[Case], took: list[float], decided: list[float], afterwards: list[str]) -> Result:
    right = [case.answer(right=True) for case in cases for _ in case.phrasings]
    old = sum("wrong" in said for said in afterwards)
    figures: dict[str, Any] = {
        "corrections": len(cases),
        "stored phrasings": len(right),
        "s until every phrasing gets the new answer": _spread(took),
        "s of one approval": _spread(decided),
        "afterwards": {
            "new answer": sum(a == b for a, b in zip(afterwards, right, strict=True)),
            "old answer": old,
            "another answer or unknown": len(right) - old - sum(a == b for a, b in zip(afterwards, right, strict=True)),
        },
        "Rasa restarts": 0,
    }
    targets = [
        at_most("p95 until every stored phrasing gets the new answer, s", float(np.percentile(took, 95)), 2.0),
        at_most("old answers served afterwards", old, 0),
        at_most("Rasa restarts", 0, 0),
    ]
    return {"figures": figures, "targets": targets, "notes": [NOTE]}


NOTE = "no Rasa runs here: a correction changes entries and indexes, and no model that Rasa has loaded"


def _corrected(
    database: Database, corrections: Corrections, beside: Answering, case: Case, entry_id: str
) -> tuple[float, float]:
    """Seconds until all phrasings get the new answer, and of the approval alone."""
    proposal = Proposal(
        answer=case.answer(right=True),
        category="wrong_fact",
        author="bench",
        question=case.asked,
        bot_answer=case.answer(right=False),
        entry_id=entry_id,
        entry_action="amend" if case.number % RETIRED else "retire",
    )
    with database.session() as session:
        correction = proposals.propose_correction(session, TENANT, proposal).id
    started = perf_counter()
    corrections.approve(TENANT, correction, "bench")
    approved = perf_counter() - started
    left = list(case.phrasings)
    while left and perf_counter() - started < LONGEST_WAIT:
        left = [text for text in left if _said(beside, text) != case.answer(right=True)]
    return (perf_counter() - started if not left else LONGEST_WAIT), approved


def _said(answering: Answering, text: str) -> str:
    return "\n".join(part.text for part in answering.answer(Question(TENANT, text)).parts)


def _filled(settings: Settings, database: Database, cases: list[Case]) -> list[str]:
    with database.session() as session:
        editor = EntryEditor(session, TENANT, Change("bench", "made up"))
        contents = [Content("faq", case.answer(right=False), case.stored) for case in cases]
        ids = [editor.add(content, approved=True).id for content in contents]
    Knowledge(settings, database).sync_indexes()
    return ids


def _cases(data: Path, count: int) -> list[Case]:
    """Phrasings of one intent together; none twice, and none that is several questions in one."""
    known: dict[str, list[str]] = defaultdict(list)
    seen: set[str] = set()
    for name in SETS:
        for row in read_rows(data / name / "train.jsonl"):
            text = str(row["text"]).strip()
            if normalise_text(text) not in seen and text.count("?") <= 1 and "." not in text[:-1]:
                seen.add(normalise_text(text))
                known[str(row.get("intent") or row.get("label"))].append(text)
    size = STORED + ASKED
    groups = [texts[n : n + size] for texts in known.values() for n in range(0, len(texts) - size + 1, size)]
    order = np.random.default_rng(7).permutation(len(groups))[:count]
    return [Case(n, tuple(groups[i][:STORED]), groups[i][STORED]) for n, i in enumerate(order, start=1)]


def _spread(took: list[float]) -> dict[str, float]:
    return {name: float(np.percentile(took, p)) for name, p in (("p50", 50), ("p95", 95), ("most", 100))}
