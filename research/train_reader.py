"""Trains the reader and writes its weights: `python -m research.train_reader DATA --minutes 60`.

On a GPU (``--device cuda --questions 64 --candidates 8 --workers 14 --dropout 0.1``) nine minutes are nine epochs; on two cores
an hour is half of one. Readers of two runs are averaged by ``average_readers``.
"""

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
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from knowledge.embeddings.embedder import ModelFiles
from knowledge.relevance.reader import SHIPPED, PairEncoder, ReaderPair, open_word_embeddings
from research.network import WIDTH
from research.reader_network import CrossEncoder, read_exported
from research.reader_rows import Asked, Item, Pool, centre_pools, draw_items, nearest, section_pools

COSINE, MIDDLE = 15.0, 0.5
"""What MiniLM's cosine counts beside the logit in training; after it, that of two models counts (`knowledge/relevance/ranker.py`)."""
CANDIDATES, QUESTIONS, SORTED = 4, 10, 40
"""Candidates a question, questions a step, and the steps whose questions are sorted by length together."""
WARM_UP = 0.06
FROZEN = 2
"""On a CPU the lowest layers stay as they are, which saves a fourth of the time."""
SMOOTHED = 0.999
"""Share of the running mean of the weights that each step keeps; the mean is what is tried and exported."""
EMBEDDED = 64
TRIED, TRIED_OF_POOL = 8, 50
"""Candidates of a question that is tried on the held-back sources, and questions of one of them."""
REPORTED = 1500
"""Steps between two reports."""


