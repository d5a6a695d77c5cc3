"""The reader as a torch module: MiniLM over question and entry together, from word embeddings that stay as they are."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
import torch
from onnx.numpy_helper import to_array
from torch import Tensor, nn
from torch.nn import functional

from research.network import HEADS, INNER, NAMES, WIDTH

LAYERS, POSITIONS, SEGMENTS = 6, 512, 2


class Layer(nn.Module):
    """A BERT layer."""

    dropout = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mixed = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm_mixed, self.norm_outer = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)

    def load(self, weights: dict[str, Tensor], number: int) -> None:
        """Take over a layer of MiniLM."""
        for own, theirs in NAMES.items():
            part = getattr(self, own)
            part.weight.data.copy_(weights[f"encoder.layer.{number}.{theirs}.weight"])
            part.bias.data.copy_(weights[f"encoder.layer.{number}.{theirs}.bias"])

    def forward(self, read: Tensor, left_out: Tensor) -> Tensor:
        """``left_out`` is 0 where there is a token, and far below that where there is none."""
        query, key, value = (_split(part(read)) for part in (self.query, self.key, self.value))
        scores = (query / math.sqrt(WIDTH // HEADS)) @ key.transpose(-1, -2)
        shares = (scores + left_out).softmax(-1, dtype=scores.dtype)
        read = self.norm_mixed(read + self._drop(self.mixed((shares @ value).transpose(1, 2).flatten(2))))
        return self.norm_outer(read + self._drop(self.outer(functional.gelu(self.inner(read)))))

    def _drop(self, read: Tensor) -> Tensor:
        return functional.dropout(read, self.dropout, self.training) if self.dropout else read


def _split(vectors: Tensor) -> Tensor:
    return vectors.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)


class CrossEncoder(nn.Module):
    """One logit a pair, from the first token and the mean of all."""

    def __init__(self, minilm: dict[str, Tensor]) -> None:
        super().__init__()
        self.positions, self.segments = nn.Embedding(POSITIONS, WIDTH), nn.Embedding(SEGMENTS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.out = nn.Linear(2 * WIDTH, 1)
        self.positions.weight.data.copy_(minilm["embeddings.position_embeddings.weight"])
        self.segments.weight.data.copy_(minilm["embeddings.token_type_embeddings.weight"])
        self.norm.weight.data.copy_(minilm["embeddings.LayerNorm.weight"])
        self.norm.bias.data.copy_(minilm["embeddings.LayerNorm.bias"])
        for number, layer in enumerate(self.layers):
            layer.load(minilm, number)
        nn.init.normal_(self.out.weight, 0, 0.01)
        nn.init.zeros_(self.out.bias)

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return self.out.weight.device

    def drop(self, share: float) -> None:
        """In training leave out this share of what each layer adds. On a CPU it costs more time than it gains."""
        for layer in self.layers:
            layer.dropout = share

    def freeze(self, layers: int) -> None:
        """Keep the embeddings and the lowest layers as they are."""
        for part in (self.positions, self.segments, self.norm, *self.layers[:layers]):
            part.requires_grad_(requires_grad=False)

    def forward(self, words: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """``words`` are word embeddings (pairs, tokens, width); ``mask`` is true where there is a token."""
        first, mean = self.read(words, segments, mask)
        return self.out(torch.cat([first, mean], 1)).squeeze(-1)

    def read(self, words: Tensor, segments: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The first token's vector and the mean of all; of the untrained network the mean is MiniLM's embedding."""
        places = torch.arange(words.shape[1], device=words.device)
        read = self.norm(words + self.positions(places) + self.segments(segments))
        left_out = (mask[:, None, None, :].to(read.dtype) - 1) * 1e4
        for layer in self.layers:
            read = layer(read, left_out)
        kept = mask[..., None].to(read.dtype)
        return read[:, 0], (read * kept).sum(1) / kept.sum(1)


def read_exported(path: Path) -> dict[str, Tensor]:
    """The weights of an exported reader, to go on from: int8 as ``quantize_dynamic`` of onnxruntime writes it."""
    graph = onnx.load(path).graph
    stored = {part.name: to_array(part) for part in graph.initializer}
    found = {name: torch.tensor(values) for name, values in stored.items() if name.endswith((".weight", ".bias"))}
    multiplied = {node.input[1]: node.name for node in graph.node if node.op_type == "MatMulInteger"}
    for name in (name for name in stored if name.endswith("_quantized")):
        base = name.removesuffix("_quantized")
        whole = stored[name].astype("float32") - stored[f"{base}_zero_point"].astype("float32")
        weights = torch.from_numpy(whole * stored[f"{base}_scale"])
        if name in multiplied:
            _, *module, _ = multiplied[name].split("/")
            found[".".join(module) + ".weight"] = weights.T.contiguous()
        else:
            found[base] = weights
    return found
