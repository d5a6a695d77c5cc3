"""What the matcher learns from: DSTC9 turns with their FAQ, and utterances of one intent as paraphrases."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.public_data import read_rows
from benchmarks.split import ANY, part_of
from knowledge.text.features import normalise_text
from knowledge.text.topic import subject_of, subjects_of
from knowledge.types import Entry, Question, Speaker, Utterance

SPEAKERS: dict[str, Speaker] = {"user": "customer", "system": "bot", "agent": "agent"}
QUERIES = ("queries_full_dialogue.jsonl", "queries_val_last_two.jsonl", "queries_val_full.jsonl")
INTENTS = {"banking77": 40, "clinc150": 20}
"""Sets of utterances by intent, and how many of each are taken."""

NAMED_ANYWAY = 0.6
"""Share of entries that get their subject although the conversation does not name it."""


@dataclass(frozen=True)
class Asked:
    """A question and the document that answers it."""

    question: Question
    document: str


@dataclass
class World:
    """A set of questions, and for each document the entries that could stand for it."""

    asked: list[Asked] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))


def conversations(data: Path) -> World:
    """The DSTC9 turns of the training part; what is tuned or reported on is left out, and so is every copy of it."""
    faq = {row["doc_id"]: row for row in read_rows(data / "dstc_knowledge/kb_train.jsonl")}
    held = _held_back(data)
    seeds = read_rows(data / "kb_growth/seed_conversations.jsonl")
    world = World()
    for seed, turns, subject in zip(seeds, map(_turns, seeds), subjects_of([_turns(s) for s in seeds]), strict=True):
        if _trains(seed["doc_id"]):
            world.entries[seed["doc_id"]].append(_entry(turns[-2].text, turns[-1].text, subject, turns[:-2]))
    known = subjects_of([_turns(s) for s in seeds])
    names = [name for name in dict.fromkeys(known) if name]
    for row in _queries(data):
        document, turns = row["target_doc_ids"][0], _turns(row)
        if _trains(document) and (document, normalise_text(turns[-1].text)) not in held:
            world.asked.append(Asked(Question("train", turns[-1].text, turns[:-1]), document))
            answer = row.get("reference_answer") or faq[document]["answer"]
            subject = subject_of((*turns, Utterance("agent", answer)), names) or _named(faq[document])
            world.entries[document].append(_entry(turns[-1].text, answer, subject, turns[:-1]))
    for document, row in faq.items():
        if _trains(document):
            world.entries[document].append(_entry(row["question"], row["answer"], _named(row, always=True), ()))
    return world


def intents(data: Path, name: str, each: int) -> World:
    """Utterances of one intent as each other's paraphrases."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    for row in read_rows(data / name / "train.jsonl"):
        by_intent[row["intent"]].append(row["text"])
    world = World()
    for intent, texts in by_intent.items():
        for text in random.sample(texts, min(each, len(texts))) if intent != "oos" else ():
            world.asked.append(Asked(Question("train", text), intent))
            world.entries[intent].append(_entry(text, "", None, ()))
    return world


def _held_back(data: Path) -> set[tuple[str, str]]:
    probes = read_rows(data / "kb_growth/probes.jsonl")
    kept = [p for p in probes if part_of(p["dialogue_id"], p["target_doc_ids"][0]) != "train"]
    return {(p["target_doc_ids"][0], normalise_text(p["turns"][-1]["text"])) for p in kept}


def _trains(document: str) -> bool:
    return document.split(":")[1] == ANY or part_of("", document) == "train"


def _queries(data: Path) -> Iterator[dict[str, Any]]:
    seen: set[tuple[str, str, int]] = set()
    for name in QUERIES:
        for row in read_rows(data / "dstc_knowledge" / name):
            key = (str(row["target_doc_ids"]), row["turns"][-1]["text"], len(row["turns"]))
            if row["knowledge_seeking"] and key not in seen:
                seen.add(key)
                yield row


def _named(row: dict[str, Any], *, always: bool = False) -> str | None:
    if not always and random.random() > NAMED_ANYWAY:
        return None
    return row["entity"].title() if row["entity"] else str(row["domain"])


def _entry(question: str, answer: str, subject: str | None, before: Sequence[Utterance]) -> Entry:
    return Entry("train", 1, "faq", (question,), answer, subject, context=tuple(before))


def _turns(row: dict[str, Any]) -> tuple[Utterance, ...]:
    return tuple(Utterance(SPEAKERS[turn["speaker"]], turn["text"]) for turn in row["turns"])