def main() -> None:
    """Train for a while, try, export, quantise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with help_sections and natural_questions")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--headings", type=int, default=3000, help="headings that are asked as questions")
    parser.add_argument("--start", type=Path, help="an exported reader to go on from")
    parser.add_argument("--threads", type=int, default=1, help="more only help where nothing else runs")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="questions a step")
    parser.add_argument("--candidates", type=int, default=CANDIDATES, help="candidates a question")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw and encode; 0: this one")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    files = ModelFiles.packaged()
    encoder, words = PairEncoder(files.tokenizer), open_word_embeddings(files)
    network = CrossEncoder(load_file(files.tokenizer.parent / "model.safetensors")).to(options.device)
    embedder = Embedder(network, encoder, words)
    pools = [*section_pools(options.data, "train", options.headings), *centre_pools(options.data, "train")]
    held = {"sections": section_pools(options.data, "dev"), "centres": centre_pools(options.data, "dev")}
    for pool in [*pools, *held["sections"], *held["centres"]]:
        pool.prepare(embedder)
    train_pools(network, encoder, words, pools, held, options)
    export(network.cpu(), options.out)


def train_pools(
    network: CrossEncoder,
    encoder: PairEncoder,
    words: np.ndarray,
    pools: Sequence[Pool],
    held: dict[str, list[Pool]],
    options: argparse.Namespace,
) -> None:
    """Train a network on pools that are prepared."""
    print(f"{sum(len(pool.asked) for pool in pools)} questions", flush=True)
    if options.start:
        network.load_state_dict(read_exported(options.start))
    trainer = Trainer(network, encoder, words, options)
    trainer.report(held)
    trainer.train(pools, held)


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
            device = self._network.device
            with torch.autocast(device.type, dtype=torch.bfloat16):
                words, segments = torch.from_numpy(self._words[batch["ids"]]), torch.from_numpy(batch["segments"])
                mask = torch.from_numpy(batch["mask"])
                _, mean = self._network.read(words.to(device), segments.to(device), mask.to(device))
            rows[own] = functional.normalize(mean.float(), dim=1).cpu().numpy()
        return rows


@dataclass(frozen=True)
class Batch:
    """Questions with their candidates, encoded. The pairs of all of them lie one after the other."""

    ids: torch.Tensor
    segments: torch.Tensor
    mask: torch.Tensor
    places: torch.Tensor
    """Of each pair its question and its place among the candidates, counted from one."""
    cosines: torch.Tensor
    labels: torch.Tensor
    """Of each question the place that answers, 0 where none does."""


class Steps(IterableDataset[Batch]):
    """Batches for ever, of questions of about one length."""

    def __init__(self, pools: Sequence[Pool], tokenizer: Path, options: argparse.Namespace) -> None:
        self._pools = pools
        self._tokenizer = tokenizer
        self._questions, self._candidates, self._seed = options.questions, options.candidates, options.seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        rng = random.Random(100 * self._seed + (worker.id if worker else 0))
        encoder = PairEncoder(self._tokenizer)
        while True:
            waiting: list[Item] = []
            for item in draw_items(self._pools, self._candidates, rng):
                waiting.append(item)
                if len(waiting) == self._questions * SORTED:
                    yield from self._batches(encoder, waiting, rng)
                    waiting = []
            yield from self._batches(encoder, waiting, rng)

    def _batches(self, encoder: PairEncoder, items: list[Item], rng: random.Random) -> Iterator[Batch]:
        items.sort(key=lambda item: max(len(p.entry) for p in item.pairs) + len(item.pairs[0].asked))
        batches = [items[i : i + self._questions] for i in range(0, len(items), self._questions)]
        rng.shuffle(batches)
        yield from (_batch(encoder, batch) for batch in batches)


def _batch(encoder: PairEncoder, items: Sequence[Item]) -> Batch:
    encoded = encoder.encode_batch([pair for item in items for pair in item.pairs])
    return Batch(
        *(torch.from_numpy(encoded[name]) for name in ("ids", "segments", "mask")),
        places=torch.tensor(
            [(row, place) for row, item in enumerate(items) for place in range(1, len(item.pairs) + 1)]
        ),
        cosines=torch.tensor([cosine for item in items for cosine in item.cosines]),
        labels=torch.tensor([item.label for item in items]),
    )


class Trainer:
    """One network, and what turns pairs into its input."""

    def __init__(
        self, network: CrossEncoder, encoder: PairEncoder, words: np.ndarray, options: argparse.Namespace
    ) -> None:
        self._network = network
        self._encoder = encoder
        self._words = torch.from_numpy(np.array(words)).to(network.device)
        self._options = options

    def train(self, pools: Sequence[Pool], held: dict[str, list[Pool]]) -> None:
        """Until the time is over; the rate falls to nothing by then, and the network ends as the running mean of itself."""
        if self._network.device.type == "cpu":
            self._network.freeze(FROZEN)
        self._network.drop(self._options.dropout)
        trained = [weights for weights in self._network.parameters() if weights.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=self._options.rate, weight_decay=0.01)
        mean = torch.optim.swa_utils.AveragedModel(
            self._network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(SMOOTHED)
        )
        losses: list[torch.Tensor] = []
        self._network.train()
        began = monotonic()
        for step, batch in enumerate(self._load(pools), start=1):
            done = (monotonic() - began) / (60 * self._options.minutes)
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = self._options.rate * min(1.0, done / WARM_UP + 0.02) * (1 - done)
            losses.append(self._step(optimizer, batch))
            mean.update_parameters(self._network)
            if step % 100 == 0:
                print(f"{100 * done:5.1f} % step {step}: loss {torch.stack(losses[-100:]).mean():.3f}", flush=True)
            if step % REPORTED == 0:
                self.report(held)
        self._network.load_state_dict(mean.module.state_dict())
        self.report(held)

    def _load(self, pools: Sequence[Pool]) -> DataLoader[Batch]:
        steps = Steps(pools, self._encoder.tokenizer, self._options)
        return DataLoader(steps, batch_size=None, num_workers=self._options.workers)

    def _step(self, optimizer: torch.optim.Optimizer, batch: Batch) -> torch.Tensor:
        device = self._network.device
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = self._read(batch.ids, batch.segments, batch.mask)
        rows, places = batch.places.to(device).T
        scores = torch.full((len(batch.labels), self._options.candidates + 1), -1e4, device=device)
        scores[:, 0] = 0
        scores[rows, places] = logits.float() + COSINE * (batch.cosines.to(device) - MIDDLE)
        loss = functional.cross_entropy(scores, batch.labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    def _read(self, ids: torch.Tensor, segments: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        device = self._network.device
        return self._network(self._words[ids.to(device)].float(), segments.to(device), mask.to(device))

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
        chosen = rng.sample(range(len(pool.asked)), min(TRIED_OF_POOL, len(pool.asked)))
        found = [nearest(pool, i, TRIED) for i in chosen]
        pairs = [_pair(pool.asked[i], pool, place) for i, places in zip(chosen, found, strict=True) for place in places]
        batch = {name: torch.from_numpy(rows) for name, rows in self._encoder.encode_batch(pairs).items()}
        with torch.autocast(self._network.device.type, dtype=torch.bfloat16):
            every = self._read(**batch).float().cpu().numpy()
        for i, places, logits in zip(chosen, found, every.reshape(len(chosen), -1), strict=True):
            cosines = pool.similarity[i][places].astype(np.float32)
            scores = logits + COSINE * (cosines - MIDDLE)
            read = [places[j] for j in np.argsort(-scores)]
            yield Tried(pool.asked[i].gold, places, read, float(cosines.max()), float(scores.max()))


@dataclass(frozen=True)
class Tried:
    """What became of a question of a source held back: its candidates in two orders, and their best scores."""

    gold: int | None
    cosine: list[int]
    read: list[int]
    best_cosine: float
    best_read: float


def _pair(asked: Asked, pool: Pool, place: int) -> ReaderPair:
    return ReaderPair(asked.text, asked.history, pool.sections[place].text)


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
