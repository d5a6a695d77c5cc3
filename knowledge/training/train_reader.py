"""Trains the reader and writes its weights: `python -m knowledge.training.train_reader DATA --minutes 60`."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from torch.nn import functional

from knowledge.embedding import ModelFiles
from knowledge.reader import SHIPPED, Pair, PairEncoder, open_word_embeddings
from knowledge.training.network import WIDTH
from knowledge.training.reader_network import CrossEncoder, read_exported
from knowledge.training.reader_rows import Asked, Item, Pool, centre_pools, draw_items, nearest, section_pools

COSINE, MIDDLE = 15.0, 0.5
"""What MiniLM's cosine counts beside the logit in training; after it, that of two models counts (`knowledge/ranking.py`)."""
CANDIDATES, QUESTIONS, SORTED = 4, 10, 40
"""Candidates a question, questions a step, and the steps whose questions are sorted by length together."""
WARM_UP = 0.06
FROZEN = 2
"""The lowest layers stay as they are, which saves a fourth of the time."""
EMBEDDED = 64
TRIED, TRIED_OF_POOL = 8, 50
"""Candidates of a question that is tried on the held-back sources, and questions of one of them."""
KEPT_OF_START = 0.4
KEPT, REPORTED = 300, 1500
"""Steps between two exports, and between two reports."""


def main() -> None:
    """Train for a while, try, export, quantise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with help_sections and natural_questions")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--headings", type=int, default=3000, help="headings that are asked as questions")
    parser.add_argument("--start", type=Path, help="an exported reader to go on from")
    parser.add_argument("--threads", type=int, default=1, help="more only help where nothing else runs")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    random.seed(1)
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    files = ModelFiles.packaged()
    encoder, words = PairEncoder(files.tokenizer), open_word_embeddings(files)
    network = CrossEncoder(load_file(files.tokenizer.parent / "model.safetensors"))
    embedder = Embedder(network, encoder, words)
    pools = [*section_pools(options.data, "train", options.headings), *centre_pools(options.data, "train")]
    held = {"sections": section_pools(options.data, "dev"), "centres": centre_pools(options.data, "dev")}
    for pool in [*pools, *held["sections"], *held["centres"]]:
        pool.prepare(embedder)
    print(f"{sum(len(pool.asked) for pool in pools)} questions", flush=True)
    if options.start:
        network.load_state_dict(read_exported(options.start))
    trainer = Trainer(network, encoder, words, options.out)
    trainer.report(held)
    trainer.train(pools, options.minutes, options.rate, held)
    if options.start:
        blend(network, read_exported(options.start))
    export(network, options.out)


class Embedder:
    """MiniLM's embeddings from the untrained network, in bfloat16: a tenth of the time that the int8 model takes here."""

    def __init__(self, network: CrossEncoder, encoder: PairEncoder, words: np.ndarray) -> None:
        self._network = network.eval()
        self._encoder = encoder
        self._words = words

    @torch.inference_mode()
    def embed(self, texts: list[str]) -> np.ndarray:
        """Unit vectors, one row a text."""
        rows = np.zeros((len(texts), WIDTH), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), EMBEDDED):
            own = order[start : start + EMBEDDED]
            batch = self._encoder.encode_texts([texts[i] for i in own])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                words, segments = torch.from_numpy(self._words[batch["ids"]]), torch.from_numpy(batch["segments"])
                _, mean = self._network.read(words, segments, torch.from_numpy(batch["mask"]))
            rows[own] = functional.normalize(mean.float(), dim=1).numpy()
        return rows


