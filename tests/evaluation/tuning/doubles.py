"""Embedding models that need no files: a base model that knows words, and tuned ones that know what is meant."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.db import Database
from core.settings import Settings
from evaluation.tuning.models import TunedModels
from evaluation.tuning.service import Tuning
from knowledge.embeddings.embedder import Vectors
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.services import Knowledge

WORDS, TOPICS = 4096, 600
"""Dimensions: one model's vectors in the other one's index are an error of Chroma's."""
ENTRIES = 150


class Base:
    """Each word has its own direction."""

    def embed(self, texts: list[str]) -> Vectors:
        rows = np.full((len(texts), WORDS), 0.01, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.split():
                row[zlib.crc32(word.encode()) % WORDS] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Tuned:
    """Each number in a text, such as the 7 of "t7-2", is a topic of its own."""

    def __init__(self) -> None:
        self.embedded = 0
        self.before_each: Callable[[int], None] = lambda _embedded: None

    def embed(self, texts: list[str]) -> Vectors:
        self.before_each(self.embedded)
        self.embedded += len(texts)
        rows = np.full((len(texts), TOPICS), 0.001, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for topic in re.findall(r"t(\d+)-", text) or [zlib.crc32(text.encode())]:
                row[int(topic) % TOPICS] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def phrasing(topic: int, way: int) -> str:
    return f"t{topic}-{way}"


def answer(topic: int) -> str:
    return f"answer {topic} {'abcdefghij'[topic % 10]}{topic}"


def store(database: Database, tenant: str, topics: int = ENTRIES, first: int = 0) -> list[str]:
    """Entries that share no word among their phrasings, so that words alone find nothing."""
    with database.session() as session:
        editor = EntryEditor(session, tenant, Change("tester", "test"))
        contents = [
            Content("faq", answer(n), tuple(phrasing(n, way) for way in range(4))) for n in range(first, first + topics)
        ]
        return [editor.add(content, approved=True).id for content in contents]


def training(folder: Path, _base: Path, tell: Callable[[float], None]) -> None:
    """Stands for the training: the model's file is there, and the double is loaded for it."""
    assert (folder / "phrasings.jsonl").read_text()
    tell(0.5)
    (folder / "model.onnx").write_bytes(b"a model")


def make(settings: Settings, database: Database, tuned: Callable[[Path], object]) -> Tuning:
    """Another call makes what another process has."""
    return Tuning(opened(settings, database, tuned), TunedModels(settings.home), Path(), training, lambda: None)


def opened(settings: Settings, database: Database, tuned: Callable[[Path], object]) -> Knowledge:
    own = settings.model_copy(update={"embedding_model": Path("base")})  # alone, without the multilingual one
    knowledge = Knowledge(own, database, Base())
    knowledge.spaces._load = tuned
    return knowledge
