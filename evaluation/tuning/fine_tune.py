"""Train an embedding model; run in `.venv-train` as `python -m evaluation.tuning.fine_tune FOLDER BASE`.

Reads FOLDER/phrasings.jsonl and FOLDER/answers.jsonl, rows of {"anchor", "positive", "negative"}; writes
FOLDER/model.onnx (int8) and FOLDER/tokenizer.json; prints its progress on standard output: "progress 0.25".
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from onnxruntime.quantization import QuantType, quantize_dynamic
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
    losses,
)
from sentence_transformers.training_args import BatchSamplers
from transformers import TrainerCallback

SEED = 7
EPOCHS = 3
BATCH = 32
LEARNING_RATE = 5e-5
"""2e-5 gained nothing on banking77; between the values tried on clinc150 (benchmarks/README.md)."""
LONGEST = 64
"""Maximum tokens per training text; questions are shorter, and long answers would take minutes."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def main(folder: Path, base: Path) -> None:
    """Train the model and export it for inference."""
    model = SentenceTransformer(str(base), device="cpu", local_files_only=True)
    reads, model.max_seq_length = model.max_seq_length, LONGEST
    train_embedding(model, folder)
    model.max_seq_length = reads
    export_onnx_model(model, folder)
    shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")


def train_embedding(model: SentenceTransformer, folder: Path) -> None:
    """Move each anchor closer to its positive, and away from its negative and the rest of the batch."""
    rows = {name: _read_rows(folder / f"{name}.jsonl") for name in ("phrasings", "answers")}
    sets = {name: Dataset.from_list(some) for name, some in rows.items() if some}
    with tempfile.TemporaryDirectory() as scratch:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=scratch, num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH, seed=SEED,
            learning_rate=LEARNING_RATE, warmup_steps=0.1, use_cpu=True, save_strategy="no", report_to="none",
            batch_sampler=BatchSamplers.NO_DUPLICATES,  # an entry's positive occurs once per batch, so never as a negative
            disable_tqdm=True, logging_strategy="no", bf16=fast_bf16(),
        )  # fmt: skip
        loss = losses.MultipleNegativesRankingLoss(model)
        SentenceTransformerTrainer(
            model, arguments, train_dataset=sets, loss=loss, callbacks=[TuningProgress()]
        ).train()


class TuningProgress(TrainerCallback):
    """Prints the progress of the training."""

    def on_step_end(self, _arguments: Any, state: Any, _control: Any, **_: Any) -> None:
        print(f"progress {state.global_step / state.max_steps:.3f}", flush=True)  # noqa: T201 - read by the parent process


def fast_bf16() -> bool:
    """Whether the processor supports bfloat16 natively, which halves the training time."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _read_rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Hidden(torch.nn.Module):
    """Wraps the transformer with the inputs and output that `knowledge.embeddings.embedder` expects."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> Any:
        """Return the token vectors, float32 of shape (texts, tokens, dimensions)."""
        texts = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        return self.network(**texts).last_hidden_state


def export_onnx_model(model: SentenceTransformer, folder: Path) -> None:
    """Export the transformer to ONNX with 8-bit weights; `knowledge.embeddings.embedder` does pooling and normalisation."""
    feed = model.tokenizer(["one", "and three words"], padding=True, return_tensors="pt")
    axes = {0: "batch", 1: "sequence"}
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = str(Path(scratch) / "whole.onnx")
        torch.onnx.export(
            Hidden(model[0].auto_model).eval(), tuple(feed[name] for name in INPUTS), whole, input_names=list(INPUTS),
            output_names=["last_hidden_state"], dynamic_axes=dict.fromkeys((*INPUTS, "last_hidden_state"), axes),
            dynamo=False, opset_version=17,
        )  # fmt: skip
        quantize_dynamic(whole, str(folder / "model.onnx"), weight_type=QuantType.QInt8, per_channel=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
