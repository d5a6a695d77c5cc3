"""A real training in its own environment: what it writes is an embedding model that the app can load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from evaluation.tuning.examples import Examples, TuningExample
from evaluation.tuning.trainer import ENVIRONMENT, fine_tune, packaged_base
from knowledge.embeddings.embedder import Embedder, ModelFiles

pytestmark = [
    pytest.mark.fine_tuning,
    pytest.mark.skipif(
        not (ENVIRONMENT / ".ready").exists(),
        reason="the training environment is not set up: `make .venv-train/.ready` does it once",
    ),
]
WORDS = ("kettle", "invoice", "voucher", "parcel", "warranty", "password", "courier", "receipt")


def test_it_learns_and_serves_without_torch(tmp_path: Path) -> None:
    """A house's own word is nothing to the base model."""
    rows = [
        TuningExample(f"my zorble {word} is gone", f"lost {word}", f"lost {other}")
        for word in WORDS
        for other in WORDS
        if other != word
    ]
    Examples(rows, []).write(tmp_path)
    heard: list[float] = []
    fine_tune(tmp_path, packaged_base(), heard.append)
    assert heard == sorted(heard) and heard[-1] == 1.0
    asked, right, wrong = ("my zorble kettle is gone", "lost kettle", "my kettle is red")
    before, after = (margin(embedder, asked, right, wrong) for embedder in (Embedder(), tuned(tmp_path)))
    assert after > before + 0.02
    assert tuned(tmp_path).dimensions == Embedder().dimensions
    assert (tmp_path / "model.onnx").stat().st_size < 30e6


def test_what_went_wrong_is_said(tmp_path: Path) -> None:
    Examples([TuningExample("a", "b", "c")], []).write(tmp_path)
    with pytest.raises(InvalidInput, match="last words"):
        fine_tune(tmp_path, tmp_path / "no-model", lambda _: None)


def tuned(folder: Path) -> Embedder:
    return Embedder(ModelFiles.in_folder(folder))


def margin(embedder: Embedder, asked: str, right: str, wrong: str) -> float:
    vectors = embedder.embed([asked, right, wrong])
    return float(np.dot(vectors[0], vectors[1]) - np.dot(vectors[0], vectors[2]))
