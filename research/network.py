"""The matcher as a torch module: two transformer layers over frozen token vectors, started from MiniLM's last two."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, INNER, SEGMENTS, SIGNALS = 384, 12, 1536, 6, 11
SIMILARITY, FIRST_STANDING = 0, 5
PRIOR = {SIMILARITY: 8.0, FIRST_STANDING: 1.5, FIRST_STANDING + 2: -1.5, FIRST_STANDING + 3: -0.5}
"""Where training starts: the nearer and the more "same" the subject, the better."""

NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mixed": "attention.output.dense",
    "norm_mixed": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "norm_outer": "output.LayerNorm",
}


class Layer(nn.Module):
    """A BERT layer whose queries may be fewer than its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mixed = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm_mixed, self.norm_outer = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = nn.Dropout(0.1)

    def load(self, weights: dict[str, Tensor], number: int) -> None:
        """Take over a layer of MiniLM."""
        for own, theirs in NAMES.items():
            part = getattr(self, own)
            part.weight.data.copy_(weights[f"encoder.layer.{number}.{theirs}.weight"])
            part.bias.data.copy_(weights[f"encoder.layer.{number}.{theirs}.bias"])

    def forward(self, reading: Tensor, read: Tensor, mask: Tensor) -> Tensor:
        """``reading`` attends to ``read``; ``mask`` is true where there is something to read."""
        scores = _heads(self.query(reading)) @ _heads(self.key(read)).transpose(-1, -2) / math.sqrt(WIDTH // HEADS)
        scores = scores + (1 - mask.float())[:, None, None, :] * -1e4
        mixed = (scores.softmax(-1) @ _heads(self.value(read))).transpose(1, 2)
        reading = self.norm_mixed(reading + self.dropout(self.mixed(mixed.reshape(mixed.shape[0], -1, WIDTH))))
        return self.norm_outer(reading + self.dropout(self.outer(functional.gelu(self.inner(reading)))))


def _heads(vectors: Tensor) -> Tensor:
    return vectors.reshape(vectors.shape[0], -1, HEADS, WIDTH // HEADS).transpose(1, 2)


class CrossMatcher(nn.Module):
    """One score a pair: the asked side reads both sides, then its head reads everything."""

    def __init__(self, minilm: dict[str, Tensor]) -> None:
        super().__init__()
        self.signals, self.prior = nn.Linear(SIGNALS, WIDTH), nn.Linear(SIGNALS, 1)
        self.segments = nn.Embedding(SEGMENTS, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(2))
        self.out = nn.Linear(WIDTH, 1)
        for number, layer in zip((4, 5), self.layers, strict=True):
            layer.load(minilm, number)
        nn.init.normal_(self.segments.weight, 0, 0.02)
        nn.init.normal_(self.out.weight, 0, 0.01)
        nn.init.zeros_(self.out.bias)
        nn.init.zeros_(self.prior.weight)
        nn.init.constant_(self.prior.bias, -6.0)
        for signal, weight in PRIOR.items():
            self.prior.weight.data[0, signal] = weight

    def forward(
        self,
        asked: Tensor,
        asked_segments: Tensor,
        asked_mask: Tensor,
        entry: Tensor,
        entry_segments: Tensor,
        entry_mask: Tensor,
        signals: Tensor,
    ) -> Tensor:
        """The inputs as ``knowledge.relevance.matcher`` stacks them."""
        asked = asked + self.segments(asked_segments)
        asked = torch.cat([asked[:, :1] + self.signals(signals)[:, None], asked[:, 1:]], 1)
        entry = entry + self.segments(entry_segments)
        mask = torch.cat([asked_mask, entry_mask], 1)
        asked = self.layers[0](asked, torch.cat([asked, entry], 1), mask)
        head = self.layers[1](asked[:, :1], torch.cat([asked, entry], 1), mask)
        return (self.out(head[:, 0]) + self.prior(signals)).squeeze(-1)
