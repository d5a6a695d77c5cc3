"""The reader: a MiniLM cross-encoder that scores how well an entry answers a question in its conversation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from knowledge.embeddings.embedder import ModelFiles, open_session

Vectors = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "weights"
ASKED_TOKENS = 56
"""Of a longer question only the end is read, since people tell their story first."""
HISTORY_TOKENS = 36
TURN_TOKENS = 20
ENTRY_TOKENS = 120
TEXT_TOKENS = 160
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
ENDINGS = " \t\n?!.…¿"
"""Stripped from the end of a question, since punctuation does not change what it asks."""
CLASSIFY, SEPARATE = "[CLS]", "[SEP]"


@dataclass(frozen=True)
class ReaderPair:
    """A question with the preceding turns (oldest first), and the text of an entry under its title."""

    asked: str
    history: tuple[str, ...]
    entry: str


def describe_entry(title: str, question: str, answer: str) -> str:
    """Format an entry as one text, for embedding and for the reader."""
    return "\n".join(part for part in (title, question, answer) if part)


class Reads(Protocol):
    def score(self, pairs: Sequence[ReaderPair]) -> Vectors:
        """Return one logit per pair; 0 is the score of "none of these answers"."""


class PairEncoder:
    """Encodes pairs as token ids: question and history in the first segment, the entry in the second."""

    def __init__(self, tokenizer: Path) -> None:
        self.tokenizer = tokenizer
        opened: Any = Tokenizer.from_file(str(tokenizer))
        opened.no_truncation()
        opened.no_padding()
        self._tokenizer = opened
        self._first: int = self._tokenizer.token_to_id(CLASSIFY)
        self._end: int = self._tokenizer.token_to_id(SEPARATE)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of texts, without special tokens."""
        return [list(found.ids) for found in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def encode_batch(self, pairs: Sequence[ReaderPair]) -> dict[str, npt.NDArray[Any]]:
        """Return padded arrays of shape (pairs, tokens): ``ids``, ``segments`` and ``mask`` (true for tokens)."""
        texts = [(pair.asked.rstrip(ENDINGS), pair.entry, *pair.history[-2:]) for pair in pairs]
        different = list(dict.fromkeys(text for own in texts for text in own))
        ids = dict(zip(different, self.ids(different), strict=True))
        return _pad_pairs([self._join_pair_tokens(*(ids[text] for text in own)) for own in texts])

    def _join_pair_tokens(self, asked: list[int], entry: list[int], *turns: list[int]) -> tuple[list[int], list[int]]:
        """Return the token ids and segment ids of one pair."""
        before = [token for turn in turns for token in [*turn[:TURN_TOKENS], self._end]][: HISTORY_TOKENS + 1]
        front = [self._first, *asked[-ASKED_TOKENS:], self._end, *before]
        back = [*entry[:ENTRY_TOKENS], self._end]
        return front + back, [0] * len(front) + [1] * len(back)

    def encode_texts(self, texts: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Return the same arrays for single texts."""
        rows = [[self._first, *own[:TEXT_TOKENS], self._end] for own in self.ids(texts)]
        return _pad_pairs([(row, [0] * len(row)) for row in rows])


def _pad_pairs(encoded: Sequence[tuple[list[int], list[int]]]) -> dict[str, npt.NDArray[Any]]:
    shape = (len(encoded), max(len(ids) for ids, _ in encoded))
    ids, segments, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    for row, (own, parts) in enumerate(encoded):
        ids[row, : len(own)], segments[row, : len(own)], mask[row, : len(own)] = own, parts, True
    return {"ids": ids, "segments": segments, "mask": mask}


def open_word_embeddings(files: ModelFiles) -> npt.NDArray[np.float32]:
    """Memory-map the packaged model's word embeddings, shape (words, dimensions).

    The format is safetensors: a length (8 bytes, little endian), a JSON header of that length, then the arrays.
    """
    path = files.tokenizer.parent / "model.safetensors"
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))[WORD_EMBEDDINGS]
    start = 8 + size + header["data_offsets"][0]
    return np.memmap(path, np.float32, "r", start, tuple(header["shape"]))


class Reader:
    """The shipped reader; uses the word embeddings of the installed MiniLM and the layers in ``reader.onnx``."""

    def __init__(self, folder: Path = SHIPPED, threads: int = 2) -> None:
        self._session = open_session(folder / "reader.onnx", threads)
        files = ModelFiles.packaged()
        self._words = open_word_embeddings(files)
        self._encoder = PairEncoder(files.tokenizer)

    def score(self, pairs: Sequence[ReaderPair]) -> Vectors:
        """Return one logit per pair."""
        if not pairs:
            return np.zeros(0, np.float32)
        batch = self._encoder.encode_batch(pairs)
        feed = {
            "words": self._words[batch["ids"]],
            "segments": batch["segments"],
            "mask": batch["mask"],
        }
        return np.asarray(self._session.run(None, feed)[0], dtype=np.float32)


@cache
def shipped_reader() -> Reader:
    """Return the process-wide, thread-safe reader."""
    return Reader()
