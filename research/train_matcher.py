"""Trains the matcher and writes its weights: `python -m research.train_matcher DATA [--epochs N]`."""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from torch.nn import functional

from knowledge.embeddings.embedder import Embedder, ModelFiles
from knowledge.relevance.matcher import SHIPPED
from research.examples import INTENTS, Asked, World, conversations, intents
from research.network import CrossMatcher
from research.reader_training import Batch, Reader, Shelf, batch, candidates, drawn

CANDIDATES, QUESTIONS, FEW = 6, 16, 0.12
"""Candidates a question, questions a step, and the share of entries in a small world (as a young knowledge base has)."""
PARAPHRASES = 0.3
"""Questions from the intent sets, as a share of those from conversations."""
THRESHOLD = 0.28


def main() -> None:
    """Train, export, quantise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with dstc_knowledge, kb_growth, banking77 and clinc150")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    random.seed(1)
    torch.manual_seed(1)
    network = CrossMatcher(load_file(ModelFiles.packaged().tokenizer.parent / "model.safetensors"))
    worlds = [conversations(options.data), *(intents(options.data, n, each) for n, each in INTENTS.items())]
    train(network, worlds, options.epochs, options.rate)
    export(network, options.out)


def train(network: CrossMatcher, worlds: list[World], epochs: int, rate: float) -> None:
    """Every epoch draws the entries anew, so that sometimes the right one is not there."""
    reader = Reader(Embedder())
    steps = epochs * int(len(worlds[0].asked) * (1 + PARAPHRASES)) // QUESTIONS
    layers = list(network.layers.parameters())
    rest = [p for n, p in network.named_parameters() if not n.startswith("layers")]
    optimizer = torch.optim.AdamW([{"params": layers, "lr": rate}, {"params": rest, "lr": 5 * rate}], weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (0.1 * steps)) * max(0.02, 1 - step / steps)
    )
    network.train()
    for epoch in range(epochs):
        losses = [_step(network, optimizer, schedule, items, reader) for items in _batches(worlds, reader)]
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}", flush=True)
    network.eval()


def _batches(worlds: list[World], reader: Reader) -> list[list[tuple[Asked, list[int], Shelf]]]:
    share = random.uniform(0.6, 0.9)
    talks = [drawn(worlds[0], reader, share), drawn(worlds[0], reader, share * FEW)]
    plain = [(world, drawn(world, reader, 0.7)) for world in worlds[1:]]
    order = [(asked, random.choice(talks)) for asked in worlds[0].asked]
    for _ in range(int(PARAPHRASES * len(order))):
        world, shelf = random.choice(plain)
        order.append((random.choice(world.asked), shelf))
    random.shuffle(order)
    items = [(asked, candidates(asked, shelf, reader, CANDIDATES), shelf) for asked, shelf in order]
    return [items[i : i + QUESTIONS] for i in range(0, len(items) - QUESTIONS + 1, QUESTIONS)]


def _step(
    network: CrossMatcher,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    items: list[tuple[Asked, list[int], Shelf]],
    reader: Reader,
) -> float:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = network(**_tensors(batch(items, reader))).float().view(len(items), CANDIDATES)
    nothing = torch.zeros(len(items), 1)
    loss = functional.cross_entropy(torch.cat([nothing, scores], 1), torch.tensor([_label(*item) for item in items]))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    return loss.item()


def _label(asked: Asked, found: list[int], shelf: Shelf) -> int:
    """The place of the right candidate, counted from one; zero is "none of these"."""
    right = [shelf.documents[i] == asked.document for i in found]
    return right.index(True) + 1 if any(right) else 0


def _tensors(feed: Batch) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in feed.items()}


def export(network: CrossMatcher, folder: Path) -> None:
    """Write ONNX with weights as int8, and the threshold."""
    inputs = {
        "asked": torch.randn(3, 7, 384),
        "asked_segments": torch.ones(3, 7, dtype=torch.long),
        "asked_mask": torch.ones(3, 7, dtype=torch.bool),
        "entry": torch.randn(3, 9, 384),
        "entry_segments": torch.ones(3, 9, dtype=torch.long),
        "entry_mask": torch.ones(3, 9, dtype=torch.bool),
        "signals": torch.randn(3, 11),
    }
    axes = {n: {0: "pairs", 1: n.split("_")[0]} if n != "signals" else {0: "pairs"} for n in inputs}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        whole = str(Path(scratch) / "matcher.onnx")
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            whole,
            input_names=list(inputs),
            output_names=["score"],
            dynamic_axes=axes,
            dynamo=False,
            opset_version=17,
        )
        quantize_dynamic(whole, str(folder / "matcher.onnx"), weight_type=QuantType.QInt8, per_channel=True)
    (folder / "matcher.json").write_text(json.dumps({"threshold": THRESHOLD}) + "\n")


if __name__ == "__main__":
    main()