class Trainer:
    """One network, and what turns pairs into its input."""

    def __init__(self, network: CrossEncoder, encoder: PairEncoder, words: np.ndarray, out: Path) -> None:
        self._network = network
        self._encoder = encoder
        self._words = words
        self._out = out

    def train(self, pools: Sequence[Pool], minutes: float, rate: float, held: dict[str, list[Pool]]) -> None:
        """Until the time is over; the rate falls to nothing by then."""
        self._network.freeze(FROZEN)
        trained = [weights for weights in self._network.parameters() if weights.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01)
        began, losses = monotonic(), []
        self._network.train()
        for step, items in enumerate(_steps(pools), start=1):
            done = (monotonic() - began) / (60 * minutes)
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, done / WARM_UP + 0.02) * (1 - done)
            losses.append(self._step(optimizer, items))
            if step % 100 == 0:
                print(f"{100 * done:5.1f} % step {step}: loss {np.mean(losses[-100:]):.3f}", flush=True)
            if step % KEPT == 0:
                export(self._network, self._out)
                self._network.train()
            if step % REPORTED == 0:
                self.report(held)
        self.report(held)

    def _step(self, optimizer: torch.optim.Optimizer, items: Sequence[Item]) -> float:
        pairs = [pair for item in items for pair in item.pairs]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self._network(*self._tensors(pairs)).float()
        losses, start = [], 0
        for item in items:
            own = logits[start : start + len(item.pairs)] + COSINE * (torch.tensor(item.cosines) - MIDDLE)
            start += len(item.pairs)
            losses.append(functional.cross_entropy(torch.cat([torch.zeros(1), own]), torch.tensor(item.label)))
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    def _tensors(self, pairs: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        batch = self._encoder.encode_batch(pairs)
        return (
            torch.from_numpy(self._words[batch["ids"]]),
            torch.from_numpy(batch["segments"]),
            torch.from_numpy(batch["mask"]),
        )

    def report(self, held: dict[str, list[Pool]]) -> None:
        """How often the right one is first, and among three, by cosine and with the reader, on sources held back.

        "Told apart" is how often the best of an answered question scores above the best of an unanswered one (AUC).
        """
        self._network.eval()
        for name, pools in held.items():
            rows = [row for pool in pools for row in self._tried(pool)]
            known = [row for row in rows if row.gold is not None]
            line = f"  {name}: {len(known)} questions, among {TRIED} {np.mean([r.gold in r.read for r in known]):.3f}"
            for way in ("cosine", "read"):
                first, three = (np.mean([r.gold in getattr(r, way)[:n] for r in known]) for n in (1, 3))
                best = [
                    np.array([getattr(r, f"best_{way}") for r in rows if (r.gold is None) == none]) for none in (0, 1)
                ]
                apart = np.mean(best[0][:, None] > best[1][None, :])
                line += f"; {way} {first:.3f} / {three:.3f}, unanswered told apart {apart:.3f}"
            print(line, flush=True)
        self._network.train()

    @torch.inference_mode()
    def _tried(self, pool: Pool) -> Iterator[Tried]:
        rng = random.Random(2)
        for i in rng.sample(range(len(pool.asked)), min(TRIED_OF_POOL, len(pool.asked))):
            found = nearest(pool, i, TRIED)
            item = pool.asked[i]
            pairs = [_pair(item, pool, place) for place in found]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = self._network(*self._tensors(pairs)).float().numpy()
            cosines = pool.similarity[i][found].astype(np.float32)
            scores = logits + COSINE * (cosines - MIDDLE)
            read = [found[j] for j in np.argsort(-scores)]
            yield Tried(item.gold, found, read, float(cosines.max()), float(scores.max()))


@dataclass(frozen=True)
class Tried:
    """What became of a question of a source held back: its candidates in two orders, and their best scores."""

    gold: int | None
    cosine: list[int]
    read: list[int]
    best_cosine: float
    best_read: float


def _pair(asked: Asked, pool: Pool, place: int) -> Pair:
    return Pair(asked.text, asked.history, pool.sections[place].text)


def _steps(pools: Sequence[Pool]) -> Iterator[list[Item]]:
    """Questions of about one length together, for ever."""
    rng = random.Random(1)
    while True:
        waiting: list[Item] = []
        for item in draw_items(pools, CANDIDATES, rng):
            waiting.append(item)
            if len(waiting) == QUESTIONS * SORTED:
                yield from _batches(waiting, rng)
                waiting = []
        yield from _batches(waiting, rng)


def _batches(items: list[Item], rng: random.Random) -> Iterator[list[Item]]:
    items.sort(key=lambda item: max(len(p.entry) for p in item.pairs) + len(item.pairs[0].asked))
    batches = [items[i : i + QUESTIONS] for i in range(0, len(items), QUESTIONS)]
    rng.shuffle(batches)
    yield from batches


def blend(network: CrossEncoder, before: dict[str, torch.Tensor]) -> None:
    """Mix the weights with those that it went on from: the mean of two ends is a little better than either."""
    after = network.state_dict()
    network.load_state_dict({name: KEPT_OF_START * before[name] + (1 - KEPT_OF_START) * after[name] for name in after})


def export(network: CrossEncoder, folder: Path) -> None:
    """Write ONNX with weights as int8."""
    network.eval()
    inputs = {
        "words": torch.randn(3, 9, WIDTH),
        "segments": torch.ones(3, 9, dtype=torch.long),
        "mask": torch.ones(3, 9, dtype=torch.bool),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        whole = str(Path(scratch) / "reader.onnx")
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            whole,
            input_names=list(inputs),
            output_names=["score"],
            dynamic_axes={name: {0: "pairs", 1: "tokens"} for name in inputs},
            dynamo=False,
            opset_version=17,
        )
        quantize_dynamic(whole, str(folder / "reader.onnx"), weight_type=QuantType.QInt8, per_channel=True)


if __name__ == "__main__":
    main()
