"""`bench grounding`: does the groundedness check flag answers that the evidence does not support?

The head was trained on the tuning part (by hash of the evidence) of BEGIN (wow, cmu), Q2, CLAPNQ and MTRAG; the figures are of the other
part, and of sets that trained nothing. The class to find is "not supported". Beside it stands plain token overlap: the
share of an answer's content words that the evidence has, at the threshold that is best on the tuning part.

- begin_*: replies of models, "Fully attributable" against "Not fully attributable" ("Generic" is left out)
- q2: "consistent" against "inconsistent"
- clapnq: the answers people wrote, against the answers to the next passage's question (easy) and with one number changed
- mtrag: answers of models in conversations; unsupported when people's mean faithfulness is below 3.5 of 4
- halueval: no evidence there, so the query stands in for it: what words alone cannot do
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_most
from knowledge.answers.grounding import Grounding
from knowledge.embeddings.embedder import Embedder
from knowledge.text.facts import extract_facts

TRUE_FAITHFULNESS = 3.5
HALUEVAL_CASES = 400
Pairs = list[tuple[float, bool]]


@dataclass(frozen=True)
class Example:
    """An answer, what it should be in, and whether it is."""

    name: str
    evidence: tuple[str, ...]
    question: str
    answer: str
    supported: bool
    trains: bool = False
    kind: str = ""


def run(data: Path) -> Result:
    """Check every example, and compare with what people said of it."""
    grounding = Grounding(Embedder())
    everything = list(cases(data))
    overlap_at = _best_threshold([(_overlap(e), e.supported) for e in everything if is_tuned(e) and e.trains])
    reported = [e for e in everything if not is_tuned(e)]
    found, took = [], []
    for example in reported:
        started = time.perf_counter()
        grounded = grounding.check(example.answer, example.evidence, example.question)
        took.append((time.perf_counter() - started) * 1000)
        found.append((example, grounded.score, all(s.supported for s in grounded.sentences)))
    figures: dict[str, Any] = {}
    for name in dict.fromkeys(e.name for e in reported):
        mine = [(e, score, ok) for e, score, ok in found if e.name == name]
        supported = [ok for e, _, ok in mine if e.supported]
        figures[name] = {
            "answers": len(mine),
            "supported_passed_whole": round(sum(supported) / (len(supported) or 1), 3),
            "unsupported": sum(not e.supported for e, _, _ in mine),
            "check": _measures([(s, e.supported) for e, s, _ in mine], [ok for _, _, ok in mine]),
            "token_overlap": _measures(
                [(_overlap(e), e.supported) for e, _, _ in mine], [_overlap(e) >= overlap_at for e, _, _ in mine]
            ),
            "right_by_kind": _by_kind([(e, ok) for e, _, ok in mine]),
        }
    figures["check_ms"] = {f"p{p}": round(float(np.percentile(took, p)), 1) for p in (50, 95)}
    return {
        "figures": figures,
        "targets": [at_most("a check of an answer, ms p95", figures["check_ms"]["p95"], 400)],
        "notes": [
            "precision, recall and F1 are of the unsupported ones",
            "it fails where every word is in the evidence but joined wrongly (who did what), and where a true answer is put in other words",
        ],
    }


def cases(data: Path) -> Iterator[Example]:
    """All examples of all sets."""
    for row in read_rows(data / "groundedness" / "begin_dev.jsonl"):
        if row["label"] != "Generic":
            name, supported = f"begin_{row['source']}", row["label"] == "Fully attributable"
            trains = row["source"] in ("wow", "cmu")
            yield Example(
                name,
                (_text(row["knowledge"]),),
                _text(row["message"]),
                row["response"],
                supported,
                trains,
                row["model"],
            )
    for row in read_rows(data / "groundedness" / "q2_dev.jsonl"):
        yield Example(
            "q2",
            (row["knowledge"],),
            row["message"],
            row["response"],
            row["label"] == "consistent",
            True,
            row["system"],
        )
    yield from _clapnq(read_rows(data / "clapnq" / "dev.jsonl"))
    for row in read_rows(data / "mtrag" / "human_rated_dev.jsonl"):
        yield from _mtrag(row)
    for row in read_rows(data / "groundedness" / "halueval_general_dev.jsonl")[:HALUEVAL_CASES]:
        yield Example("halueval", (row["query"],), "", row["response"], not row["hallucination"])


def is_tuned(example: Example) -> bool:
    """Does it belong to the part that trains?"""
    return zlib.crc32("".join(example.evidence).encode()) % 2 == 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _clapnq(rows: list[dict[str, Any]]) -> Iterator[Example]:
    answered = [(r, a) for r in rows if r["answerable"] and (a := _answer(r))]
    for n, (row, answer) in enumerate(answered):
        evidence = (row["passage"],)
        yield Example("clapnq", evidence, row["question"], answer, True, True, "written by people")
        other = answered[(n + 1) % len(answered)][1]
        yield Example("clapnq", evidence, row["question"], other, False, True, "another passage's")
        changed = re.sub(r"\d+", lambda m: str(int(m[0]) + 3), answer, count=1)
        if changed != answer:
            yield Example("clapnq", evidence, row["question"], changed, False, True, "a number changed")


def _answer(row: dict[str, Any]) -> str:
    first = row["answers"][0] if row["answers"] else ""
    return str(first.get("answer", "")) if isinstance(first, dict) else str(first)


def _mtrag(row: dict[str, Any]) -> Iterator[Example]:
    evidence = tuple(c["text"] for c in row["contexts"])
    for response in row["responses"] if evidence else ():
        ratings = response.get("ratings", {}).get("faithfulness")
        marks = [float(m) for m in (ratings if isinstance(ratings, list) else [ratings]) if m is not None]
        if marks:
            supported = sum(marks) / len(marks) >= TRUE_FAITHFULNESS
            question = row["turns"][-1]["text"]
            yield Example("mtrag", evidence, question, response["response"], supported, True, response["model"])


def _overlap(example: Example) -> float:
    said = extract_facts(example.answer).words
    return len(said & extract_facts("\n".join(example.evidence)).words) / (len(said) or 1)


def _best_threshold(pairs: Pairs) -> float:
    return max((t / 50 for t in range(5, 50)), key=lambda t: _measures(pairs, [s >= t for s, _ in pairs])["f1"])


def _measures(pairs: Pairs, passed: Sequence[bool]) -> dict[str, float]:
    hit = sum(not ok and not supported for ok, (_, supported) in zip(passed, pairs, strict=True))
    flagged, bad = sum(not ok for ok in passed), sum(not supported for _, supported in pairs)
    precision, recall = hit / (flagged or 1), hit / (bad or 1)
    return {
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / ((precision + recall) or 1), 3),
        "auroc": round(_auroc(pairs), 3),
    }


def _auroc(pairs: Pairs) -> float:
    good = np.array([s for s, supported in pairs if supported])
    bad = np.array([s for s, supported in pairs if not supported])
    if not len(good) or not len(bad):
        return 0.0
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)


def _by_kind(found: list[tuple[Example, bool]]) -> dict[str, str]:
    kinds = sorted({e.kind for e, _ in found if e.kind})
    return {
        kind: f"{sum(ok == e.supported for e, ok in found if e.kind == kind)} of {sum(e.kind == kind for e, _ in found)}"
        for kind in kinds
    }
