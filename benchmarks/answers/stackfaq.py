"""StackFAQ through the knowledge alone: paraphrases by people of 125 questions, of which a quarter is left out and so unknown."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks.answers import offline
from benchmarks.answers.own import OwnQuestion, own_questions
from benchmarks.answers.score import GIVEN, Case, Reply
from benchmarks.answers.worlds import World
from benchmarks.public_data import read_rows
from knowledge.text.features import normalise_text

NAME = "stackfaq"
LEFT_OUT = 4
"""One in so many threads is not known."""
Verdict = Literal["right", "shown", "missed", "wrong and sure", "wrong, hedged", "honest"]


def figures(data: Path) -> dict[str, float]:
    """Percentages of all questions; empty where the set is absent."""
    folder = data / NAME
    if not folder.is_dir():
        return {}
    threads = read_rows(folder / "faq.jsonl")
    known = {row["doc_id"]: row for i, row in enumerate(threads) if i % LEFT_OUT}
    with tempfile.TemporaryDirectory() as scratch:
        documents = Path(scratch) / "faq.jsonl"
        documents.write_text("".join(map(_line, known.values())), encoding="utf-8")
        with offline.opened([World(NAME, documents, ())]) as knowledge:
            count = Counter(_verdicts(knowledge, folder, known))
    asked = max(count.total(), 1)
    return {"questions": float(count.total()), **{f"{name} %": 100 * n / asked for name, n in sorted(count.items())}}


def _line(row: dict[str, Any]) -> str:
    return json.dumps({"question": row["question"], "answer": row["answers"][0]}) + "\n"


def _verdicts(knowledge: offline.Offline, folder: Path, known: dict[str, dict[str, Any]]) -> Iterator[Verdict]:
    own = {normalise_text(each.text): each for each in own_questions(knowledge.database, NAME)[0]}
    for row in read_rows(folder / "queries_dev.jsonl"):
        reply = knowledge.ask(NAME, Case(row["query"], (("customer", row["query"]),), expects_answer=True))
        threads = [known[thread] for thread in row["target_doc_ids"] if thread in known]
        yield _verdict(reply, [own[normalise_text(thread["question"])] for thread in threads])


def _verdict(reply: Reply, right: Sequence[OwnQuestion]) -> Verdict:
    if not right and reply.outcome == "unknown":
        return "honest"
    if reply.outcome in GIVEN and any({*each.entries} & {*reply.entries} for each in right):
        return "right"
    if not {normalise_text(each.text) for each in right}.isdisjoint(map(normalise_text, reply.choices)):
        return "shown"
    if reply.outcome in GIVEN:
        return "wrong and sure" if reply.outcome == "answered" else "wrong, hedged"
    return "missed"
